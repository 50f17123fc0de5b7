"""Is the database whole, and does something in it wait for a person?   store/checkup.py → here → examination.py"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from textbackd.doctor.findings import Finding, fault, note, warning
from textbackd.errors import TextbackdError
from textbackd.store.checkup import Checkup, check_up
from textbackd.store.halts import Halt, HaltKind

SUBJECT: Final = "storage"
UNKNOWN: Final = "unknown"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What is known of the database."""

    path: Path
    checkup: Checkup | None = None  # None: there is none yet, or it cannot be read
    error: str = ""  # why it cannot be read, a sentence
    is_closed: bool = False  # whoever asks may not read it, which the service may well


def judge(database: Database) -> Iterator[Finding]:
    """Yield what is wrong with the database, or waits in it."""
    if database.error:
        yield fault(SUBJECT, database.error, "textbackd restore --help")
    if database.is_closed:
        yield note(SUBJECT, "This user may not look into the database.", "sudo textbackd doctor")
    checkup = database.checkup
    if checkup is None:
        return
    if checkup.damage:
        yield fault(SUBJECT, f"{database.path} is damaged: {checkup.damage}.", "textbackd restore --help")
    if checkup.unheard:
        what = f"{database.path} was written by a newer textbackd. Install that version again, or restore a backup."
        yield fault(SUBJECT, what, "textbackd restore --help")
    elif checkup.pending and not checkup.damage:
        yield note(SUBJECT, "The next start brings the database up to date.", "systemctl restart textbackd")
    yield from _waiting(checkup)


def _waiting(checkup: Checkup) -> Iterator[Finding]:
    yield from (_halted(halt) for halt in checkup.halts)
    if unknown := checkup.texts.get(UNKNOWN, 0):
        many = f"{unknown} texts" if unknown != 1 else "One text"
        what = f"{many} may or may not have gone out, and nobody has said. A person has to decide:"
        yield warning("outbox", what, "textbackd outbox", "textbackd outbox again ID")


def _halted(halt: Halt) -> Finding:
    since = halt.since.astimezone().strftime("%d %b %H:%M")
    if halt.kind is HaltKind.BRAKE:
        what = f"The brake has stopped all automatic texts since {since}: {halt.why}. Look why, then release it:"
        return fault("texting", what, "textbackd line resume")
    whose = f"The line {halt.line}" if halt.line else "Every line"
    what = f"{whose} is paused since {since}: {halt.why}."
    return warning("texting", what, f"textbackd line resume {halt.line}" if halt.line else "textbackd line resume")


def gather(path: Path, now: datetime) -> Database:
    """Look at the database; a file that is not there yet is nothing wrong."""
    try:
        if path.exists() and not os.access(path, os.R_OK):
            return Database(path=path, is_closed=True)
        return Database(path=path, checkup=check_up(path, now) if path.exists() else None)
    except PermissionError:
        return Database(path=path, is_closed=True)
    except (TextbackdError, OSError) as exc:
        return Database(path=path, error=str(exc))
