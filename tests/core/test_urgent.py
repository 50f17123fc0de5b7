"""What cannot wait until the morning, and what can."""

import pytest

from textbackd.core.urgent import URGENT, is_urgent, words_for

ENGLISH = words_for(["en"])


@pytest.mark.parametrize(
    ("body", "urgent"),
    [
        pytest.param("There is water everywhere!!", True, id="water"),
        pytest.param("I think I SMELL GAS…", True, id="in capitals"),
        pytest.param("EMERGENCY - burst\npipe", True, id="over two lines"),
        pytest.param("e\u200bmergency", True, id="with what nobody sees in it"),
        pytest.param("Ｕｒｇｅｎｔ", True, id="in wide letters"),
        pytest.param("Can you come on Tuesday?", False, id="an ordinary question"),
        pytest.param("It's not urgent, next week is fine", False, id="not urgent"),
        pytest.param("No emergency, thanks!", False, id="no emergency"),
        pytest.param("Not urgent. Not urgent, thanks", False, id="not urgent, said twice"),
        pytest.param("Not urgent yesterday, but now there is a gas leak", True, id="not urgent, and then it was"),
        pytest.param("We have a firepit and sparkling water", False, id="words that only contain one"),
        pytest.param("", False, id="nothing"),
        pytest.param("x" * 100_000 + " emergency", False, id="far behind ten texts"),
    ],
)
def test_a_text_is_urgent_if_it_says_so(body: str, urgent: bool) -> None:
    assert is_urgent(body, ENGLISH) is urgent


@pytest.mark.parametrize(
    ("language", "body"),
    [
        ("es", "Huele a gas en la cocina"),
        ("fr", "Il y a de l’eau partout"),
        ("de", "Hilfe, ROHRBRUCH im Keller"),
        ("nl", "Er is overal water"),
        ("pt", "Cheiro de gás aqui"),
        ("it", "È tutto allagato"),
    ],
)
def test_every_language_has_words_of_its_own_beside_the_english_ones(language: str, body: str) -> None:
    assert is_urgent(body, words_for([language]))
    assert not is_urgent(body, ENGLISH)
    assert is_urgent("emergency", words_for([language]))


def test_every_word_is_found_in_a_text_that_is_nothing_else() -> None:
    assert [word for words in URGENT.values() for word in words if not is_urgent(f"{word}!", [word])] == []


def test_without_words_nothing_is_urgent() -> None:
    assert not is_urgent("emergency", [])
