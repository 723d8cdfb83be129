package io.nestbox.notify

import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.routing.routing
import io.ktor.server.sessions.Sessions
import io.ktor.server.sessions.cookie

const val NOTIFY_PORT = 8090

data class OperatorSession(val operatorId: String)

fun main() {
    embeddedServer(Netty, port = NOTIFY_PORT, host = "0.0.0.0", module = Application::notifyModule)
        .start(wait = true)
}

fun Application.notifyModule() {
    install(Sessions) {
        cookie<OperatorSession>("operator") {
            cookie.secure = true
            cookie.httpOnly = true
            cookie.extensions["SameSite"] = "strict"
        }
    }

    routing {
        messageRoutes(Outbox())
        templateRoutes()
    }
}
