"""How long the reports take, in a shop that took 100,000 calls in a year.   scripts/bench reports

Asked over HTTP by somebody who is logged in, one request after the other, on a database file as the daemon keeps it. The year in one
page is what no shop asks for every day: it is shown for what 100,000 calls in one period take.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import sqlite_utils

from tests.web.inbox import Browser, open_inbox
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


async def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Return the median and the slowest of each page, in milliseconds."""
    async with open_inbox(folder) as inbox, inbox.browser() as browser:
        await inbox.write(fill)
        await browser.log_in()
        return {name: await _asked(browser, path) for name, (path, _) in PAGES.items()}


async def _asked(browser: Browser, path: str) -> dict[str, float]:
    await browser.get(path)
    took = list[float]()
    for _ in range(TIMES):
        begun = time.perf_counter()
        page = await browser.get(path)
        took.append((time.perf_counter() - begun) * 1000)
        assert page.status == 200
    return {"median": round(statistics.median(took), 1), "slowest": round(max(took), 1)}


def _told(measured: dict[str, dict[str, float]]) -> Iterator[str]:
    yield f"{CALLS:,} calls in {DAYS} days; milliseconds over HTTP, {TIMES} times each"
    for name, (_, most) in PAGES.items():
        took = measured[name]
        yield f"{name:26} median {took['median']:6}   slowest {took['slowest']:6}   at most {most}"


def main() -> None:
    """Measure, print, and fail if a page took longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="textbackd-bench-") as folder:
        measured = asyncio.run(measure(Path(folder)))
    print("\n".join(_told(measured)))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2) + "\n")
    slow = [name for name, (_, most) in PAGES.items() if measured[name]["median"] > most]
    raise SystemExit(f"too slow: {', '.join(slow)}" if slow else 0)


if __name__ == "__main__":
    main()
