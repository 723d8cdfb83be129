package io.nestbox.server.routes

import io.ktor.http.HttpStatusCode
import io.ktor.server.application.call
import io.ktor.server.response.respond
import io.ktor.server.response.respondFile
import io.ktor.server.routing.Route
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route
import io.nestbox.server.security.fileChecksum
import io.nestbox.server.storage.ParcelRepository
import java.io.File

private const val ADMIN = "/admin"
private val exportFolder = File("/var/lib/nestbox/exports")

fun Route.adminRoutes(parcels: ParcelRepository) {
    route(ADMIN) {
        post("/exports") {
            val file = parcels.export(exportFolder)
            call.respond(HttpStatusCode.Created, mapOf("md5" to fileChecksum(file)))
        }

        get("/exports/{path...}") {
            val path = call.parameters.getAll("path").orEmpty().joinToString("/")
            call.respondFile(File(exportFolder, path))
        }
    }
}
