"""Which appointment is shown of those that a caller made."""

from datetime import timedelta

import pytest
import sqlite_utils

from tests.store.rows import CALLER, NOON
from textbackd.store import bookings
from textbackd.store.bookings import Booking
from textbackd.store.database import writing


def put(db: sqlite_utils.Database, day: int | None, *, cancelled: bool = False) -> None:
    starts_at = NOON + timedelta(days=day) if day is not None else None
    booking = Booking(
        source="cal", booking=f"day {day}", number=CALLER, name="Jane", starts_at=starts_at, cancelled=cancelled,
        changed_at=NOON,
    )  # fmt: skip
    with writing(db):
        bookings.put_within(db, booking)


@pytest.mark.parametrize(
    ("days", "cancelled", "shown"),
    [
        pytest.param([3, 1, 2], [], "day 1", id="the next one"),
        pytest.param([-1, 5, -2], [], "day 5", id="one that is to come before one that was"),
        pytest.param([-3, -1, -2], [], "day -1", id="the last one, where none is to come"),
        pytest.param([3], [1, -1], "day 3", id="none that was called off"),
        pytest.param([], [1], None, id="none, where all were called off"),
        pytest.param([None], [], None, id="none without a time"),
    ],
)
def test_the_appointment_that_is_shown(
    db: sqlite_utils.Database, days: list[int | None], cancelled: list[int], shown: str | None
) -> None:
    for day in days:
        put(db, day)
    for day in cancelled:
        put(db, day, cancelled=True)
    found = bookings.next_of(db, CALLER, NOON)
    assert (found.booking if found else None) == shown


def test_what_is_told_no_more_is_kept_as_it_was(db: sqlite_utils.Database) -> None:
    put(db, 1)
    with writing(db):
        off = Booking(
            source="cal", booking="day 1", number=None, name="", starts_at=None, cancelled=True, changed_at=NOON
        )
        bookings.put_within(db, off)
    found = bookings.find(db, "cal", "day 1")
    assert found is not None
    assert (found.number, found.name, found.starts_at, found.cancelled) == (
        CALLER,
        "Jane",
        NOON + timedelta(days=1),
        True,
    )
