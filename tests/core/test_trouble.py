"""When a trouble is told, when it is over, and when nobody expects a call."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from textbackd.config.hours import weekly_hours
from textbackd.core.opening_hours import ALWAYS_OPEN, QuietHours
from textbackd.core.timetable import Timetable
from textbackd.core.trouble import Course, Step, is_somebody_there, step, went_on, without_calls

DENVER = ZoneInfo("America/Denver")
PATIENCE = timedelta(minutes=5)
NIGHT = QuietHours(time(21), time(8))


class Kept:
    """One holiday."""

    def __contains__(self, day: object) -> bool:
        return str(day) == "2026-03-04"

    def name(self, day: object) -> str | None:
        return "Wednesday off" if day in self else None


def on(day: int, clock: str) -> datetime:
    """Return a moment of March 2026 in Denver; the 2nd is a Monday."""
    return datetime.combine(date(2026, 3, day), time.fromisoformat(clock), DENVER)


def hours(**week: str) -> Timetable:
    return Timetable(
        hours=weekly_hours({key.replace("_", "-"): value for key, value in week.items()}), zone=DENVER, kept=Kept()
    )


OFFICE = hours(mon_fri="08:00-17:00")
NEVER_CLOSED = Timetable(hours=ALWAYS_OPEN, zone=DENVER, kept=Kept())


@pytest.mark.parametrize(
    ("is_wrong", "minutes", "is_told", "may_tell", "expected"),
    [
        pytest.param(True, 4.9, False, True, None, id="it may pass by itself"),
        pytest.param(True, 5, False, True, Step.TELL, id="it has lasted for its patience"),
        pytest.param(True, 500, True, True, None, id="it is told once"),
        pytest.param(True, 500, False, False, None, id="nobody is there, and it can wait"),
        pytest.param(False, 1.9, True, True, None, id="it may come again at once"),
        pytest.param(False, 2, True, True, Step.TELL_OVER, id="it is over"),
        pytest.param(False, 500, True, False, None, id="that it is over can wait, too"),
        pytest.param(False, 500, False, True, None, id="what nobody was told of is over in silence"),
    ],
)
def test_a_trouble_is_told_once_and_once_more_when_it_is_over(
    is_wrong: bool, minutes: float, is_told: bool, may_tell: bool, expected: Step | None
) -> None:
    course = Course(is_wrong=is_wrong, since=on(2, "12:00"))
    now = on(2, "12:00") + timedelta(minutes=minutes)
    assert step(course, is_told=is_told, patience=PATIENCE, may_tell=may_tell, now=now) is expected


@pytest.mark.parametrize(
    ("before", "is_wrong", "since"),
    [
        pytest.param(None, True, "12:00", id="what is seen for the first time begins now"),
        pytest.param(True, True, "11:00", id="what goes on began when it did"),
        pytest.param(True, False, "12:00", id="what changes begins anew"),
    ],
)
def test_a_course_begins_with_a_change(before: bool | None, is_wrong: bool, since: str) -> None:
    known = None if before is None else Course(is_wrong=before, since=on(2, "11:00"), why="early")
    now = went_on(known, Course(is_wrong=is_wrong, since=on(2, "12:00"), why="late"))
    assert now == Course(is_wrong=is_wrong, since=on(2, since), why="late")


@pytest.mark.parametrize(
    ("times", "last", "now", "expected"),
    [
        pytest.param([OFFICE], on(2, "12:00"), on(2, "14:00"), 2, id="within the opening hours all of it counts"),
        pytest.param([OFFICE], on(2, "16:00"), on(3, "09:00"), 2, id="the night does not"),
        pytest.param([OFFICE], on(6, "16:00"), on(9, "09:00"), 2, id="nor does the week-end"),
        pytest.param([OFFICE], on(3, "16:00"), on(5, "09:00"), 2, id="nor does a holiday"),
        pytest.param([NEVER_CLOSED], on(2, "17:00"), on(3, "09:00"), 2, id="whoever never closes has a working day"),
        pytest.param([NEVER_CLOSED], on(6, "18:00"), on(8, "23:00"), 0, id="and a week-end"),
        pytest.param(
            [OFFICE, hours(mon="16:00-19:00")], on(2, "15:00"), on(2, "20:00"), 4, id="two lines at once count once"
        ),
        pytest.param([OFFICE], datetime(2000, 1, 1, tzinfo=DENVER), on(2, "10:00"), 20 * 9 + 2, id="at most 30 days back"),
    ],
)  # fmt: skip
def test_silence_counts_while_calls_are_expected(
    times: list[Timetable], last: datetime, now: datetime, expected: int
) -> None:
    assert without_calls(last, times, now) == timedelta(hours=expected)


@pytest.mark.parametrize(
    ("times", "now", "expected"),
    [
        pytest.param([OFFICE], on(2, "08:00"), True, id="the shop is open"),
        pytest.param([OFFICE], on(2, "17:00"), False, id="it has closed"),
        pytest.param([OFFICE], on(4, "12:00"), False, id="a holiday"),
        pytest.param([NEVER_CLOSED], on(7, "12:00"), True, id="a Saturday where nobody ever closes"),
        pytest.param([NEVER_CLOSED], on(7, "22:00"), False, id="but not at night"),
        pytest.param([OFFICE, NEVER_CLOSED], on(2, "20:00"), True, id="one line is enough"),
        pytest.param([hours(sat="22:00-02:00")], on(7, "23:00"), True, id="hours that are written are no night"),
    ],
)  # fmt: skip
def test_what_can_wait_is_told_when_somebody_is_there(times: list[Timetable], now: datetime, expected: bool) -> None:
    assert is_somebody_there(times, NIGHT, now) is expected


def test_without_a_night_whoever_never_closes_is_always_there() -> None:
    assert is_somebody_there([NEVER_CLOSED], None, on(7, "03:00"))
