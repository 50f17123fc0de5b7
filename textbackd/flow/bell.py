"""Rings when something changed in a conversation, for the pages that are open at that moment.   flow → here → web

Nobody has to hear it: what changed stands in the database. A listener that is slow hears of every conversation once, however often
the bell rang for it meanwhile.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

from textbackd.core.phone import E164


class Bell:
    """Rings for numbers. To be used in the event loop's thread only."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def ring(self, number: E164 | None) -> None:
        """Tell all listeners that the conversation with a number changed; None: nobody's in particular."""
        for listener in self._listeners:
            listener.hear(number)

    @contextmanager
    def listening(self) -> Iterator["Listener"]:
        """Listen for as long as the block lasts."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)


class Listener:
    """Hears the bell."""

    def __init__(self) -> None:
        self._heard: dict[E164 | None, None] = {}  # in the order in which they rang
        self._rang = asyncio.Event()

    def hear(self, number: E164 | None) -> None:
        """Note a ring."""
        self._heard[number] = None
        self._rang.set()

    async def rings(self) -> AsyncGenerator[E164 | None, None]:
        """Yield the numbers for which it rings, until cancelled."""
        while True:
            await self._rang.wait()
            self._rang.clear()
            heard, self._heard = self._heard, {}
            for number in heard:
                yield number
