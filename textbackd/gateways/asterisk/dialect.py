"""What a gateway through Asterisk knows of its channel driver or stack.   gateways/asterisk_*.py keep it → gateway.py calls it

A dialect is pure: values in, values out, no connection and no clock.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from textbackd.gateways.base import Accepted, Arrival, Fate, Health, OutboundText
from textbackd.gateways.web.meaning import Meaning

Headers = Mapping[str, str]
# What an event tells, heard at a time (aware UTC): something that arrived, how the gateway is, or nothing of ours.
Read = Callable[[Headers, datetime], Arrival | Health | None]

# What the manager itself answers to any action (Asterisk's main/manager.c); the rest are the dialects' own.
NOT_LISTED: Final = Meaning(Fate.NOT_SENT, "Asterisk did not take it")
UNREADABLE: Final = Meaning(Fate.UNKNOWN, "Asterisk's answer cannot be read, the text may have gone out")


class Dialect(Protocol):
    """One way of Asterisk to send and receive texts."""

    @property
    def events(self) -> Mapping[str, Read]:
        """Return how to read each event that tells something, by its name."""

    def action(self, text: OutboundText, *, now: datetime) -> Headers:
        """Return the one action that sends `text`. Raises ValueError, half a sentence, if there can be none."""

    def outcome(self, text: OutboundText, answer: Headers) -> Accepted | Meaning:
        """Return what the answer to it says."""


def refused(answer: Headers, known: Mapping[str, Meaning]) -> Meaning | None:
    """Return what an error means by the first phrase of `known` that its message holds; None: it is a success.

    An error proves that nothing was taken, whatever its words.
    """
    response = str(answer.get("Response", ""))
    if response == "Success":
        return None
    if response != "Error":
        return UNREADABLE
    message = str(answer.get("Message", "")).lower()
    return next((meaning for phrase, meaning in known.items() if phrase in message), NOT_LISTED)
