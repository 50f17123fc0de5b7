"""Does this text end, allow or ask about texts?   gateways → here → flow/wishes.py      Pure.

STOP, START and HELP count only where a text says nothing else but courtesy; a longer text is a person talking. If such a person
uses a stop word in a sentence, or asks in other words not to be texted, only a person can tell what is meant: that is ASK.
The words are in core/stop_words.py. Compared is what is left after NFKC, case folding and without accents, emoji, punctuation
and invisible characters (Unicode Standard Annex 15, and section 3.13 of the Unicode Standard).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from textbackd.core.stop_words import START, WORDS, YES


class Keyword(StrEnum):
    """What a text wishes of us. An ordinary text is None."""

    STOP = "stop"
    START = "start"
    YES = "yes"  # START from somebody who has opted out; from anybody else an ordinary answer
    HELP = "help"
    ASK = "ask"  # it may mean STOP; a person has to read it


EVERYWHERE: Final = "en"
MOST_WORDS: Final = 6  # more than that is a sentence
LOOKED_AT: Final = 2000  # characters; ten radio texts hold fewer
# What is quoted was said by somebody else: "Liked “… Reply STOP to end”" is how a telephone without iMessage shows a reaction.
_QUOTED: Final = re.compile(r"“[^”]*”|„[^“”]*[“”]|«[^»]*»")
_APOSTROPHES: Final = str.maketrans("", "", "'\u2018\u2019\u02bc`´")
# Scripts that write without spaces, or with endings glued on: there a word is looked for anywhere.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def read(body: str, languages: Iterable[str]) -> Keyword | None:
    """Return what `body` wishes, in English and the `languages` given ("fr"); None is an ordinary text."""
    lexicon = _lexicon(frozenset({EVERYWHERE, *languages}))
    words = words_of(body[:LOOKED_AT])
    if len(words) <= MOST_WORDS and (word := _whole(words, lexicon)) is not None:
        return word
    said = words_of(_QUOTED.sub(" ", body[:LOOKED_AT]))
    return Keyword.ASK if contains(said, lexicon.within) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lexicon:
    """The words of some languages, folded."""

    alone: dict[str, Keyword]  # by the letters of the whole text
    clear: dict[str, Keyword]  # by the letters of the text less its courtesy
    courtesy: tuple[tuple[str, ...], ...]
    within: tuple[str, ...]


@cache
def _lexicon(languages: frozenset[str]) -> _Lexicon:
    spoken = [WORDS[language] for language in sorted(languages) if language in WORDS]
    alone: list[tuple[Keyword, Sequence[str]]] = [(Keyword.YES, YES)]
    for words in spoken:
        alone += [(Keyword.HELP, words.help), (Keyword.STOP, words.alone)]
    clear = [(Keyword.START, START), *((Keyword.STOP, words.clear) for words in spoken)]
    return _Lexicon(
        alone=_by_letters(alone),
        clear=_by_letters(clear),
        courtesy=tuple(tuple(words_of(said)) for words in spoken for said in words.courtesy),
        within=tuple(" ".join(words_of(said)) for words in spoken for said in words.within),
    )


def _by_letters(families: Iterable[tuple[Keyword, Sequence[str]]]) -> dict[str, Keyword]:
    """Return each word by its letters alone, so that "opt-out", "Opt out" and "OPTOUT" are one."""
    return {"".join(words_of(said)): keyword for keyword, family in families for said in family}


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded: "Arrêt!" is "arret", "don't" is "dont"."""
    folded = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
    letters = [_letter(character) for character in unicodedata.normalize("NFD", folded)]
    return unicodedata.normalize("NFC", "".join(letters)).split()


def _letter(character: str) -> str:
    """Return a letter or digit as it is; nothing for an accent or what nobody sees; a blank for anything else."""
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf":
        return ""
    return character if category[0] in "LN" else " "


def _whole(words: Sequence[str], lexicon: _Lexicon) -> Keyword | None:
    letters = "".join(_without_repeats(words))
    bare = "".join(_without_repeats(_without(words, lexicon.courtesy)))
    said = lexicon.alone.get(letters) or lexicon.clear.get(letters) or lexicon.clear.get(bare)
    # "Cancel please" may be about an appointment.
    return said or (Keyword.ASK if lexicon.alone.get(bare) is Keyword.STOP else None)


def _without_repeats(words: Sequence[str]) -> list[str]:
    """Return "stop stop stop" as "stop"; single letters stay, or "s t o p a l l" would lose one."""
    return [word for before, word in zip(["", *words], words, strict=False) if word != before or len(word) == 1]


def _without(words: Sequence[str], phrases: Iterable[Sequence[str]]) -> list[str]:
    left = f" {' '.join(words)} "
    for phrase in phrases:
        left = left.replace(f" {' '.join(phrase)} ", " ")
    return left.split()


def contains(words: Sequence[str], phrases: Iterable[str]) -> bool:
    """Return whether folded words hold one of the phrases, folded as well, as whole words."""
    spaced = f" {' '.join(words)} "
    return any((phrase if _UNSPACED.search(phrase) else f" {phrase} ") in spaced for phrase in phrases)
