"""Who may log in, and the invitations by which somebody chooses a password. SQL about both lives here.

A disabled account keeps its row, so that what its owner did still has a name, and loses everything that lets it in. What is done
to an account is an act of `by`, which is None at the terminal, written down in the same transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlite_utils

from textbackd.store import acts
from textbackd.store.acts import Act, ActKind
from textbackd.store.bearer import digest
from textbackd.store.database import from_text, to_text, writing

INVITED_FOR: Final = timedelta(hours=24)


class Role(StrEnum):
    """What somebody may see."""

    OWNER = "owner"  # also accounts, everybody's sessions, who did what, and spreadsheets to take away
    STAFF = "staff"  # the inbox and the figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may log in, or might."""

    staff: str  # a key of `staff` in the configuration, or a name of its own
    role: Role
    password: str | None  # argon2id; None: invited, and has not chosen one yet
    created_at: datetime
    disabled_at: datetime | None  # None: may log in


def find(db: sqlite_utils.Database, staff: str) -> Account | None:
    """Return the account of that name, however its letters are cased: phones begin a word with a capital."""
    wanted = staff.strip().casefold()
    return next((account for account in listing(db) if account.staff.casefold() == wanted), None)


def listing(db: sqlite_utils.Database) -> list[Account]:
    """Return all accounts, the first one first."""
    return [_account(row) for row in db.query("SELECT * FROM accounts ORDER BY created_at, staff")]


def colleagues(db: sqlite_utils.Database, configured: Iterable[str]) -> tuple[str, ...]:
    """Return whom a conversation can be given to: the staff of the configuration, and who else has an account."""
    with_account = (account.staff for account in listing(db) if account.disabled_at is None)
    return tuple(dict.fromkeys([*configured, *with_account]))


def let_in(db: sqlite_utils.Database) -> tuple[str, ...]:
    """Return who can log in, the first account first."""
    return tuple(one.staff for one in listing(db) if one.disabled_at is None and one.password is not None)


def anybody(db: sqlite_utils.Database) -> bool:
    """Return whether there is anybody who can log in."""
    return bool(let_in(db))


def add(
    db: sqlite_utils.Database, staff: str, role: Role, password: str, now: datetime, *, by: str | None = None
) -> bool:
    """Make an account with a hashed password, or let a disabled one in again; False if it can log in already."""
    with writing(db):
        if not _made(db, staff, role, now, by):
            return False
        db.execute("UPDATE accounts SET password = ? WHERE staff = ?", [password, staff])
    return True


def invite(
    db: sqlite_utils.Database, staff: str, role: Role, secret: str, now: datetime, *, by: str | None = None
) -> None:
    """Let whoever has `secret` choose this account's password, once, for a day. Makes the account if there is none.

    An account that there is keeps its role and, until the new one is chosen, its password. Earlier invitations end.
    """
    with writing(db):
        _made(db, staff, role, now, by)
        acts.add_within(db, Act(at=now, kind=ActKind.INVITED, staff=by, detail=staff))
        db.execute("DELETE FROM invitations WHERE staff = ? OR expires_at <= ?", [staff, to_text(now)])
        db.execute(
            "INSERT INTO invitations (token, staff, expires_at) VALUES (?, ?, ?)",
            [digest(secret), staff, to_text(now + INVITED_FOR)],
        )


def _made(db: sqlite_utils.Database, staff: str, role: Role, now: datetime, by: str | None) -> bool:
    """Have an enabled account; False if it was one already. One that was disabled starts anew, without its old password."""
    made = db.execute(
        "INSERT INTO accounts (staff, role, created_at) VALUES (?, ?, ?) ON CONFLICT (staff) DO UPDATE"
        " SET role = excluded.role, password = NULL, disabled_at = NULL WHERE disabled_at IS NOT NULL RETURNING staff",
        [staff, role.value, to_text(now)],
    ).fetchall()
    if made:
        acts.add_within(db, Act(at=now, kind=ActKind.ACCOUNT_MADE, staff=by, detail=staff))
    return bool(made)


def invited(db: sqlite_utils.Database, secret: str, now: datetime) -> str | None:
    """Return whose password an invitation's bearer may choose; None if it was used, is too old, or never was."""
    row = db.execute(
        "SELECT staff FROM invitations WHERE token = ? AND expires_at > ?", [digest(secret), to_text(now)]
    ).fetchone()
    return str(row[0]) if row else None


def accept(db: sqlite_utils.Database, secret: str, password: str, now: datetime) -> str | None:
    """Use an invitation up: set the hashed password, and return whose. None if there is no such invitation any more."""
    with writing(db):
        staff = invited(db, secret, now)
        if staff is not None:
            _set_password(db, staff, password, keep=None)
            acts.add_within(db, Act(at=now, kind=ActKind.PASSWORD_CHANGED, staff=staff, detail=staff))
    return staff


def set_password(
    db: sqlite_utils.Database,
    staff: str,
    password: str,
    now: datetime,
    *,
    by: str | None = None,
    keep: int | None = None,
    proved: str | None = None,
) -> bool:
    """Set a hashed password and end every session but `keep`: whoever knew the old one is out.

    `proved`: the old one's hash, by which somebody may set a new one; False if it was changed meanwhile. None at the terminal.
    """
    with writing(db):
        if proved is not None and not stands(db, staff, proved):
            return False
        _set_password(db, staff, password, keep=keep)
        acts.add_within(db, Act(at=now, kind=ActKind.PASSWORD_CHANGED, staff=by, detail=staff))
    return True


def stands(db: sqlite_utils.Database, staff: str, password: str | None) -> bool:
    """Return whether a hashed password, which was proved a moment ago, still lets its owner in."""
    query = "SELECT 1 FROM accounts WHERE staff = ? AND password = ? AND disabled_at IS NULL"
    return db.execute(query, [staff, password]).fetchone() is not None


def _set_password(db: sqlite_utils.Database, staff: str, password: str, *, keep: int | None) -> None:
    db.execute("UPDATE accounts SET password = ? WHERE staff = ?", [password, staff])
    db.execute("DELETE FROM invitations WHERE staff = ?", [staff])
    db.execute("DELETE FROM sessions WHERE staff = ? AND id IS NOT ?", [staff, keep])


def strengthen(db: sqlite_utils.Database, staff: str, old: str, new: str) -> None:
    """Keep the same password as a hash of today's cost, unless it was changed meanwhile."""
    with writing(db):
        db.execute("UPDATE accounts SET password = ? WHERE staff = ? AND password = ?", [new, staff, old])


def disable(db: sqlite_utils.Database, staff: str, now: datetime, *, by: str | None = None) -> bool:
    """Let somebody in no more: sessions and invitations end, tokens are revoked. False if it was so already."""
    with writing(db):
        done = db.execute(
            "UPDATE accounts SET disabled_at = ? WHERE staff = ? AND disabled_at IS NULL RETURNING staff",
            [to_text(now), staff],
        ).fetchall()
        if done:
            acts.add_within(db, Act(at=now, kind=ActKind.ACCOUNT_DISABLED, staff=by, detail=staff))
        db.execute("DELETE FROM invitations WHERE staff = ?", [staff])
        db.execute("DELETE FROM sessions WHERE staff = ?", [staff])
        db.execute("UPDATE tokens SET revoked_at = ? WHERE staff = ? AND revoked_at IS NULL", [to_text(now), staff])
    return bool(done)


def _account(row: Mapping[str, Any]) -> Account:
    created = from_text(row["created_at"])
    assert created is not None  # noqa: S101  # the column is NOT NULL
    return Account(
        staff=row["staff"],
        role=Role(row["role"]),
        password=row["password"],
        created_at=created,
        disabled_at=from_text(row["disabled_at"]),
    )
