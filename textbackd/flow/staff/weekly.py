"""The e-mail of the week, to those of the staff who want it.   report/running.py, report/weekly.py → here → flow/staff/notices_out.py

It goes when the shop first opens in a week, or as soon afterwards as textbackd runs; that it went is noted in the transaction that
writes the notices, so that a restart repeats nothing. `mode: observe` sends nothing.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.morning import morning
from textbackd.flow.staff.handoff import TELLS_FOR
from textbackd.report import running, weekly
from textbackd.report.period import DAY, WEEK, Period
from textbackd.report.running import Question
from textbackd.report.weekly import Letter
from textbackd.store import conversations, notices, steps
from textbackd.store.database import Store, writing
from textbackd.store.notices import NewNotice, Way

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 300.0  # seconds
TOLD: Final = "weekly"


class Weekly:
    """Looks every five minutes."""

    def __init__(
        self, settings: Settings, *, store: Store, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._settings, self._store, self._clock, self._wake = settings, store, clock, wake
        self._lines = {name: settings.timetable(line) for name, line in settings.lines.items()}
        wanted = [(key, person.email) for key, person in settings.staff.items() if person.weekly and person.email]
        self._wanted = wanted if settings.mode == "live" else []

    async def run(self) -> None:
        """Look until cancelled; nothing to do where nobody wants it."""
        while self._wanted:
            try:
                await self.look()
            except sqlite3.Error as error:
                log.error("the e-mail of the week cannot be written; trying again", extra={"error": str(error)})
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Write the e-mail of the week if it is time. Raises sqlite3.Error."""
        now = self._clock()
        monday = self._monday(now)
        if not self._has_opened(monday, now) or await self._store.run(lambda db: self._is_told(db, monday)):
            return
        # Two weeks of calls are counted where no call waits for it.
        letter = await self._store.read(lambda db: self._letter(db, monday, now))
        await self._store.run(lambda db: self._write(db, letter, now))
        if letter is not None:
            log.info("staff get the e-mail of the week")
            self._wake()

    def _monday(self, now: datetime) -> datetime:
        """Return when the week began, by the shop's clock."""
        local = now.astimezone(self._settings.business.timezone)
        return datetime.combine(local.date() - DAY * local.weekday(), time(), local.tzinfo)

    def _has_opened(self, monday: datetime, now: datetime) -> bool:
        """Return whether one of the lines has opened in this week; a holiday is no opening."""
        noons = (monday + timedelta(days=day, hours=12) for day in range(7))
        openings = (morning(noon, self._lines.values()) for noon in noons)
        return any(opening is not None and monday <= opening <= now for opening in openings)

    @staticmethod
    def _is_told(db: sqlite_utils.Database, monday: datetime) -> bool:
        last = steps.told_at(db, TOLD)
        return last is not None and last >= monday.astimezone(UTC)

    def _letter(self, db: sqlite_utils.Database, monday: datetime, now: datetime) -> Letter | None:
        last = monday.date() - DAY
        week = Period(first=last - WEEK + DAY, last=last, zone=self._settings.business.timezone)
        waiting, _ = conversations.longest_wait(db, now)
        url = self._settings.web.url
        link = f"{url.rstrip('/')}/reports?from={week.first}&to={week.last}" if url else None
        return weekly.letter(
            self._settings.business.name,
            self._measured(db, week, now, now - week.until),
            self._measured(db, week.before(), now, now - week.until),
            waiting,
            link,
        )

    def _measured(self, db: sqlite_utils.Database, week: Period, now: datetime, followed: timedelta) -> running.Running:
        """Return a week's figures; both weeks are followed equally long, or the older one would always look better."""
        country = self._settings.business.country
        question = Question(period=week, country=country, line=None, now=now, timetables=self._lines, followed=followed)
        return running.measure(db, question)

    def _write(self, db: sqlite_utils.Database, letter: Letter | None, now: datetime) -> None:
        with writing(db):
            steps.tell_once(db, TOLD, now)
            if letter is not None:
                for staff, address in self._wanted:
                    notices.add_within(db, _notice(staff, address, letter, now), now)


def _notice(staff: str, address: str, letter: Letter, now: datetime) -> NewNotice:
    return NewNotice(
        number=None,
        matter=TOLD,
        staff=staff,
        way=Way.EMAIL,
        target=address,
        payload={"title": letter.title, "words": letter.words},
        expires_at=now + TELLS_FOR,
    )
