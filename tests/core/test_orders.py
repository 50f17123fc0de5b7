"""What staff write from their phones: only behind a tag is a word more than a word to the caller."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.orders import Do, Order, read_order


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("We come at 3", Order(do=Do.REPLY, tag=None, words="We come at 3"), id="no tag"),
        pytest.param("#7 We come at 3", Order(do=Do.REPLY, tag=7, words="We come at 3"), id="a tag"),
        pytest.param(" # 7: We come\nat 3 ", Order(do=Do.REPLY, tag=7, words="We come\nat 3"), id="a tag of fast fingers"),
        pytest.param("#7We come", Order(do=Do.REPLY, tag=7, words="We come"), id="no blank"),
        pytest.param("#7! Me too", Order(do=Do.REPLY, tag=7, words="Me too", insists=True), id="insisting"),
        pytest.param("#7 done", Order(do=Do.DONE, tag=7, words=""), id="done"),
        pytest.param("#7 Done.", Order(do=Do.DONE, tag=7, words=""), id="done, as phones write it"),
        pytest.param("#7 done by 3", Order(do=Do.REPLY, tag=7, words="done by 3"), id="done is the first word of a reply"),
        pytest.param("#7 CALL", Order(do=Do.CALL, tag=7, words=""), id="call"),
        pytest.param("#7 call me at 5", Order(do=Do.REPLY, tag=7, words="call me at 5"), id="call in a reply"),
        pytest.param("#7 note Gate is 4711", Order(do=Do.NOTE, tag=7, words="Gate is 4711"), id="a note"),
        pytest.param("#7 Note: gate", Order(do=Do.NOTE, tag=7, words="gate"), id="a note with a colon"),
        pytest.param("#7 noted!", Order(do=Do.REPLY, tag=7, words="noted!"), id="no note"),
        pytest.param("#7 note", Order(do=Do.REPLY, tag=7, words="note"), id="a note of nothing is a word"),
        pytest.param("done", Order(do=Do.REPLY, tag=None, words="done"), id="done without a tag is said to the caller"),
        pytest.param("#7", Order(do=Do.REPLY, tag=7, words=""), id="a tag alone"),
        pytest.param("#hello", Order(do=Do.REPLY, tag=None, words="#hello"), id="a hashtag"),
        pytest.param("Flat #7 please", Order(do=Do.REPLY, tag=None, words="Flat #7 please"), id="a number later on"),
        pytest.param("#12345678901 x", Order(do=Do.REPLY, tag=None, words="#12345678901 x"), id="too long for a tag"),
    ],
)  # fmt: skip
def test_what_is_meant(written: str, expected: Order) -> None:
    assert read_order(written) == expected


@given(st.text(max_size=300))
def test_anything_can_be_read(written: str) -> None:
    order = read_order(written)
    assert order.tag is not None or order.do is Do.REPLY


@pytest.mark.parametrize("written", ["#7" + " " * 200_000 + "x", "#7 x" + " \n" * 100_000 + "x", "#" * 200_000])
def test_blanks_without_end_are_read_in_no_time(written: str) -> None:
    assert read_order(written).do is Do.REPLY
