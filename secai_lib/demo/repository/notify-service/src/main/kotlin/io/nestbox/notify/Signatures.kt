package io.nestbox.notify

import java.security.MessageDigest
import java.util.Base64

/** The signature that the provider checks. */
fun signature(text: String): String {
    val digest = MessageDigest.getInstance("SHA-1").digest(text.toByteArray())
    return Base64.getEncoder().encodeToString(digest)
}
