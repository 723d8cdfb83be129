package works.harbour.updates

import java.io.InputStream
import java.security.DigestInputStream
import java.security.MessageDigest

class CorruptDownload(name: String) : Exception("$name is not what the index promised")

class Downloads(private val index: Map<String, String>) {

    fun verified(name: String, stream: InputStream): ByteArray {
        val digest = MessageDigest.getInstance("SHA-256")
        val bytes = DigestInputStream(stream, digest).use { it.readBytes() }
        if (hex(digest.digest()) != index[name]) throw CorruptDownload(name)
        return bytes
    }

    companion object {
        fun fingerprint(certificate: ByteArray): String {
            val hash = MessageDigest.getInstance("SHA-256").digest(certificate)
            return hash.joinToString(":") { "%02X".format(it) }
        }

        private fun hex(bytes: ByteArray) = bytes.joinToString("") { "%02x".format(it) }
    }
}
