"""The last moment at which the daemon was known to live, in two clocks: how its successor sees that the wall clock was set."""

from dataclasses import dataclass
from datetime import datetime

import sqlite_utils

from textbackd.store.database import from_text, to_text, writing


@dataclass(frozen=True, slots=True)
class Beat:
    """One moment in two clocks."""

    at: datetime  # aware UTC, the wall clock's
    boot: str  # the kernel's name for the time since the machine was started
    up: float  # seconds of that time


def beat(db: sqlite_utils.Database, now: Beat) -> None:
    """Write the moment down."""
    with writing(db):
        values = [to_text(now.at), now.boot, now.up]
        db.execute("INSERT OR REPLACE INTO pulse (id, at, boot, up) VALUES (2, ?, ?, ?)", values)


def last(db: sqlite_utils.Database) -> Beat | None:
    """Return the last moment that was written down."""
    row = db.execute("SELECT at, boot, up FROM pulse WHERE id = 2").fetchone()
    at = from_text(row[0]) if row else None
    return Beat(at, row[1], row[2]) if at is not None else None
