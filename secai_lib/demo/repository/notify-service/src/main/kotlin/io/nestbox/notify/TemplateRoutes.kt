package io.nestbox.notify

import io.ktor.http.HttpStatusCode
import io.ktor.server.application.call
import io.ktor.server.response.respond
import io.ktor.server.routing.Route
import io.ktor.server.routing.get
import io.ktor.server.routing.route

private val templates = mapOf(
    "pickup" to "Your parcel is here. Code: {code}",
    "reminder" to "Your parcel waits for two more days. Code: {code}",
)

fun Route.templateRoutes() = route("/templates") {
    get { call.respond(templates.keys.sorted()) }

    get("/{name}") {
        val template = templates.get(call.parameters["name"])
        call.respond(template ?: HttpStatusCode.NotFound)
    }
}
