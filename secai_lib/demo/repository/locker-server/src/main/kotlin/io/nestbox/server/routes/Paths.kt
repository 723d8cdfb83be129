package io.nestbox.server.routes

/** The paths that more than one file needs. */
object Paths {
    const val API = "/api/v1"
    const val LOCKERS = "/lockers"
    const val COMPARTMENTS = "$LOCKERS/{lockerId}/compartments"
}

internal const val HEALTH_PATH = "/healthz"
