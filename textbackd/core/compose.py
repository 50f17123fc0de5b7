"""The words of a text.   core/decide.py → here → the outbox      Pure.

Templates know named fields and nothing else; they hold no logic, so nothing that a caller sends can run in them. The sentences that
come with the program are in core/words/, one file per language.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from textbackd.core.missed import Reason
from textbackd.core.segments import segments
from textbackd.core.timetable import Opening
from textbackd.core.transliterate import to_gsm7
from textbackd.core.words import WORDS, Language, TextKind

__all__ = [
    "CANNED_REPLIES",
    "DEFAULT_TEXTS",
    "FIELD",
    "FIELDS",
    "MOST_SEGMENTS",
    "Fields",
    "Language",
    "Manner",
    "TextKind",
    "Wish",
    "compose",
    "fill",
    "kind_for",
    "text_for",
]

FIELDS: Final = ("business", "line", "called_number", "caller_name", "opens_next", "booking_url", "on_call")
FIELD: Final = re.compile(r"\{([^{}]*)\}")
MOST_SEGMENTS: Final = 2  # three parts cost three times as much, and some phones show them apart

DEFAULT_TEXTS: Final[Mapping[TextKind, str]] = WORDS[Language.EN].texts

# Replies that stand ready for a person; what a caller is told with them is true only because a person chose it.
CANNED_REPLIES: Final = (
    "Thank you, we have your message. When is a good time to call you?",
    "Could you send us the address, and a few words on what needs doing?",
    "You can choose a time that suits you here: {booking_url}",
)

# What a line may not have, or the moment not give. A sentence built around one of these says nothing without it.
_OPTIONAL: Final = ("opens_next", "booking_url", "on_call")
_SENTENCE: Final = re.compile(r".+?(?:[.!?](?=\s)\s+|\Z)", re.DOTALL)  # with the space after it
_STOP: Final = re.compile(r"\bSTOP\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What the fields of a template stand for."""

    business: str
    line: str = ""
    called_number: str = ""
    caller_name: str = ""
    opens_next: str = ""
    booking_url: str = ""
    on_call: str = ""


class Wish(StrEnum):
    """Whether a sentence of ours is put after a text."""

    AUTO = "auto"  # after words of ours, if it costs nothing
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a line speaks."""

    language: Language = Language.EN
    transliterate: bool = False  # into GSM-7, whatever was written
    optout_hint: Wish = Wish.AUTO
    hint_expected: bool = (
        False  # senders in this country are expected to say how to get no more texts, also if it costs a segment
    )
    name_called: Wish = Wish.AUTO


_BY_REASON: Final = {
    Reason.BUSY: TextKind.BUSY,
    Reason.CLOSED: TextKind.CLOSED,
    Reason.QUEUE_GAVE_UP: TextKind.QUEUE,
    Reason.QUEUE_TIMEOUT: TextKind.QUEUE,
}
_BY_OPENING: Final = {Opening.CLOSED: TextKind.CLOSED, Opening.HOLIDAY: TextKind.HOLIDAY}


def kind_for(
    reason: Reason | None, opening: Opening = Opening.OPEN, *, again: bool = False, late: bool = False
) -> TextKind:
    """Return which text fits a missed call: the first that is true of it.

    `opening` is what the line is; `again` says that the caller was texted before, `late` that the text goes out well after the call.
    """
    if reason is Reason.VOICEMAIL_LEFT:
        return TextKind.VOICEMAIL
    if opening is not Opening.OPEN:
        return _BY_OPENING[opening]
    if reason is Reason.CLOSED:
        return TextKind.CLOSED
    if late:
        return TextKind.LATE
    if again:
        return TextKind.AGAIN
    return _BY_REASON.get(reason, TextKind.MISSED) if reason else TextKind.MISSED


# Where a line has no words of its own for a kind, the next best that it has. Voicemail stands alone.
_NEXT_BEST: Final[Mapping[TextKind, tuple[TextKind, ...]]] = {
    TextKind.HOLIDAY: (TextKind.HOLIDAY, TextKind.CLOSED, TextKind.MISSED),
    TextKind.VOICEMAIL: (TextKind.VOICEMAIL,),
}


def text_for(kind: TextKind, texts: Mapping[str, str | None], language: Language = Language.EN) -> str | None:
    """Return a line's template for a kind of call, or None where the line says `none`.

    A line that words `missed` itself means it for every kind that it does not word: its own sentence beats our default.
    """
    for own in _NEXT_BEST.get(kind, (kind, TextKind.MISSED)):
        if own in texts:
            return texts[own]
    return WORDS[language].texts[kind]


def compose(template: str, fields: Fields, manner: Manner, *, first: bool, other_sender: bool) -> str:
    """Return the text as it goes out.

    `first` says that the caller was never texted before, `other_sender` that the text comes from another number than they called.
    What a shop has worded itself goes out as it is, unless it asked for more.
    """
    words = WORDS[manner.language]
    ours = template in words.texts.values()
    body = _spelt(fill(template, fields), manner, ours=ours)
    called = manner.name_called if other_sender and "{called_number}" not in template else Wish.OFF
    hint = manner.optout_hint if first and not _STOP.search(body) else Wish.OFF
    for sentence, wish, expected in (
        (words.called, called, False),
        (words.optout_hint, hint, manner.hint_expected),
    ):
        longer = _spelt(f"{body} {fill(sentence, fields)}", manner, ours=ours)
        if wish is Wish.ON or (wish is Wish.AUTO and ours and (expected or not _costs_more(longer, body))):
            body = longer
    return body


def _costs_more(longer: str, body: str) -> bool:
    return segments(longer).count > segments(body).count


def _spelt(body: str, manner: Manner, *, ours: bool) -> str:
    """Return a text in the letters that it goes out in: our own words never take three radio texts for an accent's sake."""
    return to_gsm7(body) if manner.transliterate or (ours and segments(body).count > MOST_SEGMENTS) else body


def fill(template: str, fields: Fields) -> str:
    """Return the template with its fields filled in. What a field holds is not looked into again.

    A sentence whose {opens_next}, {booking_url} or {on_call} is empty is left out, unless nothing else would be left.
    """
    values = {name: _clean(getattr(fields, name)) for name in FIELDS}
    whole = "".join(_sentences(template, values)) or template
    filled = FIELD.sub(lambda match: values.get(match[1], match[0]), whole)
    return re.sub(r" {2,}", " ", filled).strip()  # a field without a value leaves two blanks


def _sentences(template: str, values: Mapping[str, str]) -> Iterator[str]:
    missing = [f"{{{name}}}" for name in _OPTIONAL if not values[name]]
    for sentence in _SENTENCE.findall(template):
        if not any(field in sentence for field in missing):
            yield sentence


def _clean(value: str) -> str:
    """Return a value without control characters and bidirectional overrides: it may come from a caller's name."""
    return "".join(c for c in value if c.isprintable() or c == " ").strip()
