"""When the guard speaks up."""

from datetime import date, timedelta

import pytest

from textbackd.report.guard import Week, fall
from textbackd.report.running_words import warning
from textbackd.store.figures import Rate

MONDAY = date(2026, 1, 5)


def weeks(*answered: int, calls: int = 100, after: int = 0) -> list[Week]:
    return [Week(MONDAY + timedelta(weeks=after + place), Rate(calls, count)) for place, count in enumerate(answered)]


GOOD, POOR = (90, 90, 90, 90), (80, 80, 80, 80)


@pytest.mark.parametrize(
    ("recent", "first", "is_warned"),
    [
        pytest.param(weeks(*GOOD, *POOR), [], True, id="ten points less than in the four weeks before"),
        pytest.param(weeks(*GOOD, 85, 85, 85, 85), [], False, id="five points are not more than five"),
        pytest.param(weeks(*POOR, *GOOD), [], False, id="it rose"),
        pytest.param(weeks(*GOOD, *POOR, calls=49), [], False, id="fewer than fifty calls a week tell nothing"),
        pytest.param(weeks(*GOOD, 80, 80, 80), [], False, id="weeks are missing"),
        pytest.param(weeks(*POOR, *POOR, after=8), weeks(*GOOD), True, id="less than in the first weeks on record"),
        pytest.param(weeks(*POOR), weeks(*POOR), False, id="the first weeks are not held against themselves"),
        pytest.param([], [], False, id="nothing on record"),
    ],
)
def test_the_guard_warns_of_a_fall(recent: list[Week], first: list[Week], is_warned: bool) -> None:
    assert (fall(recent, first) is not None) is is_warned


def test_one_quiet_week_of_four_keeps_it_silent() -> None:
    assert fall([*weeks(*GOOD), *weeks(80, 80, 80, after=4), Week(MONDAY, Rate(10, 0))], []) is None


def test_the_warning_tells_its_counts() -> None:
    found = fall(weeks(*GOOD, *POOR), [])
    assert found is not None
    assert "80 % (320 of 400)" in warning(found)
    assert "90 % (360 of 400)" in warning(found)
