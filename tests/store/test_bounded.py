"""No table grows without end: retention bounds it, or there is a reason why it needs none."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

import sqlite_utils

from tests.store.rows import CALLER, DAY, NOON, a_text, after, judged
from tests.store.test_retention import KEPT, OTHER, life_of
from textbackd.core.reply_clock import PAGE
from textbackd.store import conversations, journal, retention, steps
from textbackd.store.database import LOG_LIMIT, open_database, to_text, writing
from textbackd.store.states import State

# Tables that retention empties in time.
BOUNDED: Final = {
    "calls", "cases", "outbox", "attempts", "parts", "inbox", "conversations", "acts", "news", "notices", "leads", "bookings",
    "booking_events", "unreachable", "halts", "steps",
}  # fmt: skip
# The others, and why they may stay as they are.
STAYS: Final = {
    "pulse": "two rows",
    "meta": "a row for each name",
    "watched": "a row for each PBX",
    "told": "a row for each alarm that is on, and the letters",
    "optouts": "outlives everything, as a hash; one for each number that ever wanted no texts",
    "never": "as the shop wrote it",
    "asks": "a person has to read it; one for each number, and it becomes an opt-out when the number is forgotten",
    "accounts": "as many as people work there; what they did keeps a name",
    "tokens": "made by hand, one for each program",
    "sessions": "ended ones go whenever somebody logs in (store/sessions.py)",
    "invitations": "old ones go whenever somebody is invited (store/accounts.py)",
    "refusals": "a day long, and never more than some thousand (store/refusals.py)",
}


def test_every_table_is_bounded_or_says_why_not(db: sqlite_utils.Database) -> None:
    tables = {name for name in db.table_names() if not name.startswith(("_", "sqlite_"))}
    assert tables == BOUNDED | set(STAYS)
    assert not BOUNDED & set(STAYS)


def test_what_is_old_goes_from_every_bounded_table(db: sqlite_utils.Database) -> None:
    life_of(db, CALLER, "a")
    life_of(db, OTHER, "b")
    with writing(db):
        db.execute("INSERT INTO booking_events VALUES ('cal', '1', ?)", [to_text(NOON)])
        db.execute("UPDATE conversations SET waiting_since = ?", [to_text(NOON)])
        conversation = conversations.find(db, CALLER)
        assert conversation is not None
        assert steps.take(db, conversation, PAGE, NOON)
    filled = {table for table in BOUNDED if db[table].count}
    assert filled == BOUNDED
    retention.let_go(db, KEPT, NOON + timedelta(days=1000))
    assert {table for table in BOUNDED if db[table].count} == set()


def test_the_file_stays_as_large_as_what_is_kept(tmp_path: Path) -> None:
    """Pages that become free are used again: what is kept for 60 days takes no more room after 360 days than after 120."""
    sizes = []
    kept = retention.Kept(texts=timedelta(days=30), calls=timedelta(days=60))
    with closing(open_database(tmp_path / "textbackd.db")) as db:
        db.conn.execute("PRAGMA synchronous=OFF")
        for day in range(360):
            at = NOON + timedelta(days=day)
            for number in range(3):
                caller = type(CALLER)(f"+1303555{day % 10}{number:03}")
                call = judged(f"{day}.{number}", caller=caller, ended_at=at)
                journal.record(
                    db, call, a_text(at=at, recipient=caller, state=State.EXPIRED), same_case_within=DAY, now=at
                )
            retention.let_go(db, kept, at)
            if day % 120 == 119:
                sizes.append(int(db.execute("PRAGMA page_count").fetchone()[0]))
    assert sizes[2] <= sizes[0] * 1.1


def test_the_write_ahead_log_is_cut_back_after_it_has_grown(tmp_path: Path) -> None:
    log = tmp_path / "textbackd.db-wal"
    with closing(open_database(tmp_path / "textbackd.db")) as db:
        with writing(db):
            db.execute("CREATE TABLE much (what BLOB)")
            for _ in range(3 * LOG_LIMIT // 1_000_000):
                db.execute("INSERT INTO much VALUES (zeroblob(1000000))")
        grown = log.stat().st_size
        for moment in range(3):  # the log begins anew with the commit after a checkpoint
            with writing(db):
                db.execute("INSERT OR REPLACE INTO pulse (id, at) VALUES (1, ?)", [to_text(after(seconds=moment))])
        assert grown > 2 * LOG_LIMIT
        assert log.stat().st_size <= LOG_LIMIT
