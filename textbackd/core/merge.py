"""One call that the provider delivered twice.   core/tracker.py → here → core/missed.py      Pure: no I/O, no clock.

A provider whose first trunk does not take a call in time sends it over the second, and sometimes both ring. Two calls with the
same caller and DID are one when they come over different trunks and the second starts before the first has ended, or within two
seconds of its end. A redial on the same trunk is a new call.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from textbackd.core.call import Call, Direction
from textbackd.core.trunk import trunk_of

WITHIN: Final = timedelta(seconds=2)


class Merger:
    """Holds a finished call until no twin of it can come any more; then gives it out, merged with those that came.

    `twin_is_open` tells whether such a twin is in progress. A call without times has no neighbours, and is given out at once; so is
    one without an open twin as long as only one trunk has shown itself, for what is held is not written down yet.
    """

    def __init__(self, hold: timedelta, twin_is_open: Callable[[Call], bool], *, several_trunks: bool = False) -> None:
        self.hold = hold
        self._twin_is_open = twin_is_open
        self._several_trunks = several_trunks
        self._trunks: set[tuple[str, str]] = set()
        self._held: list[Call] = []

    @property
    def hold(self) -> timedelta:
        """For how long a call is held."""
        return self._hold

    @hold.setter
    def hold(self, hold: timedelta) -> None:
        self._hold = max(min(hold, WITHIN), timedelta(0))

    def add(self, call: Call) -> list[Call]:
        """Take a finished call; return those that are complete, in the order of their ends."""
        if call.direction is not Direction.INBOUND or call.ended_at is None or not _is_number(call.caller_presented):
            return [call]
        self._note_trunk(call)
        twin = next((held for held in self._held if same_call(held, call)), None)
        if twin is not None:
            self._held[self._held.index(twin)] = merge(twin, call)
        else:
            self._held.append(call)
        return self.due(call.ended_at)

    def due(self, now: datetime) -> list[Call]:
        """Return the calls whose time for twins is over."""
        done = [call for call in self._held if self._is_alone(call, now)]
        self._held = [call for call in self._held if call not in done]
        return sorted(done, key=_end)

    def flush(self) -> list[Call]:
        """Return all that is held."""
        held, self._held = self._held, []
        return sorted(held, key=_end)

    @property
    def held(self) -> list[Call]:
        """Return the calls that wait for a twin."""
        return list(self._held)

    @property
    def next_due(self) -> datetime | None:
        """Return when to ask again, if no twin is open by then."""
        return min((_end(call) + self._hold for call in self._held), default=None)

    @property
    def earliest_end(self) -> datetime | None:
        """Return the end of the call that has been held longest."""
        return min((_end(call) for call in self._held), default=None)

    def _note_trunk(self, call: Call) -> None:
        if not self._several_trunks:
            self._trunks.add((call.pbx, _trunk(call)))
            self._several_trunks = len(self._trunks) > 1

    def _is_alone(self, call: Call, now: datetime) -> bool:
        if self._twin_is_open(call):
            return False
        return not self._several_trunks or now - _end(call) >= self._hold


def same_call(one: Call, other: Call) -> bool:
    """Return whether two finished calls are one call that came over two trunks."""
    if _numbers(one) != _numbers(other) or (one.pbx, _trunk(one)) == (other.pbx, _trunk(other)):
        return False
    if None in (one.started_at, one.ended_at, other.started_at, other.ended_at):
        return False
    first, second = sorted((one, other), key=_start)
    return _start(second) - _end(first) <= WITHIN


def merge(one: Call, other: Call) -> Call:
    """Return one call out of two: the first one's name, everything that happened in either."""
    first, second = sorted((one, other), key=_start)
    last = max(one, other, key=_end)
    told = max(one, other, key=_tells)
    return replace(
        told,
        pbx=first.pbx,
        linkedid=first.linkedid,
        channel=first.channel,
        started_at=first.started_at,
        ended_at=last.ended_at,
        # The provider takes its first call back when the second is there; only the last end is the caller's.
        ended_by=told.ended_by if told.talks else last.ended_by,
        talks=one.talks + other.talks,
        withheld=one.withheld or other.withheld,
        attestation=min((a for a in (one.attestation, other.attestation) if a is not None), default=None),
        message_left=one.message_left or other.message_left,
        fax=one.fax or other.fax,
        unseen_company=one.unseen_company or other.unseen_company,
        way=tuple(sorted(one.way + other.way, key=lambda moment: moment.at or _start(first))),
        merged=(*first.merged, second.linkedid, *second.merged),
    )


def merged(calls: Iterable[Call]) -> list[Call]:
    """Return finished calls with those joined that came over two trunks, as the live side does."""
    by_caller: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        of_caller = by_caller[_caller_key(call)]
        twin = next((i for i, other in enumerate(of_caller) if same_call(other, call)), None)
        if twin is None:
            of_caller.append(call)
        else:
            of_caller[twin] = merge(of_caller[twin], call)
    return [call for of_caller in by_caller.values() for call in of_caller]


def _tells(call: Call) -> tuple[bool, bool, int, datetime]:
    """Which of two tells more of what became of the caller: a talk, a message, phones that rang, else the later."""
    return bool(call.talks), call.message_left or call.queue is not None, len(call.rings), _end(call)


def _numbers(call: Call) -> tuple[str, str]:
    return _digits(call.caller_presented), _digits(call.did_presented)


def _digits(presented: str) -> str:
    # Two trunks may write one number in two ways, +1303… and 303…
    return "".join(character for character in presented if character.isdigit())[-10:] or presented


def _caller_key(call: Call) -> str:
    # Two trunks may write one number in two ways; two callers who withhold theirs are two callers.
    digits = "".join(character for character in call.caller_presented if character.isdigit())
    return digits[-9:] if len(digits) > 6 and call.direction is Direction.INBOUND else call.linkedid


def _is_number(presented: str) -> bool:
    # Two callers who withhold their number are two callers.
    return sum(character.isdigit() for character in presented) > 6


def _trunk(call: Call) -> str:
    return trunk_of(call.channel)


def _start(call: Call) -> datetime:
    assert call.started_at is not None  # noqa: S101  # only calls with times are compared
    return call.started_at


def _end(call: Call) -> datetime:
    assert call.ended_at is not None  # noqa: S101
    return call.ended_at


def twins_among(calls: Iterable[tuple[str, str, str]], call: Call) -> bool:
    """Return whether one of the open calls, given as (channel, caller, DID), is a twin of a finished one."""
    return any(
        trunk_of(channel) != _trunk(call) and (_digits(caller), _digits(did)) == _numbers(call)
        for channel, caller, did in calls
    )
