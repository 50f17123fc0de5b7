"""Opening hours are wall-clock times; the changes of the clocks are where they go wrong."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.opening_hours import ALWAYS_OPEN, NEVER_OPEN, Interval, OpeningHours, QuietHours

CHICAGO = ZoneInfo("America/Chicago")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [CHICAGO, BERLIN, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/Havana"), ZoneInfo("Asia/Kathmandu")]


def week(**days: str) -> OpeningHours:
    """Return hours written as mon="08:00-12:00 13:00-17:00"; days that are not named are closed."""
    return OpeningHours(
        week=tuple(
            tuple(interval(each) for each in days.get(day, "").split())
            for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        )
    )


def interval(written: str) -> Interval:
    opens, closes = (timedelta(hours=int(part[:2]), minutes=int(part[3:])) for part in written.split("-"))
    return Interval(opens, closes if closes > opens else closes + timedelta(days=1))


def local(written: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=zone, fold=fold)


OFFICE = week(mon="08:00-12:00 13:00-17:00", fri="08:00-12:00")
BAR = week(fri="22:00-02:00", sat="22:00-02:00")


@pytest.mark.parametrize(
    ("hours", "at", "is_open"),
    [
        pytest.param(OFFICE, "2026-11-23 07:59:59", False, id="a second before opening it is closed"),
        pytest.param(OFFICE, "2026-11-23 08:00", True, id="it opens on the minute"),
        pytest.param(OFFICE, "2026-11-23 12:00", False, id="it closes on the minute"),
        pytest.param(OFFICE, "2026-11-23 12:30", False, id="lunch is closed"),
        pytest.param(OFFICE, "2026-11-23 13:00", True, id="it opens again after lunch"),
        pytest.param(OFFICE, "2026-11-24 09:00", False, id="a day that is not named is closed"),
        pytest.param(BAR, "2026-11-28 01:59", True, id="Friday's hours run into Saturday"),
        pytest.param(BAR, "2026-11-28 02:00", False, id="and end there"),
        pytest.param(BAR, "2026-11-29 01:00", True, id="Saturday's hours run into Sunday"),
        pytest.param(BAR, "2026-11-27 01:00", False, id="Thursday has no hours that could run into Friday"),
        pytest.param(ALWAYS_OPEN, "2026-11-29 23:59:59.999999", True, id="always is always"),
        pytest.param(NEVER_OPEN, "2026-11-23 09:00", False, id="closed is never"),
    ],
)
def test_the_clock_on_the_wall_decides_whether_it_is_open(hours: OpeningHours, at: str, is_open: bool) -> None:
    assert hours.is_open(local(at, CHICAGO).astimezone(UTC), CHICAGO) is is_open


@pytest.mark.parametrize(
    ("hours", "at", "opens"),
    [
        pytest.param(OFFICE, "2026-11-23 09:00", "2026-11-23 09:00", id="open now is now"),
        pytest.param(OFFICE, "2026-11-23 12:00", "2026-11-23 13:00", id="after lunch"),
        pytest.param(OFFICE, "2026-11-23 17:00", "2026-11-27 08:00", id="the next day that has hours"),
        pytest.param(OFFICE, "2026-11-27 12:00", "2026-11-30 08:00", id="over the weekend"),
        pytest.param(BAR, "2026-11-28 02:00", "2026-11-28 22:00", id="the same evening"),
    ],
)
def test_next_open_is_the_first_moment_at_which_it_is_open(hours: OpeningHours, at: str, opens: str) -> None:
    assert hours.next_open(local(at, CHICAGO), CHICAGO) == local(opens, CHICAGO)


def test_a_line_that_is_always_closed_never_opens() -> None:
    assert NEVER_OPEN.next_open(local("2026-11-23 09:00", CHICAGO), CHICAGO) is None


def test_on_a_holiday_nothing_opens_but_the_evening_before_runs_to_its_end() -> None:
    holidays = frozenset({date(2026, 11, 28)})
    assert BAR.is_open(local("2026-11-28 01:00", CHICAGO), CHICAGO, holidays)
    assert not BAR.is_open(local("2026-11-28 23:00", CHICAGO), CHICAGO, holidays)
    assert not BAR.is_open(local("2026-11-29 01:00", CHICAGO), CHICAGO, holidays)


def test_next_open_passes_over_holidays() -> None:
    holidays = frozenset({date(2026, 11, 27), date(2026, 11, 30)})
    found = OFFICE.next_open(local("2026-11-23 17:00", CHICAGO), CHICAGO, holidays)
    assert found == local("2026-12-04 08:00", CHICAGO)


def test_a_line_whose_holidays_never_end_never_opens() -> None:
    class EveryDay:
        def __contains__(self, day: object) -> bool:
            return True

    assert OFFICE.next_open(local("2026-11-23 09:00", CHICAGO), CHICAGO, EveryDay()) is None


@pytest.mark.parametrize(
    ("hours", "at", "opens"),
    [
        pytest.param(
            week(sun="08:00-12:00"), "2026-03-08T06:00:00+00:00", "2026-03-08T13:00:00+00:00", id="8:00 in summer time"
        ),
        pytest.param(
            week(sun="02:30-12:00"), "2026-03-08T06:00:00+00:00", "2026-03-08T08:00:00+00:00",
            id="hours that start in the missing hour start when it is over",
        ),
        pytest.param(
            week(sun="00:00-01:30"), "2026-11-01T06:45:00+00:00", "2026-11-01T07:00:00+00:00",
            id="when the clock goes back to 01:00 it is open again",
        ),
        pytest.param(
            week(sun="01:30-04:00"), "2026-11-01T05:00:00+00:00", "2026-11-01T06:30:00+00:00",
            id="hours that start in the doubled hour start the first time",
        ),
    ],
)  # fmt: skip
def test_next_open_is_right_when_the_clocks_change(hours: OpeningHours, at: str, opens: str) -> None:
    assert hours.next_open(datetime.fromisoformat(at), CHICAGO) == datetime.fromisoformat(opens)


minutes = st.integers(0, 24 * 60 - 1)
intervals = st.builds(
    lambda opens, length: Interval(timedelta(minutes=opens), timedelta(minutes=opens + length)),
    minutes,
    st.integers(1, 24 * 60),
)
weeks = st.builds(OpeningHours, st.tuples(*[st.lists(intervals, max_size=2).map(tuple)] * 7))
# The nights around the changes of 2026 in north and south, and any other time of the year.
moments = st.one_of(
    st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"]).flatmap(
        lambda day: st.integers(-24 * 60, 48 * 60).map(
            lambda offset: datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=offset)
        )
    ),
    st.integers(0, 365 * 24 * 60).map(lambda offset: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=offset)),
)


@pytest.mark.slow
@given(weeks, moments, st.sampled_from(ZONES))
def test_next_open_is_what_looking_at_the_clock_every_minute_finds(
    hours: OpeningHours, at: datetime, zone: ZoneInfo
) -> None:
    watched = (at + timedelta(minutes=number) for number in range(2 * 24 * 60))
    expected = next((moment for moment in watched if hours.is_open(moment, zone)), None)
    found = hours.next_open(at, zone)
    if expected is None:
        assert found is None or found >= at + timedelta(days=2)
    else:
        assert found == expected


@pytest.mark.slow
@given(weeks, moments, st.sampled_from(ZONES))
def test_it_is_open_when_the_wall_shows_a_time_within_the_hours(
    hours: OpeningHours, at: datetime, zone: ZoneInfo
) -> None:
    wall = at.astimezone(zone).replace(tzinfo=None)
    midnights = [datetime.combine(wall.date() - timedelta(days=back), time()) for back in (0, 1)]
    within = any(
        midnight + stretch.opens <= wall < midnight + stretch.closes
        for midnight in midnights
        for stretch in hours.week[midnight.weekday()]
    )
    assert hours.is_open(at, zone) is within


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        pytest.param("2026-11-23 20:59", False, id="before it starts"),
        pytest.param("2026-11-23 21:00", True, id="it starts on the minute"),
        pytest.param("2026-11-24 03:00", True, id="past midnight"),
        pytest.param("2026-11-24 08:00", False, id="it ends on the minute"),
    ],
)
def test_quiet_hours_pass_midnight(at: str, covered: bool) -> None:
    assert QuietHours(time(21), time(8)).covers(local(at, CHICAGO), CHICAGO) is covered


def test_quiet_hours_may_lie_within_a_day() -> None:
    siesta = QuietHours(time(13), time(15))
    assert siesta.covers(local("2026-11-23 14:00", CHICAGO), CHICAGO)
    assert siesta.end_after(local("2026-11-23 14:00", CHICAGO), CHICAGO) == local("2026-11-23 15:00", CHICAGO)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        pytest.param("2026-03-07 22:00", "2026-03-08 08:00", id="a night of nine hours"),
        pytest.param("2026-10-31 22:00", "2026-11-01 08:00", id="a night of eleven hours"),
        pytest.param("2026-11-23 12:00", "2026-11-23 12:00", id="by day it is over at once"),
    ],
)
def test_quiet_hours_end_in_the_morning_however_long_the_night(at: str, end: str) -> None:
    assert QuietHours(time(21), time(8)).end_after(local(at, CHICAGO), CHICAGO) == local(end, CHICAGO)


def test_naive_moments_are_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        OFFICE.is_open(datetime(2026, 11, 23, 9), CHICAGO)  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        pytest.param(-1, 60, id="before its day"),
        pytest.param(24 * 60, 25 * 60, id="after its day"),
        pytest.param(60, 60, id="of no length"),
        pytest.param(0, 24 * 60 + 1, id="of more than a day"),
    ],
)
def test_an_impossible_interval_is_refused(opens: int, closes: int) -> None:
    with pytest.raises(ValueError, match="stretch"):
        Interval(timedelta(minutes=opens), timedelta(minutes=closes))


@pytest.mark.parametrize("written", ["08:00-12:00", "22:00-02:00", "00:00-24:00"])
def test_an_interval_shows_itself_as_it_is_written(written: str) -> None:
    assert str(interval(written)) == written
