"""Is there room for one more text?  Pure: no I/O, no clock.   store/outbox.py (how full) → here → core/decide.py

A cap that frees a place while the text may still go out lets the text wait; a cap that stays full for longer turns it down. So a
rush of true callers is only slowed, and an attack with forged numbers finds the door shut (SENDING: pumping, text bombs).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from textbackd.core.limits import Limit, SpendLimit

UNITS = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "m"), (timedelta(seconds=1), "s"))


class Scope(StrEnum):
    """What a cap counts together; the keys of `policy.caps`."""

    NUMBER = "number"  # one caller
    PREFIX = "prefix"  # numbers that differ in their last four digits only
    DID = "did"  # calls to one number of ours
    ALL = "all"
    SPEND = "spend"  # money, as estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The section `policy.caps` of the configuration."""

    number: Sequence[Limit] = ()
    prefix: Sequence[Limit] = ()
    did: Sequence[Limit] = ()
    all: Sequence[Limit] = ()
    spend: Sequence[SpendLimit] = ()

    def counted(self) -> Iterable[tuple[Scope, Limit]]:
        """Yield the caps that count texts."""
        for scope in (Scope.NUMBER, Scope.PREFIX, Scope.DID, Scope.ALL):
            for limit in getattr(self, scope.value):
                yield scope, limit

    @property
    def longest(self) -> timedelta:
        """How far back somebody has to look."""
        windows = [limit.window for _, limit in self.counted()] + [limit.window for limit in self.spend]
        return max(windows, default=timedelta())


@dataclass(frozen=True, slots=True)
class Full:
    """A cap without room."""

    scope: Scope
    cap: str  # as the configuration writes it, "10/1m"
    free_at: datetime | None  # when there is room again; None: not within any time that matters


def wait_for_room(full: Iterable[Full], latest: datetime) -> datetime | Full | None:
    """Return when the text may go: None at once, a moment not after `latest`, or the cap that turns it down."""
    until: datetime | None = None
    for cap in full:
        if cap.free_at is None or cap.free_at > latest:
            return cap
        until = cap.free_at if until is None else max(until, cap.free_at)
    return until


def written(limit: Limit | SpendLimit) -> str:
    """Return a cap as the configuration writes it, "10/1m"."""
    amount = limit.count if isinstance(limit, Limit) else limit.amount
    unit, letter = next((unit for unit in UNITS if limit.window % unit[0] == timedelta()), UNITS[-1])
    return f"{amount}/{limit.window // unit}{letter}"
