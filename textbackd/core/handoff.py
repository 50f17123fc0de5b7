"""Who of the staff is told what a caller wants?   store/conversations.py, the rota, the queue → here → flow/staff/handoff.py      Pure.

The one whose conversation it is; else whoever is logged in to the line's queue; else whoever is on duty by the rota; else all of the
line's staff. Never nobody.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textbackd.core.conversation import Happening
from textbackd.core.timetable import Opening, Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """When some of the staff are on duty."""

    staff: tuple[str, ...]
    times: Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One phone that a queue of the PBX knows."""

    interfaces: frozenset[str]  # as the PBX names it: Local/101@from-queue/n, PJSIP/101, hint:101@ext-local
    is_available: bool  # neither paused nor away


def receivers(
    line: Sequence[str],
    *,
    assignee: str | None,
    logged_in: Collection[str] | None,
    rota: Iterable[Shift],
    at: datetime,
) -> tuple[str, ...]:
    """Return who is told, of the line's staff in their order; the assignee even if they are not of the line.

    `logged_in`: who is logged in to the line's queue; None if the line has none, or the PBX does not tell.
    """
    if assignee is not None:
        return (assignee,)
    on_duty = {name for shift in rota if shift.times.state(at) is Opening.OPEN for name in shift.staff}
    for some in (logged_in or (), on_duty):
        # Who is on duty counts though the line does not list them: the rota does.
        if found := (*(name for name in line if name in some), *(name for name in sorted(some) if name not in line)):
            return found
    return tuple(line)


def logged_in(members: Iterable[Member], phones: Mapping[str, str]) -> frozenset[str]:
    """Return which of the staff are logged in to a queue; `phones` has the interface of each one's desk phone, PJSIP/anna."""
    there = {name.casefold() for member in members if member.is_available for name in member.interfaces}
    return frozenset(staff for staff, phone in phones.items() if there & _names_of(phone))


def _names_of(phone: str) -> set[str]:
    """Return how a queue may name a phone: as it is, or as FreePBX does, through a Local channel to its extension."""
    extension = phone.rpartition("/")[2].casefold()
    return {phone.casefold(), f"local/{extension}@from-queue/n", f"local/{extension}@from-internal/n"}


# What staff are told of. The rest is for those who want to hear of every missed call, or for programs only.
ASKS: Final = frozenset({Happening.WROTE, Happening.LEAD, Happening.WANTS_CALL, Happening.NOT_REACHED})


def is_told(happening: Happening, *, tell_all: bool) -> bool:
    """Return whether one of the staff is told of something; `tell_all`: they want to hear of every missed call."""
    return happening in ASKS or (tell_all and happening is Happening.MISSED)
