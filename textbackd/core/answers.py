"""The few texts that we answer by ourselves: to STOP, START and HELP.   core/keywords.py → here → flow/wishes.py      Pure.

When such an answer is not given, the first rule below that says no tells why. Two machines that answer each other would else go on
for ever. That a confirmation of STOP is one text, at once, without advertisement, is 47 CFR 64.1200(a)(12).
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from textbackd.core.segments import is_gsm7, segments

SAME_AGAIN_AFTER: Final = timedelta(hours=24)  # the answers to STOP and to HELP, to one number
MOST_A_DAY: Final = 5  # answers of any kind to one number
MOST_AN_HOUR: Final = 60  # to all numbers together: forged senders shall not spend the shop's money
SAME_TEXTS: Final = 3  # so many equal texts within an hour, and the number is not answered for a day
SAME_TEXTS_WITHIN: Final = timedelta(hours=1)


class Answer(StrEnum):
    """What is answered to. The values are kinds of texts in the outbox."""

    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    HELP = "help"


class Silence(StrEnum):
    """Why a keyword is heeded and not answered."""

    OWN_NUMBER = "own_number"
    PREMIUM = "premium"  # a number that costs more than it brings
    GATEWAY_ANSWERED = "gateway_answered"  # the vendor sends its own confirmation
    REPEATS_ITSELF = "repeats_itself"  # it sends the same text again and again
    ANSWERED_ALREADY = "answered_already"
    ANSWERED_OFTEN = "answered_often"
    TOO_MANY = "too_many"  # answers to all numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer rests on."""

    answer: Answer
    is_own: bool  # the number is one of ours
    is_premium: bool
    gateway_answered: bool
    repeats_itself: bool
    answers_today: Sequence[Answer]  # what the number was answered in the last 24 hours
    answers_this_hour: int  # to all numbers


def silence(asked: Asked) -> Silence | None:
    """Return why the answer is not given; None: it is."""
    return next((why for why, says_no in RULES if says_no(asked)), None)


RULES: Final[tuple[tuple[Silence, Callable[[Asked], bool]], ...]] = (
    (Silence.OWN_NUMBER, lambda asked: asked.is_own),
    (Silence.PREMIUM, lambda asked: asked.is_premium),
    (Silence.GATEWAY_ANSWERED, lambda asked: asked.gateway_answered),
    (Silence.REPEATS_ITSELF, lambda asked: asked.repeats_itself),
    (
        Silence.ANSWERED_ALREADY,
        lambda asked: asked.answer is not Answer.OPTED_IN and asked.answer in asked.answers_today,
    ),
    (Silence.ANSWERED_OFTEN, lambda asked: len(asked.answers_today) >= MOST_A_DAY),
    (Silence.TOO_MANY, lambda asked: asked.answers_this_hour >= MOST_AN_HOUR),
)

# Only letters of the GSM 7-bit alphabet (3GPP TS 23.038), which has é, è, à, ù but neither á, í, ó nor ê: 160 of them are one text.
WORDS: Final[Mapping[str, Mapping[Answer, str]]] = {
    "en": {
        Answer.OPTED_OUT: "You won't get texts from {business}. Reply START to allow.",
        Answer.OPTED_IN: "You will get texts from {business} again. Reply STOP to end them.",
        Answer.HELP: "This is {business}. We text you when we miss your call. Reply STOP to get no texts.",
    },
    "es": {
        Answer.OPTED_OUT: "Ya no va a recibir SMS de {business}. Responda START para volver a recibirlos.",
        Answer.OPTED_IN: "Va a recibir de nuevo los SMS de {business}. Responda STOP para no recibirlos.",
        Answer.HELP: "Somos {business}. Le escribimos si no pudimos atender su llamada. Responda STOP para no recibir SMS.",
    },
    "fr": {
        Answer.OPTED_OUT: "Vous ne recevrez plus de SMS de {business}. Répondez START pour en recevoir à nouveau.",
        Answer.OPTED_IN: "Vous recevrez à nouveau les SMS de {business}. Répondez STOP pour ne plus en recevoir.",
        Answer.HELP: "Ici {business}. Nous vous écrivons quand nous avons manqué votre appel. Répondez STOP pour ne plus en recevoir.",
    },
    "de": {
        Answer.OPTED_OUT: "Sie bekommen keine SMS mehr von {business}. Mit der Antwort START bekommen Sie sie wieder.",
        Answer.OPTED_IN: "Sie bekommen wieder SMS von {business}. Mit der Antwort STOP beenden Sie das.",
        Answer.HELP: "Hier ist {business}. Wir schreiben, wenn wir Ihren Anruf verpasst haben. Mit der Antwort STOP endet das.",
    },
    "nl": {
        Answer.OPTED_OUT: "U krijgt geen sms meer van {business}. Antwoord START om ze weer te krijgen.",
        Answer.OPTED_IN: "U krijgt weer sms van {business}. Antwoord STOP om ze niet meer te krijgen.",
        Answer.HELP: "Dit is {business}. We sturen een sms als we uw oproep hebben gemist. Antwoord STOP om er geen meer te krijgen.",
    },
    "pt": {
        Answer.OPTED_OUT: "Deixou de receber SMS de {business}. Responda START para voltar a receber.",
        Answer.OPTED_IN: "Volta a receber SMS de {business}. Responda STOP para deixar de receber.",
        Answer.HELP: "Somos {business}. Escrevemos quando perdemos a sua chamada. Responda STOP para deixar de receber SMS.",
    },
    "it": {
        Answer.OPTED_OUT: "Non riceverà più SMS da {business}. Risponda START per riceverli di nuovo.",
        Answer.OPTED_IN: "Riceverà di nuovo gli SMS di {business}. Risponda STOP per non riceverli più.",
        Answer.HELP: "Siamo {business}. Le scriviamo quando perdiamo una sua chiamata. Risponda STOP per non ricevere SMS.",
    },
}  # fmt: skip


def words(answer: Answer, languages: Sequence[str], business: str) -> str:
    """Return the answer in the first language that it is worded in, else English: always one text of the GSM alphabet.

    For that a name loses the accents and letters that the alphabet has not, and its end where it is too long.
    """
    worded = next((WORDS[language] for language in languages if language in WORDS), WORDS["en"])
    name = _in_gsm7(business) or "us"
    while segments(text := worded[answer].replace("{business}", name)).count > 1:
        name = name[:-1].rstrip()
    return text


def _in_gsm7(name: str) -> str:
    letters = (
        letter if is_gsm7(letter) else unicodedata.normalize("NFD", letter)[:1]
        for letter in unicodedata.normalize("NFC", name)
    )
    return " ".join("".join(letter for letter in letters if letter.isprintable() and is_gsm7(letter)).split())
