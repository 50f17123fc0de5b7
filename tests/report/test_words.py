"""How reports say things: plurals, shares, money, code."""

import pytest

from textbackd.report import running_words, words
from textbackd.store.figures import Spent


@pytest.mark.parametrize(
    ("number", "told"),
    [(1, "1 more missed call was somebody's next try"), (2, "2 more missed calls were somebody's next try")],
)
def test_one_call_is_not_told_as_calls(number: int, told: str) -> None:
    assert f"{number} {words.repeated(number)}" == told


@pytest.mark.parametrize(
    ("texts", "segments", "cost", "told"),
    [
        pytest.param(6, 7, 0, ("—", "for 6 texts in 7 segments: write `price` at the gateway"), id="no price is set"),
        pytest.param(
            1, 1, 7_900, ("0.0079", "for 1 text in 1 segment, as the gateways' prices are set"), id="one text"
        ),
        pytest.param(0, 0, 0, ("0.00", "for 0 texts in 0 segments, as the gateways' prices are set"), id="no texts"),
    ],
)
def test_what_no_gateway_has_a_price_for_is_not_said_to_cost_nothing(
    texts: int, segments: int, cost: int, told: tuple[str, str]
) -> None:
    spent = Spent(texts=texts, segments=segments, cost=cost)
    assert running_words.bill(spent) == told


def test_what_stands_between_backticks_is_code_and_everything_else_is_text() -> None:
    assert words.code("the column `did`, <b>") == "the column <code>did</code>, &lt;b&gt;"
