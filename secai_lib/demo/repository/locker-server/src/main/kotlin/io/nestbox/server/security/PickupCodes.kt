package io.nestbox.server.security

import kotlin.random.Random

/** Makes the six digits that open a compartment. */
class PickupCodes {
    fun newPickupCode(): String {
        val number = Random.nextInt(0, 1_000_000)
        return number.toString().padStart(6, '0')
    }
}
