package io.nestbox.server

import io.ktor.server.application.call
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing

/** Stands in for the notify service in tests; not a service of the product. */
fun fakeNotifyServer(sent: MutableList<String>) = embeddedServer(Netty, port = 18090) {
    routing {
        post("/messages") {
            sent += "message"
            call.respondText("queued")
        }
        get("/sent") { call.respondText(sent.size.toString()) }
    }
}
