"""Stop automatic texts and take them up again, from wherever a person asks.   cli, web, a phone → here → store/halts.py

What waits to go out is cancelled, and who did it is written down, all in one transaction. Calls go on being recorded and decided.
The functions take a database, since a terminal has no event loop. They raise sqlite3.Error when the disk does not take it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlite_utils

from textbackd.store import acts, halts, outbox
from textbackd.store.acts import Act, ActKind
from textbackd.store.database import writing
from textbackd.store.halts import Halt, HaltKind

ALL = "all lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who asks, and how it is told."""

    staff: str | None  # one of the staff; None: nobody that is known by name
    why: str = "by a person"  # stands with every call that gets no text for it
    place: str = ""  # "from PJSIP/101"; "" where that says nothing


def pause(db: sqlite_utils.Database, line: str | None, by: By, *, until: datetime | None, now: datetime) -> int:
    """Stop the texts of a line or of all, until a moment or until somebody resumes; return how many were cancelled.

    A pause that holds longer stays as it is.
    """
    with writing(db):
        return _pause(db, line, by, until, now)


def resume(db: sqlite_utils.Database, line: str | None, by: By, *, now: datetime, brake: bool = True) -> int:
    """Take the texts of a line up again, or of all, and then release the brake with it; return how many halts that ended."""
    with writing(db):
        return _resume(db, line, by, now, brake=brake)


def toggle(db: sqlite_utils.Database, line: str | None, by: By, *, until: datetime | None, now: datetime) -> None:
    """Pause what is not paused, and resume what is: a line's own pause, or that of all lines together. Other halts stay."""
    with writing(db):
        if line in pauses(halts.active(db, now)):
            halts.end_within(db, HaltKind.PAUSE, line=line, now=now)
            _note(db, ActKind.RESUMED, line, by, now)
        else:
            _pause(db, line, by, until, now)


def stopping(active: Sequence[Halt], line: str | None) -> list[Halt]:
    """Return what of this stops the texts of a line; None: the texts of all lines."""
    return [halt for halt in active if halt.line is None or halt.line == line]


def pauses(active: Sequence[Halt]) -> dict[str | None, Halt]:
    """Return the pauses among what stops texting, by their line; None: all lines."""
    return {halt.line: halt for halt in active if halt.kind is HaltKind.PAUSE}


def _pause(db: sqlite_utils.Database, line: str | None, by: By, until: datetime | None, now: datetime) -> int:
    halts.halt_within(db, HaltKind.PAUSE, line=line, until=until, why=by.why, now=now)
    _note(db, ActKind.PAUSED, line, by, now)
    return outbox.cancel_waiting_within(db, line, f"texting was paused {by.why}")


def _resume(db: sqlite_utils.Database, line: str | None, by: By, now: datetime, *, brake: bool) -> int:
    ended = halts.resume_within(db, line=line, now=now, brake=brake)
    if ended:
        _note(db, ActKind.RESUMED, line, by, now)
    return ended


def _note(db: sqlite_utils.Database, kind: ActKind, line: str | None, by: By, now: datetime) -> None:
    detail = " ".join(filter(None, (f"the line {line}" if line else ALL, by.place)))
    acts.add_within(db, Act(at=now, kind=kind, staff=by.staff, detail=detail))
