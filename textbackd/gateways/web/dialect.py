"""How one vendor wants a text by HTTP, and how it tells what came of it. Pure: values in, values out.   gateway.py ↔ a vendor's file

A vendor is a Dialect; what else it can do it shows by the other Protocols here. Nothing in a dialect waits, sends or remembers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from textbackd.gateways.base import Accepted, Arrival, Hook, HookReply, OutboundText
from textbackd.gateways.web.exchange import Answer, Request
from textbackd.gateways.web.meaning import Meaning


class Dialect(Protocol):
    """Sending: the least that a vendor can do."""

    where: str  # the address as people may see it: no query, no credentials

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        """Return the request for one text. Raises ValueError, half a sentence, where a value cannot stand."""

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        """Return what the answer proves. Its content is never trusted to have any shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a webhook told, and what the vendor wants to hear once it is stored."""

    arrivals: Sequence[Arrival]
    reply: HookReply = field(default_factory=HookReply)


@runtime_checkable
class Listens(Protocol):
    """The vendor tells by webhook what arrived."""

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        """Return what `hook` tells. Raises HookRefused: 403 for what the vendor has not signed, 400 for what it cannot mean."""


@runtime_checkable
class Polls(Protocol):
    """The vendor can be asked what arrived, so no port needs to be open to the world."""

    def poll(self, since: datetime) -> Request:
        """Return the request for what arrived after `since`, aware UTC. What was told before may be told again."""

    def polled(self, answer: Answer) -> Sequence[Arrival] | None:
        """Return what the answer tells, oldest first; None if it tells nothing that can be read."""


@runtime_checkable
class Lists(Protocol):
    """The vendor can be asked afterwards whether it has a text."""

    def search(self, text: OutboundText, since: datetime) -> Request:
        """Return the request for the texts that were sent to this number after `since`, aware UTC."""

    def found(self, text: OutboundText, answer: Answer, since: datetime) -> Accepted | None:
        """Return the text if it is surely the one in the answer: same number, same words, not before `since`."""
