"""One way to send and receive texts: the contract that every gateway keeps.   flow/texts_out → here → the outside

A gateway never retries, never sleeps to wait for better times and never touches the database: it tries once and tells what is
known afterwards. What it cannot know it must say (`Fate.UNKNOWN`), because the outbox sends again only what proved not to have
gone out. The same contract is checked for every gateway in tests/gateways/contract.py.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from textbackd.core.phone import E164
from textbackd.errors import TextbackdError


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundText:
    """One text on its way to one caller."""

    id: str  # ours, the same at every attempt: gateways that recognise a repeated id are given it
    to: E164
    sender: E164 | None  # the number of ours that was called, for `from: called_did`; None: not known
    body: str
    valid_until: datetime | None  # aware UTC; the network may drop it afterwards. None: as long as it likes


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The gateway took the text; whether the handset gets it is told later by a delivery report, if at all."""

    reference: str | None  # the gateway's id of the text, for delivery reports; "12,13" for two parts of a modem
    parts: int = 1  # radio texts that it became


class Fate(StrEnum):
    """What is known of a text that was not accepted."""

    NOT_SENT = "not_sent"  # proved: nothing left. The same gateway may do later, another one now
    REFUSED = "refused"  # proved: this number will never take it. Final
    OPTED_OUT = "opted_out"  # refused because the number told the gateway STOP. Final, and ours to remember
    GATEWAY_UNFIT = (
        "gateway_unfit"  # proved: nothing left, and nothing will before a person mends the gateway (PIN, credit)
    )
    UNKNOWN = "unknown"  # it may be on its way. Never sent again by itself


class SendFailed(TextbackdError):
    """A text was not accepted; the sentence says what happened, `fate` what may be done."""

    def __init__(self, sentence: str, *, fate: Fate, code: str | None = None) -> None:
        super().__init__(sentence)
        self.fate = fate
        self.code = code  # the gateway's own code, "CMS 38" or "21610", for the record


class Word(StrEnum):
    """What a gateway itself has taken an incoming text for, and acted upon."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundText:
    """A text that somebody wrote to one of our numbers."""

    id: str  # the gateway's id, or a hash of the raw message: storing the same one twice is harmless
    sender: str  # as the network told it: a number, a short code or a name
    recipient: str | None  # the number of ours, where the gateway tells
    body: str
    received_at: datetime  # aware UTC, from the network where it tells
    media: int = 0  # pictures and the like that came with it and are not kept
    word: Word | None = None  # the gateway has opted them out or in by itself, or sent its own help


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What the network says became of an accepted text."""

    reference: str | None  # the reference of `Accepted`, or one of its parts; None where only `id` tells
    recipient: str | None
    delivered: bool
    final: bool  # False: still trying
    detail: str  # the network's words or code
    id: str | None = None  # ours, where the gateway gives it back
    permanent: bool = False  # no later text will reach this number either: a landline, a number without subscriber
    opted_out: bool = False  # it was not delivered because the number told the gateway STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class LateAnswer:
    """The gateway's word on a text whose fate was unknown: it was taken after all."""

    id: str | None  # ours; None after a restart, when only the outbox can know which text was cut off
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall:
    """Somebody rang the gateway's own number, which nobody answers."""

    id: str  # storing the same one twice is harmless
    caller: str | None  # None: withheld
    at: datetime  # aware UTC


Arrival = InboundText | DeliveryReport | LateAnswer | IncomingCall


class Health(StrEnum):
    """What /healthz says of a gateway."""

    UP = "up"
    DOWN = "down"
    PAUSED = "paused"
    UNKNOWN = "unknown"


class Gateway(Protocol):
    """One way to send and receive texts."""

    name: str  # the key under `gateways:` in the configuration

    async def start(self) -> None:
        """Get ready in the background; must not raise for an absent modem or server, which is `Health.DOWN`."""

    async def send(self, text: OutboundText) -> Accepted:
        """Try once. Raises SendFailed, whose fate is what is known; a cancelled send is for the outbox to call unknown."""

    def incoming(self) -> AsyncIterator[Arrival]:
        """Yield what arrives, for ever. Asking for the next item means that the last one is stored: it may be deleted now."""

    def health(self) -> Health:
        """Return the state as last seen, without asking."""

    async def close(self) -> None:
        """Let go of ports and connections; a send in flight is waited for."""


class Manager(Protocol):
    """Asterisk's manager, for gateways that send through the PBX itself."""

    @property
    def is_connected(self) -> bool:
        """Return whether an action would reach the PBX now. While it would not, `ask` raises and nothing has left."""

    async def ask(self, action: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """Return the answer to one action; the entries of a list come as events. Raises TextbackdError if the PBX does not answer."""

    def subscribe(self, event: str, take: Callable[[Mapping[str, str]], None]) -> Callable[[], None]:
        """Have every event of that name handed to `take`, which must neither wait nor raise; what is returned ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What the daemon lends to a gateway."""

    hook_url: str | None = None  # the address of its webhook as the world knows it; None: it has none
    notes: Path | None = None  # a folder for what it must not forget; None: it may forget
    managers: Mapping[str, Manager] = field(default_factory=dict)  # by the name of the PBX


# ---- what only some gateways can


@runtime_checkable
class Searchable(Protocol):
    """A gateway that can be asked afterwards whether it has a text."""

    async def find(self, text: OutboundText, *, since: datetime) -> Accepted | None:
        """Return what it knows of a text handed over after `since` (aware UTC); None proves nothing, and is no failure."""


@runtime_checkable
class Idempotent(Protocol):
    """A gateway that takes a text once, however often it is handed over under the same id."""

    knows_ids: Literal[True]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One request to a gateway's webhook, as it came."""

    method: str
    target: str  # path and query, as on the wire
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HookReply:
    """What the vendor wants to hear."""

    status: int = 200
    content_type: str = "text/plain"
    body: str = ""


class HookRefused(TextbackdError):
    """A request to a webhook that is not believed or not understood; `status` is 400 or 403."""

    def __init__(self, sentence: str, *, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@runtime_checkable
class TakesHooks(Protocol):
    """A gateway whose vendor tells by webhook what arrived."""

    async def hook(self, hook: Hook) -> HookReply:
        """Return when everything that `hook` told has been stored. Raises HookRefused."""


@runtime_checkable
class Starts(Protocol):
    """A gateway that takes a while to get ready: until it knows, a text is safer in the outbox than handed over and waiting."""

    @property
    def is_starting(self) -> bool:
        """Return whether it is not yet known if it can be used."""


@runtime_checkable
class Measured(Protocol):
    """A gateway that has more to tell than up or down."""

    def vitals(self) -> Mapping[str, float]:
        """Return numbers as last seen, by name with its unit: "signal_dbm", "sim_storage_used"."""

    def told(self) -> Mapping[str, str]:
        """Return words as last seen, by name: "operator", "registration", "imei"."""


@runtime_checkable
class Explains(Protocol):
    """A gateway that knows what is wrong with it before a text has met it."""

    @property
    def trouble(self) -> str:
        """Return in a few words, as last seen, why it cannot be used; "": nothing is known."""


@runtime_checkable
class Tries(Protocol):
    """A gateway that can be tried without a text."""

    async def attempt(self) -> str:
        """Return in half a sentence why a text would not go out, as far as asking tells; "" if nothing speaks against it.

        Needs no `start`, sends nothing, and takes nothing away that arrived.
        """


@runtime_checkable
class HearsLate(Protocol):
    """A gateway whose peer may still answer to a text that a killed process handed over."""

    def expect_late_answer(self) -> None:
        """Know, before `start`, that a text of this gateway was cut off: its answer comes as LateAnswer, if at all."""
