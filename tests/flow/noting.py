"""Tells that writes down whom it would tell, in the database of the test, so that what is rolled back is not told."""

from collections.abc import Sequence
from datetime import datetime

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.flow.staff.duty import LoggedIn
from textbackd.store.conversations import Conversation

STOPPED = E164("+13035550178")  # has written STOP


class NotesWhom:
    """Everybody has a phone; `line` is whom the line tells."""

    def __init__(self, line: Sequence[str] = ("anna",)) -> None:
        self._line = line

    async def logged_in(self, line: str | None) -> LoggedIn:
        return None

    def about(
        self,
        db: sqlite_utils.Database,
        staff: Sequence[str],
        conversation: Conversation,
        said: str,
        logged_in: LoggedIn,
        now: datetime,
    ) -> Sequence[str]:
        told = list(staff or self._line)
        _note(db, ",".join(told), conversation.number, said)
        return told

    def page(
        self, db: sqlite_utils.Database, mobile: E164, conversation: Conversation, said: str, now: datetime
    ) -> bool:
        if mobile == STOPPED:
            return False
        _note(db, mobile, conversation.number, said)
        return True

    def say(self, db: sqlite_utils.Database, staff: Sequence[str], said: str, now: datetime) -> None:
        _note(db, ",".join(staff), "", said)


def _note(db: sqlite_utils.Database, whom: str, number: str, words: str) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS said (whom TEXT, number TEXT, words TEXT)")
    db.execute("INSERT INTO said VALUES (?, ?, ?)", [whom, number, words])


def said(db: sqlite_utils.Database) -> list[tuple[str, str, str]]:
    """Return (whom, about whom, words), the first first."""
    if not db["said"].exists():
        return []
    return [(row["whom"], row["number"], row["words"]) for row in db["said"].rows]
