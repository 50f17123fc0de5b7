"""A random secret that lets in whoever has it: told once, kept as its hash.   → sessions, tokens, invitations"""

import hashlib
import secrets
from typing import Final

# 256 random bits: nobody guesses one, so a plain hash keeps it, and a lookup by the hash tells nothing by its time.
BYTES: Final = 32


def new() -> str:
    """Return a new secret that can stand in an address or a cookie."""
    return secrets.token_urlsafe(BYTES)


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
