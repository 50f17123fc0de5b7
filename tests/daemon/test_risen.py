"""Counters that a database feeds never sink, and begin at nothing."""

from datetime import datetime, timedelta

import pytest
import sqlite_utils

from tests.store.rows import NOON
from textbackd.daemon.risen import Measured, Risen


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param([{"a": 7}], {"a": 0}, id="what was there before the daemon does not count"),
        pytest.param([{"a": 7}, {"a": 9}], {"a": 2}, id="what comes counts"),
        pytest.param([{"a": 7}, {"a": 9}, {"a": 4}], {"a": 2}, id="what is kept no longer stays counted"),
        pytest.param([{"a": 7}, {"a": 4}, {"a": 5}], {"a": 1}, id="and what comes after it counts"),
        pytest.param([{"a": 7}, {}, {"a": 2}], {"a": 2}, id="also where all of it was let go"),
        pytest.param([{"a": 7}, {}], {"a": 0}, id="a label that was there stays"),
        pytest.param([{}, {"b": 3}], {"b": 3}, id="a label that comes later begins at nothing"),
    ],
)
def test_a_counter_only_rises(seen: list[dict[str, int]], expected: dict[str, int]) -> None:
    risen = Risen[str]()
    assert [risen.by(now) for now in seen][-1] == expected


def test_seconds_are_measured_once_each_when_they_are_written_down() -> None:
    asked = list[tuple[datetime, datetime]]()

    def read(_: sqlite_utils.Database, since: datetime, until: datetime) -> list[float]:
        asked.append((since, until))
        return [1.0] if since < until else []

    measured, db = Measured((10.0,), read), sqlite_utils.Database(memory=True)
    moments = [NOON, NOON + timedelta(minutes=1), NOON - timedelta(hours=1), NOON + timedelta(minutes=2)]
    counts = [list(measured.by(db, now).samples("x"))[-1].value for now in moments]
    db.close()
    assert counts == [0, 1, 1, 2]  # a clock that is set back has nothing counted twice
    begin = NOON - timedelta(seconds=5)
    assert asked[0] == (begin, begin)
    assert asked[3] == (begin + timedelta(minutes=1), begin + timedelta(minutes=2))
