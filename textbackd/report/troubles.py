"""What is wrong, in words that say what to do, and that it is over.   core/trouble.py → here → flow/staff/watch.py      Pure.

They go as texts to mobiles too, so they are short; and they may lie in an outbox until a gateway is back, so they say since when.
What a modem or a vendor said of it may hold anything.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from textbackd.core.trouble import About, Trouble
from textbackd.report.digest import WEEKDAYS, spoken

LONGEST_WHY: Final = 120  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Everything that stands in a sentence about a trouble."""

    about: About
    since: datetime
    why: str = ""  # untrusted; "": not known
    no_calls: timedelta = timedelta(0)  # after how long without calls it is told


# {of} what it is of, {since} when it began, {why} as it was told, {span} how long without calls.
_BEGUN: Final[Mapping[Trouble, str]] = {
    Trouble.NO_CALLS: "no call has come in for {span} of opening time. Call your own number from a mobile. If nothing rings,"
    " ask your line's provider; if it rings, look at /healthz.",
    Trouble.PBX_AWAY: "the PBX {of} cannot be listened to since {since}{why}, so nobody who calls is texted. Is Asterisk running?"
    " Compare host, user and secret with its manager.conf.",
    Trouble.GATEWAY_DOWN: "the gateway {of} sends no texts since {since}{why}. Look at the modem, its SIM and credit, or the"
    " vendor's account; `textbackd outbox` shows what waits.",
    Trouble.SIM_FULL: "the SIM or modem of {of} is nearly full{why}: soon no text comes in. Put the card into a phone,"
    " and delete what lies there.",
    Trouble.UNKNOWN_TEXTS: "it is not known whether {why} went out. `textbackd outbox` shows them; answer in the inbox, or call.",
    Trouble.FEWER_ANSWERED: "people answer fewer calls: {why}. A text is no substitute for somebody who picks up; the page"
    " Reports shows the hours.",
    Trouble.BRAKE: "the brake has stopped all automatic texts since {since}{why}. Look at `textbackd outbox` and the calls,"
    " then release it: `textbackd line resume`.",
    Trouble.DATABASE: "the database cannot be written since {since}: nobody is texted. Look at the disk (`df -h`, `dmesg`).",
    Trouble.DISK: "the disk is full since {since}: no text is sent. Free some space; sending goes on by itself.",
}
# Of what is not here nobody is told that it is over: they ended it themselves.
_OVER: Final[Mapping[Trouble, str]] = {
    Trouble.NO_CALLS: "calls come in again.",
    Trouble.PBX_AWAY: "the PBX {of} is back since {since}. What was missed meanwhile is in the inbox, if `pbx.{of}.cdr` is set.",
    Trouble.GATEWAY_DOWN: "the gateway {of} is well again since {since}.",
    Trouble.SIM_FULL: "the SIM or modem of {of} has room again.",
    Trouble.FEWER_ANSWERED: "people answer as many calls as before.",
    Trouble.DATABASE: "the database is written again since {since}.",
    Trouble.DISK: "there is space on the disk again; texts go out.",
}

_TOLD_BY_WHY: Final = frozenset({Trouble.UNKNOWN_TEXTS, Trouble.FEWER_ANSWERED})  # in others it stands in brackets


def begun(business: str, said: Said, zone: tzinfo) -> str:
    """Return what is told when it has lasted too long."""
    return f"{business}: {_filled(_BEGUN[said.about.trouble], said, zone)}"


def over(business: str, said: Said, zone: tzinfo) -> str | None:
    """Return what is told when it is over; None: nothing."""
    words = _OVER.get(said.about.trouble)
    return f"{business}: {_filled(words, said, zone)}" if words is not None else None


def _filled(words: str, said: Said, zone: tzinfo) -> str:
    local = said.since.astimezone(zone)
    why = _shown(said.why)
    return words.format(
        of=said.about.of,
        since=f"{WEEKDAYS[local.weekday()]} {local:%H:%M}",
        why=why if said.about.trouble in _TOLD_BY_WHY else f" ({why})" if why else "",
        span=spoken(said.no_calls),
    )


def _shown(why: str) -> str:
    """Return in one short line what somebody else said."""
    letters = (" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in why[:1000])
    line = " ".join("".join(letters).split()).rstrip(".")
    return line if len(line) <= LONGEST_WHY else line[: LONGEST_WHY - 1].rstrip() + "…"
