"""When a gateway gets a rest, and when it may try again."""

from datetime import UTC, datetime, timedelta

import pytest

from textbackd.core.breaker import REST, Breaker, Outcome

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WELL, FAILED, UNFIT = Outcome.WELL, Outcome.FAILED, Outcome.UNFIT
MOMENT = timedelta(microseconds=1)


def after(*outcomes: Outcome) -> Breaker:
    breaker = Breaker()
    for outcome in outcomes:
        breaker = breaker.noted(outcome, NOON)
    return breaker


@pytest.mark.parametrize(
    ("outcomes", "is_open"),
    [
        pytest.param([], False, id="nothing was tried"),
        pytest.param([FAILED, FAILED], False, id="two failures are a passing fault"),
        pytest.param([FAILED, FAILED, FAILED], True, id="three in a row are not"),
        pytest.param([FAILED, FAILED, WELL, FAILED, FAILED], False, id="a success between them"),
        pytest.param([UNFIT], True, id="one that a person must mend"),
        pytest.param([UNFIT, WELL], False, id="it was mended"),
    ],
)
def test_a_gateway_rests_after_what_speaks_against_it(outcomes: list[Outcome], is_open: bool) -> None:
    assert after(*outcomes).is_open(NOON) is is_open


def test_after_its_rest_one_text_may_try_and_its_failure_is_another_rest() -> None:
    resting = after(FAILED, FAILED, FAILED)
    assert resting.is_open(NOON + REST - MOMENT)
    assert not resting.is_open(NOON + REST)
    assert resting.noted(FAILED, NOON + REST).is_open(NOON + REST)
    assert not resting.noted(WELL, NOON + REST).is_open(NOON + REST)


def test_a_clock_that_was_set_back_a_year_does_not_keep_a_gateway_resting() -> None:
    assert not after(UNFIT).is_open(NOON - timedelta(days=365))
