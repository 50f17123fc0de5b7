"""How full the caps are, and what the brake has to know. SQL about both lives here.   flow/guard.py → here"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlite_utils

from textbackd.core.brake import Fates
from textbackd.core.caps import Caps, Full, Scope, written
from textbackd.core.limits import MILLIONTHS, Limit
from textbackd.core.phone import E164
from textbackd.store.database import from_text, to_text

LAST_DIGITS: Final = 4  # what numbers of one prefix differ in


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The text that asks for room."""

    recipient: E164
    did: E164 | None
    cost: int  # millionths


def full_caps(db: sqlite_utils.Database, caps: Caps, wanted: Wanted, now: datetime, *, observing: bool) -> list[Full]:
    """Return the caps that have no room for one more automatic text now."""
    counts = "kind = 'missed' AND state NOT IN ('expired', 'cancelled'" + (")" if observing else ", 'suppressed')")
    return [*_counted(db, caps, wanted, now, counts), *_spent(db, caps, wanted, now, counts)]


def _counted(db: sqlite_utils.Database, caps: Caps, wanted: Wanted, now: datetime, counts: str) -> Iterator[Full]:
    for scope, limit in caps.counted():
        where, values = _together(scope, wanted)
        # The text that has to leave the window before there is room: the so-manieth newest, waiting ones included.
        row = db.execute(
            f"SELECT due_at FROM outbox WHERE {counts} AND {where} AND due_at > ? ORDER BY due_at DESC LIMIT 1 OFFSET ?",  # noqa: S608
            [*values, to_text(now - limit.window), max(limit.count - 1, 0)],
        ).fetchone()
        if limit.count == 0:
            yield Full(scope, written(limit), None)
        elif row is not None and (oldest := from_text(row[0])) is not None:
            yield Full(scope, written(limit), oldest + limit.window)


def _together(scope: Scope, wanted: Wanted) -> tuple[str, list[Any]]:
    """Return what is counted together, as SQL and its values."""
    number, prefix = wanted.recipient, wanted.recipient[:-LAST_DIGITS]
    together: dict[Scope, tuple[str, list[Any]]] = {
        Scope.NUMBER: ("recipient = ?", [number]),
        # ":" is the character after "9", so this is a range of the index.
        Scope.PREFIX: (
            "recipient >= ? AND recipient < ? AND length(recipient) = ?",
            [prefix, f"{prefix}:", len(number)],
        ),
        Scope.DID: ("did = ?", [wanted.did]),
        Scope.ALL: ("1", []),
    }
    return together[scope]


def _spent(db: sqlite_utils.Database, caps: Caps, wanted: Wanted, now: datetime, counts: str) -> Iterator[Full]:
    for limit in caps.spend if wanted.cost else ():
        query = f"SELECT coalesce(sum(cost), 0) FROM outbox WHERE {counts} AND due_at > ?"  # noqa: S608
        spent = db.execute(query, [to_text(now - limit.window)]).fetchone()[0]
        if spent + wanted.cost > limit.amount * MILLIONTHS:
            yield Full(Scope.SPEND, written(limit), None)


def callers_in_reach(
    db: sqlite_utils.Database, number: E164, limit: Limit, now: datetime, not_before: datetime | None
) -> Iterable[E164]:
    """Return the callers of missed calls within the limit's window, and after `not_before`, whose numbers are near `number`."""
    digits, reach = int(number[1:]), limit.count
    first, last = (f"+{digits + by:0{len(number) - 1}}" for by in (-reach, reach))
    rows = db.execute(
        "SELECT DISTINCT caller FROM calls WHERE caller BETWEEN ? AND ? AND verdict = 'missed' AND ended_at > ?",
        [first, last, to_text(max(now - limit.window, not_before or now - limit.window))],
    )
    return [E164(row[0]) for row in rows]


def fates(db: sqlite_utils.Database, of: int, since: datetime | None) -> Fates:
    """Return what became of the last `of` automatic texts whose end is known, of those handed over after `since`."""
    rows = db.execute(
        "SELECT state FROM outbox WHERE kind = 'missed' AND state IN ('delivered', 'undelivered', 'failed') AND submitted_at > ?"
        " ORDER BY submitted_at DESC LIMIT ?",
        [to_text(since) or "", of],
    ).fetchall()
    return Fates(delivered=sum(row[0] == "delivered" for row in rows), known=len(rows))


def spent_since(db: sqlite_utils.Database, since: datetime) -> int:
    """Return what the automatic texts since then have cost, as estimated, in millionths."""
    query = (
        "SELECT coalesce(sum(cost), 0) FROM outbox WHERE due_at > ?"
        " AND state NOT IN ('expired', 'cancelled', 'suppressed', 'failed')"
    )
    return int(db.execute(query, [to_text(since)]).fetchone()[0])
