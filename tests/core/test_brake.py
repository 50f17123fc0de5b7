"""What stops all texting: numbers in a row, and texts of which too few arrive."""

import pytest

from textbackd.core.brake import Fates, run_through, too_few_arrive
from textbackd.core.limits import Share
from textbackd.core.phone import E164

HERE = E164("+13035550142")


@pytest.mark.parametrize(
    ("others", "length"),
    [
        pytest.param([], 1, id="it is alone"),
        pytest.param(["+13035550141", "+13035550143"], 3, id="in the middle"),
        pytest.param(["+13035550143", "+13035550144"], 3, id="at the start"),
        pytest.param(["+13035550140", "+13035550141", "+13035550141"], 3, id="at the end, one of them twice"),
        pytest.param(["+13035550140", "+13035550144"], 1, id="every other number is no row"),
        pytest.param(["+1303555014", "+130355501420"], 1, id="numbers of other lengths"),
        pytest.param([f"+130355502{n:02}" for n in range(90)], 1, id="a row elsewhere"),
    ],
)
def test_numbers_are_in_a_row_without_a_gap(others: list[str], length: int) -> None:
    assert run_through(HERE, map(E164, others)) == length


@pytest.mark.parametrize(
    ("delivered", "known", "expected"),
    [
        pytest.param(0, 49, False, id="too few to tell"),
        pytest.param(20, 50, False, id="forty per cent is enough"),
        pytest.param(19, 50, True, id="one less is not"),
        pytest.param(50, 50, False, id="all arrive"),
    ],
)
def test_too_few_arrive_below_the_share(delivered: int, known: int, expected: bool) -> None:
    assert too_few_arrive(Fates(delivered=delivered, known=known), Share(40, 50)) is expected
