package io.nestbox.server

import io.ktor.client.HttpClient
import io.ktor.client.request.get
import io.ktor.client.request.post
import io.ktor.client.request.setBody
import io.ktor.client.statement.bodyAsText

/** Talks to the notify service; these are requests, not routes. */
class NotifyClient(private val baseUrl: String, private val http: HttpClient = HttpClient()) {
    suspend fun sendPickupCode(phone: String, code: String) {
        http.post("$baseUrl/messages") {
            setBody("""{"to": "$phone", "template": "pickup", "code": "$code"}""")
        }
    }

    suspend fun status(messageId: String): String = http.get("$baseUrl/messages/$messageId").bodyAsText()
}
