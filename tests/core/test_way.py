"""The way of a call in words: every token has some, and nothing from the wire breaks them."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textbackd.core.call import EndedBy, Moment
from textbackd.core.decide import Why
from textbackd.core.missed import Reason, Verdict
from textbackd.core.phone import NotTextable
from textbackd.core.way import DECISIONS, NOT_TEXTABLE, REASONS, STEPS, VERDICTS, tell


@pytest.mark.parametrize(
    ("tokens", "words"),
    [(Verdict, VERDICTS), (Reason, REASONS), (Why, DECISIONS), (NotTextable, NOT_TEXTABLE)],
    ids=["verdicts", "reasons", "decisions", "not textable"],
)
def test_every_token_has_its_words_and_no_words_are_left_over(tokens: type, words: dict[str, str]) -> None:
    assert {token.value for token in tokens} == set(words)  # type: ignore[attr-defined]


@pytest.mark.parametrize("end", EndedBy)
def test_every_end_has_its_words(end: EndedBy) -> None:
    assert f"ended_by_{end.value}" in STEPS


@pytest.mark.parametrize(
    ("what", "who", "sentence"),
    [
        ("rang", "PJSIP/101-0000002a", "phone 101 rang"),
        ("talked", "SIP/acme-trunk-0000002a", "the caller was connected to acme-trunk"),
        ("rang", "Local/13035550142@from-internal-00000001;1", "a forward to 13035550142 rang"),
        ("dial_busy", "PJSIP/101-1", "phone 101 was busy"),
        ("arrived", "+13035550101", "the call came in on +13035550101"),
        ("arrived", "", "the call came in on"),
        ("dial_torture", "PJSIP/101-1", "dial torture"),
        pytest.param("rang", "a\x1b[2Jb", "a[2Jb rang", id="control characters are left out"),
        pytest.param("rang", "PJSIP/\x1b[2J-1", "[2J rang", id="also of a channel's name"),
        pytest.param("rang", "{who}", "{who} rang", id="braces stay what they are"),
    ],
)
def test_a_step_is_told_in_words(what: str, who: str, sentence: str) -> None:
    assert tell(Moment(None, what, who)) == sentence


@settings(max_examples=100, deadline=None)
@given(status=st.text(max_size=10), who=st.text(max_size=20))
@example(status="{x}", who="")
@example(status="{", who="/")
@example(status="{0}", who="Local/")
def test_whatever_the_pbx_calls_the_end_of_a_dial_it_can_be_told_on_one_line(status: str, who: str) -> None:
    assert tell(Moment(None, f"dial_{status}", who)).isprintable()
