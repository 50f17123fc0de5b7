"""What has stopped texting: a person's pause, for all or one line, or the brake. SQL about both lives here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlite_utils

from textbackd.store.database import from_text, to_text, writing


class HaltKind(StrEnum):
    """Who stopped it."""

    PAUSE = "pause"  # a person
    BRAKE = "brake"  # textbackd itself, see core/brake.py


@dataclass(frozen=True, slots=True)
class Halt:
    """Texting is stopped."""

    kind: HaltKind
    line: str | None  # None: all lines
    since: datetime
    until: datetime | None  # None: until a person ends it
    why: str


_OPEN = "ended_at IS NULL AND (until IS NULL OR until > ?)"


def halt(
    db: sqlite_utils.Database, kind: HaltKind, *, line: str | None, until: datetime | None, why: str, now: datetime
) -> bool:
    """Stop texting; return whether it was not stopped in this way already.

    Of two pauses the one that ends later holds, and one without end is the longest; a second brake changes nothing.
    """
    with writing(db):
        return halt_within(db, kind, line=line, until=until, why=why, now=now)


def halt_within(
    db: sqlite_utils.Database, kind: HaltKind, *, line: str | None, until: datetime | None, why: str, now: datetime
) -> bool:
    """Stop texting as `halt` does, inside the caller's transaction."""
    known = [halt for halt in active(db, now) if (halt.kind, halt.line) == (kind, line)]
    if any(kind is HaltKind.BRAKE or _outlasts(halt, until) for halt in known):
        return False
    end_within(db, kind, line=line, now=now)
    db.execute(
        "INSERT INTO halts (kind, line, since, until, why) VALUES (?, ?, ?, ?, ?)",
        [kind.value, line, to_text(now), to_text(until), why],
    )
    return not known


def resume(db: sqlite_utils.Database, *, line: str | None, now: datetime) -> int:
    """Take texting up again: for one line its pause, for all every pause and the brake. Return how many halts that ended."""
    with writing(db):
        return resume_within(db, line=line, now=now)


def resume_within(db: sqlite_utils.Database, *, line: str | None, now: datetime, brake: bool = True) -> int:
    """Take texting up again as `resume` does, inside the caller's transaction; without `brake` only pauses end."""
    ended = db.execute(
        f"UPDATE halts SET ended_at = ? WHERE {_OPEN} AND (? IS NULL OR line = ?) AND (? OR kind = 'pause') RETURNING id",  # noqa: S608
        [to_text(now), to_text(now), line, line, brake],
    ).fetchall()
    return len(ended)


def end_within(db: sqlite_utils.Database, kind: HaltKind, *, line: str | None, now: datetime) -> None:
    """End one halt inside the caller's transaction: that of this line, or that of all lines together, and no other."""
    db.execute(
        "UPDATE halts SET ended_at = ? WHERE ended_at IS NULL AND kind = ? AND line IS ?",
        [to_text(now), kind.value, line],
    )


def _outlasts(halt: Halt, until: datetime | None) -> bool:
    """Return whether a halt holds at least as long as one until then would."""
    return halt.until is None or (until is not None and halt.until >= until)


def active(db: sqlite_utils.Database, now: datetime) -> list[Halt]:
    """Return what stops texting at this moment, the oldest first."""
    rows = db.query(f"SELECT * FROM halts WHERE {_OPEN} ORDER BY id", [to_text(now)])  # noqa: S608
    return [_halt(row) for row in rows]


def last_brake_ended(db: sqlite_utils.Database) -> datetime | None:
    """Return when a person last released the brake; what was before says nothing about now."""
    row = db.execute("SELECT max(ended_at) FROM halts WHERE kind = 'brake'").fetchone()
    return from_text(row[0])


def count_brakes(db: sqlite_utils.Database) -> int:
    """Return how often the brake was pulled."""
    return int(db.execute("SELECT count(*) FROM halts WHERE kind = 'brake'").fetchone()[0])


def _halt(row: dict[str, Any]) -> Halt:
    since = from_text(row["since"])
    assert since is not None  # noqa: S101  # the column is NOT NULL
    return Halt(HaltKind(row["kind"]), row["line"], since, from_text(row["until"]), row["why"])
