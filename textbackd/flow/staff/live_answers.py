"""Do people answer fewer calls since there are texts?  Looked up once a week.   report/running.py → here → flow/staff/watch.py"""

import sqlite3
from contextlib import suppress
from datetime import date, datetime

from textbackd.config import Settings
from textbackd.report import running, running_words
from textbackd.report.guard import Fall
from textbackd.report.period import DAY, Period
from textbackd.report.running import Question
from textbackd.store.database import Store


class LiveAnswers:
    """Only whole weeks count, so the answer changes on Mondays."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._week: date | None = None
        self._said = ""

    async def fallen(self, now: datetime) -> str:
        """Return by how much the share of answered calls fell, in words; "": it did not. What cannot be read now is as it was."""
        today = now.astimezone(self._settings.business.timezone).date()
        if (week := today - DAY * today.weekday()) != self._week:
            with suppress(sqlite3.Error):  # the next look comes soon
                self._said, self._week = _words(await self._fall(today, now)), week
        return self._said

    async def _fall(self, today: date, now: datetime) -> Fall | None:
        business = self._settings.business
        days = Period(first=today, last=today, zone=business.timezone)
        question = Question(period=days, country=business.country, line=None, now=now, timetables={})
        return await self._store.read(lambda db: running.fallen(db, question))


def _words(fall: Fall | None) -> str:
    if fall is None:
        return ""
    return f"{running_words.answered(fall.now)} in the last four weeks, {running_words.answered(fall.before)} before"
