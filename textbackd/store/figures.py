"""What the reports count, as it stands in the tables.   here → report/      SQL about it lives here; what it means: docs/REPORTS.md

Every question is about a span of time, and about all lines or one. A call belongs to the moment at which it ended. Calls, cases and
missed calls know their line; a text, an answer or a mark belongs to the line that its caller called or wrote to last.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlite_utils

from textbackd.store.database import from_text, moment_of, to_text
from textbackd.store.overnight import WROTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked about."""

    since: datetime
    until: datetime  # not counted itself
    followed: datetime  # what came of it counts up to here
    line: str | None = None  # None: all

    def values(self) -> dict[str, Any]:
        """Return what the queries below need."""
        return {
            "since": to_text(self.since),
            "until": to_text(self.until),
            "followed": to_text(self.followed),
            "line": self.line,
        }


class Heard(NamedTuple):
    """A finished call, as core/leak.py counts it."""

    at: int  # seconds since 1970
    said: str  # "missed no_answer"; "ignored outbound": one of ours that somebody took
    number: str  # of the caller, or whom the office called
    line: str


class Case(NamedTuple):
    """One caller's unsettled misses."""

    id: int
    caller: str
    opened_at: datetime
    is_textable: bool  # a text can reach the number, as far as can be known


class AutomaticText(NamedTuple):
    """The text of a case that a gateway took."""

    case_id: int
    state: str  # accepted, delivered, undelivered
    took: float  # seconds from the end of the call until the gateway took it
    held: bool  # it had to wait for the end of a night


class Word(NamedTuple):
    """Something that was said: by a caller, or by one of us."""

    number: str
    at: datetime
    staff: str | None = None  # who wrote it; None: the caller, or it was said on the phone


class Mark(NamedTuple):
    """What one of us, or a calendar, noted about a caller."""

    number: str
    at: datetime
    kind: str  # won, lost, booked
    value: int | None  # hundredths of the shop's currency
    staff: str | None


class Spent(NamedTuple):
    """Texts that a gateway took, of any kind."""

    texts: int
    segments: int
    cost: int  # as estimated, in millionths of the gateways' currency


class Rate(NamedTuple):
    """Calls from outside."""

    calls: int
    answered: int


_OF_LINE: Final = "(:line IS NULL OR line = :line)"
_CALLER_OF_LINE: Final = "(:line IS NULL OR {} IN (SELECT number FROM conversations WHERE line = :line))"
_SPOKE: Final = "verdict IN ('answered', 'lost_after_answer')"
_TAKEN: Final = "state IN ('accepted', 'delivered', 'undelivered')"
_MARKS: Final = "('won', 'lost', 'booked')"
_MARKED: Final = f"(SELECT number FROM acts WHERE kind IN {_MARKS} AND at >= :since AND at < :until)"  # noqa: S608
_COUNTS: Final = "verdict IN ('answered', 'missed', 'lost_after_answer', 'uncertain')"


def calls(db: sqlite_utils.Database, asked: Asked) -> list[Heard]:
    """Return the calls from outside, and those of ours that were taken, in the order of their ends."""
    rows = db.execute(
        "SELECT CAST(strftime('%s', ended_at) AS INTEGER), CASE WHEN direction = 'outbound' THEN 'ignored outbound'"  # noqa: S608
        " WHEN reason IS NULL THEN verdict ELSE verdict || ' ' || reason END,"
        " CASE WHEN direction = 'outbound' THEN coalesce(did, '') ELSE coalesce(caller, '') END, coalesce(line, '')"
        " FROM calls INDEXED BY calls_counted WHERE ended_at >= :since AND ended_at < :until"
        f" AND ((direction = 'inbound' AND {_COUNTS} AND {_OF_LINE}) OR (direction = 'outbound' AND talked_s > 0))"
        " ORDER BY ended_at",
        asked.values(),
    )
    found: list[Heard] = rows.fetchall()  # plain tuples: a hundred thousand named ones would take as long as the query
    return found


def cases(db: sqlite_utils.Database, asked: Asked) -> list[Case]:
    """Return the cases that were opened, and those that came after them, the oldest first."""
    rows = db.execute(
        "SELECT id, caller, opened_at, id IN (SELECT case_id FROM calls INDEXED BY calls_counted"  # noqa: S608
        " WHERE ended_at >= :since AND ended_at < :followed AND not_textable IS NULL)"
        f" FROM cases WHERE opened_at >= :since AND opened_at < :followed AND {_OF_LINE} ORDER BY opened_at, id",
        asked.values(),
    )
    return [Case(row[0], row[1], moment_of(row[2]), bool(row[3])) for row in rows]


def automatic_texts(db: sqlite_utils.Database, asked: Asked) -> list[AutomaticText]:
    """Return the answers to missed calls that a gateway took."""
    rows = db.execute(
        "SELECT case_id, state, round(coalesce((julianday(accepted_at) - julianday(hung_up_at)) * 86400, 0), 3), held FROM outbox"  # noqa: S608
        " WHERE kind = 'missed' AND created_at >= :since AND created_at < :followed AND case_id IS NOT NULL"
        f" AND {_TAKEN}",
        asked.values(),
    )
    return [AutomaticText(row[0], row[1], row[2], bool(row[3])) for row in rows]


def theirs(db: sqlite_utils.Database, asked: Asked) -> list[Word]:
    """Return when callers wrote to a person: STOP and its kin are words to us."""
    query = f"SELECT number, received_at FROM inbox WHERE received_at >= :since AND received_at < :followed AND {WROTE}"  # noqa: S608
    rows = db.execute(f"{query} AND {_CALLER_OF_LINE.format('number')}", asked.values())
    return [Word(row[0], moment_of(row[1])) for row in rows]


def ours(db: sqlite_utils.Database, asked: Asked) -> list[Word]:
    """Return when one of us wrote to a caller; what certainly never got there is left out."""
    rows = db.execute(
        "SELECT recipient, created_at, staff FROM outbox WHERE kind = 'manual' AND created_at >= :since"  # noqa: S608
        " AND created_at < :followed AND state NOT IN ('failed', 'expired', 'cancelled', 'suppressed')"
        f" AND {_CALLER_OF_LINE.format('recipient')}",
        asked.values(),
    )
    return [Word(row[0], moment_of(row[1]), row[2]) for row in rows]


def talks(db: sqlite_utils.Database, asked: Asked) -> list[Word]:
    """Return when somebody who was missed or had written began to speak with one of us on the phone, whoever called."""
    wait = (
        "(SELECT caller FROM cases WHERE opened_at >= :since AND opened_at < :until"  # noqa: S608
        f" UNION SELECT number FROM inbox WHERE received_at >= :since AND received_at < :until AND {WROTE})"
    )
    rows = db.execute(
        f"SELECT caller, ended_at, talked_s FROM calls WHERE caller IN {wait} AND direction = 'inbound'"  # noqa: S608
        f" AND {_SPOKE} AND ended_at >= :since AND ended_at < :followed"
        f" UNION ALL SELECT did, ended_at, talked_s FROM calls WHERE did IN {wait} AND direction = 'outbound'"
        " AND talked_s > 0 AND ended_at >= :since AND ended_at < :followed",
        asked.values(),
    )
    return [Word(row[0], moment_of(row[1]) - timedelta(seconds=row[2] or 0)) for row in rows]


def marks(db: sqlite_utils.Database, asked: Asked) -> list[Mark]:
    """Return what was noted about callers, the oldest first; of those who were marked in the span also what came before."""
    rows = db.execute(
        f"SELECT number, at, kind, detail, staff FROM acts WHERE kind IN {_MARKS} AND at < :followed AND number IS NOT NULL"  # noqa: S608
        f" AND (at >= :since OR number IN {_MARKED}) AND {_CALLER_OF_LINE.format('number')} ORDER BY id",
        asked.values(),
    )
    return [Mark(row[0], moment_of(row[1]), row[2], _value(row[2], row[3]), row[4]) for row in rows]


def openings(db: sqlite_utils.Database, asked: Asked) -> dict[str, list[datetime]]:
    """Return when each case began of the callers who were marked in the span, by number, the oldest first."""
    found: dict[str, list[datetime]] = defaultdict(list)
    rows = db.execute(
        f"SELECT caller, opened_at FROM cases WHERE opened_at < :followed AND caller IN {_MARKED} ORDER BY opened_at, id",  # noqa: S608
        asked.values(),
    )
    for caller, opened_at in rows:
        found[caller].append(moment_of(opened_at))
    return found


def _value(kind: str, detail: str) -> int | None:
    return int(detail) if kind == "won" and detail.isdecimal() else None


def spent(db: sqlite_utils.Database, asked: Asked) -> Spent:
    """Return what texting took: answers, what staff wrote, and what staff were told."""
    row = db.execute(
        "SELECT count(*), coalesce(sum(segments), 0), coalesce(sum(cost), 0) FROM outbox"  # noqa: S608
        f" WHERE accepted_at >= :since AND accepted_at < :until AND {_CALLER_OF_LINE.format('recipient')}",
        asked.values(),
    ).fetchone()
    return Spent(*row)


def rate(db: sqlite_utils.Database, asked: Asked) -> Rate:
    """Return how many calls came from outside, and how many a person took."""
    row = db.execute(
        f"SELECT count(*), coalesce(sum({_SPOKE}), 0) FROM calls INDEXED BY calls_counted"  # noqa: S608
        f" WHERE ended_at >= :since AND ended_at < :until AND direction = 'inbound' AND {_COUNTS} AND {_OF_LINE}",
        asked.values(),
    ).fetchone()
    return Rate(*row)


def first_call(db: sqlite_utils.Database) -> datetime | None:
    """Return when the first call was written down."""
    return from_text(db.execute("SELECT min(ended_at) FROM calls").fetchone()[0])


class CallRow(NamedTuple):
    """A call as it is exported."""

    id: int
    ended_at: datetime
    line: str | None
    did: str | None
    caller: str | None
    name: str  # untrusted
    verdict: str
    reason: str | None
    decision: str
    why: str
    text: str | None  # the state of the text that answers it


class ConversationRow(NamedTuple):
    """A conversation as it is exported."""

    id: int
    last_at: datetime
    number: str
    name: str  # untrusted
    line: str | None
    turn: str
    assignee: str | None
    opened_at: datetime
    answered_at: datetime | None
    booked_at: datetime | None
    outcome: str | None
    value: int | None  # hundredths of the shop's currency


def call_rows(db: sqlite_utils.Database, asked: Asked, after: tuple[datetime, int], limit: int) -> list[CallRow]:
    """Return the next calls from outside, in the order of their ends."""
    rows = db.execute(
        "SELECT id, ended_at, line, did, caller, caller_name, verdict, reason, decision, decision_reason,"  # noqa: S608
        " (SELECT state FROM outbox WHERE call_id = calls.id AND kind = 'missed' ORDER BY created_at DESC LIMIT 1)"
        " FROM calls WHERE (ended_at, id) > (:after, :last) AND ended_at >= :since AND ended_at < :until"
        f" AND direction = 'inbound' AND {_OF_LINE} ORDER BY ended_at, id LIMIT :limit",
        asked.values() | {"after": to_text(after[0]), "last": after[1], "limit": limit},
    )
    return [CallRow(row[0], moment_of(row[1]), *row[2:]) for row in rows]


def conversation_rows(
    db: sqlite_utils.Database, asked: Asked, after: tuple[datetime, int], limit: int
) -> list[ConversationRow]:
    """Return the next conversations in which something was said or done last in the span."""
    rows = db.execute(
        "SELECT id, last_at, number, name, line, turn, assignee, opened_at, answered_at, booked_at, outcome, value"  # noqa: S608
        " FROM conversations WHERE (last_at, id) > (:after, :last) AND last_at >= :since AND last_at < :until"
        f" AND {_OF_LINE} ORDER BY last_at, id LIMIT :limit",
        asked.values() | {"after": to_text(after[0]), "last": after[1], "limit": limit},
    )
    return [ConversationRow._make(_with_moments(row)) for row in rows]


def _with_moments(row: tuple[Any, ...]) -> list[Any]:
    names = ConversationRow._fields
    return [from_text(value) if name.endswith("_at") else value for name, value in zip(names, row, strict=True)]
