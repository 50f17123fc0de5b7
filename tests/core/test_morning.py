"""When a shop's day begins, and since when it was closed."""

from zoneinfo import ZoneInfo

import pytest

from tests.core.test_opening_hours import BAR, BERLIN, CHICAGO, OFFICE, local, week
from tests.core.test_timetable import MONDAY, timetable
from textbackd.core.morning import closed_since, morning
from textbackd.core.opening_hours import ALWAYS_OPEN, NEVER_OPEN
from textbackd.core.timetable import Timetable

EARLY = week(mon="06:30-09:00")


@pytest.mark.parametrize(
    ("lines", "now", "opens", "closed"),
    [
        pytest.param([timetable(OFFICE)], f"{MONDAY} 09:00", f"{MONDAY} 08:00", "2026-11-20 12:00", id="over the weekend"),
        pytest.param([timetable(OFFICE)], "2026-11-24 09:00", None, None, id="closed all day"),
        pytest.param([timetable(OFFICE, CHICAGO, MONDAY)], f"{MONDAY} 09:00", None, None, id="a holiday"),
        pytest.param(
            [timetable(OFFICE), timetable(EARLY)], f"{MONDAY} 23:00", f"{MONDAY} 06:30", "2026-11-20 12:00",
            id="the first line of several opens, and the last closed",
        ),
        pytest.param([timetable(BAR)], "2026-11-28 09:00", "2026-11-28 22:00", "2026-11-28 02:00", id="last night ends here"),
        pytest.param(
            [timetable(ALWAYS_OPEN)], f"{MONDAY} 09:00", f"{MONDAY} 08:00", "2026-11-22 08:00",
            id="always open: since the morning before",
        ),
        pytest.param(
            [timetable(ALWAYS_OPEN), timetable(OFFICE)], f"{MONDAY} 09:00", f"{MONDAY} 08:00", "2026-11-20 12:00",
            id="a line that never closes does not close at midnight",
        ),
        pytest.param(
            [timetable(week(sun="20:00-24:00", mon="00:00-10:00")), timetable(OFFICE)],
            f"{MONDAY} 09:00", f"{MONDAY} 08:00", "2026-11-20 12:00",
            id="hours that go on at midnight",
        ),
        pytest.param(
            [timetable(ALWAYS_OPEN), timetable(OFFICE, CHICAGO, *(f"2026-11-{day}" for day in range(10, 24)))],
            f"{MONDAY} 09:00", f"{MONDAY} 08:00", "2026-11-13 08:00",
            id="closed for a fortnight beside a line that never closes",
        ),
        pytest.param([timetable(NEVER_OPEN)], f"{MONDAY} 09:00", None, None, id="never open"),
        pytest.param(
            [timetable(week(sun="08:00-12:00"))], "2026-03-08 09:00", "2026-03-08 08:00", "2026-03-01 12:00",
            id="after the night of 23 hours",
        ),
    ],
)  # fmt: skip
def test_the_day_begins_when_the_first_line_opens(
    lines: list[Timetable], now: str, opens: str | None, closed: str | None
) -> None:
    found = morning(local(now, CHICAGO), lines)
    assert found == (local(opens, CHICAGO) if opens else None)
    assert (closed_since(found, lines) if found else None) == (local(closed, CHICAGO) if closed else None)


def test_each_line_s_day_is_that_of_its_own_clock() -> None:
    lines = [timetable(OFFICE, CHICAGO), timetable(OFFICE, BERLIN)]
    assert morning(local(f"{MONDAY} 09:00", ZoneInfo("UTC")), lines) == local(f"{MONDAY} 08:00", BERLIN)
