package io.nestbox.server.storage

import java.sql.Connection

/** Which lockers there are, and their compartments. */
class LockerDirectory(private val connection: Connection) {
    private val nameCache = mutableMapOf<String, String>()

    fun all(): List<String> {
        connection.prepareStatement("SELECT name FROM lockers ORDER BY name").use { statement ->
            val rows = statement.executeQuery()
            return generateSequence { if (rows.next()) rows.getString("name") else null }.toList()
        }
    }

    fun find(lockerId: String): String? {
        nameCache.get(lockerId)?.let { return it }

        connection.prepareStatement("SELECT name FROM lockers WHERE id = ?").use { statement ->
            statement.setString(1, lockerId)
            val rows = statement.executeQuery()
            return if (rows.next()) rows.getString("name").also { nameCache[lockerId] = it } else null
        }
    }

    fun compartments(lockerId: String): List<Int> {
        connection.prepareStatement("SELECT number FROM compartments WHERE locker = ?").use { statement ->
            statement.setString(1, lockerId)
            val rows = statement.executeQuery()
            return generateSequence { if (rows.next()) rows.getInt("number") else null }.toList()
        }
    }

    fun open(lockerId: String, number: Int) {
        connection.prepareStatement("INSERT INTO commands (locker, number) VALUES (?, ?)").use { statement ->
            statement.setString(1, lockerId)
            statement.setInt(2, number)
            statement.executeUpdate()
        }
    }
}
