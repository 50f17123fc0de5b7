"""Whose turn is it?   calls, texts and what staff do → here → store/conversations.py      Pure: no I/O, no clock.

A conversation is everything between the shop and one caller. It is always in one of four states, and what happens takes it from
one to the next as `TURNS` says. An automatic text changes nothing: a machine's word is no answer by a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from textbackd.core.decide import ALERT_AT, Action, Decision, Why


class Turn(StrEnum):
    """Whose turn it is."""

    NEW = "new"  # a caller was missed, and nobody of us has done anything about it
    OURS = "waiting_for_us"  # the caller wrote, or asked to be called, and waits for a person
    THEIRS = "waiting_for_them"  # a person answered last
    DONE = "done"  # they got through, were called back, or a person put it away


class Happening(StrEnum):
    """What can happen in a conversation."""

    MISSED = "missed"  # nobody took their call, and they were texted, or will be
    WANTS_CALL = "wants_call"  # nobody took their call, and they get no text, so that only a call back helps
    WROTE = "wrote"  # they wrote to us
    LEAD = "lead"  # they filled in a form that asks for an answer
    NOT_REACHED = "not_reached"  # a text to them never got there
    ANSWERED = "answered"  # a person of ours wrote to them
    TALKED = "talked"  # they got through, or somebody called them back
    BOOKED = "booked"  # they made an appointment by themselves
    PUT_AWAY = "put_away"  # a person says that nothing is left to do
    TAKEN_UP = "taken_up"  # a person wants it back on the list
    LAPSED = "lapsed"  # nothing more was heard for a long time


# What a happening does in each state. What stands not here changes nothing.
TURNS: Final[Mapping[Happening, Mapping[Turn | None, Turn]]] = MappingProxyType({
    Happening.MISSED: {None: Turn.NEW, Turn.DONE: Turn.NEW, Turn.THEIRS: Turn.OURS},
    Happening.WANTS_CALL: {None: Turn.OURS, Turn.NEW: Turn.OURS, Turn.THEIRS: Turn.OURS, Turn.DONE: Turn.OURS},
    Happening.WROTE: {None: Turn.OURS, Turn.NEW: Turn.OURS, Turn.THEIRS: Turn.OURS, Turn.DONE: Turn.OURS},
    Happening.LEAD: {None: Turn.OURS, Turn.NEW: Turn.OURS, Turn.THEIRS: Turn.OURS, Turn.DONE: Turn.OURS},
    Happening.NOT_REACHED: {Turn.NEW: Turn.OURS, Turn.THEIRS: Turn.OURS},
    Happening.ANSWERED: {None: Turn.THEIRS, Turn.NEW: Turn.THEIRS, Turn.OURS: Turn.THEIRS, Turn.DONE: Turn.THEIRS},
    Happening.TALKED: {Turn.NEW: Turn.DONE, Turn.OURS: Turn.DONE, Turn.THEIRS: Turn.DONE},
    Happening.BOOKED: {Turn.NEW: Turn.DONE, Turn.OURS: Turn.DONE, Turn.THEIRS: Turn.DONE},
    Happening.PUT_AWAY: {Turn.NEW: Turn.DONE, Turn.OURS: Turn.DONE, Turn.THEIRS: Turn.DONE},
    Happening.TAKEN_UP: {Turn.DONE: Turn.OURS, Turn.THEIRS: Turn.OURS, Turn.NEW: Turn.OURS},
    Happening.LAPSED: {Turn.NEW: Turn.DONE, Turn.THEIRS: Turn.DONE},
})  # fmt: skip


# What calls do. They may be found late, in the PBX's records, when newer things have happened.
_OF_CALLS: Final = frozenset({Happening.MISSED, Happening.WANTS_CALL, Happening.TALKED})
# The clocks of two PBXs and ours tell the order of two moments only if these lie further apart.
CLOCKS_APART: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a conversation stands."""

    turn: Turn | None = None  # None: there is none yet
    assignee: str | None = None  # the key of whom of the staff it belongs to; None: whoever is first
    waiting_since: datetime | None = None  # since when the caller waits for a person; None: it is not our turn
    last_at: datetime | None = None  # when something last happened


def after(standing: Standing, happening: Happening, at: datetime, staff: str | None = None) -> Standing:
    """Return how a conversation stands after something that `staff` did, or the caller (None).

    The first answer claims a conversation that belongs to nobody. The clock of the answer starts with the first word that waits
    for one, not with the last; a done conversation that comes back belongs to nobody. A call that was over before the last thing
    that happened changes nothing.
    """
    if is_late(standing, happening, at):
        return standing
    turn = TURNS[happening].get(standing.turn, standing.turn)
    claimed = staff if happening is Happening.ANSWERED and standing.assignee is None else standing.assignee
    if standing.turn is Turn.DONE and turn in (Turn.NEW, Turn.OURS) and happening is not Happening.TAKEN_UP:
        claimed = None
    since = standing.waiting_since or at if turn is Turn.OURS else None
    last = max(at, standing.last_at or at)
    return replace(standing, turn=turn, assignee=claimed, waiting_since=since, last_at=last)


def is_late(standing: Standing, happening: Happening, at: datetime) -> bool:
    """Return whether a call is told of that was over before the last thing that happened."""
    last = standing.last_at
    return happening in _OF_CALLS and last is not None and at < last - CLOCKS_APART


# They have had a text, or may have, or somebody talks with them anyhow.
_IN_TOUCH: Final = frozenset({Why.COOLDOWN, Why.CONVERSATION, Why.HELD, Why.RESTORED})
# No text of any kind reaches them, or may: somebody has to call.
_NO_TEXT: Final = frozenset({Why.NOT_TEXTABLE, Why.OPTED_OUT, Why.UNREACHABLE})


def of_missed_call(decision: Decision, misses: int) -> Happening | None:
    """Return what a missed call means for the conversation; None: nothing, since they gave up before anybody could come.

    `misses` counts this one. Who is missed for the third time waits for a person, text or not.
    """
    if decision.why is Why.SHORT:
        return None
    if misses >= ALERT_AT:
        return Happening.WANTS_CALL
    is_texted = decision.action is Action.TEXT or decision.why in _IN_TOUCH
    return Happening.MISSED if is_texted else Happening.WANTS_CALL


def why_no_text(decision: Decision) -> str | None:
    """Return the token of what keeps a caller from being texted by anybody; None: they can be."""
    if decision.why not in _NO_TEXT:
        return None
    return decision.detail if decision.why is Why.NOT_TEXTABLE else decision.why.value
