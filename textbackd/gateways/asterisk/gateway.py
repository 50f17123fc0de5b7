"""The gateway around a dialect: each text is one action of Asterisk's manager.   flow/texts_out, flow/replies_in → here → pbx/client.py

Until the action is written nothing has left; from then on only Asterisk's answer tells, and no answer is `unknown`. What comes in
are events, and AMI repeats nothing: what happens while there is no connection is not told afterwards.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from textbackd.errors import TextbackdError
from textbackd.gateways.asterisk.dialect import Dialect, Headers, Read
from textbackd.gateways.base import Accepted, Arrival, Fate, Health, Lent, Manager, OutboundText, SendFailed
from textbackd.gateways.web.meaning import MAYBE

log = logging.getLogger(__name__)

MOST_WAITING: Final = 1000  # arrivals that are not stored yet; events cannot be put off, so what is more is lost
# Asterisk reads a line of an action into 1,025 bytes and throws longer ones away (main/manager.c); measured, docs/gateways.
LONGEST_LINE: Final = 1022  # bytes, without its line end


class AsteriskGateway:
    """A gateway through a PBX that the daemon watches anyway; see base.Gateway for the contract."""

    def __init__(self, *, name: str, dialect: Dialect, manager: Manager) -> None:
        self.name = name
        self._dialect, self._manager = dialect, manager
        self._health = Health.UNKNOWN
        self._open = False
        self._waiting: deque[Arrival] = deque()
        self._arrived = asyncio.Event()
        self._sending = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._subscribed: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Hear what comes from now on; the connection is the daemon's own."""
        self._open = True
        hearing = ((event, partial(self._hear, read)) for event, read in self._dialect.events.items())
        self._subscribed = [self._manager.subscribe(event, take) for event, take in hearing]

    async def send(self, text: OutboundText) -> Accepted:
        """Try once. Raises SendFailed; its sentence shows neither the text nor the number."""
        action = self._action(text)
        with self._counted():
            try:
                answers = await self._manager.ask(action)
            except TextbackdError as exc:
                self._health = Health.DOWN
                raise SendFailed(f"{self.name}: {MAYBE}: {exc}", fate=Fate.UNKNOWN) from None
        return self._judged(text, answers[0])

    def _action(self, text: OutboundText) -> Headers:
        """Return the action, if there is somebody to give it to and it fits."""
        if not self._open:
            raise self._not_sent("the gateway is not started")
        if not self._manager.is_connected:
            self._health = Health.DOWN
            raise self._not_sent("there is no connection to the PBX")
        try:
            action = self._dialect.action(text, now=datetime.now(UTC))
            _require_lines(action)
        except UnicodeEncodeError:
            raise self._not_sent("the text holds half a character") from None
        except ValueError as exc:
            raise self._not_sent(str(exc)) from None
        return action

    def _not_sent(self, why: str) -> SendFailed:
        return SendFailed(f"{self.name}: nothing was sent: {why}.", fate=Fate.NOT_SENT)

    def _judged(self, text: OutboundText, answer: Mapping[str, str]) -> Accepted:
        said = self._dialect.outcome(text, answer)
        if isinstance(said, Accepted):
            self._health = Health.UP
            return said
        self._health = _HEALTH_AFTER.get(said.fate, Health.UP)
        raise SendFailed(f"{self.name}: {said.words}.", fate=said.fate, code=said.code)

    # ---- inwards

    def _hear(self, read: Read, headers: Headers) -> None:
        told = read(headers, datetime.now(UTC))
        if isinstance(told, Health):
            self._health = told
        elif told is not None and len(self._waiting) >= MOST_WAITING:
            log.error("too much arrived that is not stored yet; one is lost", extra={"gateway": self.name})
        elif told is not None:
            self._waiting.append(told)
            self._arrived.set()

    async def incoming(self) -> AsyncIterator[Arrival]:
        """Yield what arrives, for ever; it is forgotten when the next is asked for."""
        while True:
            while self._waiting:
                yield self._waiting[0]
                self._waiting.popleft()
            self._arrived.clear()
            await self._arrived.wait()

    # ---- the rest

    def health(self) -> Health:
        """Return UNKNOWN before the first answer, DOWN while the PBX or its modem is away, PAUSED while a person must mend it."""
        return self._health

    async def close(self) -> None:
        """Wait for sends in flight, at most the manager's time-out. Later sends are refused."""
        self._open = False
        await self._idle.wait()
        for end in self._subscribed:
            end()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._sending += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._sending -= 1
            if not self._sending:
                self._idle.set()


_HEALTH_AFTER: Final = {Fate.GATEWAY_UNFIT: Health.PAUSED, Fate.NOT_SENT: Health.DOWN}


def manager_for(name: str, pbx: str | None, lent: Lent) -> Manager:
    """Return the manager of the PBX that a section names, or of the only one."""
    if pbx is None and len(lent.managers) == 1:
        return next(iter(lent.managers.values()))
    if pbx is None or pbx not in lent.managers:
        known = ", ".join(lent.managers) or "there is none"
        raise TextbackdError(f"gateways.{name}.pbx: write through which PBX the texts go ({known}).")
    return lent.managers[pbx]


def _require_lines(action: Headers) -> None:
    """Raise ValueError unless each header stays one line that Asterisk reads; UnicodeEncodeError for half a character."""
    for name, value in action.items():
        if set("\r\n\0") & set(value):
            raise ValueError(f"the value of {name} holds a line end")
        if len(f"{name}: {value}".encode()) > LONGEST_LINE:
            raise ValueError(f"it is longer than Asterisk's manager can read ({LONGEST_LINE} bytes with its encoding)")
