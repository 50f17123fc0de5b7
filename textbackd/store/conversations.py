"""Conversations: how each stands. SQL about that lives here; what was said and done: store/timeline.py.

What happens is written by `happen`, inside the transaction that writes what it happened to: a conversation can neither be ahead of
its calls and texts nor behind them. core/conversation.py decides whose turn it is.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import sqlite_utils

from textbackd.core.conversation import Happening, Standing, Turn, after, is_late
from textbackd.core.phone import E164
from textbackd.store import news as feed
from textbackd.store import optouts, restored
from textbackd.store.database import from_text, to_text
from textbackd.store.states import State, TextOf

PREVIEW: Final = 160  # characters of the last words, for the list
_OPENING: Final = frozenset({Turn.NEW, Turn.OURS})


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened in a conversation, with what came along."""

    number: E164
    happening: Happening
    at: datetime
    staff: str | None = None  # who did it; None: the caller, or textbackd
    line: str | None = None  # that was called or written to; None: not known
    did: E164 | None = None  # the number of ours that they know; None: not known
    name: str = ""  # of the caller, as it was told; "": not told
    words: str = ""  # what was said
    unread: bool = False  # somebody of us has to look
    urgent: bool = False  # it cannot wait until the morning


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """How the conversation with one caller stands."""

    id: int
    number: E164
    name: str  # untrusted; "": nobody told it
    line: str | None
    did: E164 | None
    turn: Turn
    assignee: str | None
    waiting_since: datetime | None
    no_text: str | None  # the token of why they cannot be texted
    outcome: str | None  # won, lost
    value: int | None  # hundredths of the shop's currency
    booked_at: datetime | None
    opened_at: datetime
    answered_at: datetime | None
    last_at: datetime
    last_words: str  # untrusted
    unread: int
    urgent: bool  # they used words that cannot wait, and nobody has answered


def happen(db: sqlite_utils.Database, news: News) -> Turn | None:
    """Write down what happened, inside the caller's transaction; return whose turn it is, None if there is no conversation."""
    row = next(db.query("SELECT * FROM conversations WHERE number = ?", [news.number]), None)
    before = _standing(row)
    if is_late(before, news.happening, news.at):
        return before.turn  # it stands in the timeline, and nobody is told of it any more
    restored_at = restored.moment(db)
    is_old = restored_at is not None and news.at <= restored_at
    # Who may have been answered in the part that a restored backup lacks waits from now on, and nobody is told of it again.
    now = after(before, news.happening, restored_at if is_old and restored_at else news.at, news.staff)
    if now.turn is None:
        return None
    if row is None:
        begun = "INSERT INTO conversations (number, turn, opened_at, last_at) VALUES (?, ?, ?, ?)"
        db.execute(begun, [news.number, now.turn.value, to_text(news.at), to_text(news.at)])
    elif before.turn is Turn.DONE and now.turn in _OPENING and news.happening is not Happening.TAKEN_UP:
        _begin_anew(db, news)
    _write(db, news, now)
    turns = (before.turn, now.turn)
    if is_old:
        return now.turn
    feed.happened(db, news.happening, turns, number=news.number, at=news.at, staff=news.staff, words=news.words)
    return now.turn


def _standing(row: dict[str, Any] | None) -> Standing:
    if row is None:
        return Standing()
    return Standing(
        turn=Turn(row["turn"]),
        assignee=row["assignee"],
        waiting_since=from_text(row["waiting_since"]),
        last_at=from_text(row["last_at"]),
    )


def _begin_anew(db: sqlite_utils.Database, news: News) -> None:
    """A caller whose matter was done comes with another: how the last one ended stands in the acts."""
    db.execute(
        "UPDATE conversations SET opened_at = ?, answered_at = NULL, outcome = NULL, value = NULL, booked_at = NULL"
        " WHERE number = ?",
        [to_text(news.at), news.number],
    )


def _write(db: sqlite_utils.Database, news: News, now: Standing) -> None:
    is_answer = news.happening is Happening.ANSWERED
    # What is caught up late does not make a conversation older than it is.
    db.execute(
        "UPDATE conversations SET turn = :turn, assignee = :assignee, waiting_since = :since, line = coalesce(:line, line),"
        " did = coalesce(:did, did), name = CASE WHEN name = '' THEN :name ELSE name END, last_at = max(last_at, :at),"
        " last_words = CASE WHEN :words = '' THEN last_words ELSE :words END,"
        " urgent = CASE WHEN :since IS NULL THEN 0 ELSE max(urgent, :urgent) END,"
        " unread = CASE WHEN :is_answer THEN 0 ELSE unread + :unread END,"
        " answered_at = CASE WHEN :is_answer THEN coalesce(answered_at, :at) ELSE answered_at END WHERE number = :number",
        {
            "turn": now.turn, "assignee": now.assignee, "since": to_text(now.waiting_since), "line": news.line,
            "did": news.did, "name": news.name, "at": to_text(news.at), "words": news.words[:PREVIEW],
            "is_answer": is_answer, "unread": news.unread, "urgent": news.urgent, "number": news.number,
        },
    )  # fmt: skip


def cannot_be_texted(db: sqlite_utils.Database, number: E164, why: str | None) -> None:
    """Note, inside the caller's transaction, why a number cannot be texted; None: it can be again."""
    db.execute("UPDATE conversations SET no_text = ? WHERE number = ?", [why, number])


def not_reached(db: sqlite_utils.Database, number: E164, kind: TextOf, state: State, at: datetime) -> None:
    """A text to a number never got there: inside the caller's transaction, make it our turn, and note that a call is needed.

    Of a matter that is done, a number without conversation, a caller who wants no texts, or a text that only confirms a keyword,
    nothing is noted.
    """
    row = db.execute("SELECT turn FROM conversations WHERE number = ?", [number]).fetchone()
    is_to_be_heard = kind in (TextOf.MISSED, TextOf.MANUAL) and optouts.find(db, number) is None
    if row is None or row[0] == Turn.DONE or not is_to_be_heard:
        return
    happen(db, News(number=number, happening=Happening.NOT_REACHED, at=at))
    if state in (State.UNDELIVERED, State.FAILED):  # an expired one says nothing of the number
        cannot_be_texted(db, number, state.value)


def assign(db: sqlite_utils.Database, number: E164, staff: str | None) -> None:
    """Give a conversation to one of the staff, or back to all, inside the caller's transaction."""
    db.execute("UPDATE conversations SET assignee = ? WHERE number = ?", [staff, number])


def rename(db: sqlite_utils.Database, number: E164, name: str) -> None:
    """Call the caller by another name, inside the caller's transaction."""
    db.execute("UPDATE conversations SET name = ? WHERE number = ?", [name, number])


def note_outcome(db: sqlite_utils.Database, number: E164, outcome: str | None, value: int | None) -> None:
    """Note what came of the matter, inside the caller's transaction; `value` in hundredths of the shop's currency."""
    db.execute("UPDATE conversations SET outcome = ?, value = ? WHERE number = ?", [outcome, value, number])


def note_booking(db: sqlite_utils.Database, number: E164, booked_at: datetime | None) -> None:
    """Note the appointment that the caller made, inside the caller's transaction; None: it was cancelled."""
    db.execute("UPDATE conversations SET booked_at = ? WHERE number = ?", [to_text(booked_at), number])


def seen(db: sqlite_utils.Database, number: E164) -> bool:
    """Note that somebody of us has looked, inside the caller's transaction; return whether anything was unread."""
    query = "UPDATE conversations SET unread = 0 WHERE number = ? AND unread > 0 RETURNING id"
    return bool(db.execute(query, [number]).fetchall())


def lapse(db: sqlite_utils.Database, before: datetime) -> list[E164]:
    """Put away, inside the caller's transaction, what nobody has touched since then and waits for no person; return whose."""
    rows = db.execute(
        "UPDATE conversations SET turn = 'done' WHERE turn IN ('new', 'waiting_for_them') AND last_at < ? RETURNING number",
        [to_text(before)],
    ).fetchall()
    return [E164(row[0]) for row in rows]


# ---- to read


def find(db: sqlite_utils.Database, number: E164) -> Conversation | None:
    """Return the conversation with a number."""
    return _one(db, "number = ?", number)


def get(db: sqlite_utils.Database, conversation_id: int) -> Conversation | None:
    """Return a conversation by its id."""
    return _one(db, "id = ?", conversation_id)


def _one(db: sqlite_utils.Database, where: str, value: object) -> Conversation | None:
    rows = db.query(f"SELECT * FROM conversations WHERE {where}", [value])  # noqa: S608  # a constant of this file
    return next(map(_conversation, rows), None)


class Box(StrEnum):
    """What part of the inbox is looked at. The values stand in addresses."""

    OPEN = "open"  # everything that is not done
    NEW = "new"
    OURS = "waiting_for_us"
    THEIRS = "waiting_for_them"
    CALLBACK = "callback"  # open, and no text reaches them: somebody has to call
    DONE = "done"
    ALL = "all"


_WHERE: Final = {
    Box.OPEN: "turn IN ('new', 'waiting_for_us', 'waiting_for_them')",
    Box.NEW: "turn = 'new'",
    Box.OURS: "turn = 'waiting_for_us'",
    Box.THEIRS: "turn = 'waiting_for_them'",
    Box.CALLBACK: "turn IN ('new', 'waiting_for_us') AND no_text IS NOT NULL",
    Box.DONE: "turn = 'done'",
    Box.ALL: "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which conversations are asked for."""

    box: Box = Box.OPEN
    assignee: str | None = None  # only those of one of the staff
    line: str | None = None  # only those of one line
    wanted: str = ""  # only where the number, the name or something said contains this
    before: tuple[datetime, int] | None = (
        None  # only older ones: the `last_at` and `id` of the last one of the page before
    )


ALL_OPEN: Final = Look()


def listing(db: sqlite_utils.Database, look: Look, limit: int = 50) -> list[Conversation]:
    """Return conversations, that with the newest word first."""
    where, values = _conditions(look)
    query = f"SELECT * FROM conversations WHERE {where} ORDER BY last_at DESC, id DESC LIMIT :limit"  # noqa: S608
    return [_conversation(row) for row in db.query(query, {**values, "limit": limit})]


def _conditions(look: Look) -> tuple[str, dict[str, Any]]:
    where, values = [_WHERE[look.box]], dict[str, Any]()
    if look.assignee is not None:
        where.append("assignee = :assignee")
        values["assignee"] = look.assignee
    if look.line is not None:
        where.append("line = :line")
        values["line"] = look.line
    if look.before is not None:
        where.append("(last_at, id) < (:last_at, :last_id)")
        values |= {"last_at": to_text(look.before[0]), "last_id": look.before[1]}
    if look.wanted.strip():
        where.append(_FOUND)
        values |= _patterns(look.wanted)
    return " AND ".join(where), values


_FOUND: Final = (
    "(name LIKE :like ESCAPE '!' OR (:digits <> '' AND instr(number, :digits))"
    " OR number IN (SELECT number FROM inbox WHERE body LIKE :like ESCAPE '!')"
    " OR number IN (SELECT recipient FROM outbox WHERE body LIKE :like ESCAPE '!')"
    " OR number IN (SELECT number FROM acts WHERE kind IN ('note', 'lead') AND detail LIKE :like ESCAPE '!'))"
)
LEAST_DIGITS: Final = 3  # of a number that is looked for; fewer are a word like any other


def _patterns(wanted: str) -> dict[str, str]:
    escaped = wanted.strip().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    digits = "".join(filter(str.isascii, filter(str.isdigit, wanted))).lstrip("0")
    is_number = len(digits) >= LEAST_DIGITS and not any(map(str.isalpha, wanted))
    return {"like": f"%{escaped}%", "digits": digits if is_number else ""}


def counts(db: sqlite_utils.Database, look: Look = ALL_OPEN) -> dict[Box, int]:
    """Return how many conversations are in each part of the inbox that is not done, as far as `look` wants to see them."""
    boxes = [box for box in Box if box not in (Box.DONE, Box.ALL)]
    sums = ", ".join(f"total({_WHERE[box]})" for box in boxes)
    where, values = _conditions(replace(look, box=Box.OPEN, before=None))
    query = f"SELECT {sums} FROM conversations WHERE {where}"  # noqa: S608  # constants of this file
    return dict(zip(boxes, map(int, db.execute(query, values).fetchone()), strict=True))


def waiting(db: sqlite_utils.Database) -> list[Conversation]:
    """Return the conversations in which a caller waits for a person, the longest first."""
    query = "SELECT * FROM conversations WHERE waiting_since IS NOT NULL ORDER BY waiting_since, id"
    return [_conversation(row) for row in db.query(query)]


def longest_wait(db: sqlite_utils.Database, now: datetime) -> tuple[int, timedelta]:
    """Return how many callers wait for a person, and since when the first of them does."""
    count, since = db.execute(
        "SELECT count(*), min(waiting_since) FROM conversations WHERE waiting_since IS NOT NULL"
    ).fetchone()
    return int(count), now - (from_text(since) or now)


def seconds_to_answer(db: sqlite_utils.Database, since: datetime, until: datetime) -> list[float]:
    """Return, for each matter in which a person first answered after `since`, the seconds from its beginning."""
    rows = db.execute(
        "SELECT (julianday(answered_at) - julianday(opened_at)) * 86400 FROM conversations"
        " WHERE answered_at > ? AND answered_at <= ?",
        [to_text(since), to_text(until)],
    )
    return [max(float(row[0]), 0.0) for row in rows]


class Wait(NamedTuple):
    """Who waits, and no more of it than the clock needs: it looks at all of them again and again."""

    id: int  # of the conversation
    number: E164
    line: str | None
    urgent: bool
    since: str  # as it is stored


def waits(db: sqlite_utils.Database) -> list[Wait]:
    """Return who waits for a person, the longest first."""
    query = "SELECT id, number, line, urgent, waiting_since FROM conversations WHERE waiting_since IS NOT NULL ORDER BY 5, 1"
    return [Wait(row[0], E164(row[1]), row[2], bool(row[3]), row[4]) for row in db.execute(query)]


def _conversation(row: dict[str, Any]) -> Conversation:
    moments = {
        name: from_text(row[name]) for name in ("waiting_since", "booked_at", "opened_at", "answered_at", "last_at")
    }
    return Conversation(**{**row, **moments, "turn": Turn(row["turn"]), "urgent": bool(row["urgent"])})
