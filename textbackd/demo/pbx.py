"""A PBX simulator: speaks AMI on loopback and plays recorded calls as if they were happening.   traces → here → pbx/client.py

It is the other end of the real client, for the demonstration and the tests: login, Ping, Getvar, CoreShowChannels, and events to
whoever is logged in. Recorded pauses are kept, recorded times are not: what it plays happens now.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

BANNER: Final = b"Asterisk Call Manager/11.0.0\r\n"
LOOPBACK: Final = "127.0.0.1"
_TIMESTAMP: Final = re.compile(rb"\r\nTimestamp: ([0-9.]+)")


class DemoPbx:
    """One simulated PBX. `port` is known after `start`."""

    def __init__(self, username: str = "textbackd", secret: str = "demo") -> None:  # noqa: S107  # nothing is guarded by it
        self.port = 0
        self.logins = 0
        self.actions: list[dict[str, str]] = []
        self.logged_in = asyncio.Event()  # somebody has logged in at least once
        self.silent = False  # answers nothing, as a half-open line
        self._user = (username, secret)
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> None:
        """Listen on loopback."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        self.drop()
        await asyncio.gather(*self._serving, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def drop(self) -> None:
        """Cut every connection, as a crash does."""
        for writer in list(self._open):
            writer.transport.abort()

    @property
    def listeners(self) -> int:
        """Return how many clients are logged in."""
        return len(self._clients)

    def send(self, data: bytes) -> None:
        """Send bytes to every logged-in client."""
        for writer in self._clients:
            writer.write(data)

    async def play(self, trace: Path, *, pause: Callable[[float], float] = float) -> None:
        """Play a trace in its own rhythm; `pause` may change the seconds between two events."""
        for wait, frame in frames_of(await asyncio.to_thread(trace.read_bytes)):
            if wait > 0:
                await asyncio.sleep(pause(wait))
            self.send(frame)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        self._open.add(writer)
        writer.write(BANNER)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    action = await reader.readuntil(b"\r\n\r\n")
                    self._act(_headers(action), writer)
        finally:
            self._open.discard(writer)
            self._clients.discard(writer)
            writer.close()

    def _act(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        self.actions.append(action)
        if self.silent:
            return
        answer = _ANSWERS.get(action.get("Action", "").lower(), DemoPbx._unknown)
        for block in answer(self, action, writer):
            writer.write(_frame(block, action))

    def _login(self, action: dict[str, str], writer: asyncio.StreamWriter) -> Iterator[dict[str, str]]:
        if (action.get("Username"), action.get("Secret")) != self._user:
            yield {"Response": "Error", "Message": "Authentication failed"}
            return
        self.logins += 1
        self._clients.add(writer)
        self.logged_in.set()
        yield {"Response": "Success", "Message": "Authentication accepted"}
        yield {
            "Event": "FullyBooted",
            "Privilege": "system,all",
            "Uptime": "86400",
            "LastReload": "86400",
            "Status": "Fully Booted",
        }

    def _ping(self, action: dict[str, str], writer: asyncio.StreamWriter) -> Iterator[dict[str, str]]:
        yield {"Response": "Success", "Ping": "Pong"}

    def _events(self, action: dict[str, str], writer: asyncio.StreamWriter) -> Iterator[dict[str, str]]:
        yield {"Response": "Success", "Events": "On"}

    def _getvar(self, action: dict[str, str], writer: asyncio.StreamWriter) -> Iterator[dict[str, str]]:
        yield {"Response": "Success", "Variable": action.get("Variable", ""), "Value": "allowed_not_screened"}

    def _channels(self, action: dict[str, str], writer: asyncio.StreamWriter) -> Iterator[dict[str, str]]:
        yield {"Response": "Success", "EventList": "start", "Message": "Channels will follow"}
        yield {"Event": "CoreShowChannelsComplete", "EventList": "Complete", "ListItems": "0"}

    def _unknown(self, action: dict[str, str], writer: asyncio.StreamWriter) -> Iterator[dict[str, str]]:
        yield {"Response": "Error", "Message": "Invalid/unknown command"}


_ANSWERS: Final = {
    "login": DemoPbx._login,
    "ping": DemoPbx._ping,
    "events": DemoPbx._events,
    "getvar": DemoPbx._getvar,
    "coreshowchannels": DemoPbx._channels,
}


def frames_of(trace: bytes) -> Iterator[tuple[float, bytes]]:
    """Yield (seconds after the frame before, frame without its time) for every event of a trace."""
    last: float | None = None
    for frame in trace.split(b"\r\n\r\n"):
        if not frame.startswith(b"Event: "):
            continue
        found = _TIMESTAMP.search(frame)
        at = float(found[1]) if found else last
        wait = max(at - last, 0.0) if at is not None and last is not None else 0.0
        last = at if at is not None else last
        yield wait, _TIMESTAMP.sub(b"", frame) + b"\r\n\r\n"


def day() -> list[Path]:
    """Return the recorded calls of a small shop's day, in their order."""
    return sorted((Path(__file__).parent / "day").glob("*.ami"))


def _headers(action: bytes) -> dict[str, str]:
    lines = action.decode("utf-8", "replace").split("\r\n")
    return {name: value for name, colon, value in (line.partition(": ") for line in lines) if colon}


def _frame(block: dict[str, str], action: dict[str, str]) -> bytes:
    lines: Iterable[str] = (f"{name}: {value}" for name, value in block.items())
    if "ActionID" in action:
        first, *rest = lines
        lines = [first, f"ActionID: {action['ActionID']}", *rest]
    return "\r\n".join([*lines, "", ""]).encode()
