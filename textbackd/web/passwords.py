"""Passwords: hashed with argon2id, checked so that a wrong name takes as long as a wrong password.   → login, account pages, cli

Costs: 19 MiB, two passes, one lane (OWASP, "Password Storage"): a few hundredths of a second, in a thread, and little enough
memory for a small board. Text is brought to one form first, since keyboards differ in how they write "é" (NIST SP 800-63B §5.1.1.2).
"""

import asyncio
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from textbackd.store import bearer

FEWEST: Final = 10  # characters
AT_ONCE: Final = 2  # hashes at one time: each holds 19 MiB, and there may be no more than two cores
TOO_SHORT: Final = f"A password needs at least {FEWEST} characters. Three or four words are a good one."


class Passwords:
    """Hashes and checks; blocks nobody meanwhile."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._nobodys = self._hasher.hash(bearer.new())
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        async with self._turn:
            return await asyncio.to_thread(self.hash_now, password)

    def hash_now(self, password: str) -> str:
        """Return the same, for a command that has nothing else to do."""
        return self._hasher.hash(_bytes(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Return whether a password is the one of `kept`. Without one it works as long, and says no."""
        async with self._turn:
            right = await asyncio.to_thread(self._matches, kept or self._nobodys, password)
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Return whether it was hashed at another cost than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _matches(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, _bytes(password))
        except (Argon2Error, InvalidHashError):
            return False


def is_long_enough(password: str) -> bool:
    """Return whether a new password may be taken."""
    return len(password) >= FEWEST


def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
