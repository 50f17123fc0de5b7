"""Caps: what they count together, and how they are written."""

from datetime import timedelta
from decimal import Decimal

import pytest

from textbackd.core.caps import Caps, Scope, written
from textbackd.core.limits import Limit, SpendLimit

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (Limit(10, timedelta(minutes=1)), "10/1m"),
        (Limit(1, timedelta(hours=12)), "1/12h"),
        (Limit(4, timedelta(days=7)), "4/7d"),
        (Limit(3, timedelta(seconds=90)), "3/90s"),
        (SpendLimit(Decimal("2.50"), DAY), "2.50/1d"),
    ],
)
def test_a_cap_is_written_as_in_the_configuration(limit: Limit | SpendLimit, expected: str) -> None:
    assert written(limit) == expected


def test_caps_know_what_they_count_and_how_far_back() -> None:
    caps = Caps(number=[Limit(1, HOUR)], all=[Limit(9, HOUR)], spend=[SpendLimit(Decimal(5), 30 * DAY)])
    assert list(caps.counted()) == [(Scope.NUMBER, Limit(1, HOUR)), (Scope.ALL, Limit(9, HOUR))]
    assert caps.longest == 30 * DAY
    assert Caps().longest == timedelta()
