"""Whatever a caller is called or writes, staff are told of it in one short line that shows what it is."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.handoff import words
from textbackd.handoff.words import IN_A_TEXT, IN_A_TITLE, NAME, About

NUMBER = E164("+13035550142")
HAPPENINGS = st.sampled_from(
    [Happening.WROTE, Happening.LEAD, Happening.WANTS_CALL, Happening.NOT_REACHED, Happening.MISSED]
)
ANYTHING = st.text(st.characters(), max_size=400)
AROUND = len(f"#7  {NUMBER}: ") + NAME
LONGEST_SENTENCE = 80


def about(matter: Happening, name: str, said: str) -> About:
    return About(tag=7, number=NUMBER, name=name, matter=matter, words=said)


@given(HAPPENINGS, ANYTHING, ANYTHING)
def test_a_text_and_a_title_are_one_short_line_without_anything_hidden(matter: Happening, name: str, said: str) -> None:
    for line, most in ((words.text, IN_A_TEXT), (words.title, IN_A_TITLE)):
        told = line(about(matter, name, said))
        assert told.startswith("#7 ")
        assert NUMBER in told
        assert len(told) <= AROUND + max(most, LONGEST_SENTENCE)
        assert not [letter for letter in told if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")]
        assert not set(told) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f")


@given(HAPPENINGS, ANYTHING, ANYTHING)
def test_a_message_can_be_encoded_and_keeps_the_lines(matter: Happening, name: str, said: str) -> None:
    told = words.message(about(matter, name, said))
    assert told.encode()
    assert told.startswith("#7 ")
    assert told.endswith("\n")


def test_a_flag_and_a_family_stay_what_they_are() -> None:
    assert words.text(about(Happening.WROTE, "", "👩\u200d👩\u200d👧 🇺🇸 é")).endswith(": 👩\u200d👩\u200d👧 🇺🇸 é")
