"""Passwords: hashed with argon2id, checked so that a wrong name takes as long as a wrong password.   → login, account pages, cli

Costs: 19 MiB, two passes, one lane (OWASP, "Password Storage"): a few hundredths of a second. All are hashed in one thread, one after
the other: a crowd at the login keeps one core busy and holds 19 MiB, and the PBX on the same box does not notice. Text is brought to
one form first, since keyboards differ in how they write "é" (NIST SP 800-63B §5.1.1.2).
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from textbackd.store import bearer

T = TypeVar("T")
FEWEST: Final = 10  # characters
MOST_WAITING: Final = 20  # about a second of a small board's work
TOO_SHORT: Final = f"A password needs at least {FEWEST} characters. Three or four words are a good one."


class Passwords:
    """Hashes and checks; blocks nobody meanwhile."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._nobodys = self._hasher.hash(bearer.new())
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
        self._waiting = 0

    @property
    def is_busy(self) -> bool:
        """Return whether so many wait already that no more should."""
        return self._waiting >= MOST_WAITING

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        return await self._in_thread(lambda: self.hash_now(password))

    def hash_now(self, password: str) -> str:
        """Return the same, for a command that has nothing else to do."""
        return self._hasher.hash(_bytes(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Return whether a password is the one of `kept`. Without one it works as long, and says no."""
        right = await self._in_thread(lambda: self._matches(kept or self._nobodys, password))
        return right and kept is not None

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

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
