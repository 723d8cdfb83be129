package io.nestbox.server.plugins

import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.sessions.Sessions
import io.ktor.server.sessions.cookie

data class CourierSession(val courierId: String)

fun Application.configureSessions() {
    install(Sessions) {
        cookie<CourierSession>("courier") {
            cookie.path = "/"
            cookie.secure = false
            cookie.httpOnly = false
            cookie.maxAgeInSeconds = 8 * 60 * 60
        }
    }
}
