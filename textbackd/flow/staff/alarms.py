"""What staff are told of by the clock, and of no caller in particular: a pile-up, and the morning digest.

core/morning.py, store → report/digest.py → here → tells.py.   Each is noted as told in the transaction that writes who is told, so
that a restart repeats nothing. `mode: observe` tells nobody.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.morning import closed_since, morning
from textbackd.core.reply_clock import Waiting, begun_by, waited
from textbackd.flow.staff.tells import Tells
from textbackd.report import digest
from textbackd.report.digest import Digest, Waits
from textbackd.store import conversations, overnight, steps
from textbackd.store.conversations import Box, Conversation, Wait
from textbackd.store.database import Store, to_text, writing

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 60.0  # seconds
MORNING_LASTS: Final = timedelta(hours=2)  # a digest that comes later, after an outage, tells nobody anything
NAMED: Final = digest.MOST_NAMED
PILE_UP: Final = "pile_up"
DIGEST: Final = "digest"


class Alarms:
    """Looks once a minute."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Callable[[], datetime],
        tells: Tells,
        wake: Callable[[], None],
    ) -> None:
        self._settings, self._store, self._clock, self._tells, self._wake = settings, store, clock, tells, wake
        self._lines = [settings.timetable(line) for line in settings.lines.values()]

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except sqlite3.Error as error:
                log.error("alarms cannot be looked after; trying again", extra={"error": str(error)})
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Tell what is to be told now. Raises sqlite3.Error."""
        if self._settings.mode == "observe":
            return
        told = await self._store.run(self._look)
        for what in told:
            log.warning("staff are told of a pile-up" if what == PILE_UP else "staff get their digest")
        if told:
            self._wake()

    def _look(self, db: sqlite_utils.Database) -> list[str]:
        now = self._clock()
        return [what for what, work in ((PILE_UP, self._pile_up), (DIGEST, self._digest)) if work(db, now)]

    # ---- a pile-up

    def _pile_up(self, db: sqlite_utils.Database, now: datetime) -> bool:
        limit = self._settings.inbox.pile_up
        if limit is None:
            return False
        long = self._waiting(db, limit.window, now)
        if len(long) <= limit.count // 2:
            return self._end_pile_up(db)
        if len(long) < limit.count or steps.told_at(db, PILE_UP) is not None:
            return False
        named = [self._waits(found, now) for wait in long[:NAMED] if (found := conversations.get(db, wait.id))]
        said = digest.pile_up(self._settings.business.name, named, len(long), limit.window)
        with writing(db):
            steps.tell_once(db, PILE_UP, now)
            self._tells.say(db, list(self._settings.staff), said, now)
        return True

    @staticmethod
    def _end_pile_up(db: sqlite_utils.Database) -> bool:
        """Half of it is answered: the next pile-up is another one."""
        if steps.told_at(db, PILE_UP) is not None:
            with writing(db):
                steps.is_over(db, PILE_UP)
        return False

    def _waiting(self, db: sqlite_utils.Database, span: timedelta, now: datetime) -> list[Wait]:
        """Return who has waited for so long, the longest first."""
        by = {name: begun_by(span, now, self._settings.timetable(line)) for name, line in self._settings.lines.items()}
        first, urgent = to_text(next(iter(by.values()))), to_text(now - span)
        latest = {name: to_text(moment) for name, moment in by.items()}
        return [
            wait
            for wait in conversations.waits(db)
            if wait.since <= ((urgent if wait.urgent else latest.get(wait.line or "", first)) or "")
        ]

    def _waits(self, conversation: Conversation, now: datetime) -> Waits:
        times = self._settings.timetable(self._settings.line_named(conversation.line))
        since = conversation.waiting_since or now
        return Waits(
            tag=conversation.id,
            number=conversation.number,
            name=conversation.name,
            span=waited(Waiting(since=since, is_urgent=conversation.urgent), now, times),
            is_urgent=conversation.urgent,
        )

    # ---- the morning digest

    def _digest(self, db: sqlite_utils.Database, now: datetime) -> bool:
        wanted = [key for key, person in self._settings.staff.items() if person.digest]
        opening = morning(now, self._lines) if wanted else None
        if opening is None or not opening <= now < opening + MORNING_LASTS:
            return False
        last = steps.told_at(db, DIGEST)
        if last is not None and last >= opening:
            return False
        said = digest.digest(self._composed(db, opening, now))
        with writing(db):
            steps.tell_once(db, DIGEST, now)
            if said is not None:
                self._tells.say(db, wanted, said, now)
        return said is not None

    def _composed(self, db: sqlite_utils.Database, opening: datetime, now: datetime) -> Digest:
        since = closed_since(opening, self._lines)
        waiting = conversations.waiting(db)
        return Digest(
            business=self._settings.business.name,
            since=since,
            zone=self._settings.business.timezone,
            came_in=overnight.came_in(db, since),
            waiting=[_slept(each, now) for each in waiting],
            to_call=conversations.counts(db)[Box.CALLBACK],
        )


def _slept(conversation: Conversation, now: datetime) -> Waits:
    """Return how long somebody waits by any clock: overnight is what a digest is about."""
    return Waits(
        tag=conversation.id,
        number=conversation.number,
        name=conversation.name,
        span=now - (conversation.waiting_since or now),
        is_urgent=conversation.urgent,
    )
