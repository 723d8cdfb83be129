package works.harbour.portal

import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.sessions.Sessions
import io.ktor.server.sessions.cookie
import java.security.MessageDigest

data class Visitor(val id: String, val language: String)

data class Member(val id: Long)

fun Application.configureSessions() {
    install(Sessions) {
        cookie<Visitor>("visitor") {
            cookie.path = "/"
            cookie.httpOnly = true
            cookie.secure = true
        }
        cookie<Member>("member") {
            cookie.maxAgeInSeconds = 8 * 60 * 60
            cookie.secure = true
            cookie.httpOnly = true
            cookie.extensions["SameSite"] = "Lax"
        }
    }
}

/** The form in which a device id is kept. */
fun deviceKey(device: String): String =
    MessageDigest.getInstance("SHA-256")
        .digest(device.toByteArray())
        .joinToString("") { "%02x".format(it) }
