"""The words of a text.   core/decide.py → here → the outbox      Pure.

Templates know named fields and nothing else; they hold no logic, so nothing that a caller sends can run in them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from textbackd.core.missed import Reason


class TextKind(StrEnum):
    """Which of a line's texts fits; the keys under `lines.*.texts`."""

    MISSED = "missed"
    BUSY = "busy"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    VOICEMAIL = "voicemail"
    AGAIN = "again"
    LATE = "late"


FIELDS: Final = ("business", "line", "called_number", "caller_name", "opens_next", "booking_url", "on_call")
FIELD: Final = re.compile(r"\{([^{}]*)\}")

DEFAULT_TEXTS: Final[Mapping[TextKind, str]] = {
    TextKind.MISSED: "Sorry we missed your call, this is {business}. What can we help you with?",
    TextKind.BUSY: "Sorry, we were on another call when you rang, this is {business}. What can we help you with?",
    TextKind.CLOSED: "Sorry we missed your call, this is {business}. We are closed just now. What can we help you with?",
    TextKind.HOLIDAY: "Sorry we missed your call, this is {business}. We are off for the holiday. What can we help you with?",
    TextKind.VOICEMAIL: "Sorry we missed your call, this is {business}. We got your message. Is there anything to add?",
    TextKind.AGAIN: "Sorry we missed you again, this is {business}. What can we help you with?",
    TextKind.LATE: "Sorry we missed your call earlier, this is {business}. What can we help you with?",
}


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


_BY_REASON: Final = {
    Reason.BUSY: TextKind.BUSY,
    Reason.CLOSED: TextKind.CLOSED,
    Reason.VOICEMAIL_LEFT: TextKind.VOICEMAIL,
}


def kind_for(reason: Reason | None) -> TextKind:
    """Return which text fits a missed call."""
    return _BY_REASON.get(reason, TextKind.MISSED) if reason else TextKind.MISSED


def text_for(kind: TextKind, texts: Mapping[str, str | None]) -> str | None:
    """Return a line's template for a kind of call, or None where the line says `none`.

    A line that words `missed` itself means it for every kind that it does not word: its own sentence beats our default.
    """
    if kind in texts:
        return texts[kind]
    if TextKind.MISSED in texts and kind is not TextKind.VOICEMAIL:
        return texts[TextKind.MISSED]
    return DEFAULT_TEXTS[kind]


def fill(template: str, fields: Fields) -> str:
    """Return the template with its fields filled in. What a field holds is not looked into again."""
    values = {name: _clean(getattr(fields, name)) for name in FIELDS}
    filled = FIELD.sub(lambda match: values.get(match[1], match[0]), template)
    return re.sub(r" {2,}", " ", filled).strip()  # a field without a value leaves two blanks


def _clean(value: str) -> str:
    """Return a value without control characters and bidirectional overrides: it may come from a caller's name."""
    return "".join(c for c in value if c.isprintable() or c == " ").strip()
