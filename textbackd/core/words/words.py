"""What one language has to bring: a sentence for every kind of call, and how it says when a shop opens.   en.py, es.py, … → __init__.py

Rules for the sentences, which tests keep: they name the business, own the miss, ask one open question, promise and sell nothing, and
take at most two radio texts. A sentence whose {opens_next}, {on_call} or {booking_url} is empty is left out (compose.py), so these
stand in sentences of their own. Letters outside GSM-7 (3GPP TS 23.038 §6.2.1) halve the room: avoided where the language allows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class TextKind(StrEnum):
    """Which of a line's texts fits; the keys under `lines.*.texts`."""

    MISSED = "missed"
    BUSY = "busy"
    QUEUE = "queue"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    VOICEMAIL = "voicemail"
    AGAIN = "again"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language."""

    texts: Mapping[TextKind, str]
    optout_hint: str  # how to get no more texts
    called: str  # which number was called, where the text comes from another
    time: str  # {hour} of 24 or {hour12} and {half}, {minute}
    today: str  # {time}
    tomorrow: str  # {time}
    on_weekday: str  # {weekday}, {time}: within the next six days
    on_date: str  # {day}, {month}, {time}: later than that
    weekdays: tuple[str, ...]  # Monday first, as they stand in `on_weekday`
    months: tuple[str, ...]  # January first, as they stand in `on_date`
    first_of_month: str = "1"
    owns: tuple[str, ...]  # beginnings of words by which a text admits that nobody answered
    promotion: tuple[str, ...]  # what makes an answer an advertisement; parts of regular expressions
    hollow: tuple[str, ...]  # what nobody believes
