"""A small real HTTP sink on loopback that takes texts and breaks in every way that HTTP gateways break.

In a test: `async with HttpSink() as sink: sink.script(Fault.RST_AFTER_BODY)`. As a process, for tests that kill things:
`python tests/gateways/sink.py --log FILE [--port N] [--script ok,500,hang_in_body] [--again]` prints its address.
Every text that arrived whole is in `requests` and, before anything is answered, fsynced as a line of JSON in the log;
`taken` tells those that would be on the air, which are all but those refused with a 3xx or 4xx.
"""

import argparse
import asyncio
import json
import os
import socket
import struct
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qsl, urlsplit

# SO_LINGER on with a time of 0 makes close() send RST (socket(7)).
_LINGER_ZERO: Final = struct.pack("ii", 1, 0)


class Fault(StrEnum):
    """How one request goes wrong; its connection ends with it."""

    RST_AT_ONCE = "rst_at_once"  # accepts the connection and resets it unread
    SPEAKS_FIRST = "speaks_first"  # greets as a mail server does, and knows no TLS
    RST_AFTER_HEADERS = "rst_after_headers"  # resets before the body is read
    RST_AFTER_BODY = "rst_after_body"  # takes the text and resets
    CLOSE_AFTER_BODY = "close_after_body"  # takes the text and hangs up politely
    NO_ANSWER = "no_answer"  # takes the text and stays silent
    SLOW = "slow"  # answers well after `delay`
    HANG_IN_BODY = "hang_in_body"  # 200, half the content, silence
    BREAK_IN_BODY = "break_in_body"  # 200, half the content, closed
    ENDLESS = "endless"  # 200, and content without end
    NOT_HTTP = "not_http"  # answers with something else


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gets. A body of None is `{"id": "sink-<n>"}` with the number of the request."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    taken: bool | None = None  # whether the text is on the air all the same; None: as the status says


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came."""

    method: str
    target: str  # path and query, as on the wire
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)

    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)

    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


class HttpSink:
    """Takes texts; what happens to each request is scripted, and after the script all is well."""

    def __init__(
        self,
        *,
        port: int = 0,
        log: Path | None = None,
        delay: float = 0.1,
        again: bool = False,
        usual: Callable[[Received], Answer] = lambda _: Answer(),
    ) -> None:
        """`port` 0 is any free one; `delay` in seconds; `again` starts the script anew; `usual` answers what no script is for."""
        self.requests: list[Received] = []  # all that arrived whole
        self.taken: list[Received] = []  # those of them that would be on the air
        self.connections = 0
        self._port = port
        self._log = log
        self._delay = delay
        self._again = again
        self._usual = usual
        self._script: deque[Answer | Fault] = deque()
        self._server: asyncio.Server | None = None
        self._arrival = asyncio.Event()
        self._at_work: set[asyncio.Task[None]] = set()

    def script(self, *steps: Answer | Fault) -> None:
        """Add what the next requests meet, one each."""
        self._script.extend(steps)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/send"

    async def arrival(self) -> None:
        """Wait until a first text has arrived."""
        await self._arrival.wait()

    async def open(self) -> None:
        """Listen; after `close` on the same port again."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, limit=2**20)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections from now on, and drop those that are open."""
        if self._server is not None:
            self._server.close()
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._at_work.add(task)
        try:
            # The other side may leave at any time: that is what many tests are about.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._at_work.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._script and self._script[0] in _UNREAD:
            await self._misbehave(self._script.popleft(), reader, writer)
            return
        # Connections are kept, so that a gateway that uses one again is noticed.
        while await self._serve(reader, writer):
            pass

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one request; return whether another one may follow on this connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        step = self._next_step()
        if step is not Fault.RST_AFTER_HEADERS:
            received = await _read_body(head, reader)
            step = self._usual(received) if step is None else step
            self._record(received, taken=_takes(step))
        if isinstance(step, Answer):
            await self._write(writer, step)
            return True
        await self._misbehave(step, reader, writer)
        return False

    async def _misbehave(
        self, step: Answer | Fault | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        assert isinstance(step, Fault)
        await _FAULTS[step](self, reader, writer)

    def _next_step(self) -> Answer | Fault | None:
        """Return what the next request meets; None: the usual answer."""
        if not self._script:
            return None
        step = self._script.popleft()
        if self._again:
            self._script.append(step)
        return step

    def _record(self, received: Received, *, taken: bool) -> None:
        self.requests.append(received)
        if taken:
            self.taken.append(received)
        self._arrival.set()
        if self._log is not None:
            line = {"target": received.target, "body": received.body.decode(errors="replace"), "taken": taken}
            with self._log.open("a") as log:
                log.write(json.dumps(line) + "\n")
                log.flush()
                os.fsync(log.fileno())

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(self._bytes_of(answer))
        await writer.drain()

    def _bytes_of(self, answer: Answer) -> bytes:
        body = json.dumps({"id": f"sink-{len(self.requests)}"}).encode() if answer.body is None else answer.body
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json", **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def _after_delay(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._delay)
        await self._write(writer, Answer())

    async def _half(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._bytes_of(Answer())[:-5])
        await writer.drain()

    async def _half_and_silence(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._half(reader, writer)
        await _silence(reader, writer)


def _takes(step: Answer | Fault) -> bool:
    # A 5xx comes after the text was taken: the worst case, and what gateways do that fall over afterwards.
    if isinstance(step, Answer) and step.taken is not None:
        return step.taken
    return not (isinstance(step, Answer) and 300 <= step.status <= 499)


def _reset(writer: asyncio.StreamWriter) -> None:
    plug: socket.socket = writer.get_extra_info("socket")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    writer.transport.abort()


async def _read_body(head: bytes, reader: asyncio.StreamReader) -> Received:
    request_line, *lines = head.decode("latin-1").strip().split("\r\n")
    method, target, _version = request_line.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method=method, target=target, headers=headers, body=body)


async def _rst(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _reset(writer)


async def _hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(1024):
        pass


async def _endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def _not_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n\r\n")
    await writer.drain()


_Behaviour = Callable[[HttpSink, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _alone(behaviour: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> _Behaviour:
    return lambda _sink, reader, writer: behaviour(reader, writer)


_UNREAD: Final = (Fault.RST_AT_ONCE, Fault.SPEAKS_FIRST)  # happen before a request is there
_FAULTS: Final[dict[Fault, _Behaviour]] = {
    Fault.RST_AT_ONCE: _alone(_rst),
    Fault.RST_AFTER_HEADERS: _alone(_rst),
    Fault.SPEAKS_FIRST: _alone(_not_http),
    Fault.RST_AFTER_BODY: _alone(_rst),
    Fault.CLOSE_AFTER_BODY: _alone(_hang_up),
    Fault.NO_ANSWER: _alone(_silence),
    Fault.SLOW: HttpSink._after_delay,
    Fault.HANG_IN_BODY: HttpSink._half_and_silence,
    Fault.BREAK_IN_BODY: HttpSink._half,
    Fault.ENDLESS: _alone(_endless),
    Fault.NOT_HTTP: _alone(_not_http),
}


def read_script(written: str) -> Iterable[Answer | Fault]:
    """Read `ok,500,hang_in_body`: `ok`, a status, or the name of a fault."""
    for word in filter(None, written.split(",")):
        yield Answer() if word == "ok" else Answer(int(word)) if word.isdecimal() else Fault(word)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An HTTP sink for texts that breaks on purpose.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds before `slow` answers")
    parser.add_argument("--script", default="", help=f"comma-separated: ok, a status, {', '.join(Fault)}")
    parser.add_argument("--again", action="store_true", help="start the script anew when it is through")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    sink = HttpSink(port=arguments.port, log=arguments.log, delay=arguments.delay, again=arguments.again)
    sink.script(*read_script(arguments.script))
    async with sink:
        sys.stdout.write(sink.url + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(_arguments()))
