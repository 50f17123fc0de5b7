"""So many at once, and then one per span, for each by itself."""

from datetime import timedelta

from textbackd.web.pace import Pace


class Seconds:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_after_the_first_few_there_is_one_per_span() -> None:
    clock = Seconds()
    pace = Pace(3, timedelta(seconds=10), steady=clock)
    assert [pace.wait("a") for _ in range(4)] == [0, 0, 0, 10]
    clock.now += 9
    assert pace.wait("a") == 1
    clock.now += 1
    assert [pace.wait("a"), pace.wait("a")] == [0, 10]


def test_who_waits_long_may_come_in_numbers_again() -> None:
    clock = Seconds()
    pace = Pace(3, timedelta(seconds=10), steady=clock)
    for _ in range(3):
        pace.wait("a")
    clock.now += 1000
    assert [pace.wait("a") for _ in range(4)] == [0, 0, 0, 10]


def test_one_does_not_slow_another() -> None:
    pace = Pace(1, timedelta(seconds=10), steady=Seconds())
    assert [pace.wait("a"), pace.wait("b"), pace.wait("a")] == [0, 0, 10]


def test_a_flood_of_keys_takes_no_more_memory_than_is_set() -> None:
    pace = Pace(1, timedelta(seconds=10), steady=Seconds(), most=2)
    assert [pace.wait(key) for key in "abc"] == [0, 0, 0]
    assert pace.wait("c") == 10
    assert pace.wait("a") == 0  # the oldest was forgotten
