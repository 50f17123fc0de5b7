"""The clients that are compared, each in a process of its own: `python clients.py NAME PORT`.   server.py → here → compare.py

Each logs in, takes everything up to the last event and prints one line of JSON: when it was done (the machine's monotonic clock),
how much processor time it used since the login, and how many calls it made of the events, if it makes calls. No client does
anything with what it reads. Libraries are imported by the client that needs them: they are not all in one environment.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

HOST: Final = "127.0.0.1"
LAST: Final = "FullyBooted"  # the server says it only at the end
LOGIN: Final = b"Action: Login\r\nActionID: 1\r\nUsername: bench\r\nSecret: bench\r\n\r\n"


class Meter:
    """What a client measures of itself."""

    def __init__(self) -> None:
        self._cpu = time.process_time()

    def start(self) -> None:
        """Count processor time from here: imports are done, the login is under way."""
        self._cpu = time.process_time()

    def stop(self, calls: int | None = None) -> None:
        """Say what was measured, and end the process without its tidying up."""
        done, cpu = time.perf_counter(), time.process_time() - self._cpu
        print(json.dumps({"done": done, "cpu": cpu, "calls": calls, "peak_kib": _peak()}), flush=True)  # noqa: T201
        os._exit(0)


def _peak() -> int:
    """Return the most memory that this process has had, in KiB. getrusage would tell the parent's, if that is larger."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


async def split(port: int, meter: Meter) -> None:
    """Only split at the blank line: what no client in Python can be faster than."""

    class Protocol(asyncio.Protocol):
        rest = b""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.write(LOGIN)  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            frames = (self.rest + data).split(b"\r\n\r\n")
            self.rest = frames.pop()
            if frames and frames[-1].startswith(b"Event: FullyBooted"):
                meter.stop()

    await asyncio.get_running_loop().create_connection(Protocol, HOST, port)


async def look(port: int, meter: Meter) -> None:
    """Split, and look at the first bytes of each frame: the least that anybody does who wants only some of them."""

    class Protocol(asyncio.Protocol):
        rest = b""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.write(LOGIN)  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            frames = (self.rest + data).split(b"\r\n\r\n")
            self.rest = frames.pop()
            for frame in frames:
                if frame[:19] == b"Event: FullyBooted\r":
                    meter.stop()

    await asyncio.get_running_loop().create_connection(Protocol, HOST, port)


async def tracker(port: int, meter: Meter) -> None:
    """Read with wire and tracker, on a bare asyncio protocol."""
    from textbackd.core.tracker import Tracker  # noqa: PLC0415
    from textbackd.core.trunk import Trunks  # noqa: PLC0415
    from textbackd.pbx.wire import FrameSplitter, read_event, tracked  # noqa: PLC0415

    class Protocol(asyncio.Protocol):
        def __init__(self) -> None:
            self.splitter = FrameSplitter()
            self.tracker = Tracker("bench", Trunks())
            self.calls = 0

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.write(LOGIN)  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            arrived_at = datetime.now(UTC)
            for frame in self.splitter.feed(data):
                if tracked(frame) and (event := read_event(frame, arrived_at)) is not None:
                    self.calls += len(self.tracker.feed(event))
                    if event.name == LAST:
                        meter.stop(self.calls + len(self.tracker.close()))

    await asyncio.get_running_loop().create_connection(Protocol, HOST, port)


async def client(port: int, meter: Meter) -> None:
    """Read as the daemon does, with its own AMI client before the tracker."""
    from textbackd.core.events import Event  # noqa: PLC0415
    from textbackd.core.tracker import Tracker  # noqa: PLC0415
    from textbackd.core.trunk import Trunks  # noqa: PLC0415
    from textbackd.pbx.client import AmiClient  # noqa: PLC0415

    watching, calls = Tracker("bench", Trunks()), 0

    def take(events: list[Event | None]) -> None:
        nonlocal calls
        for event in events:
            if event is not None:
                calls += len(watching.feed(event))
                if event.name == LAST:
                    meter.stop(calls + len(watching.close()))

    await AmiClient("bench", host=HOST, port=port, username="bench", secret="bench", take=take).run()


async def panoramisk(port: int, meter: Meter) -> None:
    """Read with panoramisk and count every event."""
    from panoramisk import Manager  # noqa: PLC0415

    manager = Manager(
        loop=asyncio.get_running_loop(),
        host=HOST,
        port=port,
        username="bench",
        secret="bench",
    )
    events = 0

    def count(_: Manager, event: Any) -> None:
        nonlocal events
        events += 1
        if event.event == LAST:
            meter.stop()

    manager.register_event("*", count)
    await manager.connect()


async def cacofonisk(port: int, meter: Meter) -> None:
    """Track calls with cacofonisk, told to nobody."""
    from cacofonisk import AmiRunner, BaseReporter, EventHandler  # noqa: PLC0415

    class Handler(EventHandler):  # type: ignore[misc]
        def on_event(self, event: Any) -> None:
            with suppress(AssertionError, KeyError):  # what it did not expect would end its connection
                super().on_event(event)
            if event.event == LAST:
                meter.stop()

    quiet = logging.getLogger("quiet")
    quiet.setLevel(logging.CRITICAL)
    AmiRunner([f"tcp://bench:bench@{HOST}:{port}"], BaseReporter(), Handler, quiet).attach_all()


CLIENTS: Final[dict[str, Callable[[int, Meter], Coroutine[Any, Any, None]]]] = {
    run.__name__: run for run in (split, look, tracker, client, panoramisk, cacofonisk)
}


async def main() -> None:
    run, port, meter = CLIENTS[sys.argv[1]], int(sys.argv[2]), Meter()
    task = asyncio.create_task(run(port, meter))
    await asyncio.sleep(0.2)
    meter.start()
    await task
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
