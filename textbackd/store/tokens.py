"""Keys for programs that use the API as one of the staff. SQL about them lives here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlite_utils

from textbackd.store import acts
from textbackd.store.accounts import Role
from textbackd.store.acts import Act, ActKind
from textbackd.store.bearer import digest
from textbackd.store.database import from_text, to_text, writing

USED_EVERY: Final = timedelta(minutes=5)  # "last used" need not be more exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One program that may use the API."""

    id: int
    name: str  # which program
    staff: str
    role: Role  # the account's, of this moment
    created_at: datetime
    last_used_at: datetime | None


_ALIVE: Final = """
    SELECT tokens.*, accounts.role FROM tokens JOIN accounts USING (staff)
    WHERE accounts.disabled_at IS NULL AND tokens.revoked_at IS NULL
"""


def add(db: sqlite_utils.Database, staff: str, name: str, secret: str, now: datetime) -> int:
    """Let whoever has `secret` use the API as `staff`; return the token's number."""
    with writing(db):
        row = db.execute(
            "INSERT INTO tokens (token, name, staff, created_at) VALUES (?, ?, ?, ?) RETURNING id",
            [digest(secret), name, staff, to_text(now)],
        ).fetchone()
        acts.add_within(db, Act(at=now, kind=ActKind.TOKEN_MADE, staff=None, detail=f"{staff}: {name}"))
    return int(row[0])


def find(db: sqlite_utils.Database, secret: str) -> Token | None:
    """Return the token of a program that shows `secret`."""
    row = next(db.query(f"{_ALIVE} AND token = ?", [digest(secret)]), None)
    return _token(row) if row else None


def is_to_note(token: Token, now: datetime) -> bool:
    """Return whether `used` is due."""
    return token.last_used_at is None or now - token.last_used_at >= USED_EVERY


def used(db: sqlite_utils.Database, token: Token, now: datetime) -> None:
    """Note that a token is used."""
    with writing(db):
        db.execute("UPDATE tokens SET last_used_at = ? WHERE id = ?", [to_text(now), token.id])


def listing(db: sqlite_utils.Database) -> list[Token]:
    """Return those that are in use, the oldest first."""
    return [_token(row) for row in db.query(f"{_ALIVE} ORDER BY tokens.id")]


def revoke(db: sqlite_utils.Database, token: int, now: datetime) -> bool:
    """Let a program in no more; False if there is no such token."""
    with writing(db):
        done = db.execute(
            "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING staff, name",
            [to_text(now), token],
        ).fetchall()
        for staff, name in done:
            acts.add_within(db, Act(at=now, kind=ActKind.TOKEN_REVOKED, staff=None, detail=f"{staff}: {name}"))
    return bool(done)


def _token(row: Mapping[str, Any]) -> Token:
    created = from_text(row["created_at"])
    assert created is not None  # noqa: S101  # the column is NOT NULL
    return Token(
        id=row["id"],
        name=row["name"],
        staff=row["staff"],
        role=Role(row["role"]),
        created_at=created,
        last_used_at=from_text(row["last_used_at"]),
    )
