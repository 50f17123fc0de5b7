"""Holidays as they are written, day by day: regions, dates, stretches and calendar files."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from textbackd.config import Holidays, Settings, lint
from textbackd.config.ics import CalendarError, calendar_days, read_calendar
from textbackd.config.kept_days import HolidaysKept

Configured = Callable[..., Settings]
Faults = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("region", "day", "name"),
    [
        pytest.param("US", "2026-11-26", "Thanksgiving Day", id="Thanksgiving moves: the fourth Thursday"),
        pytest.param("US", "2027-11-25", "Thanksgiving Day", id="and the year after"),
        pytest.param("US", "2026-11-27", None, id="the day after is none"),
        pytest.param("US", "2026-07-03", "Independence Day (observed)", id="a Saturday's holiday is kept on Friday"),
        pytest.param("DE", "2026-04-06", "Easter Monday", id="Easter Monday moves"),
        pytest.param("DE", "2027-03-29", "Easter Monday", id="by the moon"),
        pytest.param("DE-BY", "2026-01-06", "Epiphany", id="of one part of the country"),
        pytest.param("DE-BE", "2026-01-06", None, id="and not of another"),
        pytest.param("GB", "2028-02-29", None, id="a leap day is nobody's holiday"),
    ],
)
def test_a_region_s_holidays_are_known_also_those_that_move(region: str, day: str, name: str | None) -> None:
    kept = HolidaysKept(Holidays(regions=(region,)))
    assert kept.name(date.fromisoformat(day)) == name
    assert (date.fromisoformat(day) in kept) is (name is not None)


@pytest.mark.parametrize(
    ("written", "first", "last", "days"),
    [
        pytest.param("2026-12-24", "2026-12-24", "2026-12-24", 1, id="one day"),
        pytest.param("2026-12-24..2027-01-02", "2026-12-24", "2027-01-02", 10, id="over the year's end"),
        pytest.param("2028-02-28 .. 2028-03-01", "2028-02-28", "2028-03-01", 3, id="over a leap day"),
        pytest.param("[2026-12-24, 2026-12-24..2026-12-26]", "2026-12-24", "2026-12-26", 3, id="named twice is once"),
    ],
)
def test_single_days_and_stretches_are_kept(
    configured: Configured, written: str, first: str, last: str, days: int
) -> None:
    dates = configured(lines=f"{{main: {{holidays: {written}}}}}").lines["main"].holidays.dates
    assert (min(dates), max(dates), len(dates)) == (date.fromisoformat(first), date.fromisoformat(last), days)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        pytest.param("2027-01-02..2026-12-24", "Write the earlier day first.", id="backwards"),
        pytest.param("2026-01-01..2028-01-01", "no stretch of at most 366 days", id="years"),
        pytest.param("2026-02-29..2026-03-02", "'2026-02-29' is a day that no calendar has.", id="no such day"),
        pytest.param("US-XX", "US has no part XX. Its parts are US-AK,", id="no such part"),
        pytest.param("'ics:'", "ics: names no file.", id="no file"),
        pytest.param("soon", "is neither a country nor a date.", id="a word"),
    ],
)
def test_what_is_no_holiday_is_a_fault(faults: Faults, written: str, fault: str) -> None:
    found = faults(lines=f"{{main: {{holidays: [{written}]}}}}")
    assert len(found) == 1
    assert found[0].startswith("lines.main.holidays[0]: ")
    assert fault in found[0]


def calendar(*events: str) -> bytes:
    inside = "".join(f"BEGIN:VEVENT\nUID:{n}\n{event}\nEND:VEVENT\n" for n, event in enumerate(events))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{inside}END:VCALENDAR\n".replace("\n", "\r\n").encode()


YEARLY = "DTSTART;VALUE=DATE:20201224\nSUMMARY:Christmas Eve\nRRULE:FREQ=YEARLY"


@pytest.mark.parametrize(
    ("event", "kept", "not_kept"),
    [
        pytest.param("DTSTART;VALUE=DATE:20260803", "2026-08-03", "2026-08-04", id="one day without an end"),
        pytest.param("DTSTART;VALUE=DATE:20260803\nDTEND;VALUE=DATE:20260808", "2026-08-07", "2026-08-08", id="the end is out"),
        pytest.param("DTSTART;VALUE=DATE:20260803\nDURATION:P2D", "2026-08-04", "2026-08-05", id="so many days"),
        pytest.param("DTSTART;VALUE=DATE:20261230\nDTEND;VALUE=DATE:20270103", "2027-01-02", "2027-01-03", id="new year"),
        pytest.param(YEARLY, "2031-12-24", "2031-12-25", id="every year"),
        pytest.param("DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY", "2028-02-29", "2026-02-28", id="every leap day"),
        pytest.param(f"{YEARLY};UNTIL=20281224T000000Z", "2028-12-24", "2029-12-24", id="until a moment"),
        pytest.param(f"{YEARLY};COUNT=2", "2021-12-24", "2022-12-24", id="twice"),
        pytest.param(f"{YEARLY}\nEXDATE;VALUE=DATE:20261224", "2025-12-24", "2026-12-24", id="but for one"),
        pytest.param("DTSTART;VALUE=DATE:20260101\nRDATE;VALUE=DATE:20260202,20260303", "2026-03-03", "2026-03-04", id="more"),
        pytest.param(
            "DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", "2026-11-20", id="last Fridays"
        ),
    ],
)  # fmt: skip
def test_whole_days_of_a_calendar_are_kept(tmp_path: Path, event: str, kept: str, not_kept: str) -> None:
    file = tmp_path / "closed.ics"
    file.write_bytes(calendar(event))
    days = HolidaysKept(Holidays(files=(file,)))
    assert date.fromisoformat(kept) in days
    assert date.fromisoformat(not_kept) not in days


@pytest.mark.parametrize(
    "event",
    [
        pytest.param("DTSTART:20260803T090000Z\nDTEND:20260803T100000Z", id="an appointment closes no shop"),
        pytest.param("DTSTART;VALUE=DATE:20260803\nSTATUS:CANCELLED", id="a day off that was called off"),
        pytest.param("DTSTART;VALUE=DATE:20260803\nRRULE:FREQ=SECONDLY", id="a rule that repeats by the second"),
        pytest.param("SUMMARY:nothing", id="an event without a start"),
    ],
)
def test_what_takes_no_whole_day_is_not_kept(event: str) -> None:
    assert [day for days in calendar_days(calendar(event), Path("x")) for day in days.in_year(2026)] == []


def test_one_of_a_series_that_was_moved_counts_where_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "closed.ics"
    moved = "UID:0\nRECURRENCE-ID;VALUE=DATE:20261224\nDTSTART;VALUE=DATE:20261223"
    file.write_bytes(calendar(YEARLY, moved).replace(b"UID:1\r\n", b""))
    days = HolidaysKept(Holidays(files=(file,)))
    assert [date(2026, 12, day) in days for day in (23, 24)] == [True, False]
    assert date(2027, 12, 24) in days


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x89PNG\r\n\x00\xff", id="an image"),
        pytest.param(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", id="cut"),
        pytest.param(calendar("DTSTART;VALUE=DATE:2026"), id="half a date"),
        pytest.param(calendar("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYDAY=XX"), id="a rule that is none"),
        pytest.param(b"x" * 1_100_000, id="huge"),
    ],
)
def test_what_is_no_calendar_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "closed.ics"
    file.write_bytes(data)
    with pytest.raises(CalendarError, match=r"^/.*closed\.ics .*\.$"):
        read_calendar(file)


def test_a_calendar_that_changes_counts_at_once_and_one_that_breaks_counts_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "closed.ics"
    file.write_bytes(calendar("DTSTART;VALUE=DATE:20260803"))
    days = HolidaysKept(Holidays(files=(file,)))
    assert date(2026, 8, 3) in days
    file.write_bytes(calendar("DTSTART;VALUE=DATE:20260804", YEARLY))
    assert [date(2026, 8, day) in days for day in (3, 4)] == [False, True]
    file.write_bytes(b"broken")
    os.utime(file, (1, 1))
    assert date(2026, 8, 4) in days
    file.unlink()
    assert date(2026, 8, 4) in days


def test_a_calendar_is_looked_for_beside_the_configuration_and_missed_by_the_lint(configured: Configured) -> None:
    settings = configured(lines="{main: {holidays: ['ics:closed.ics']}}")
    assert settings.lines["main"].holidays.files == (Path("closed.ics").absolute(),)
    (warning,) = lint(settings, {"AMI_SECRET": "x"})
    assert "lines.main.holidays: " in warning
    assert "closed.ics cannot be read" in warning
