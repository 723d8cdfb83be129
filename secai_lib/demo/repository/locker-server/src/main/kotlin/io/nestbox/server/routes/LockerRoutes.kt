package io.nestbox.server.routes

import io.ktor.http.HttpStatusCode
import io.ktor.server.application.call
import io.ktor.server.response.respond
import io.ktor.server.routing.Route
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route
import io.nestbox.server.storage.LockerDirectory

fun Route.lockerRoutes(lockers: LockerDirectory) {
    route(Paths.LOCKERS) {
        get {
            call.respond(lockers.all())
        }

        get("/{lockerId}") {
            val locker = lockers.find(call.parameters["lockerId"]!!)
            if (locker == null) {
                call.respond(HttpStatusCode.NotFound)
            } else {
                call.respond(locker)
            }
        }
    }

    compartmentRoutes(lockers)
}

private fun Route.compartmentRoutes(lockers: LockerDirectory) {
    route(Paths.COMPARTMENTS) {
        get {
            call.respond(lockers.compartments(call.parameters["lockerId"]!!))
        }

        // The technician's way in; the recipient's is PUT /parcels/{code}/pickup.
        post("/{number}/open") {
            val number = call.parameters["number"]!!.toInt()
            lockers.open(call.parameters["lockerId"]!!, number)
            call.respond(HttpStatusCode.Accepted)
        }
    }
}
