package io.nestbox.server.security

import java.io.File
import java.security.MessageDigest

/** The checksum that the depot compares after it has fetched an export. */
fun fileChecksum(file: File): String {
    val digest = MessageDigest.getInstance("MD5")
    return digest.digest(file.readBytes()).joinToString("") { "%02x".format(it) }
}
