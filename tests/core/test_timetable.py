"""Open, closed or holiday, and when it opens next: hours, kept days and the PBX's switch together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.core.test_opening_hours import BAR, BERLIN, CHICAGO, OFFICE, local, week
from textbackd.core.opening_hours import ALWAYS_OPEN, NEVER_OPEN, OpeningHours
from textbackd.core.timetable import Opening, Timetable


@dataclass(frozen=True)
class Kept:
    """Days by hand."""

    days: Mapping[date, str] = field(default_factory=dict)

    def __contains__(self, day: object) -> bool:
        return day in self.days

    def name(self, day: date) -> str | None:
        return self.days.get(day)


def kept(*days: str) -> Kept:
    return Kept({date.fromisoformat(day): "a holiday" for day in days})


def timetable(hours: OpeningHours, zone: ZoneInfo = CHICAGO, *days: str) -> Timetable:
    return Timetable(hours=hours, zone=zone, kept=kept(*days))


OPEN, CLOSED, HOLIDAY = Opening.OPEN, Opening.CLOSED, Opening.HOLIDAY
MONDAY = "2026-11-23"
LEAP = week(tue="08:00-12:00", thu="08:00-12:00")  # 2028-02-29 is a Tuesday
SUNDAY_NIGHT = week(sun="00:00-24:00")


@pytest.mark.parametrize(
    ("table", "at", "state"),
    [
        pytest.param(timetable(OFFICE), f"{MONDAY} 09:00", OPEN, id="within its hours"),
        pytest.param(timetable(OFFICE), f"{MONDAY} 12:30", CLOSED, id="over lunch"),
        pytest.param(timetable(OFFICE, CHICAGO, MONDAY), f"{MONDAY} 09:00", HOLIDAY, id="hours do not count on a kept day"),
        pytest.param(timetable(OFFICE, CHICAGO, MONDAY), f"{MONDAY} 23:59:59", HOLIDAY, id="to the end of the day"),
        pytest.param(timetable(OFFICE, CHICAGO, MONDAY), "2026-11-24 00:00", CLOSED, id="and no longer"),
        pytest.param(timetable(ALWAYS_OPEN, CHICAGO, MONDAY), f"{MONDAY} 09:00", HOLIDAY, id="always, but for kept days"),
        pytest.param(timetable(BAR, CHICAGO, "2026-11-28"), "2026-11-28 01:00", OPEN, id="last night runs into the holiday"),
        pytest.param(timetable(BAR, CHICAGO, "2026-11-28"), "2026-11-28 02:00", HOLIDAY, id="and ends there"),
        pytest.param(timetable(NEVER_OPEN), f"{MONDAY} 09:00", CLOSED, id="never open"),
        pytest.param(timetable(LEAP), "2028-02-29 09:00", OPEN, id="a leap day is a day"),
        pytest.param(timetable(LEAP, CHICAGO, "2028-02-29"), "2028-02-29 09:00", HOLIDAY, id="and may be kept"),
        pytest.param(timetable(SUNDAY_NIGHT), "2026-03-08 03:00", OPEN, id="24 hours in the short night"),
        pytest.param(timetable(SUNDAY_NIGHT), "2026-11-01 01:30", OPEN, id="24 hours in the long night"),
        pytest.param(timetable(SUNDAY_NIGHT), "2026-11-02 00:00", CLOSED, id="24 hours end at midnight"),
    ],
)  # fmt: skip
def test_a_line_is_open_closed_or_on_holiday_by_its_own_clock(table: Timetable, at: str, state: Opening) -> None:
    assert table.state(local(at, CHICAGO).astimezone(UTC)) is state


@pytest.mark.parametrize(
    ("table", "at", "closed"),
    [
        pytest.param(timetable(OFFICE), f"{MONDAY} 12:30", f"{MONDAY} 12:30", id="closed already"),
        pytest.param(timetable(OFFICE), f"{MONDAY} 09:00", f"{MONDAY} 12:00", id="over lunch"),
        pytest.param(timetable(BAR, CHICAGO, "2026-11-28"), "2026-11-28 01:00", "2026-11-28 02:00", id="last night's hours"),
        pytest.param(timetable(ALWAYS_OPEN, CHICAGO, "2027-07-04"), f"{MONDAY} 09:00", "2027-07-04 00:00", id="a holiday far off"),
        pytest.param(timetable(ALWAYS_OPEN), f"{MONDAY} 09:00", None, id="never"),
    ],
)  # fmt: skip
def test_when_a_line_is_closed_next_is_known(table: Timetable, at: str, closed: str | None) -> None:
    expected = local(closed, CHICAGO).astimezone(UTC) if closed else None
    assert table.closed_next(local(at, CHICAGO).astimezone(UTC)) == expected


def test_two_lines_of_one_business_are_each_judged_in_their_own_zone() -> None:
    at = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)  # 9:30 in Chicago, 16:30 in Berlin
    assert timetable(OFFICE, CHICAGO).state(at) is OPEN
    assert timetable(week(mon="08:00-16:00"), BERLIN).state(at) is CLOSED


def test_a_holiday_begins_and_ends_at_the_line_s_own_midnight() -> None:
    at = datetime(2026, 12, 25, 23, 30, tzinfo=UTC)  # still the 25th in Chicago, the 26th in Berlin
    assert timetable(ALWAYS_OPEN, CHICAGO, "2026-12-25").state(at) is HOLIDAY
    assert timetable(ALWAYS_OPEN, BERLIN, "2026-12-25").state(at) is OPEN


@pytest.mark.parametrize(
    ("days", "at", "closed", "state"),
    [
        pytest.param((), f"{MONDAY} 09:00", True, CLOSED, id="switched to night within hours"),
        pytest.param((), f"{MONDAY} 22:00", False, OPEN, id="switched to day after hours"),
        pytest.param((), f"{MONDAY} 09:00", None, OPEN, id="no word from the switch: the hours decide"),
        pytest.param((MONDAY,), f"{MONDAY} 09:00", True, HOLIDAY, id="switched to night on a holiday is the holiday"),
        pytest.param((MONDAY,), f"{MONDAY} 09:00", False, OPEN, id="somebody works on a holiday"),
    ],
)
def test_the_switch_beats_the_hours(days: tuple[str, ...], at: str, closed: bool | None, state: Opening) -> None:
    assert timetable(OFFICE, CHICAGO, *days).state(local(at, CHICAGO), switched_closed=closed) is state


@pytest.mark.parametrize(
    ("table", "at", "opens"),
    [
        pytest.param(timetable(OFFICE), f"{MONDAY} 12:30", f"{MONDAY} 13:00", id="after lunch"),
        pytest.param(timetable(OFFICE), f"{MONDAY} 17:00", "2026-11-27 08:00", id="the next day with hours"),
        pytest.param(timetable(OFFICE, CHICAGO, "2026-11-27"), f"{MONDAY} 17:00", "2026-11-30 08:00", id="over a holiday"),
        pytest.param(timetable(OFFICE), f"{MONDAY} 09:00", None, id="closed by somebody within hours: who knows"),
        pytest.param(timetable(NEVER_OPEN), f"{MONDAY} 09:00", None, id="never"),
    ],
)  # fmt: skip
def test_when_it_opens_next_is_told_only_if_the_hours_tell(table: Timetable, at: str, opens: str | None) -> None:
    assert table.opens_next(local(at, CHICAGO)) == (local(opens, CHICAGO) if opens else None)


@pytest.mark.parametrize(
    ("table", "day", "shown"),
    [
        pytest.param(timetable(OFFICE), MONDAY, "08:00-12:00 13:00-17:00", id="a working day"),
        pytest.param(timetable(OFFICE), "2026-11-24", "", id="a day without hours"),
        pytest.param(timetable(OFFICE, CHICAGO, MONDAY), MONDAY, "", id="a kept day"),
        pytest.param(timetable(BAR), "2026-11-28", "00:00-02:00 22:00-02:00", id="last night's hours, and tonight's"),
        pytest.param(timetable(BAR, CHICAGO, "2026-11-27"), "2026-11-28", "22:00-02:00", id="no last night on a holiday"),
        pytest.param(timetable(BAR, CHICAGO, "2026-11-28"), "2026-11-28", "00:00-02:00", id="last night ends on a holiday"),
    ],
)  # fmt: skip
def test_the_stretches_of_a_day_are_those_of_the_clock_on_the_wall(table: Timetable, day: str, shown: str) -> None:
    assert " ".join(map(str, table.stretches(date.fromisoformat(day)))) == shown
