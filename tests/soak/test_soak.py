"""A busy shop in fast time with everything that goes wrong: nobody is lost or texted twice, and nothing grows.

Here it is a quarter of an hour in twenty seconds; `scripts/soak` runs the day.
"""

import asyncio
import os

import pytest

from tests.soak.fast_time import FastClock, FastLoop
from tests.soak.shop import Outcome, day

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

HOURS = float(os.environ.get("TEXTBACKD_SOAK_HOURS", "0.25"))
TIMES = float(os.environ.get("TEXTBACKD_SOAK_TIMES", "90"))  # as fast as real time
SEED = int(os.environ.get("TEXTBACKD_SEED", "8"))
IS_LONG = HOURS >= 4


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("soak")
    with asyncio.Runner(loop_factory=lambda: FastLoop(TIMES)) as runner:
        faults, every = (6.0, 45.0) if IS_LONG else (90.0, 12.0)
        came = runner.run(day(folder, FastClock(TIMES), hours=HOURS, every=every, faults=faults, seed=SEED))
    print(f"\n{HOURS:g} h, {TIMES:g} times as fast as real time, seed {SEED}\n{came}")  # noqa: T201  # read with `-s`
    return came


def test_no_caller_is_lost(outcome: Outcome) -> None:
    assert outcome.lost == []


def test_no_caller_is_texted_twice(outcome: Outcome) -> None:
    assert outcome.doubled == []


def test_nobody_who_was_answered_is_texted(outcome: Outcome) -> None:
    assert outcome.wrongly == []


def test_most_are_texted_whatever_goes_wrong(outcome: Outcome) -> None:
    assert outcome.missed_callers > 10
    assert outcome.texted >= 0.5 * outcome.missed_callers
    assert len(outcome.faults) > 3


def test_nothing_grows(outcome: Outcome) -> None:
    """Of a quarter of an hour only what counts in whole things can be told.

    Within its first day the memory grows with the call records of that day, which each look of the catch-up reads anew.
    """
    first, last = outcome.settled
    assert last.descriptors <= first.descriptors + 4
    assert last.threads <= first.threads + (1 if IS_LONG else 3)  # a pool for small work grows to its size first
    assert last.tasks <= first.tasks + 6
    assert last.memory_mb <= first.memory_mb * (1.1 if IS_LONG else 1.2)
