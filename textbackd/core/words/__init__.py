"""The words that come with the program, in seven languages.   en.py, es.py, … → here → core/compose.py      Pure.

A language is one file with one value; a new one needs its file, a line in each table here, and passes the tests that all pass.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from textbackd.core.words.de import DE
from textbackd.core.words.en import EN
from textbackd.core.words.es import ES
from textbackd.core.words.fr import FR
from textbackd.core.words.it import IT
from textbackd.core.words.nl import NL
from textbackd.core.words.pt import PT
from textbackd.core.words.words import TextKind, Words

__all__ = ["WORDS", "Language", "TextKind", "Words", "language_of", "when"]


class Language(StrEnum):
    """What a line speaks, by ISO 639-1."""

    EN = "en"
    ES = "es"
    FR = "fr"
    DE = "de"
    NL = "nl"
    PT = "pt"
    IT = "it"


WORDS: Final[Mapping[Language, Words]] = {
    Language.EN: EN,
    Language.ES: ES,
    Language.FR: FR,
    Language.DE: DE,
    Language.NL: NL,
    Language.PT: PT,
    Language.IT: IT,
}

# Countries where callers expect one of these languages. A country with several (CH, BE, CA) is not guessed at.
_SPOKEN: Final[Mapping[Language, str]] = {
    Language.ES: "ES MX AR CL CO PE VE EC UY PY BO CR PA GT HN NI SV DO CU",
    Language.FR: "FR MC",
    Language.DE: "DE AT LI",
    Language.NL: "NL SR",
    Language.PT: "PT BR AO MZ CV",
    Language.IT: "IT SM VA",
}


def language_of(country: str) -> Language:
    """Return what callers in an ISO 3166 country expect, English if none of the seven is the one language there."""
    return next((language for language, countries in _SPOKEN.items() if country in countries.split()), Language.EN)


def when(moment: datetime, now: datetime, zone: tzinfo, words: Words) -> str:
    """Return `moment`, which is not before `now`, as a person says it: "today at 1:00 pm", "on Monday at 8:00 am"."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    away = local.date() - today
    phrase = words.today if not away else words.tomorrow if away == timedelta(days=1) else words.on_weekday
    if away > timedelta(days=6):
        phrase = words.on_date
    return phrase.format(
        time=_clock(local, words),
        weekday=words.weekdays[local.weekday()],
        day=words.first_of_month if local.day == 1 else local.day,
        month=words.months[local.month - 1],
    )


def _clock(local: datetime, words: Words) -> str:
    hour12, half = (local.hour + 11) % 12 + 1, "am" if local.hour < 12 else "pm"
    return words.time.format(hour=local.hour, hour12=hour12, half=half, minute=f"{local.minute:02}")
