package io.example

import java.security.MessageDigest
import java.security.SecureRandom
import java.util.Random

class SessionTokens {
    // ruleid: secai.kotlin.insecure-random
    private val random = Random()

    // ruleid: secai.kotlin.insecure-random
    fun next(): Int = kotlin.random.Random.nextInt(10)
}

fun newPassword(): String {
    // ruleid: secai.kotlin.insecure-random
    return Random.nextLong().toString()
}

// ruleid: secai.kotlin.insecure-random
fun makeNonce() = Random.nextBytes(16)

fun newApiKey(): ByteArray {
    // ok: the right generator
    return ByteArray(16).also { SecureRandom().nextBytes(it) }
}

class Dice {
    // ok: not a secret
    fun roll(): Int = Random().nextInt(6)
}

// ok: "spinner" is no PIN
fun spinner(): Int = Random.nextInt(360)

fun hashes(text: ByteArray) {
    // ruleid: secai.kotlin.weak-hash
    MessageDigest.getInstance("MD5").digest(text)
    // ruleid: secai.kotlin.weak-hash
    MessageDigest.getInstance("SHA-1")
    // ok: strong enough
    MessageDigest.getInstance("SHA-256")
    // ok: another class
    Checksum.getInstance("MD5")
    // ok: only its name
    println("MD5")
}

fun Application.sessions() {
    install(Sessions) {
        cookie<User>("user") {
            // ruleid: secai.kotlin.cookie-not-secure
            cookie.secure = false
            // ruleid: secai.kotlin.cookie-not-http-only
            cookie.httpOnly = false
        }
        cookie<Admin>("admin") {
            // ok: both flags are on
            cookie.secure = true
            cookie.httpOnly = true
        }
    }
    // ok: no cookie
    settings.secure = false
    settings.httpOnly = false
}

fun Application.cors() {
    install(CORS) {
        // ruleid: secai.kotlin.cors-any-host
        anyHost()
        // ok: a named host
        allowHost("shop.example")
    }
    // ok: not in the CORS plugin
    anyHost()
}

fun queries(connection: Connection, statement: Statement, name: String) {
    // ruleid: secai.kotlin.sql-string-template
    statement.executeQuery("SELECT * FROM users WHERE name = '$name'")
    // ruleid: secai.kotlin.sql-string-template
    statement.executeUpdate("DELETE FROM users WHERE name = '${name.trim()}'")
    // ruleid: secai.kotlin.sql-string-template
    statement.execute("DELETE FROM users WHERE name = '" + name + "'")
    // ruleid: secai.kotlin.sql-string-template
    connection.prepareStatement("SELECT * FROM $name")
    // ok: a placeholder
    connection.prepareStatement("SELECT * FROM users WHERE name = ?")
    // ok: a constant
    statement.executeQuery("SELECT * FROM users")
    // ok: a plain dollar sign
    statement.executeQuery("SELECT '\$name'")
    // ok: not SQL
    println("Hello $name")
}
