"""One bound connection to an SMSC: questions and their answers, until it ends.   gateways/smpp.py → here → the network

Nothing is asked twice here, and nothing is hidden: an answer that does not come is `SilentError` or `GoneError`, and both say
whether anything of the question may have left. Source: SMPP Protocol Specification v3.4, §2.2 and §2.7 to §2.9.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from textbackd.gateways.esme.pdus import RESPONSE, Command, Pdu, UnreadableError, head, length, written
from textbackd.gateways.esme.statuses import INVALID_COMMAND

LAST_SEQUENCE: Final = 0x7FFFFFFF
MOST_OWED: Final = 1000  # answers that never came; the oldest is forgotten first
# What became of a deliver_sm: the status to answer with, and what to call when the SMSC is known to have heard that.
Answered = tuple[int, Callable[[], None] | None]


class SilentError(Exception):
    """No answer in time, or none any more; `left` tells whether anything of the question may have reached the SMSC."""

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.left = left


class RefusedError(Exception):
    """The SMSC answered a bind with a status other than 0."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the bind was refused with {status:#04x}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an SMSC is."""

    host: str
    port: int
    tls: ssl.SSLContext | None


class Session:
    """A connection. `deliver` keeps what a deliver_sm brings; it is answered when that has returned."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        within: timedelta,
        deliver: Callable[[bytes], Awaitable[Answered]],
    ) -> None:
        self._reader, self._writer, self._within, self._deliver = reader, writer, within, deliver
        self._sequence = 0
        self._owed: dict[int, asyncio.Future[Pdu]] = {}
        self._unheard: list[tuple[int, Callable[[], None]]] = []  # our last sequence number then, whom to tell
        self._ended = False
        self._listening = asyncio.create_task(self._listen())

    @property
    def ended(self) -> bool:
        return self._ended

    async def bind(self, command: Command, body: bytes) -> None:
        """Bind. Raises RefusedError or SilentError."""
        answer = await self.ask(command, body)
        if answer.status:
            raise RefusedError(answer.status)

    async def ask(self, command: int, body: bytes = b"", *, late: Callable[[Pdu], None] | None = None) -> Pdu:
        """Return the answer. Raises SilentError; an answer that comes after that, or after a cancellation, goes to `late`."""
        if self._ended or self._writer.is_closing():
            raise SilentError("the connection is gone", left=False)
        sequence = self._sequence = self._sequence % LAST_SEQUENCE + 1
        answer = self._owe(sequence)
        self._writer.write(written(command, sequence, body))
        try:
            await asyncio.wait({answer}, timeout=self._within.total_seconds())
        finally:
            if not answer.done() and late is not None:
                answer.add_done_callback(lambda done: None if done.cancelled() else late(done.result()))
        if not answer.done():
            raise SilentError("it did not answer in time", left=True)
        if answer.cancelled():
            raise SilentError("the connection broke before the answer", left=True)
        return answer.result()

    async def keep_alive(self, every: timedelta) -> None:
        """Ask from time to time whether the SMSC is there; return when the connection has ended."""
        while not self._ended:
            await asyncio.wait({self._listening}, timeout=every.total_seconds())
            if not self._ended:
                await self._prove_alive()

    async def _prove_alive(self) -> None:
        try:
            await self.ask(Command.ENQUIRE_LINK)
        except SilentError:
            await self.close()

    async def unbind(self) -> None:
        """Take leave, then close."""
        with suppress(SilentError):
            await self.ask(Command.UNBIND)
        await self.close()

    async def close(self) -> None:
        """End the connection; whoever waits for an answer is told."""
        self._writer.close()
        self._listening.cancel()
        with suppress(asyncio.CancelledError):
            await self._listening

    def _owe(self, sequence: int) -> asyncio.Future[Pdu]:
        if len(self._owed) >= MOST_OWED:
            self._owed.pop(next(iter(self._owed))).cancel()
        self._owed[sequence] = asyncio.get_running_loop().create_future()
        return self._owed[sequence]

    # --- what the SMSC says ---------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        try:
            while not self._ended:
                await self._take(await self._read())
        except (OSError, asyncio.IncompleteReadError, UnreadableError):
            pass  # whoever waits for an answer learns it below
        finally:
            self._ended = True
            self._writer.close()
            for owed in self._owed.values():
                owed.cancel()

    async def _read(self) -> Pdu:
        start = await self._reader.readexactly(4)
        return head(start + await self._reader.readexactly(length(start) - 4))

    async def _take(self, pdu: Pdu) -> None:
        if pdu.is_answer:
            self._answered(pdu)
        elif pdu.command == Command.DELIVER_SM:
            await self._delivered(pdu)
        elif pdu.command in (Command.ENQUIRE_LINK, Command.UNBIND):
            self._reply(pdu.command | RESPONSE, pdu)
            self._ended = pdu.command == Command.UNBIND
        elif pdu.command != Command.ALERT_NOTIFICATION:  # which has no answer
            self._reply(Command.GENERIC_NACK, pdu, status=INVALID_COMMAND)

    def _answered(self, pdu: Pdu) -> None:
        owed = self._owed.pop(pdu.sequence, None)
        if owed is not None and not owed.done():
            owed.set_result(pdu)
            self._heard_until(pdu.sequence)

    async def _delivered(self, pdu: Pdu) -> None:
        status, heard = await self._deliver(pdu.raw)
        # message_id is not used and set to NULL (§4.6.2).
        self._reply(Command.DELIVER_SM | RESPONSE, pdu, status=status, body=b"\0")
        if heard is not None:
            self._unheard.append((self._sequence, heard))

    def _heard_until(self, sequence: int) -> None:
        """What was answered before the SMSC was asked this, it has read before it answered this: one follows the other."""
        heard = [tell for at, tell in self._unheard if at < sequence]
        self._unheard = [(at, tell) for at, tell in self._unheard if at >= sequence]
        for tell in heard:
            tell()

    def _reply(self, command: int, pdu: Pdu, *, status: int = 0, body: bytes = b"") -> None:
        self._writer.write(written(command, pdu.sequence, body, status=status))


async def connected(place: Place, *, within: timedelta, deliver: Callable[[bytes], Awaitable[Answered]]) -> Session:
    """Return a connection that is not bound yet, with answers due `within`. Raises OSError (TLS faults are that, too)."""
    async with asyncio.timeout(within.total_seconds()):
        reader, writer = await asyncio.open_connection(place.host, place.port, ssl=place.tls)
    return Session(reader, writer, within=within, deliver=deliver)
