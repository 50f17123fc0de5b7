"""The connection to one Asterisk: log in, stay in, say when not.   Asterisk's manager → here → flow/calls_in.py

panoramisk speaks the protocol (actions, answers, lists); what it gets wrong is mended in the subclass below: it loses characters
split over two chunks, drops the connection when a callback fails, never notices a half-open line, retries a wrong secret for ever,
and lets a line feed in a value inject another action. Protocol: docs.asterisk.org, "AMI v2 Specification".
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from textbackd.core.events import Event
from textbackd.errors import TextbackdError
from textbackd.pauses import spread
from textbackd.pbx.wire import FrameSplitter, first_line, parse, read_event, tracked

log = logging.getLogger(__name__)

EVENT_MASK: Final = "call,agent,system"  # `dialplan` is half of all bytes, and a caller's name can forge events in it
# Classes beyond the mask that an event needs; what stands not here is in the mask's classes.
CLASS_OF: Final = {"UserEvent": "user"}
BOOTED_WITHIN: Final = timedelta(seconds=3)  # an account without the class `system` is never told
CONNECT_TIMEOUT: Final = timedelta(seconds=5)
ANSWER_TIMEOUT: Final = timedelta(seconds=5)
PING_EVERY: Final = timedelta(seconds=5)  # with ANSWER_TIMEOUT: a half-open line is noticed within 10 s
RETRY_AFTER: Final = tuple(timedelta(seconds=s) for s in (1, 2, 4, 8, 15))
RETRY_REFUSED_AFTER: Final = timedelta(seconds=30)
CLOCKS_APART: Final = timedelta(seconds=30)
STEADY_AFTER: Final = timedelta(seconds=30)  # a connection that lasted this long ends a series of failures


class PbxState(StrEnum):
    """What /healthz says of a PBX."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    REFUSED = "refused"  # it is there and does not want us: user, secret or permit is wrong
    AWAY = "away"  # nothing answers there


class PbxError(TextbackdError):
    """The PBX cannot be used at the moment; one sentence."""

    def __init__(self, sentence: str, state: PbxState) -> None:
        super().__init__(sentence)
        self.state = state


Subscriber = Callable[[Mapping[str, str]], None]


def now() -> datetime:
    """Return the clock's time, aware UTC."""
    return datetime.now(UTC)


def _first_line_of(event: str) -> bytes:
    return f"Event: {event}".encode()


def _without(subscribers: list[Subscriber], take: Subscriber) -> None:
    # A new list would not be the one that the connection looks at.
    if take in subscribers:
        subscribers.remove(take)


def _closed(name: str) -> PbxError:
    return PbxError(f"pbx.{name}: Asterisk closed the connection. Trying again.", PbxState.AWAY)


class _Protocol(AMIProtocol):
    """panoramisk's actions and answers on our own reading of the bytes."""

    encoding = "utf-8"
    forgetable_actions: Sequence[str] = ()

    def __init__(
        self,
        name: str,
        take: Callable[[list[Event | None]], None],
        bytes_sink: Callable[[bytes], None] | None,
        subscribers: Mapping[bytes, Sequence[Subscriber]],
        clock: Callable[[], datetime],
    ) -> None:
        self._name = name
        self._clock = clock
        self._take = take
        self._bytes_sink = bytes_sink
        self._subscribers = subscribers
        self._splitter = FrameSplitter()
        self.booted = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._take([None])

    def data_received(self, data: bytes) -> None:
        if self._bytes_sink is not None:
            self._bytes_sink(data)
        arrived_at = self._clock()
        events = [event for frame in self._splitter.feed(data) if (event := self._read(frame, arrived_at)) is not None]
        if events:
            self._take(list(events))

    def _read(self, frame: bytes, arrived_at: datetime) -> Event | None:
        event = read_event(frame, arrived_at) if tracked(frame) else None
        if event is not None and event.at is not None and abs(event.at - arrived_at) > CLOCKS_APART:
            event = event._replace(at=arrived_at)  # the PBX's clock is not ours: then only the arrival counts
        if event is not None and event.name == "FullyBooted":
            self.booted.set()
        if self.responses and (event is None or "ActionID" in event.headers):
            self._answer(frame)
        if self._subscribers and (subscribers := self._subscribers.get(first_line(frame))):
            headers = parse(frame)
            for take in tuple(subscribers):
                take(headers)
        return event

    def _answer(self, frame: bytes) -> None:
        message = Message.from_line(frame.decode("utf-8", "replace").strip("\r\n"))
        if message is not None and message.action_id in self.responses:
            self.handle_message(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        for action in {id(action): action for action in self.responses.values()}.values():
            if not action.future.done():
                action.future.set_exception(_closed(self._name))
                action.future.exception()  # seen; nobody may be waiting any more
        self.responses.clear()
        if not self.lost.done():
            self.lost.set_result(exc)


class AmiClient:
    """Keeps one connection, for ever. Events go to `take` in batches, with a None where a new connection begins."""

    def __init__(
        self,
        name: str,
        *,
        host: str,
        port: int,
        username: str,
        secret: str,
        take: Callable[[list[Event | None]], None],
        bytes_sink: Callable[[bytes], None] | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.name = name
        self._clock = clock
        self.state = PbxState.CONNECTING
        self._host, self._port = host, port
        self._login = {"Action": "Login", "Username": username, "Secret": secret}
        self._take = take
        self._bytes_sink = bytes_sink
        self._subscribers: defaultdict[bytes, list[Subscriber]] = defaultdict(list)  # by the first line of their event
        self._widening: asyncio.Task[None] | None = None
        self._protocol: _Protocol | None = None
        self.complaint = ""  # why it is not connected, in one sentence

    def subscribe(self, event: str, take: Subscriber) -> Callable[[], None]:
        """Have every event of that name handed to `take`, which must neither wait nor raise; what is returned ends it."""
        before, subscribers = self._mask, self._subscribers[_first_line_of(event)]
        subscribers.append(take)
        if self.is_connected and self._mask != before:
            self._widening = asyncio.create_task(self._widen())
        return partial(_without, subscribers, take)

    @property
    def _mask(self) -> str:
        """The classes of events that are needed at this moment."""
        extra = (needed for event, needed in CLASS_OF.items() if self._subscribers.get(_first_line_of(event)))
        return ",".join([EVENT_MASK, *extra])

    async def _widen(self) -> None:
        """Have Asterisk send what was not asked for at the login."""
        with suppress(PbxError):  # the line is lost; the next login asks for it
            await self.ask({"Action": "Events", "EventMask": self._mask})

    @property
    def is_connected(self) -> bool:
        """Return whether an action would reach the PBX now."""
        return self.state is PbxState.CONNECTED and self._protocol is not None and not self._protocol.closed

    async def run(self) -> None:
        """Connect, and connect again whenever the line is lost, until cancelled."""
        failures = 0
        while True:
            began = now()
            try:
                await self._live()
            except PbxError as error:
                self._complain(error)
            failures = 0 if now() - began > STEADY_AFTER else failures + 1
            await asyncio.sleep(self._pause(failures))

    def _pause(self, failures: int) -> float:
        pause = RETRY_AFTER[min(failures, len(RETRY_AFTER) - 1)]
        if self.state is PbxState.REFUSED:
            pause = RETRY_REFUSED_AFTER
        return spread(pause).total_seconds()

    def _complain(self, error: PbxError) -> None:
        """Log a cause once, not at every attempt."""
        self.state = error.state
        if str(error) != self.complaint:
            self.complaint = str(error)
            log.warning(str(error), extra={"pbx": self.name})

    async def _live(self) -> None:
        """Connect, log in and stay until the line is lost, which is a PbxError."""
        await self._connect()
        try:
            await self._log_in()
            await self._stay()
        finally:
            await self._hang_up()

    async def _connect(self) -> None:
        if self.state is not PbxState.REFUSED:
            self.state = PbxState.CONNECTING if not self.complaint else PbxState.AWAY
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT.total_seconds()):
                _, self._protocol = await loop.create_connection(
                    lambda: _Protocol(self.name, self._take, self._bytes_sink, self._subscribers, self._clock),
                    self._host,
                    self._port,
                )
        except (OSError, TimeoutError) as error:
            cause = getattr(error, "strerror", None) or str(error) or "no answer"
            raise PbxError(
                f"pbx.{self.name}: no manager answers at {self._host}:{self._port} ({cause}). "
                "Is Asterisk running, and `enabled = yes` in manager.conf?",
                PbxState.AWAY,
            ) from error

    async def _log_in(self) -> None:
        mask = self._mask
        answer = (await self.ask({**self._login, "Events": mask}))[0]
        if not answer.success:
            raise PbxError(
                f"pbx.{self.name}: Asterisk refused the login of {self._login['Username']!r}: {answer.get('Message', 'no reason')}. "
                "Compare user, secret and permit with manager.conf; `asterisk -rx 'manager reload'` reads it again.",
                PbxState.REFUSED,
            )
        self.state, self.complaint = PbxState.CONNECTED, ""
        log.info("connected to the PBX", extra={"pbx": self.name})
        if self._mask != mask:  # somebody has subscribed meanwhile
            await self._widen()
        await self._list_channels()

    async def _list_channels(self) -> None:
        """Ask for the calls that are running already; the answers are events like all others.

        Not before FullyBooted, which tells whether Asterisk was restarted: during its start it answers too.
        """
        protocol = self._protocol
        if protocol is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(BOOTED_WITHIN.total_seconds()):
                    await protocol.booted.wait()
        try:
            answers = await self.ask({"Action": "CoreShowChannels"})
        except PbxError:
            return
        if not answers[0].success:
            log.warning(
                "the PBX does not tell which calls are running: add `write = reporting` to our user in manager.conf",
                extra={"pbx": self.name},
            )

    async def _stay(self) -> None:
        """Ping until the line is lost."""
        protocol = self._protocol
        assert protocol is not None  # noqa: S101  # _connect has just set it
        while True:
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes in the moment in which the line is lost.
            await asyncio.wait({protocol.lost}, timeout=PING_EVERY.total_seconds())
            if protocol.lost.done():
                raise _closed(self.name)
            await self.ask({"Action": "Ping"})

    async def ask(self, action: Mapping[str, str], *, with_list: bool = False) -> list[Any]:
        """Return Asterisk's answer to one action, a panoramisk Message; the entries of a list come as events like all others.

        `with_list` waits for these entries and returns them behind the answer: for those that are no events of calls.

        Raises PbxError if the line is down or no answer comes in time (the line is then given up), and ValueError for a value with
        a line end in it, which would be another action.
        """
        if any(character in value for value in action.values() for character in "\r\n\0"):
            raise ValueError(f"a value for the action {action['Action']!r} holds a line end")
        protocol = self._protocol
        if protocol is None or protocol.closed:
            raise PbxError(f"pbx.{self.name}: not connected.", PbxState.AWAY)
        future = protocol.send(dict(action), as_list=None if with_list else False)  # None: as the answer says itself
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
                answer = await future
        except TimeoutError as error:
            protocol.transport.abort()
            raise PbxError(
                f"pbx.{self.name}: Asterisk does not answer any more. Connecting anew.", PbxState.AWAY
            ) from error
        return answer if isinstance(answer, list) else [answer]

    async def _hang_up(self) -> None:
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.transport.abort()
        if self.state is PbxState.CONNECTED:
            self.state = PbxState.AWAY
