"""What runs beside calls and texts: the watchdog's pulse, space on the disk, a clock that is set, and what is over or too old."""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import sdnotify
import sqlite_utils

from textbackd.core.phone import E164
from textbackd.flow.bell import Bell
from textbackd.flow.clock import JUMP, Clock, boot, steady, wall
from textbackd.store import acts, conversations, outbox, pulse, retention
from textbackd.store.acts import Act, ActKind
from textbackd.store.database import Store, writing
from textbackd.store.pulse import Beat
from textbackd.store.retention import Kept

log = logging.getLogger(__name__)

BEAT_EVERY: Final = 10.0  # seconds
CLOCK_EVERY: Final = 1.0  # seconds; until it is noticed, calls of the new time look early or late
CLOSE_EVERY: Final = 3600.0  # seconds
CLEAN_EVERY: Final = 86400.0  # seconds
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
            if self._store.is_tight:
                await self._store.look_for_space()
            well = await self._store.is_writable()
            self.database = "ok" if well else "cannot be written"
            if well:
                self._say("WATCHDOG=1")
            await asyncio.sleep(every)


class ClockWatch:
    """Moves the deadlines of waiting texts with a clock that is set, so that each keeps the life that it had."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self.since: datetime | None = None  # texts from before a start of the machine are left as they are

    async def settle(self) -> None:
        """Move deadlines if the clock was set since the last daemon lived. To be called before anything is sent."""
        last, now = await self._store.run(pulse.last), Beat(wall(), boot(), steady())
        if last is not None and last.boot == now.boot:
            by = now.at - (last.at + timedelta(seconds=now.up - last.up))
            if abs(by) > JUMP:
                await self._move(by)
        elif last is not None:
            self.since = now.at
        await self._store.run(lambda db: pulse.beat(db, now))

    async def run(self) -> None:
        """Watch the clock until cancelled."""
        beaten = steady()
        while True:
            await asyncio.sleep(CLOCK_EVERY)
            with suppress(sqlite3.Error):  # the worker of the outbox says so already; here it is tried again
                if (by := self._clock.jump) is not None:
                    await self._move(by)
                    self._clock.follow()
                if steady() - beaten > BEAT_EVERY:
                    beaten = steady()
                    await self._store.run(lambda db: pulse.beat(db, Beat(wall(), boot(), steady())))

    async def _move(self, by: timedelta) -> None:
        moved = await self._store.run(lambda db: outbox.shift(db, by, self.since))
        log.warning("the clock was set; waiting texts keep their remaining time", extra={"by": str(by), "texts": moved})


class Cleaning:
    """Lets go, once a day, of what is older than it is kept."""

    def __init__(self, store: Store, kept: Kept, clock: Callable[[], datetime]) -> None:
        self._store, self._kept, self._clock = store, kept, clock

    async def run(self) -> None:
        """Clean until cancelled."""
        while True:
            with suppress(
                sqlite3.Error
            ):  # a disk that fails is told by those who have to write now; this can wait a day
                gone = await self._store.run(lambda db: retention.let_go(db, self._kept, self._clock()))
                log.info("what was older than it is kept was deleted", extra={"rows": gone})
            await asyncio.sleep(CLEAN_EVERY)


class Closing:
    """Puts away, once an hour, the conversations in which nobody waits for us and nothing was heard for long."""

    def __init__(self, store: Store, clock: Callable[[], datetime], bell: Bell, after: timedelta) -> None:
        self._store, self._clock, self._bell, self._after = store, clock, bell, after

    async def run(self) -> None:
        """Put away until cancelled."""
        while True:
            with suppress(sqlite3.Error):  # it can wait an hour
                for number in await self._store.run(self._lapse):
                    self._bell.ring(number)
            await asyncio.sleep(CLOSE_EVERY)

    def _lapse(self, db: sqlite_utils.Database) -> list[E164]:
        now = self._clock()
        with writing(db):
            lapsed = conversations.lapse(db, now - self._after)
            for number in lapsed:
                acts.add_within(db, Act(at=now, kind=ActKind.LAPSED, staff=None, number=number))
        return lapsed


def reloading() -> str:
    """Return what systemd hears before a new configuration is read; sd_notify(3), RELOADING=."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


def systemd() -> Callable[[str], None]:
    """Return how to talk to systemd; without one, nothing is said."""
    if "NOTIFY_SOCKET" not in os.environ:
        return lambda _: None
    notify: Callable[[str], None] = sdnotify.SystemdNotifier().notify
    return notify
