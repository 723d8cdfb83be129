package io.nestbox.server

import io.ktor.server.application.Application
import io.ktor.server.application.call
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import io.nestbox.server.routes.Paths
import io.nestbox.server.routes.adminRoutes
import io.nestbox.server.routes.healthRoutes
import io.nestbox.server.routes.lockerRoutes
import io.nestbox.server.routes.parcelRoutes
import io.nestbox.server.security.PickupCodes
import io.nestbox.server.storage.LockerDirectory
import io.nestbox.server.storage.ParcelRepository

fun Application.configureRouting(
    lockers: LockerDirectory,
    parcels: ParcelRepository,
    codes: PickupCodes,
    notify: NotifyClient,
) {
    routing {
        get("/") {
            call.respondText("Nestbox locker server")
        }

        healthRoutes()

        route(Paths.API) {
            lockerRoutes(lockers)
            parcelRoutes(parcels, codes, notify)
            adminRoutes(parcels)
        }
    }
}
