"""What somebody can connect to. The sockets outlive what answers on them.   web/app.py → here → generation.py

While one configuration takes over from another nobody is turned away: who connects in between waits for the next.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

from aiohttp.web import Application

from textbackd.config.sections.pages import Listener
from textbackd.pbx.agi import LONGEST_LINE
from textbackd.web import app as web


class Ears:
    """The sockets of one listener. Raises TextbackdError when its address cannot be had."""

    def __init__(self, listener: Listener, *, key: str) -> None:
        self.listen = listener.listen
        self.sockets: list[socket.socket] = web.bound(listener.host, listener.port, key=key)
        self._talks: set[asyncio.Task[None]] = set()

    def begin(self, talk: Coroutine[None, None, None]) -> None:
        """Let somebody who has connected be talked to, for as long as we listen here."""
        task = asyncio.create_task(talk)
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    def close(self) -> None:
        """Listen no more, and end what is being said."""
        for sock in self.sockets:
            sock.close()
        for talk in self._talks:
            talk.cancel()


def ears(listener: Listener, before: Ears | None, *, key: str) -> Ears:
    """Return the sockets of a listener: those of before, if it has the same address. Raises TextbackdError."""
    return before if before is not None and before.listen == listener.listen else Ears(listener, key=key)


@asynccontextmanager
async def answering(make_app: Callable[[], Application | None], where: Ears | None) -> AsyncIterator[None]:
    """Answer until the block ends, if there is anything to answer with."""
    app = make_app() if where is not None else None
    if app is None or where is None:
        yield
        return
    runner = await web.serve(app, where.sockets)
    try:
        yield
    finally:
        await web.stop(runner)


@asynccontextmanager
async def talking(
    take: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]], where: Ears | None
) -> AsyncIterator[None]:
    """Have connections taken until the block ends; those that are open then end by themselves, or when the ears are closed."""
    if where is None:
        yield
        return

    # Given a coroutine function, asyncio.streams of Python 3.11 logs a traceback for each connection that is cut off by a stop.
    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        where.begin(take(reader, writer))

    servers = [await asyncio.start_server(begin, sock=sock.dup(), limit=LONGEST_LINE) for sock in where.sockets]
    try:
        yield
    finally:
        for server in servers:
            server.close()


class Place:
    """Holds one thing that runs at a time; the next one is there before the last one goes."""

    def __init__(self, first: AbstractAsyncContextManager[None]) -> None:
        self._first, self._held = first, AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._held.enter_async_context(self._first)
        return self

    async def put(self, thing: AbstractAsyncContextManager[None]) -> None:
        """Run this in place of what ran before."""
        last, self._held = self._held, AsyncExitStack()
        async with last:
            await self._held.enter_async_context(thing)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._held.__aexit__(kind, error, trace)
