package io.nestbox.server.routes

import io.ktor.http.HttpStatusCode
import io.ktor.server.application.call
import io.ktor.server.request.receive
import io.ktor.server.response.respond
import io.ktor.server.routing.Route
import io.ktor.server.routing.delete
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.put
import io.ktor.server.routing.route
import io.nestbox.server.NotifyClient
import io.nestbox.server.security.PickupCodes
import io.nestbox.server.storage.ParcelRepository

fun Route.parcelRoutes(parcels: ParcelRepository, codes: PickupCodes, notify: NotifyClient) {
    route("/parcels") {
        post {
            val drop = call.receive<Map<String, String>>()
            val code = codes.newPickupCode()
            parcels.store(code, drop.get("locker")!!, drop.get("recipient")!!)
            notify.sendPickupCode(drop.get("recipient")!!, code)
            call.respond(HttpStatusCode.Created, mapOf("code" to code))
        }

        // /search without a term lists the newest parcels
        get("/search/{term?}") {
            call.respond(parcels.search(call.parameters["term"].orEmpty()))
        }

        route("/{code}") {
            get {
                val parcel = parcels.find(call.parameters["code"]!!)
                call.respond(parcel ?: HttpStatusCode.NotFound)
            }

            put("/pickup") {
                parcels.markPickedUp(call.parameters["code"]!!)
                call.respond(HttpStatusCode.NoContent)
            }

            delete {
                parcels.remove(call.parameters["code"]!!)
                call.respond(HttpStatusCode.NoContent)
            }
        }
    }
}
