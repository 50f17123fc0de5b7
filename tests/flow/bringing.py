"""A gateway that brings what a test tells it to, into a store whose disk can fail."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils

from tests.flow.gateways import Scripted
from tests.flow.settings import configured
from tests.store.rows import NOON
from textbackd.config import Brake
from textbackd.core.caps import Caps
from textbackd.core.phone import read_number
from textbackd.flow.bell import Bell
from textbackd.flow.desk import Desk
from textbackd.flow.guard import Guard
from textbackd.flow.replies_in import Readings, RepliesIn
from textbackd.flow.staff.orders import StaffOrders
from textbackd.flow.staff.texts import StaffTexts
from textbackd.flow.wishes import Wishes
from textbackd.gateways.base import Arrival, InboundText
from textbackd.store.database import Store

T = TypeVar("T")


class Bringing(Scripted):
    """Brings what it is told, and notes what it was allowed to forget."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        super().__init__("stick")
        self.arrivals, self.forgotten = list(arrivals), 0
        self.brought_all = asyncio.Event()

    async def incoming(self) -> AsyncIterator[Arrival]:
        for arrival in self.arrivals:
            yield arrival
            self.forgotten += 1
        self.brought_all.set()
        await asyncio.Event().wait()


class Disk(Store):
    """A store whose disk can fail."""

    fails = False
    is_unreadable = False  # what is asked beside the writing

    async def run(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        if self.fails:
            raise sqlite3.OperationalError("disk I/O error")
        return await super().run(work)

    async def read(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        if self.is_unreadable:
            raise sqlite3.OperationalError("disk I/O error")
        return await super().read(work)


@asynccontextmanager
async def brought(
    folder: Path,
    *arrivals: Arrival,
    store: Disk | None = None,
    clock: Callable[[], datetime] = lambda: NOON,
    **sections: str,
) -> AsyncIterator[tuple[Disk, Bringing]]:
    """Let a gateway bring things in until the block ends."""
    settings = configured(**sections)
    kept, gateway = store or Disk(folder / "textbackd.db"), Bringing(arrivals)
    if store is None:
        await kept.open()
    bell = Bell()
    desk = Desk(settings, store=kept, clock=clock, bell=bell, wake=lambda: None)
    readings = Readings(
        guard=Guard(Caps(), Brake(), observing=False),
        wishes=Wishes(settings),
        staff=StaffTexts(settings, store=kept, orders=StaffOrders(settings, store=kept, desk=desk), clock=clock),
        line_of=lambda did: found[0] if (found := settings.line_for(did)) else None,
        read_number=lambda written: read_number(written, settings.business.country).e164,
    )
    replies = RepliesIn(gateway, readings, store=kept, bell=bell, clock=clock)
    task = asyncio.create_task(replies.run())
    try:
        if not kept.fails:
            await asyncio.wait_for(gateway.brought_all.wait(), 3600)
        yield kept, gateway
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await kept.close()


def text(body: str = "Yes please", **changes: Any) -> InboundText:
    usual = {"id": "in-1", "sender": "(303) 555-0142", "recipient": None, "received_at": NOON}
    return InboundText(**{**usual, "body": body, **changes})
