"""What runs beside calls and texts: the watchdog's pulse."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

import sdnotify

from textbackd.store.database import Store

USUAL_PULSE: Final = 10.0  # seconds, where no watchdog asks for another


class Pulse:
    """Tells systemd that the daemon lives: only while the database commits and this loop turns (sd_notify(3), WatchdogSec=)."""

    def __init__(self, store: Store, say: Callable[[str], None]) -> None:
        self._store, self._say = store, say
        self.database = "ok"

    async def run(self) -> None:
        """Commit, and tell, for ever."""
        every = float(os.environ.get("WATCHDOG_USEC", USUAL_PULSE * 3e6)) / 3e6
        while True:
            well = await self._store.is_writable()
            self.database = "ok" if well else "cannot be written"
            if well:
                self._say("WATCHDOG=1")
            await asyncio.sleep(every)


def systemd() -> Callable[[str], None]:
    """Return how to talk to systemd; without one, nothing is said."""
    if "NOTIFY_SOCKET" not in os.environ:
        return lambda _: None
    notify: Callable[[str], None] = sdnotify.SystemdNotifier().notify
    return notify
