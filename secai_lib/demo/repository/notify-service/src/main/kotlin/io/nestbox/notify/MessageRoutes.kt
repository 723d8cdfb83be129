package io.nestbox.notify

import io.ktor.http.HttpStatusCode
import io.ktor.server.application.call
import io.ktor.server.request.receiveText
import io.ktor.server.response.respond
import io.ktor.server.response.respondText
import io.ktor.server.routing.Route
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route

private const val MESSAGES = "/messages"

fun Route.messageRoutes(outbox: Outbox) {
    get("/health") {
        call.respondText("ok")
    }

    route(MESSAGES) {
        post {
            val text = call.receiveText()
            val id = outbox.queue(text, signature(text))
            call.respond(HttpStatusCode.Accepted, id)
        }

        get("/{id}") {
            val message = outbox.find(call.parameters["id"]!!)
            call.respond(message ?: HttpStatusCode.NotFound)
        }
    }
}
