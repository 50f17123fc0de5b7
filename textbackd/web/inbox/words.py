"""How the pages say things: times, waits, numbers, what somebody did.   rows.py, timeline.py → here      Pure."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from textbackd.core.conversation import Turn
from textbackd.store.acts import ActKind
from textbackd.store.conversations import Box

TURNS: Final[Mapping[Turn, str]] = MappingProxyType({
    Turn.NEW: "New",
    Turn.OURS: "Our turn",
    Turn.THEIRS: "Their turn",
    Turn.DONE: "Done",
})  # fmt: skip
BOXES: Final[Mapping[Box, str]] = MappingProxyType({
    Box.OPEN: "Open",
    Box.NEW: "New",
    Box.OURS: "Our turn",
    Box.THEIRS: "Their turn",
    Box.CALLBACK: "To call",
    Box.DONE: "Done",
    Box.ALL: "All",
})  # fmt: skip
# What an empty list says: a good thing where it is one.
NOBODY: Final[Mapping[Box, str]] = MappingProxyType({
    Box.OPEN: "Nothing is open. Missed calls and texts appear here by themselves.",
    Box.NEW: "No new missed calls.",
    Box.OURS: "Nobody waits for an answer.",
    Box.THEIRS: "Nobody owes you an answer.",
    Box.CALLBACK: "Nobody has to be called.",
    Box.DONE: "Nothing is done yet.",
    Box.ALL: "No conversations yet.",
})  # fmt: skip
# Why a number cannot be texted, as a badge and as a sentence.
NO_TEXT: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "landline": ("Landline", "This is a landline, so a text will hardly arrive."),
    "foreign": ("Abroad", "This is a number of another country, so callers there get no texts by themselves."),
    "premium": ("Premium number", "This is a premium number, which cannot be texted."),
    "toll_free": ("Toll-free", "This is a toll-free number: nobody's phone."),
    "service": ("Service number", "This is a service number: nobody's phone."),
    "invalid": ("Not a number", "No network has such a number."),
    "opted_out": ("Wants no texts", "They want no texts (STOP). Call instead."),
    "unreachable_number": ("No texts arrive", "Earlier texts to this number never arrived."),
    "undelivered": ("No texts arrive", "The last text never reached the phone."),
    "failed": ("No texts arrive", "The network refused the last text."),
})  # fmt: skip
WANTS_NONE: Final = "opted_out"  # the token of those whom nobody may text
# What a person did, after their name. {detail} is filled in by `did`.
_DEEDS: Final[Mapping[str, str]] = MappingProxyType({
    ActKind.CLAIMED: "took it",
    ActKind.ASSIGNED: "gave it to {detail}",
    ActKind.PUT_AWAY: "marked it done",
    ActKind.TAKEN_UP: "took it up again",
    ActKind.WON: "marked it won{detail}",
    ActKind.LOST: "marked it lost",
    ActKind.RENAMED: "named the caller {detail}",
    ActKind.OPTED_OUT: "noted: no more texts",
    ActKind.OPTED_IN: "noted: texts are welcome again",
    ActKind.KEPT_TEXTING: "decided: texts are still welcome",
    ActKind.NEVER: "put the number on the never-list",
    ActKind.CALLED_BACK: "called back from {detail}",
    ActKind.ESCALATED: "The caller still waits. {detail}.",
    ActKind.BOOKED: "noted the appointment {detail}",
    ActKind.BOOKING_CANCELLED: "noted that the appointment was cancelled",
    ActKind.LAPSED: "put it away, since nothing more was heard",
    ActKind.EXPORTED: "exported what is kept of this number",
})  # fmt: skip
# Digits, or groups of three with one kind of mark between them, which is not that of the hundredths.
_AMOUNT: Final = re.compile(
    r"(?P<whole>[1-9][0-9]{0,2}([., \u2019])[0-9]{3}(?:\2[0-9]{3})*|[0-9]+)(?:(?!\2)[.,](?P<cents>[0-9]{1,2}))?"
)
_KEYS: Final = re.compile(r" \(`[^)]*\)")
# Characters that turn the direction of what follows (Unicode UAX #9); in a name they can only deceive.
_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def how_long(span: timedelta) -> str:
    """Return a wait in its largest unit: "12 min", "3 h", "2 days"."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def length(seconds: float) -> str:
    """Return how long a talk lasted."""
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min"


def clock(at: datetime) -> str:
    """Return the time of day."""
    return f"{at:%H:%M}"


def day(at: date, today: date) -> str:
    """Return a day as a heading: "Today", "Yesterday", "Wednesday, 4 March"."""
    if at == today:
        return "Today"
    if at == today - timedelta(days=1):
        return "Yesterday"
    year = f" {at.year}" if at.year != today.year else ""
    return f"{at:%A}, {at.day} {at:%B}{year}"


def when(at: datetime, now: datetime) -> str:
    """Return a moment for a list: the time today, the day of the week within six days, else the date. Both in one zone."""
    days = (now.date() - at.date()).days
    if days <= 0:
        return clock(at)
    if days < 7:
        return f"{at:%a}"
    return f"{at.day} {at:%b}" + (f" {at.year}" if at.year != now.year else "")


def plain(words: str) -> str:
    """Return a name on one line, without characters that control the terminal or turn the direction of what stands beside."""
    shown = "".join(c if c.isprintable() or c in "\u200c\u200d" else " " for c in words if c not in _TURNING)
    return " ".join(shown.split())


def without_keys(sentence: str) -> str:
    """Return a sentence of `explain` without the settings that it names: they are for whoever looks after textbackd."""
    return _KEYS.sub("", sentence)


def money(hundredths: int) -> str:
    """Return an amount of the shop's currency: "1,250" or "1,250.50"."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole:,}" + (f".{rest:02}" if rest else "")


def amount(typed: str) -> int | None:
    """Return a typed amount in hundredths, None for nothing. Raises ValueError for what is no amount.

    Both "1,250.50" and "1.250,50" are understood; what could be read in two ways, such as "0.125", is none.
    """
    written = " ".join(typed.split()).strip("$€£ ").replace("'", "\u2019")
    if not written and not typed.strip():
        return None
    found = _AMOUNT.fullmatch(written)
    digits = re.sub("[^0-9]", "", found["whole"]) + (found["cents"] or "").ljust(2, "0") if found else ""
    if not 0 < len(digits) <= 12:
        raise ValueError("The value is not an amount of money. Write it like 1250 or 1250.50.")
    return int(digits)


def did(kind: str, detail: str) -> str:
    """Return what somebody did, after their name; `detail` is already as it shall be read."""
    known = _DEEDS.get(kind, kind.replace("_", " "))
    return known.replace("{detail}", detail)
