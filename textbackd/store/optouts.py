"""Who wants no texts, and which numbers get none. SQL about both lives here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store import asks
from textbackd.store.database import from_text, to_text, writing
from textbackd.store.number_key import PREFIX

UNREACHABLE_FOR: Final = timedelta(days=180)  # numbers are given to other people after a while


class OptedOutBy(StrEnum):
    """How we know of an opt-out."""

    TEXT = "text"  # the number told us STOP
    GATEWAY = "gateway"  # the number told the gateway STOP, and the gateway told us
    PERSON = "person"  # somebody of the shop entered it


@dataclass(frozen=True, slots=True)
class OptOut:
    """One number that wants no texts."""

    number: E164 | None  # None: it was forgotten, and is known only if it is seen again
    since: datetime
    by: OptedOutBy
    detail: str

    @property
    def is_by_its_owner(self) -> bool:
        """Return whether the number itself said STOP, so that it may take it back itself."""
        return self.by is not OptedOutBy.PERSON


WANTS_NONE: Final = "the caller wants no texts (STOP)"
WANTS_AGAIN: Final = "the caller wants texts again (START)"


def add(db: sqlite_utils.Database, number: E164, by: OptedOutBy, detail: str, now: datetime) -> bool:
    """Opt a number out and cancel what still waits for it, in one transaction. Return whether it was not on the list."""
    with writing(db):
        return add_within(db, number, by, detail, now)


def add_within(db: sqlite_utils.Database, number: E164, by: OptedOutBy, detail: str, now: datetime) -> bool:
    """Do the same inside the caller's transaction. The confirmation of an earlier STOP still goes out."""
    new = db.execute(
        "INSERT INTO optouts (number, since, by, detail) SELECT ?, ?, ?, ? WHERE NOT EXISTS"
        " (SELECT 1 FROM optouts WHERE number IN (?, hashed(?))) RETURNING number",
        [number, to_text(now), by.value, detail, number, number],
    ).fetchall()
    db.execute(
        "UPDATE outbox SET state = 'cancelled', explanation = ? WHERE recipient = ? AND state = 'queued'"
        " AND kind <> 'opted_out'",
        [WANTS_NONE, number],
    )
    asks.end_within(db, number)
    return bool(new)


def remove(db: sqlite_utils.Database, number: E164) -> bool:
    """Opt a number in again, or end what waited for a person to read; return whether it was out, or that waited."""
    with writing(db):
        return remove_within(db, number)


def remove_within(db: sqlite_utils.Database, number: E164) -> bool:
    """Do the same inside the caller's transaction."""
    gone = db.execute("DELETE FROM optouts WHERE number IN (?, hashed(?)) RETURNING number", [number, number])
    was_out = bool(gone.fetchall())
    db.execute(
        "UPDATE outbox SET state = 'cancelled', explanation = ? WHERE recipient = ? AND state = 'queued'"
        " AND kind = 'opted_out'",
        [WANTS_AGAIN, number],
    )
    return asks.end_within(db, number) or was_out


def find(db: sqlite_utils.Database, number: E164) -> OptOut | None:
    """Return the opt-out of a number."""
    query = "SELECT number, since, by, detail FROM optouts WHERE number IN (?, hashed(?))"
    row = db.execute(query, [number, number]).fetchone()
    return _optout(row) if row else None


def listing(db: sqlite_utils.Database) -> list[OptOut]:
    """Return all, the newest last; those that were forgotten have no number any more."""
    return [_optout(row) for row in db.execute("SELECT number, since, by, detail FROM optouts ORDER BY since")]


def count(db: sqlite_utils.Database) -> int:
    """Return how many numbers want no texts."""
    return int(db.execute("SELECT count(*) FROM optouts").fetchone()[0])


def _optout(row: Sequence[str]) -> OptOut:
    since = from_text(row[1])
    assert since is not None  # noqa: S101  # the column is NOT NULL
    number = None if row[0].startswith(PREFIX) else E164(row[0])
    return OptOut(number, since, OptedOutBy(row[2]), row[3])


def note_unreachable(db: sqlite_utils.Database, number: E164, detail: str, now: datetime) -> None:
    """Remember, inside the caller's transaction, that no text arrives at a number."""
    db.execute(
        "INSERT OR REPLACE INTO unreachable (number, since, detail) VALUES (?, ?, ?)", [number, to_text(now), detail]
    )


def why_unreachable(db: sqlite_utils.Database, number: E164, now: datetime) -> str:
    """Return why no text arrives at a number; "" if nothing is known against it, or only from long ago."""
    row = db.execute(
        "SELECT detail FROM unreachable WHERE number = ? AND since > ?", [number, to_text(now - UNREACHABLE_FOR)]
    ).fetchone()
    return str(row[0]) if row else ""
