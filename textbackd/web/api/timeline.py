"""What was said and done in a conversation.   routes.py → here → store/timeline.py"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from textbackd.store.timeline import WRITTEN, Entry, Place, What, timeline
from textbackd.web.api.conversations import found
from textbackd.web.api.operation import Answer, Asked, Given


class Call(Answer):
    """A call from them, or of the shop's to them."""

    what: Literal["call"]
    id: int
    at: datetime = Field(description="When it ended.")
    direction: str
    line: str | None
    verdict: str = Field(description="What it was: answered, missed, …")
    reason: str | None
    talked_s: float | None = Field(description="Seconds in which they talked.")
    decision: str = Field(description="text or skip.")
    decision_reason: str = Field(description="The rule that decided.")


class Ours(Answer):
    """A text to them."""

    what: Literal["ours"]
    id: str
    at: datetime = Field(description="When it was written.")
    text: str
    staff: str | None = Field(description="Key of whom of the staff wrote it; null: textbackd, or the terminal.")
    kind: str = Field(description="manual: by a person; missed: the automatic answer; …")
    state: str = Field(
        description="queued, submitting, accepted, delivered, undelivered, failed, expired, cancelled, …"
    )
    explanation: str | None = Field(description="What the last attempt or rule said.")


class Theirs(Answer):
    """A text of theirs; untrusted."""

    what: Literal["theirs"]
    id: int
    at: datetime
    text: str
    media: int = Field(description="Pictures and the like, which are not kept.")


class Rang(Answer):
    """They rang the number of a gateway, which nobody answers."""

    what: Literal["rang"]
    id: int
    at: datetime


class Act(Answer):
    """Something that one of the staff did, or textbackd itself."""

    what: Literal["act"]
    id: int
    at: datetime
    kind: str = Field(description="note, claimed, assigned, put_away, won, lead, booked, …")
    staff: str | None = Field(description="Key of whom; null: textbackd itself.")
    detail: str = Field(description="The note's words, whom it was assigned to, …; untrusted.")


class Only(StrEnum):
    """A part of what was said and done."""

    CALLS = "calls"
    TEXTS = "texts"
    ACTS = "acts"


class Page(Given):
    """Which part of it is wanted."""

    only: Only | None = Field(default=None, description="Only calls, texts or acts.")
    before: Annotated[str, StringConstraints(pattern=WRITTEN)] | None = Field(
        default=None, description="What the page before gave as `next`."
    )
    limit: int = Field(default=100, ge=1, le=500, description="How many entries are looked at, `only` included.")


class Timeline(Answer):
    """What was said and done, the oldest first."""

    entries: list[Annotated[Call | Ours | Theirs | Rang | Act, Field(discriminator="what")]]
    next: str | None = Field(description="The `before` of the page of older ones; null: there are none.")


_OF: Final[Mapping[Only, frozenset[What]]] = {
    Only.CALLS: frozenset({What.CALL, What.RANG}),
    Only.TEXTS: frozenset({What.OURS, What.THEIRS}),
    Only.ACTS: frozenset({What.ACT}),
}


def _call(entry: Entry) -> Call:
    return Call.model_validate({**entry.row, "what": "call", "at": entry.at})


def _ours(entry: Entry) -> Ours:
    return Ours.model_validate({**entry.row, "what": "ours", "at": entry.at, "text": entry.row["body"]})


def _theirs(entry: Entry) -> Theirs:
    return Theirs.model_validate({**entry.row, "what": "theirs", "at": entry.at, "text": entry.row["body"]})


def _rang(entry: Entry) -> Rang:
    return Rang(what="rang", id=entry.row["id"], at=entry.at)


def _act(entry: Entry) -> Act:
    return Act.model_validate({**entry.row, "what": "act", "at": entry.at})


_SHOWN: Final[Mapping[What, Callable[[Entry], Call | Ours | Theirs | Rang | Act]]] = {
    What.CALL: _call,
    What.OURS: _ours,
    What.THEIRS: _theirs,
    What.RANG: _rang,
    What.ACT: _act,
}


async def get_timeline(asked: Asked) -> Timeline:
    """Return a page of what was said and done."""
    wanted: Page = asked.query
    number, before = (await found(asked)).number, Place.read(wanted.before or "")
    entries = await asked.shop.store.run(lambda db: timeline(db, number, before=before, limit=wanted.limit))
    shown = [entry for entry in entries if wanted.only is None or entry.what in _OF[wanted.only]]
    older = entries[0].place.written() if len(entries) == wanted.limit else None
    return Timeline(entries=[_SHOWN[entry.what](entry) for entry in shown], next=older)
