"""Access codes for technicians."""

import random
import secrets

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def technician_token(length: int = 12) -> str:
    """A token that opens every door of a locker for one day."""
    return "".join(random.choice(ALPHABET) for _ in range(length))


def partner_token() -> str:
    """A token for a partner shop."""
    return secrets.token_urlsafe(32)
