"""The night of a caller who may be in several zones, and when it is over."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.night import LONGEST_SEARCH, Night
from textbackd.core.opening_hours import QuietHours
from textbackd.core.phone import E164, zones_of

USUAL = QuietHours(time(21), time(8))
DENVER, CHICAGO, NEW_YORK = (ZoneInfo(f"America/{city}") for city in ("Denver", "Chicago", "New_York"))


def utc(written: str) -> datetime:
    return datetime.fromisoformat(f"2026-{written}+00:00")


@pytest.mark.parametrize(
    ("zones", "at", "end"),
    [
        pytest.param((DENVER,), "03-02 18:00", "03-02 18:00", id="by day it is over already"),
        pytest.param((DENVER,), "03-03 05:00", "03-03 15:00", id="22:00 in Denver: eight there"),
        pytest.param((DENVER, NEW_YORK), "03-03 03:00", "03-03 15:00", id="20:00 in Denver, but 22:00 in New York"),
        pytest.param((DENVER, NEW_YORK), "03-03 14:00", "03-03 15:00", id="New York is up, Denver sleeps on"),
        pytest.param((NEW_YORK,), "03-08 04:00", "03-08 12:00", id="the clocks go forward in that night: an hour less"),
        pytest.param((NEW_YORK,), "11-01 03:00", "11-01 13:00", id="the clocks go back in that night: an hour more"),
    ],
)
def test_a_night_is_over_when_it_is_over_in_every_zone(zones: tuple[ZoneInfo, ...], at: str, end: str) -> None:
    night = Night(USUAL, zones)
    assert night.end_after(utc(at)) == utc(end)
    assert night.covers(utc(at)) == (at != end)


@pytest.mark.parametrize(
    ("zones", "at", "start"),
    [
        pytest.param((DENVER,), "03-02 18:00", "03-03 04:00", id="nine in the evening"),
        pytest.param((DENVER, CHICAGO), "03-02 18:00", "03-03 03:00", id="in the zone where it begins first"),
        pytest.param((DENVER,), "03-03 05:00", "03-03 05:00", id="it has begun"),
    ],
)
def test_a_night_begins_when_it_begins_in_any_zone(zones: tuple[ZoneInfo, ...], at: str, start: str) -> None:
    assert Night(USUAL, zones).start_after(utc(at)) == utc(start)


ZONES = st.lists(
    st.sampled_from(
        [ZoneInfo(name) for name in ("America/Denver", "Europe/London", "Asia/Tokyo", "Australia/Lord_Howe")]
    ),
    min_size=1,
    max_size=3,
    unique=True,
)
TIMES = st.times(timezones=st.none()).map(lambda wall: wall.replace(second=0, microsecond=0))
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=1400)).map(lambda later: datetime(2025, 1, 1, tzinfo=UTC) + later)


@given(start=TIMES, end=TIMES, zones=ZONES, at=MOMENTS)
def test_the_end_of_any_night_is_by_day_everywhere_and_near(
    start: time, end: time, zones: list[ZoneInfo], at: datetime
) -> None:
    if start == end:
        return
    night = Night(QuietHours(start, end), tuple(zones))
    over = night.end_after(at)
    if over is not None:
        assert at <= over <= at + LONGEST_SEARCH + timedelta(days=2)
        assert not night.covers(over)
        assert over == at or night.covers(over - timedelta(microseconds=1))
    begins = night.start_after(at)
    assert begins >= at
    assert night.covers(begins)


def test_many_zones_are_named_in_short() -> None:
    zones = tuple(ZoneInfo(name) for name in ("Asia/Tokyo", "Asia/Seoul", "Asia/Manila", "Asia/Dubai", "Asia/Dhaka"))
    assert str(Night(USUAL, zones)) == "Asia/Tokyo, Asia/Seoul, Asia/Manila and 2 more"


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+13035550142", {"America/Denver"}),
        pytest.param("+12085550142", {"America/Boise", "America/Los_Angeles"}, id="Idaho lies in two zones"),
        pytest.param("+17875550142", {"America/Puerto_Rico"}, id="Puerto Rico"),
        ("+4915112345678", {"Europe/Berlin"}),
        pytest.param(
            "+34612345678", {"Europe/Madrid", "Atlantic/Canary"}, id="a Spanish mobile may be on the Canaries"
        ),
        pytest.param("+881612345678", set(), id="a satellite phone may be anywhere"),
    ],
)
def test_a_number_tells_the_zones_in_which_it_may_be(number: str, zones: set[str]) -> None:
    assert set(zones_of(E164(number))) == zones
