package io.nestbox.server.storage

import java.io.File
import java.sql.Connection

/** Parcels by their pickup code. */
class ParcelRepository(private val connection: Connection) {
    fun store(code: String, locker: String, recipient: String) {
        val sql = "INSERT INTO parcels (code, locker, recipient) VALUES (?, ?, ?)"
        connection.prepareStatement(sql).use { statement ->
            statement.setString(1, code)
            statement.setString(2, locker)
            statement.setString(3, recipient)
            statement.executeUpdate()
        }
    }

    fun search(term: String): List<String> {
        val statement = connection.createStatement()
        val rows = statement.executeQuery("SELECT code FROM parcels WHERE recipient LIKE '%$term%'")
        return generateSequence { if (rows.next()) rows.getString("code") else null }.toList()
    }

    fun find(code: String): String? {
        connection.prepareStatement("SELECT recipient FROM parcels WHERE code = ?").use { statement ->
            statement.setString(1, code)
            val rows = statement.executeQuery()
            return if (rows.next()) rows.getString("recipient") else null
        }
    }

    fun markPickedUp(code: String) = update("UPDATE parcels SET picked_up = now() WHERE code = ?", code)

    fun remove(code: String) = update("DELETE FROM parcels WHERE code = ?", code)

    fun export(folder: File): File {
        val file = File(folder, "parcels.csv")
        file.writeText(search("").joinToString("\n"))
        return file
    }

    private fun update(sql: String, code: String) {
        connection.prepareStatement(sql).use { statement ->
            statement.setString(1, code)
            statement.executeUpdate()
        }
    }
}
