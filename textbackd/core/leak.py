"""How many callers were lost, and what became of them.   report/stream.py → here → report/figures.py, report/page.py      Pure.

Calls come in the order of their ends. A call counts by its verdict (docs/MISSED.md): `calls` = answered + missed + uncertain, and what
does not count (`ignored`) is left out. A caller is a number as it is read in the country; who withholds it is counted, but is nobody
that could be recognised.

A caller who was missed is in one of three places from then on, and stays there: *answered later* (called again and got through),
*called back* (the office called, and somebody answered), or *never reached*. What came first counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum
from typing import Final

from textbackd.core.missed import Reason, Verdict
from textbackd.core.phone import read_dialled, read_number
from textbackd.core.same_caller import SameCaller

HOUR: Final = 3_600  # seconds
DAY: Final = 86_400
HOURS_A_WEEK: Final = 168
THURSDAY: Final = 3 * DAY  # on which 1970 began
NEVER: Final = 1 << 40
OUTBOUND: Final = "ignored outbound"  # what is said of a call of the office to outside that was answered
MOST_LINES: Final = 1_000  # numbers of ours that are counted apart; records may hold anything
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNKNOWN_LINE: Final = "unknown"  # the records do not tell which number was called
OTHER_LINES: Final = "other"
WEEKS_A_YEAR: Final = 50  # a shop is closed for two


class Caller(IntEnum):
    """Where a caller stands. The first three were never seen before their first miss."""

    NEW_NEVER_REACHED = 1
    NEW_ANSWERED_LATER = 2
    NEW_CALLED_BACK = 3
    NEVER_REACHED = 4
    ANSWERED_LATER = 5
    CALLED_BACK = 6
    NOT_MISSED = 7


class _Event(IntEnum):
    MISSED = 0
    ANSWERED = 1
    CALLED_BACK = 2
    UNCERTAIN = 3


# Where a caller stands → after a call. `None` is a caller who was never seen.
NEXT: Final[Mapping[_Event, Mapping[Caller | None, Caller]]] = {
    _Event.MISSED: {None: Caller.NEW_NEVER_REACHED, Caller.NOT_MISSED: Caller.NEVER_REACHED},
    _Event.ANSWERED: {
        None: Caller.NOT_MISSED,
        Caller.NEW_NEVER_REACHED: Caller.NEW_ANSWERED_LATER,
        Caller.NEVER_REACHED: Caller.ANSWERED_LATER,
    },
    _Event.CALLED_BACK: {
        None: Caller.NOT_MISSED,
        Caller.NEW_NEVER_REACHED: Caller.NEW_CALLED_BACK,
        Caller.NEVER_REACHED: Caller.CALLED_BACK,
    },
    _Event.UNCERTAIN: {None: Caller.NOT_MISSED},
}
_BY_VERDICT: Final = {
    Verdict.MISSED: _Event.MISSED,
    Verdict.ANSWERED: _Event.ANSWERED,
    Verdict.LOST_AFTER_ANSWER: _Event.ANSWERED,
    Verdict.UNCERTAIN: _Event.UNCERTAIN,
}
# What may be said of a call, "missed no_answer" → what it does to its caller. The rest does not count.
EVENTS: Final[Mapping[str, _Event]] = {
    **{f"{verdict.value} {reason.value}": event for verdict, event in _BY_VERDICT.items() for reason in Reason},
    Verdict.ANSWERED.value: _Event.ANSWERED,
    OUTBOUND: _Event.CALLED_BACK,
}
NEW: Final = (Caller.NEW_NEVER_REACHED, Caller.NEW_ANSWERED_LATER, Caller.NEW_CALLED_BACK)


# One finished call: when it began (seconds since 1970); its judgement in words ("missed no_answer") or OUTBOUND; who called or, OUTBOUND,
# whom the office called, as it was presented; the number of ours that was called, "" where nothing tells.
Heard = tuple[int, str, str, str]


@dataclass(slots=True)
class Part:
    """The calls of an hour, a weekday or a line."""

    calls: int = 0
    answered: int = 0
    missed: int = 0
    uncertain: int = 0

    def add(self, event: _Event, calls: int) -> None:
        """Count some calls."""
        self.calls += calls
        self.answered += calls * (event is _Event.ANSWERED)
        self.missed += calls * (event is _Event.MISSED)
        self.uncertain += calls * (event is _Event.UNCERTAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What is told of a period. All counts are of calls, but for those of callers."""

    first: datetime | None  # when the first call began, in the shop's zone; None: there was none
    last: datetime | None
    begins: date | None  # the first day that was asked for, as far as the records reach; None: there was no call
    ends: date | None  # the last one
    total: Part
    missed_by_reason: Mapping[str, int]  # most frequent first
    uncertain_by_reason: Mapping[str, int]
    lost_after_answer: int  # counted within `answered`
    withheld: int  # missed calls whose caller told no number that can be recognised
    callers: int  # who was missed at least once
    answered_later: int
    called_back: int
    never_reached: int
    new_callers: int  # of those missed: never seen in the period before
    new_never_reached: int
    by_hour: Mapping[int, Part]  # 0 to 23, by the shop's clock, of the call's beginning
    by_weekday: Mapping[str, Part]
    by_line: Mapping[str, Part]  # most calls first
    grid: Mapping[tuple[int, int], Part]  # weekday (0 is Monday) and hour

    @property
    def repeated(self) -> int:
        """Return how many missed calls were another try of somebody who had been missed before."""
        return self.total.missed - self.withheld - self.callers

    @property
    def days(self) -> int:
        """Return how many days are told of, those without a call, too."""
        return (self.ends - self.begins).days + 1 if self.begins and self.ends else 0

    @property
    def weeks(self) -> float:
        """Return how long the period is."""
        return self.days / 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What the missed calls may cost in a year of 50 weeks, and the counts that it comes from."""

    missed_a_week: float
    at_most: float  # every missed call had been a job
    job_value: float
    new_never_reached_a_week: float
    close_rate: float | None  # the share of new callers who buy; None: not told
    likely: float | None  # of new callers whom nobody reached, that share


def worth(leak: Leak, job_value: float, close_rate: float | None) -> Worth | None:
    """Return what was lost in money; None for a period without calls."""
    if not leak.days:
        return None
    missed, new = leak.total.missed / leak.weeks, leak.new_never_reached / leak.weeks
    return Worth(
        missed_a_week=missed,
        at_most=missed * job_value * WEEKS_A_YEAR,
        job_value=job_value,
        new_never_reached_a_week=new,
        close_rate=close_rate,
        likely=None if close_rate is None else new * close_rate * job_value * WEEKS_A_YEAR,
    )


@dataclass(slots=True)
class Tally:
    """Counts calls as they come, and holds no more than a byte for each caller and a number for each kind of call."""

    zone: tzinfo
    country: str
    since: int = 0  # seconds since 1970: calls that began then or later count …
    until: int = NEVER  # … and before that
    lines: dict[str, str] = field(default_factory=dict)  # as presented → as it is shown, as far as known beforehand
    _callers: dict[int, Caller] = field(default_factory=dict)
    _cells: Counter[tuple[str, int, str]] = field(default_factory=Counter)  # said, hour of the week, line
    _offsets: dict[int, int | None] = field(default_factory=dict)  # days since 1970 → seconds
    _same_caller: SameCaller = field(init=False)
    _same_callee: SameCaller = field(init=False)
    _withheld: int = 0
    _first: int = NEVER
    _last: int = -1

    def __post_init__(self) -> None:
        self._same_caller = SameCaller(self.country)
        self._same_callee = SameCaller(self.country, read_dialled)

    def add(self, calls: Iterable[Heard]) -> None:
        """Count calls, in the order of their ends."""
        # A million times: what could be a function of three lines is written out.
        cells, lines, callers, offsets = self._cells, self.lines, self._callers, self._offsets
        for began, said, number, line in calls:
            event = EVENTS.get(said)
            if event is None or not self.since <= began < self.until:
                continue
            is_theirs = said != OUTBOUND
            key = self._same_caller(number) if is_theirs else self._same_callee(number)
            if is_theirs:
                offset = offsets.get(began // DAY)
                slot = (began + offset) // HOUR % HOURS_A_WEEK if offset else self._slot(began)
                cells[said, slot, lines.get(line) or self._line(line)] += 1
                self._last = max(self._last, began)
                self._first = min(self._first, began)
                if key is None and event is _Event.MISSED:
                    self._withheld += 1
            if key is not None:
                after = NEXT[event].get(callers.get(key))
                if after is not None:
                    callers[key] = after

    def _slot(self, began: int) -> int:
        """Return the hour of the week, 0 for Monday's first."""
        day = began // DAY
        if day not in self._offsets:
            self._offsets[day] = self._offset(day)
        at = datetime.fromtimestamp(began, self.zone)
        return at.weekday() * 24 + at.hour

    def _offset(self, day: int) -> int | None:
        """Return what makes UTC the shop's clock, counted from a Monday; None for a day on which the clocks change."""
        ends = (datetime.fromtimestamp(at, self.zone).utcoffset() for at in (day * DAY, day * DAY + DAY - 1))
        first, last = (int((offset or timedelta(0)).total_seconds()) for offset in ends)
        return first + THURSDAY if first == last else None

    def _line(self, presented: str) -> str:
        if len(self.lines) >= MOST_LINES:
            return OTHER_LINES
        printable = "".join(character for character in presented if character.isprintable())
        shown = read_number(presented, self.country).e164 or printable or UNKNOWN_LINE
        self.lines[presented] = shown
        return shown

    def leak(self, covered: tuple[int, int] | None = None) -> Leak:
        """Return what was counted. `covered` is when the records begin and end, with all that is in them; None: with the calls."""
        stand = Counter(self._callers.values())
        first, last = (self._at(self._first), self._at(self._last)) if self._last >= 0 else (None, None)
        begins, ends = self._days(covered or (NEVER, -NEVER)) if first else (None, None)
        grid, by_line, total = self._parts()
        return Leak(
            first=first,
            last=last,
            begins=begins,
            ends=ends,
            total=total,
            missed_by_reason=self._reasons(Verdict.MISSED),
            uncertain_by_reason=self._reasons(Verdict.UNCERTAIN),
            lost_after_answer=sum(self._reasons(Verdict.LOST_AFTER_ANSWER).values()),
            withheld=self._withheld,
            callers=sum(stand.values()) - stand[Caller.NOT_MISSED],
            answered_later=stand[Caller.ANSWERED_LATER] + stand[Caller.NEW_ANSWERED_LATER],
            called_back=stand[Caller.CALLED_BACK] + stand[Caller.NEW_CALLED_BACK],
            never_reached=stand[Caller.NEVER_REACHED] + stand[Caller.NEW_NEVER_REACHED],
            new_callers=sum(stand[caller] for caller in NEW),
            new_never_reached=stand[Caller.NEW_NEVER_REACHED],
            by_hour={hour: _sum(part for at, part in grid.items() if at[1] == hour) for hour in range(24)},
            by_weekday={
                name: _sum(part for at, part in grid.items() if at[0] == day) for day, name in enumerate(WEEKDAYS)
            },
            by_line=dict(sorted(by_line.items(), key=lambda item: (-item[1].calls, item[0]))),
            grid=grid,
        )

    def _at(self, seconds: int) -> datetime:
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.zone)

    def _days(self, covered: tuple[int, int]) -> tuple[date, date]:
        """Return the first and the last day that were asked for and that the records reach; calls lie in them."""
        begins = min(self._first, max(covered[0], self.since))
        ends = max(self._last, min(covered[1], self.until - 1))
        return self._at(begins).date(), self._at(ends).date()

    def _parts(self) -> tuple[dict[tuple[int, int], Part], dict[str, Part], Part]:
        grid: dict[tuple[int, int], Part] = defaultdict(Part)
        by_line: dict[str, Part] = defaultdict(Part)
        total = Part()
        for (said, slot, line), calls in self._cells.items():
            event = EVENTS[said]
            for part in (grid[slot // 24, slot % 24], by_line[line], total):
                part.add(event, calls)
        return dict(grid), dict(by_line), total

    def _reasons(self, verdict: Verdict) -> dict[str, int]:
        found = Counter[str]()
        for (said, _, _), calls in self._cells.items():
            name, _, reason = said.partition(" ")
            if name == verdict.value:
                found[reason] += calls
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _sum(parts: Iterable[Part]) -> Part:
    total = Part()
    for part in parts:
        total.calls += part.calls
        total.answered += part.answered
        total.missed += part.missed
        total.uncertain += part.uncertain
    return total
