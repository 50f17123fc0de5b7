"""The never-list that people of the shop keep while textbackd runs, beside the configuration's. SQL about it lives here.

A call from one of these numbers does not count (core/missed.py, `never_list`). A number that was forgotten stays on the list as its
keyed hash (store/number_key.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import from_text, to_text, writing
from textbackd.store.number_key import PREFIX

LISTED: Final = "the number was put on the never-list"


@dataclass(frozen=True, slots=True)
class Never:
    """One number whose calls do not count."""

    number: E164 | None  # None: it was forgotten, and is known only if it is seen again
    since: datetime
    by: str  # key of the staff who put it there; "": whoever has the command line
    detail: str


def add(db: sqlite_utils.Database, number: E164, by: str, detail: str, now: datetime) -> bool:
    """Put a number on the list and cancel the automatic texts that wait for it; return whether it was not there."""
    with writing(db):
        return add_within(db, number, by, detail, now)


def add_within(db: sqlite_utils.Database, number: E164, by: str, detail: str, now: datetime) -> bool:
    """Do the same inside the caller's transaction."""
    new = db.execute(
        "INSERT INTO never (number, since, by, detail) SELECT ?, ?, ?, ? WHERE NOT EXISTS"
        " (SELECT 1 FROM never WHERE number IN (?, hashed(?))) RETURNING number",
        [number, to_text(now), by, detail, number, number],
    ).fetchall()
    db.execute(
        "UPDATE outbox SET state = 'cancelled', explanation = ? WHERE recipient = ? AND state = 'queued'"
        " AND kind = 'missed'",
        [LISTED, number],
    )
    return bool(new)


def remove(db: sqlite_utils.Database, number: E164) -> bool:
    """Take a number off the list; return whether it was there."""
    with writing(db):
        return remove_within(db, number)


def remove_within(db: sqlite_utils.Database, number: E164) -> bool:
    """Do the same inside the caller's transaction."""
    gone = db.execute("DELETE FROM never WHERE number IN (?, hashed(?)) RETURNING number", [number, number])
    return bool(gone.fetchall())


def find(db: sqlite_utils.Database, number: E164) -> Never | None:
    """Return the entry of a number."""
    query = "SELECT number, since, by, detail FROM never WHERE number IN (?, hashed(?))"
    row = db.execute(query, [number, number]).fetchone()
    return _never(row) if row else None


def listing(db: sqlite_utils.Database) -> list[Never]:
    """Return all, the newest last; those that were forgotten have no number any more."""
    return [_never(row) for row in db.execute("SELECT number, since, by, detail FROM never ORDER BY since, number")]


def _never(row: Sequence[str]) -> Never:
    since = from_text(row[1])
    assert since is not None  # noqa: S101  # the column is NOT NULL
    return Never(None if row[0].startswith(PREFIX) else E164(row[0]), since, row[2], row[3])
