package io.nestbox.server

import io.ktor.server.application.Application
import io.nestbox.server.plugins.configureCors
import io.nestbox.server.plugins.configureSecurityHeaders
import io.nestbox.server.plugins.configureSessions
import io.nestbox.server.security.PickupCodes
import io.nestbox.server.storage.LockerDirectory
import io.nestbox.server.storage.ParcelRepository
import java.sql.DriverManager

/** Started by Ktor's EngineMain, which reads the port from application.conf. */
fun Application.module() {
    val settings = environment.config.config("nestbox")
    val connection = DriverManager.getConnection(settings.property("database").getString())

    configureSecurityHeaders()
    configureCors()
    configureSessions()
    configureRouting(
        lockers = LockerDirectory(connection),
        parcels = ParcelRepository(connection),
        codes = PickupCodes(),
        notify = NotifyClient(settings.property("notifyUrl").getString()),
    )
}
