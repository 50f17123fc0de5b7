"""How often somebody was refused at the login, and how long they have to wait for it. SQL about it lives here.

An attempt is counted before its password is looked at, in one transaction: a thousand at the same moment count as a thousand,
and a restart forgets none. Names and addresses are kept as hashes, since a password is sometimes typed as name.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlite_utils

from textbackd.store import acts
from textbackd.store.acts import Act, ActKind
from textbackd.store.database import from_text, to_text, writing

FIRST_PAUSE: Final = timedelta(seconds=2)  # doubled with every further attempt
# Long enough that guessing is hopeless (96 a day), short enough that a stranger cannot lock the owner out for a day.
LONGEST_PAUSE: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(hours=24)
MOST_KEPT: Final = 10_000  # rows; the oldest go first


@dataclass(frozen=True, slots=True)
class Who:
    """One of the two by which attempts are counted."""

    key: str  # a hash
    free: int  # attempts before the first pause


def account(name: str) -> Who:
    """Return the count of a name, whether or not there is such an account."""
    return Who(_hashed("account", name.strip().casefold()), free=5)


def address(peer: str) -> Who:
    """Return the count of an address, behind which a whole shop may sit."""
    return Who(_hashed("address", peer), free=20)


def _hashed(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode("utf-8", "surrogatepass")).hexdigest()


def pause_after(attempts: int, free: int) -> timedelta:
    """Return how long to wait after so many attempts in a row."""
    beyond = attempts - free
    if beyond < 0:
        return timedelta()
    doubled = FIRST_PAUSE * (1 << min(beyond, 20))
    return min(doubled, LONGEST_PAUSE)


def attempt(db: sqlite_utils.Database, whos: tuple[Who, ...], now: datetime) -> datetime | None:
    """Count an attempt as refused, until `let_off` says otherwise. Return None if it may be made, else from when on it may."""
    with writing(db):
        pauses = [_paused_until(db, who, now) for who in whos]
        until = max((pause for pause in pauses if pause is not None), default=None)
        if until is None:
            _forget_old(db, now)
            for who in whos:
                _count(db, who, now)
    return until


def _paused_until(db: sqlite_utils.Database, who: Who, now: datetime) -> datetime | None:
    row: Any = db.execute("SELECT count, last_at FROM refusals WHERE who = ?", [who.key]).fetchone()
    last = from_text(row[1]) if row else None
    # A moment that lies ahead was written before the clock was set back, and says nothing.
    if last is None or last > now:
        return None
    until = last + pause_after(row[0], who.free)
    return until if until > now else None


def _count(db: sqlite_utils.Database, who: Who, now: datetime) -> None:
    db.execute(
        "INSERT INTO refusals (who, count, last_at) VALUES (?, 1, ?)"
        " ON CONFLICT (who) DO UPDATE SET count = count + 1, last_at = excluded.last_at",
        [who.key, to_text(now)],
    )


def _forget_old(db: sqlite_utils.Database, now: datetime) -> None:
    db.execute("DELETE FROM refusals WHERE last_at <= ?", [to_text(now - FORGOTTEN_AFTER)])
    db.execute(
        "DELETE FROM refusals WHERE who IN (SELECT who FROM refusals ORDER BY last_at DESC LIMIT -1 OFFSET ?)",
        [MOST_KEPT],
    )


def let_off(db: sqlite_utils.Database, name: Who, peer: Who) -> None:
    """The password was right: forget the name's refusals. The address only gets its last attempt back.

    Otherwise somebody with an account of their own could guess at all others for ever.
    """
    with writing(db):
        db.execute("DELETE FROM refusals WHERE who = ?", [name.key])
        db.execute("UPDATE refusals SET count = count - 1 WHERE who = ? AND count > 0", [peer.key])


def note(db: sqlite_utils.Database, staff: str | None, peer: str, now: datetime) -> None:
    """Write down, for the owner to see, that the password was wrong; `staff` is None where there is no such account."""
    with writing(db):
        acts.add_within(db, Act(at=now, kind=ActKind.LOGIN_REFUSED, staff=staff, detail=peer))
