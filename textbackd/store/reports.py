"""What is heard of a text after it was handed over: the gateway's late word, and delivery reports. SQL about them lives here.

A report finds its text by our id, or by the gateway's reference; a modem's reference counts to 255 and starts again, so the
recipient must fit too, and the newest text is meant. A report that is quicker than the gateway's own answer waits for it.

    accepted, unknown ─▶ delivered    every part was
    accepted, unknown ─▶ undelivered  one part was given up
    unknown           ─▶ accepted     the network tries, so the gateway had it
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store import conversations
from textbackd.store.database import to_text, writing
from textbackd.store.states import State, TextOf

KEPT: Final = timedelta(days=3)  # networks try for two days as a rule
UNKNOWN_FOR: Final = timedelta(minutes=10)  # a report that fits no reference may be about a text that was cut off
LATE_FOR: Final = timedelta(minutes=10)  # no gateway answers later than that
SAME_DIGITS: Final = 8  # of a number's end; networks write them with and without their country


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One report, as the gateway told it."""

    gateway: str
    reference: str | None
    text_id: str | None  # ours
    recipient: str | None
    state: State  # ACCEPTED (it is on its way), DELIVERED, UNDELIVERED
    detail: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What a report changed."""

    text_id: str
    recipient: str
    before: State
    state: State


def report(db: sqlite_utils.Database, heard: Heard, now: datetime) -> Settled | None:
    """Write a report down; return what it changed, None if it changed nothing or its text is not known (yet)."""
    with writing(db):
        text = _text_of(db, heard, now)
        _keep(db, heard, text["id"] if text else None, now)
        if text is None or text["state"] == State.SUBMITTING:
            return None
        before = State(text["state"])
        state = _settle(db, text["id"], before, now)
    return Settled(text["id"], text["recipient"], before, state) if state is not before else None


def late(
    db: sqlite_utils.Database, gateway: str, text_id: str | None, reference: str | None, now: datetime
) -> str | None:
    """Take a gateway's late word that it had a text; return the text's id.

    Without our id it is the one that was cut off at this gateway, if there was only one: two cannot be told apart. Of a long text
    such an answer is about one part, and nobody knows which.
    """
    with writing(db):
        query = "SELECT id FROM outbox WHERE state = 'unknown' AND gateway = ? AND "
        rows = (
            db.execute(query + "id = ?", [gateway, text_id])
            if text_id is not None
            else db.execute(query + "submitted_at > ? AND segments = 1", [gateway, to_text(now - LATE_FOR)])
        ).fetchall()
        if len(rows) != 1:
            return None
        take(db, rows[0][0], gateway, reference, now)
        return str(rows[0][0])


def take(db: sqlite_utils.Database, text_id: str, gateway: str, reference: str | None, now: datetime) -> State:
    """Mark a text as accepted, inside the caller's transaction, with the reference of each of its parts; return its state."""
    for part in filter(None, (reference or "").split(",")):
        _take_part(db, text_id, gateway, part, now)
    db.execute(
        "UPDATE outbox SET state = 'accepted', accepted_at = coalesce(accepted_at, ?),"
        " reference = coalesce(?, reference), explanation = NULL WHERE id = ?",
        [to_text(now), reference, text_id],
    )
    return _settle(db, text_id, State.ACCEPTED, now)


def _take_part(db: sqlite_utils.Database, text_id: str, gateway: str, reference: str, now: datetime) -> None:
    recipient = db.execute("SELECT recipient FROM outbox WHERE id = ?", [text_id]).fetchone()[0]
    early = _early(db, gateway, reference, recipient, now)
    if early is not None:
        db.execute("UPDATE parts SET outbox_id = ? WHERE id = ?", [text_id, early])
        return
    heard = Heard(
        gateway=gateway, reference=reference, text_id=text_id, recipient=recipient, state=State.ACCEPTED, detail=""
    )
    _keep(db, heard, text_id, now)


def was_heard_of(db: sqlite_utils.Database, text_id: str) -> bool:
    """Return whether a report has named the text, which proves that the gateway had it."""
    return db.execute("SELECT 1 FROM parts WHERE outbox_id = ?", [text_id]).fetchone() is not None


def _text_of(db: sqlite_utils.Database, heard: Heard, now: datetime) -> dict[str, Any] | None:
    if heard.text_id is not None:
        return _first(db, "SELECT * FROM outbox WHERE id = ? AND attempts > 0", [heard.text_id])
    for found in db.query(
        "SELECT outbox.* FROM parts JOIN outbox ON outbox.id = parts.outbox_id WHERE parts.gateway = ? AND parts.reference = ?"
        " AND outbox.submitted_at > ? ORDER BY outbox.submitted_at DESC",
        [heard.gateway, heard.reference or "", to_text(now - KEPT)],
    ):
        if _same_number(found["recipient"], heard.recipient):
            return found
    return _cut_off(db, heard, now)


def _cut_off(db: sqlite_utils.Database, heard: Heard, now: datetime) -> dict[str, Any] | None:
    """Return the text to this number whose reference we never learnt, if there is exactly one."""
    if heard.recipient is None:
        return None
    rows = db.query(
        "SELECT * FROM outbox WHERE state = 'unknown' AND gateway = ? AND submitted_at > ?",
        [heard.gateway, to_text(now - UNKNOWN_FOR)],
    )
    fitting = [row for row in rows if _same_number(row["recipient"], heard.recipient)]
    return fitting[0] if len(fitting) == 1 else None


def _first(db: sqlite_utils.Database, query: str, values: list[Any]) -> dict[str, Any] | None:
    return next(iter(db.query(query, values)), None)


def _same_number(ours: str, told: str | None) -> bool:
    return told is None or _digits(ours)[-SAME_DIGITS:] == _digits(told)[-SAME_DIGITS:]


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def _keep(db: sqlite_utils.Database, heard: Heard, text_id: str | None, now: datetime) -> None:
    """Write a part's state down, over what was known of it. Delivered stays delivered: reports may come in any order."""
    query = "SELECT id, state FROM parts WHERE outbox_id = ? AND reference = ?"
    known = _first(db, query, [text_id, heard.reference or ""])
    if known is None:
        db.execute(
            "INSERT INTO parts (outbox_id, gateway, reference, recipient, state, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [text_id, heard.gateway, heard.reference or "", heard.recipient, heard.state, heard.detail, to_text(now)],
        )
    elif known["state"] == State.ACCEPTED or (known["state"] == State.UNDELIVERED and heard.state is State.DELIVERED):
        values = [heard.state, heard.detail, heard.recipient, to_text(now), known["id"]]
        db.execute("UPDATE parts SET state = ?, detail = ?, recipient = ?, at = ? WHERE id = ?", values)


def _early(db: sqlite_utils.Database, gateway: str, reference: str, recipient: str, now: datetime) -> int | None:
    """Return the report that came before the gateway had answered."""
    rows = db.query(
        "SELECT id, recipient FROM parts WHERE outbox_id IS NULL AND gateway = ? AND reference = ? AND at > ? ORDER BY id DESC",
        [gateway, reference, to_text(now - LATE_FOR)],
    )
    return next((int(row["id"]) for row in rows if _same_number(recipient, row["recipient"])), None)


def _settle(db: sqlite_utils.Database, text_id: str, before: State, now: datetime) -> State:
    """Bring a text's state in line with its parts; return it."""
    query = "SELECT reference, state, detail FROM parts WHERE outbox_id = ?"
    state, detail = _together([_Part(row[0], State(row[1]), row[2]) for row in db.execute(query, [text_id])])
    if before is State.DELIVERED or state is None or state is before:
        return before
    db.execute(
        "UPDATE outbox SET state = :state, settled_at = CASE WHEN :state = 'accepted' THEN settled_at ELSE :now END,"
        " accepted_at = coalesce(accepted_at, :now), explanation = :detail WHERE id = :id",
        {"state": state, "now": to_text(now), "detail": detail or None, "id": text_id},
    )
    if state is State.UNDELIVERED:
        recipient, kind = db.execute("SELECT recipient, kind FROM outbox WHERE id = ?", [text_id]).fetchone()
        conversations.not_reached(db, E164(recipient), TextOf(kind), state, now)
    return state


@dataclass(frozen=True, slots=True)
class _Part:
    """One radio text of a text; without reference it speaks for the whole."""

    reference: str
    state: State
    detail: str


def _together(parts: list[_Part]) -> tuple[State | None, str]:
    """Return the state of a text out of those of its parts, and the words for it."""
    whole = [part for part in parts if not part.reference and part.state is not State.ACCEPTED]
    failed = [part for part in parts if part.state is State.UNDELIVERED]
    if said := (whole or failed):
        return said[0].state, said[0].detail if said[0].state is State.UNDELIVERED else ""
    if parts and all(part.state is State.DELIVERED for part in parts):
        return State.DELIVERED, ""
    return (State.ACCEPTED if parts else None), ""
