"""What is wrong for so long that somebody must be told, and is it over?  Pure.   flow/staff/watch.py gathers → here → the same tells

A trouble is told once when it has lasted for its patience, and told once more when it is over. One that comes and goes is over only
after it has stayed away for a while. What can wait is told when somebody is there to mend it; what is over by then is never told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Final

from textbackd.core.opening_hours import ALWAYS_OPEN, Interval, OpeningHours, QuietHours
from textbackd.core.timetable import Opening, Timetable

STAYS_AWAY: Final = timedelta(minutes=2)  # what has not been seen for so long is over
# When calls are to be expected on a line that never closes, or whose hours nobody has written: any shop's working day.
WORKING_DAY: Final = (Interval(timedelta(hours=8), timedelta(hours=18)),)
WORKING_WEEK: Final = OpeningHours(week=(WORKING_DAY,) * 5 + ((),) * 2)
NOTHING: Final = timedelta(0)
LOOKED_BACK: Final = timedelta(days=30)


class Trouble(StrEnum):
    """What may be wrong. The values stand in the configuration, in /metrics and in the database."""

    NO_CALLS = "no_calls"  # none has come in for a part of the working day
    PBX_AWAY = "pbx_away"  # no missed call is seen
    GATEWAY_DOWN = "gateway_down"  # or paused, until a person mends it
    SIM_FULL = "sim_full"  # the memory where a modem keeps what comes in
    UNKNOWN_TEXTS = "unknown_texts"  # may or may not have gone out; nobody has said
    FEWER_ANSWERED = "fewer_answered"  # people take a smaller share of the calls than before
    BRAKE = "brake"  # all automatic texts are stopped
    DATABASE = "database"  # nothing can be written down, so nothing is decided
    DISK = "disk"  # is full but for a last reserve, so nothing is sent


@dataclass(frozen=True, slots=True)
class About:
    """Which trouble, of what."""

    trouble: Trouble
    of: str = ""  # a PBX or a gateway; "": of textbackd as a whole

    @property
    def key(self) -> str:
        """What it is noted as where it was told."""
        return f"{PREFIX}{self.trouble} {self.of}"


PREFIX: Final = "trouble "


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How something has been for a while."""

    is_wrong: bool
    since: datetime
    why: str = ""  # as it was said last; what is known of it may come later than the trouble


def went_on(before: Course | None, now: Course) -> Course:
    """Return how it has been, from how it was and what is seen now: as long as it stays the same, it began when it did."""
    if before is None or before.is_wrong != now.is_wrong:
        return now
    return replace(now, since=min(before.since, now.since))


class Step(Enum):
    """What is to be done."""

    TELL = "tell"
    TELL_OVER = "tell_over"


def step(course: Course, *, is_told: bool, patience: timedelta, may_tell: bool, now: datetime) -> Step | None:
    """Return what to do about one trouble; `may_tell`: somebody is there, or it cannot wait."""
    lasted = now - course.since
    if not may_tell:
        return None
    if course.is_wrong and not is_told and lasted >= patience:
        return Step.TELL
    return Step.TELL_OVER if is_told and not course.is_wrong and lasted >= STAYS_AWAY else None


def is_somebody_there(lines: Iterable[Timetable], night: QuietHours | None, now: datetime) -> bool:
    """Return whether it is the day of one of the lines: its opening hours, or if it never closes, what is not night."""
    return any(
        times.state(now) is Opening.OPEN
        and not (times.hours == ALWAYS_OPEN and night is not None and night.covers(now, times.zone))
        for times in lines
    )


def without_calls(last: datetime, lines: Iterable[Timetable], now: datetime) -> timedelta:
    """Return how long no call has come in since `last`, counting only the time in which at least one of the lines expected some."""
    earliest = max(last, now - LOOKED_BACK)
    stretches = sorted(stretch for times in map(_expecting, lines) for stretch in times.open_between(earliest, now))
    total, counted = NOTHING, earliest
    for start, end in stretches:
        total += max(end - max(start, counted), NOTHING)
        counted = max(counted, end)
    return total


def _expecting(times: Timetable) -> Timetable:
    return replace(times, hours=WORKING_WEEK) if times.hours == ALWAYS_OPEN else times
