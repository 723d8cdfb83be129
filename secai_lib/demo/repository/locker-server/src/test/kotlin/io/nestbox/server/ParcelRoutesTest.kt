package io.nestbox.server

import io.ktor.client.request.delete
import io.ktor.client.request.get
import io.ktor.client.request.post
import io.ktor.http.HttpStatusCode
import io.ktor.server.testing.testApplication
import kotlin.test.Test
import kotlin.test.assertEquals

class ParcelRoutesTest {
    @Test
    fun `an unknown code is not found`() = testApplication {
        val answer = client.get("/api/v1/parcels/000000")
        assertEquals(HttpStatusCode.NotFound, answer.status)
    }

    @Test
    fun `an old path is gone`() = testApplication {
        assertEquals(HttpStatusCode.NotFound, client.post("/v0/drop").status)
        assertEquals(HttpStatusCode.NotFound, client.delete("/v0/drop/1").status)
    }
}
