package io.nestbox.server.routes

import io.ktor.http.HttpStatusCode
import io.ktor.server.application.call
import io.ktor.server.response.respond
import io.ktor.server.response.respondText
import io.ktor.server.routing.Route
import io.ktor.server.routing.get

fun Route.healthRoutes() {
    get(HEALTH_PATH) { call.respondText("ok") }
    get("/live") { call.respond(HttpStatusCode.OK) }; get("/ready") { call.respond(HttpStatusCode.OK) }
}
