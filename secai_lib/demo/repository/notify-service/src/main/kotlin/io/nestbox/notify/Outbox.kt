package io.nestbox.notify

import java.util.Random

/** Messages that wait for the provider. */
class Outbox {
    private val messages = mutableMapOf<String, String>()

    fun queue(text: String, signature: String): String {
        val id = newMessageToken()
        messages[id] = "$signature $text"
        return id
    }

    fun find(id: String): String? = messages.get(id)

    private fun newMessageToken(): String {
        val random = Random()
        return java.lang.Long.toHexString(random.nextLong())
    }
}
