"""The time, without jumps.   daemon, upkeep → here

A clock that is set (NTP after a start without network, a person) must neither end the life of every waiting text nor give it
another one. So time goes on as the machine's steady clock counts until somebody has moved the deadlines, and is the wall clock's
again from then on. CLOCK_BOOTTIME counts on while the machine sleeps (clock_gettime(2)).
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

JUMP: Final = timedelta(seconds=30)  # less is the ordinary work of NTP
BOOT_VARIABLE: Final = "TEXTBACKD_BOOT_ID"  # systemd/textbackd.service sets it
BOOT_FILE: Final = Path("/proc/sys/kernel/random/boot_id")


def wall() -> datetime:
    """Return what the wall clock says, aware UTC."""
    return datetime.now(UTC)


def steady() -> float:
    """Return the seconds since the machine was started, its sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot() -> str:
    """Return the kernel's name for the time since the machine was started; random(4).

    The service sees nothing of /proc but itself (`ProcSubset=pid`), so its unit hands the name over, written without dashes.
    """
    told = os.environ.get(BOOT_VARIABLE) or BOOT_FILE.read_text("ascii")
    return told.strip().replace("-", "")


class Clock:
    """Call it for the time, aware UTC."""

    def __init__(self, wall: Callable[[], datetime] = wall, steady: Callable[[], float] = steady) -> None:
        self._wall, self._steady = wall, steady
        self._anchor = (wall(), steady())

    def __call__(self) -> datetime:
        """Return the wall clock's time while it can be believed, else what it would say if nobody had set it."""
        expected, told = self._expected(), self._wall()
        if abs(told - expected) > JUMP:
            return expected
        self._anchor = (told, self._steady())
        return told

    def _expected(self) -> datetime:
        at, ticks = self._anchor
        return at + timedelta(seconds=self._steady() - ticks)

    @property
    def jump(self) -> timedelta | None:
        """Return by how much the wall clock was set; None if it was not."""
        by = self._wall() - self._expected()
        return by if abs(by) > JUMP else None

    def follow(self) -> None:
        """Believe the wall clock again: everything that hung on the time has been moved."""
        self._anchor = (self._wall(), self._steady())
