"""What is answered to keywords, in which words, and when we keep silent."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.answers import MOST_A_DAY, MOST_AN_HOUR, WORDS, Answer, Asked, Silence, silence, words
from textbackd.core.segments import Encoding, segments

HELP = Asked(
    answer=Answer.HELP,
    is_own=False,
    is_premium=False,
    gateway_answered=False,
    repeats_itself=False,
    answers_today=(),
    answers_this_hour=0,
)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({}, None, id="nothing speaks against it"),
        pytest.param({"is_own": True}, Silence.OWN_NUMBER, id="our own number"),
        pytest.param({"is_premium": True}, Silence.PREMIUM, id="a premium number"),
        pytest.param({"gateway_answered": True}, Silence.GATEWAY_ANSWERED, id="the vendor has answered"),
        pytest.param({"repeats_itself": True}, Silence.REPEATS_ITSELF, id="a machine"),
        pytest.param({"answers_today": [Answer.HELP]}, Silence.ANSWERED_ALREADY, id="HELP was answered today"),
        pytest.param({"answers_today": [Answer.OPTED_IN]}, None, id="another answer today does not count"),
        pytest.param(
            {"answer": Answer.OPTED_OUT, "answers_today": [Answer.OPTED_OUT]},
            Silence.ANSWERED_ALREADY,
            id="never two confirmations of STOP in a day",
        ),
        pytest.param(
            {"answer": Answer.OPTED_IN, "answers_today": [Answer.OPTED_IN]}, None, id="STOP and START to and fro"
        ),
        pytest.param(
            {"answer": Answer.OPTED_IN, "answers_today": [Answer.OPTED_IN] * (MOST_A_DAY - 1)},
            None,
            id="the fifth answer of a day",
        ),
        pytest.param(
            {"answer": Answer.OPTED_IN, "answers_today": [Answer.OPTED_IN] * MOST_A_DAY},
            Silence.ANSWERED_OFTEN,
            id="the sixth answer of a day",
        ),
        pytest.param({"answers_this_hour": MOST_AN_HOUR - 1}, None, id="the last answer of an hour"),
        pytest.param({"answers_this_hour": MOST_AN_HOUR}, Silence.TOO_MANY, id="one more in that hour"),
    ],
)
def test_a_keyword_is_answered_unless_a_rule_says_no(change: dict[str, Any], why: Silence | None) -> None:
    assert silence(replace(HELP, **change)) is why


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("answer", Answer)
def test_each_answer_names_the_shop_and_the_way_back_in_every_language(language: str, answer: Answer) -> None:
    text = words(answer, [language], "Anderson Roofing")
    assert "Anderson Roofing" in text
    assert ("START" in text) is (answer is Answer.OPTED_OUT)
    assert ("STOP" in text) is (answer is not Answer.OPTED_OUT)


@pytest.mark.parametrize(
    ("languages", "name", "start"),
    [
        pytest.param(
            ["en"], "Anderson Roofing", "You won't get texts from Anderson Roofing. Rep", id="as the owner reads"
        ),
        pytest.param(["fi", "fr"], "Toiture", "Vous ne recevrez plus de SMS de Toiture.", id="the first with words"),
        pytest.param(["ko"], "Kim", "You won't get texts from Kim.", id="English where there are none"),
        pytest.param(["pl"], "Łódź Dachy", "You won't get texts from ódz Dachy.".replace("ó", "o"), id="accents lost"),
        pytest.param(["ru"], "Крыши", "You won't get texts from us.", id="a name of other letters"),
        pytest.param(["en"], "{business} 👍", "You won't get texts from {business}.", id="a name with braces"),
    ],
)
def test_the_words_are_in_the_first_language_that_has_them(languages: list[str], name: str, start: str) -> None:
    assert words(Answer.OPTED_OUT, languages, name).startswith(start)


@given(st.sampled_from(sorted(WORDS)), st.sampled_from(Answer), st.text(max_size=300))
def test_whatever_the_shop_is_called_an_answer_is_one_text_of_the_gsm_alphabet(
    language: str, answer: Answer, name: str
) -> None:
    cut = segments(words(answer, [language], name))
    assert (cut.encoding, cut.count) == (Encoding.GSM7, 1)
    assert cut.units <= 160
