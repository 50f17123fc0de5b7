"""How long the inbox takes to answer a shop with 5,000 conversations and 100,000 texts.   scripts/bench inbox"""

import random
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import sqlite_utils

from tests.bench.pages import main
from tests.web.inbox import NOON
from textbackd.store.database import to_text

CONVERSATIONS: Final = 5_000
TEXTS: Final = 100_000
TIMES: Final = 40
# What is asked for, and how long it may take at most, in milliseconds (median).
PAGES: Final = {
    "the list": ("/", 100),
    "its refresh": ("/?fragment=1", 100),
    "the second page": ("/?box=done", 100),
    "mine": ("/?mine=1", 100),
    "a conversation": ("/c/77", 100),
    "search: a frequent word": ("/?q=gutter", 300),
    "search: a rare word": ("/?q=weathercock", 300),
    "search: nothing found": ("/?q=zeppelin", 300),
    "search: a number": ("/?q=555-1234", 300),
}
SAID: Final = (
    "roof leak gutter slate tile today tomorrow morning afternoon please call price estimate thank you yes no could you"
    " come at three the ladder is in the yard chimney window storm water kitchen bathroom invoice when where how much"
)


def fill(db: sqlite_utils.Database) -> None:
    """Write what a busy shop has gathered in half a year."""
    dice = random.Random(7)
    connection: sqlite3.Connection = db.conn
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO conversations (number, name, line, turn, assignee, waiting_since, opened_at, last_at, last_words, unread)"
        " VALUES (?, ?, 'main', ?, ?, ?, ?, ?, ?, ?)",
        _conversations(dice),
    )
    connection.executemany(
        "INSERT INTO inbox (gateway, reference, kind, sender, number, body, media, received_at, stored_at)"
        " VALUES ('stick', ?, 'text', ?, ?, ?, 0, ?, ?)",
        _incoming(dice),
    )
    connection.executemany(
        "INSERT INTO outbox (id, kind, recipient, body, state, gateways, gateway, attempts, due_at, expires_at, created_at,"
        " segments, staff) VALUES (?, 'manual', ?, ?, 'delivered', '[\"stick\"]', 'stick', 1, ?, ?, ?, 1, 'anna')",
        _outgoing(dice),
    )
    connection.execute(
        "INSERT INTO attempts (outbox_id, gateway, started_at, outcome) SELECT id, 'stick', due_at, 'accepted' FROM outbox"
    )
    connection.execute("COMMIT")


def _number(index: int) -> str:
    return f"+1303555{index:04}"


def _conversations(dice: random.Random) -> Iterator[tuple[object, ...]]:
    for index in range(CONVERSATIONS):
        turn = dice.choices(("new", "waiting_for_us", "waiting_for_them", "done"), (10, 10, 20, 60))[0]
        at = to_text(NOON - timedelta(minutes=dice.randrange(1, 180 * 24 * 60)))
        name = dice.choice(("", f"Caller {index}", "Jane Kowalski"))
        assignee = dice.choice((None, "anna", "bob"))
        yield _number(index), name, turn, assignee, at if turn == "waiting_for_us" else None, at, at, _body(dice), 1


def _incoming(dice: random.Random) -> Iterator[tuple[object, ...]]:
    for index in range(TEXTS // 2):
        number, at = _number(index % CONVERSATIONS), to_text(NOON - timedelta(minutes=index))
        yield str(index), number, number, _body(dice) + (" weathercock" if index == 25_000 else ""), at, at


def _outgoing(dice: random.Random) -> Iterator[tuple[object, ...]]:
    for index in range(TEXTS // 2):
        at = to_text(NOON - timedelta(minutes=index))
        yield f"{index:032x}", _number(index % CONVERSATIONS), _body(dice), at, at, at


def _body(dice: random.Random) -> str:
    return " ".join(dice.choices(SAID.split(), k=dice.randrange(4, 30)))


if __name__ == "__main__":
    main(__doc__, f"{CONVERSATIONS:,} conversations, {TEXTS:,} texts", fill, PAGES, TIMES)
