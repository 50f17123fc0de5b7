"""The morning digest and the pile-up alarm, in words.   store/overnight.py, store/conversations.py → here → flow/staff/alarms.py      Pure.

They go as texts to mobiles too, so they are short. What a caller is called may hold anything; only letters of it are shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from textbackd.core.phone import E164
from textbackd.store.overnight import CameIn

MOST_NAMED: Final = 5  # callers; the inbox has the others
LONGEST_NAME: Final = 30  # characters
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # not the machine's locale


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """A caller who waits for a person."""

    tag: int  # of the conversation, by which staff can answer
    number: E164
    name: str  # untrusted; "": not known
    span: timedelta
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What there is to tell in the morning."""

    business: str
    since: datetime  # when the shop closed
    zone: tzinfo
    came_in: CameIn
    waiting: Sequence[Waits]
    to_call: int  # callers whom no text reaches


def digest(told: Digest) -> str | None:
    """Return the morning's digest; None if nothing came in and nobody waits."""
    came = list(_came_in(told.came_in))
    if not came and not told.waiting and not told.to_call:
        return None
    since = told.since.astimezone(told.zone)
    news = f"{WEEKDAYS[since.weekday()]} {since:%H:%M}: {', '.join(came) or 'nothing new'}."
    to_call = [f"{told.to_call} to call, since no text reaches them."] if told.to_call else []
    return " ".join((f"Good morning, {told.business}. Since {news}", _waiting(told.waiting), *to_call))


def _came_in(came: CameIn) -> Iterator[str]:
    if came.missed:
        yield f"{_many(came.missed, 'missed call')} ({came.texted} texted)"
    if came.wrote:
        yield f"{_many(came.wrote, 'caller')} wrote"
    if came.leads:
        yield f"{_many(came.leads, 'form')} filled in"


def _waiting(waiting: Sequence[Waits]) -> str:
    if not waiting:
        return "Nobody waits."
    verb = "waits" if len(waiting) == 1 else "wait"
    return f"{len(waiting)} {verb} for an answer: {_named(waiting, len(waiting))}."


def pile_up(business: str, longest: Sequence[Waits], count: int, span: timedelta) -> str:
    """Return the alarm that many callers have waited for so long or longer; `longest` are the first few of them."""
    return f"{business}: {count} callers have waited {spoken(span)} or longer for an answer: {_named(longest, count)}."


def _named(waiting: Sequence[Waits], count: int) -> str:
    first = sorted(waiting, key=lambda caller: (not caller.is_urgent, -caller.span))[:MOST_NAMED]
    more = [f"{count - len(first)} more"] if count > len(first) else []
    return ", ".join([*map(_caller, first), *more])


def _caller(caller: Waits) -> str:
    name = f"{shown} " if (shown := _shown(caller.name)) else ""
    return f"#{caller.tag} {name}{caller.number} ({'URGENT, ' if caller.is_urgent else ''}{spoken(caller.span)})"


def _shown(name: str) -> str:
    letters = (character if character.isalnum() or character in "'’.-" else " " for character in name[:200])
    return " ".join("".join(letters).split())[:LONGEST_NAME].strip()


def spoken(span: timedelta) -> str:
    """Return how long something lasts, "16 min", "3 h", "2 days"."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:  # "95 min" says more than "1 h"
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
