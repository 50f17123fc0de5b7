"""How long the reports take, in a shop that took 100,000 calls in a year.   scripts/bench reports

The year in one page is what no shop asks for every day: it is shown for what 100,000 calls in one period take.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlite_utils

from tests.bench.pages import main
from textbackd.store.database import to_text

CALLS: Final = 100_000
DAYS: Final = 365
TIMES: Final = 20
FIRST: Final = datetime(2025, 3, 1, 7, tzinfo=UTC)
YEAR: Final = "from=2025-03-01&to=2026-02-28"
MONTH: Final = "from=2026-02-01&to=2026-02-28"
# What is asked for, and how long it may take at most, in milliseconds (median).
PAGES: Final = {
    "a month": (f"/reports?{MONTH}", 300),
    "a month of one line": (f"/reports?{MONTH}&line=main", 300),
    "the whole year": (f"/reports?{YEAR}", 2_000),
}
SENT: Final = '["stick"]'


def fill(db: sqlite_utils.Database, calls: int = CALLS, days: int = DAYS, first: datetime = FIRST) -> None:
    """Write some days: one call in seven is missed, most of these are texted, one in five of them writes back."""
    dice, step = random.Random(7), timedelta(days=days) / calls
    db.execute("BEGIN")
    for number in range(calls):
        at, caller = first + step * number, f"+1303{5550000 + dice.randrange(40_000)}"
        if dice.random() < 1 / 7:
            _missed(db, dice, number, caller, at)
        else:
            _call(db, number, caller, at, "answered", None, None)
    db.execute("COMMIT")


def _call(
    db: sqlite_utils.Database,
    number: int,
    caller: str,
    at: datetime,
    verdict: str,
    reason: str | None,
    case: int | None,
) -> None:
    way = json.dumps([[to_text(at), "rang", f"PJSIP/desk{phone}"] for phone in range(8)])
    db.execute(
        "INSERT INTO calls (id, pbx, linkedid, direction, caller, caller_presented, caller_name, did, did_presented, line,"
        " verdict, reason, ended_at, decision, decision_reason, decision_detail, case_id, way, recorded_at)"
        " VALUES (?, 'office', ?, 'inbound', ?, ?, '', '+13035550101', '', 'main', ?, ?, ?, 'skip', 'x', '', ?, ?, ?)",
        [number + 1, f"1.{number}", caller, caller, verdict, reason, to_text(at), case, way, to_text(at)],
    )


def _missed(db: sqlite_utils.Database, dice: random.Random, number: int, caller: str, at: datetime) -> None:
    case, text = number + 1, f"{number:032x}"
    begun = "INSERT INTO cases (id, caller, line, opened_at, last_miss_at) VALUES (?, ?, 'main', ?, ?)"
    db.execute(begun, [case, caller, to_text(at), to_text(at)])
    _call(db, number, caller, at, "missed", "no_answer", case)
    if dice.random() < 0.8:
        _text(db, text, "missed", caller, at, case)
    if dice.random() < 0.2:
        _reply(db, text, caller, at + timedelta(minutes=4))
        _text(db, f"{text}m", "manual", caller, at + timedelta(minutes=9), None)


def _text(db: sqlite_utils.Database, text: str, kind: str, caller: str, at: datetime, case: int | None) -> None:
    db.execute(
        "INSERT INTO outbox (id, case_id, kind, recipient, body, state, gateways, gateway, due_at, expires_at, hung_up_at,"
        " created_at, accepted_at, segments, cost, staff)"
        " VALUES (?, ?, ?, ?, 'Sorry we missed your call', 'delivered', ?, 'stick', ?, ?, ?, ?, ?, 1, 7900, ?)",
        [
            text, case, kind, caller, SENT, *[to_text(at)] * 4, to_text(at + timedelta(seconds=4)),
            "anna" if kind == "manual" else None,
        ],
    )  # fmt: skip


def _reply(db: sqlite_utils.Database, reference: str, caller: str, at: datetime) -> None:
    db.execute(
        "INSERT INTO inbox (gateway, reference, kind, sender, number, body, media, received_at, stored_at)"
        " VALUES ('stick', ?, 'text', ?, ?, 'yes please', 0, ?, ?)",
        [reference, caller, caller, to_text(at), to_text(at)],
    )


if __name__ == "__main__":
    main(__doc__, f"{CALLS:,} calls in {DAYS} days", fill, PAGES, TIMES)
