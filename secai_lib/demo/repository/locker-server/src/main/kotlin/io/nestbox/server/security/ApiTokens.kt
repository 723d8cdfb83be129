package io.nestbox.server.security

import java.security.MessageDigest
import java.security.SecureRandom
import java.util.Base64

private const val TOKEN_BYTES = 32

/** Tokens of the partner shops: 256 random bits; only their hash is stored. */
class ApiTokens {
    private val random = SecureRandom()

    fun newToken(): String {
        val bytes = ByteArray(TOKEN_BYTES)
        random.nextBytes(bytes)
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)
    }

    fun hash(token: String): ByteArray = MessageDigest.getInstance("SHA-256").digest(token.toByteArray())
}
