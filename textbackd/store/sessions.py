"""Where somebody is logged in: one row per browser. SQL about it lives here.

A session ends when it is not used for a while, when it is old, when a person ends it, and with its account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlite_utils

from textbackd.store import accounts, acts
from textbackd.store.accounts import Account, Role
from textbackd.store.acts import Act, ActKind
from textbackd.store.bearer import digest
from textbackd.store.database import from_text, to_text, writing

IDLE_FOR: Final = timedelta(days=14)
LASTS: Final = timedelta(days=90)  # however often it is used
# A commit for every page and picture would be too much; "last seen" need not be more exact.
SEEN_EVERY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that is logged in."""

    id: int
    staff: str
    role: Role  # the account's, of this moment
    browser: str  # "Firefox on Android", as it says itself
    created_at: datetime
    last_seen_at: datetime


_ALIVE: Final = """
    SELECT sessions.*, accounts.role FROM sessions JOIN accounts USING (staff)
    WHERE accounts.disabled_at IS NULL AND sessions.expires_at > :now AND sessions.last_seen_at > :idle
"""


def start(
    db: sqlite_utils.Database,
    account: Account,
    secret: str,
    browser: str,
    now: datetime,
    *,
    instead_of: str | None = None,
) -> bool:
    """Log a browser in with a new secret, in place of the one that it had. What is too old goes at the same time.

    False if the account's password is not the one that was proved any more, or nobody may log in with it: proving takes a while,
    and whoever changed it meanwhile wanted everybody out.
    """
    with writing(db):
        if not accounts.stands(db, account.staff, account.password):
            return False
        if instead_of is not None:
            db.execute("DELETE FROM sessions WHERE token = ?", [digest(instead_of)])
        db.execute(
            "DELETE FROM sessions WHERE expires_at <= ? OR last_seen_at <= ?", [to_text(now), to_text(now - IDLE_FOR)]
        )
        db.execute(
            "INSERT INTO sessions (token, staff, created_at, last_seen_at, expires_at, browser) VALUES (?, ?, ?, ?, ?, ?)",
            [digest(secret), account.staff, to_text(now), to_text(now), to_text(now + LASTS), browser],
        )
        acts.add_within(db, Act(at=now, kind=ActKind.LOGGED_IN, staff=account.staff, detail=browser))
    return True


def find(db: sqlite_utils.Database, secret: str, now: datetime) -> Session | None:
    """Return the session of a browser that shows `secret`."""
    row = next(db.query(f"{_ALIVE} AND token = :token", {**_at(now), "token": digest(secret)}), None)
    return _session(row) if row else None


def is_to_note(session: Session, now: datetime) -> bool:
    """Return whether `seen` is due."""
    return now - session.last_seen_at >= SEEN_EVERY


def seen(db: sqlite_utils.Database, session: Session, now: datetime) -> None:
    """Note that a session is used."""
    with writing(db):
        db.execute("UPDATE sessions SET last_seen_at = ? WHERE id = ?", [to_text(now), session.id])


def is_alive(db: sqlite_utils.Database, session: int, now: datetime) -> bool:
    """Return whether a session still lasts. An open page that only waits for news does not count as using it."""
    query = f"SELECT 1 FROM ({_ALIVE}) WHERE id = :id"  # noqa: S608  # a constant of this file
    return db.execute(query, {**_at(now), "id": session}).fetchone() is not None


def listing(db: sqlite_utils.Database, now: datetime, staff: str | None = None) -> list[Session]:
    """Return where somebody is logged in, or everybody, the last one seen first."""
    query = f"{_ALIVE} AND (:staff IS NULL OR staff = :staff) ORDER BY last_seen_at DESC, id DESC"
    return [_session(row) for row in db.query(query, {**_at(now), "staff": staff})]


def log_out(db: sqlite_utils.Database, staff: str, session: int, now: datetime) -> None:
    """End the session from which this is asked."""
    with writing(db):
        db.execute("DELETE FROM sessions WHERE id = ?", [session])
        acts.add_within(db, Act(at=now, kind=ActKind.LOGGED_OUT, staff=staff))


def end(db: sqlite_utils.Database, staff: str, session: int, now: datetime, *, by: str | None = None) -> bool:
    """End one session of somebody; False if it is not one of theirs. `by` is who wants it, None at the terminal."""
    with writing(db):
        ended = db.execute(
            "DELETE FROM sessions WHERE id = ? AND staff = ? RETURNING browser", [session, staff]
        ).fetchall()
        _note_ended(db, staff, len(ended), now, by)
    return bool(ended)


def end_all(
    db: sqlite_utils.Database, staff: str, now: datetime, *, by: str | None = None, keep: int | None = None
) -> int:
    """End every session of somebody but `keep`; return how many those were."""
    with writing(db):
        ended = db.execute(
            "DELETE FROM sessions WHERE staff = ? AND id IS NOT ? RETURNING id", [staff, keep]
        ).fetchall()
        _note_ended(db, staff, len(ended), now, by)
    return len(ended)


def _note_ended(db: sqlite_utils.Database, staff: str, count: int, now: datetime, by: str | None) -> None:
    if count:
        acts.add_within(db, Act(at=now, kind=ActKind.SESSION_ENDED, staff=by, detail=f"{staff}: {count}"))


def _at(now: datetime) -> dict[str, str | None]:
    return {"now": to_text(now), "idle": to_text(now - IDLE_FOR)}


def _session(row: Mapping[str, Any]) -> Session:
    created, seen = from_text(row["created_at"]), from_text(row["last_seen_at"])
    assert created is not None  # noqa: S101  # both columns are NOT NULL
    assert seen is not None  # noqa: S101
    return Session(
        id=row["id"],
        staff=row["staff"],
        role=Role(row["role"]),
        browser=row["browser"],
        created_at=created,
        last_seen_at=seen,
    )
