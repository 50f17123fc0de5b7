"""How far each PBX has been watched, and which calls the catch-up need not look at. SQL about both lives here."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

import sqlite_utils

from textbackd.core.call import Call
from textbackd.core.from_records import has_name
from textbackd.store.database import Store, from_text, to_text, writing
from textbackd.store.journal import is_unexplained

SAME_MOMENT: Final = timedelta(seconds=2)  # records have whole seconds
WITHHELD: Final = ("", "<unknown>", "anonymous")  # how events and records write a number that was not told


class Watched:
    """What the database keeps for the catch-up of one PBX."""

    def __init__(self, store: Store, pbx: str) -> None:
        self._store, self._pbx = store, pbx

    async def watched_until(self) -> datetime | None:
        """Return the moment up to which every call was seen and written down; None before the first connection."""
        row = await self._store.run(lambda db: _row(db, "SELECT until FROM watched WHERE pbx = ?", [self._pbx]))
        return from_text(row[0]) if row else None

    async def trunks(self) -> Collection[str]:
        """Return the names of the trunks over which calls have come in."""
        row = await self._store.run(lambda db: _row(db, "SELECT trunks FROM watched WHERE pbx = ?", [self._pbx]))
        return frozenset(json.loads(row[0])) if row else frozenset()

    async def note(self, watched_until: datetime, trunks: Collection[str]) -> None:
        """Keep both."""
        values = [self._pbx, to_text(watched_until), json.dumps(sorted(trunks))]
        await self._store.run(lambda db: _note(db, values))

    async def is_settled(self, call: Call) -> bool:
        """Return whether a call found in records is known and needs no explanation."""
        return await self._store.run(lambda db: _is_settled(db, call))


def _note(db: sqlite_utils.Database, values: list[Any]) -> None:
    with writing(db):
        db.execute("INSERT OR REPLACE INTO watched (pbx, until, trunks) VALUES (?, ?, ?)", values)


def _is_settled(db: sqlite_utils.Database, call: Call) -> bool:
    names = [call.linkedid, *call.merged]
    marks = ", ".join("?" for _ in names)
    query = f"SELECT verdict, reason FROM calls WHERE pbx = ? AND linkedid IN ({marks})"  # noqa: S608
    known = db.execute(query, [call.pbx, *names]).fetchall()
    if known:
        return not any(is_unexplained(verdict, reason) for verdict, reason in known)
    # A record without id, or one that only queue_log has (its uniqueid may be that of a Local channel), is known by caller and time.
    return (not has_name(call) or not call.channel) and _at_that_time(db, call)


def _at_that_time(db: sqlite_utils.Database, call: Call) -> bool:
    if call.started_at is None or call.ended_at is None:
        return False
    callers = WITHHELD if call.caller_presented in WITHHELD else (call.caller_presented,)
    marks = ", ".join("?" for _ in callers)
    query = (
        f"SELECT 1 FROM calls WHERE pbx = ? AND caller_presented IN ({marks})"  # noqa: S608
        " AND coalesce(started_at, ended_at) <= ? AND ended_at >= ?"
    )
    latest, earliest = to_text(call.ended_at + SAME_MOMENT), to_text(call.started_at - SAME_MOMENT)
    return _row(db, query, [call.pbx, *callers, latest, earliest]) is not None


def _row(db: sqlite_utils.Database, query: str, values: list[Any]) -> Any:
    return db.execute(query, values).fetchone()
