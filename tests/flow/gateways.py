"""A gateway that answers as it is told, and workers on a clock that runs as fast as their loop."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from tests.store.rows import NOON, a_text
from textbackd.core.limits import Limit
from textbackd.core.phone import E164
from textbackd.flow.bell import Bell
from textbackd.flow.texts_out import Breakers, Worker
from textbackd.gateways.base import (
    Accepted,
    Arrival,
    Fate,
    Health,
    OutboundText,
    SendFailed,
)
from textbackd.store import outbox
from textbackd.store.database import Store
from textbackd.store.outbox import DueText, NewText

FAST = Limit(1000, timedelta(seconds=1))


def now(loop: asyncio.AbstractEventLoop | None = None) -> datetime:
    """Return the time of a loop, the running one if none is given, as a moment of one day."""
    return NOON + timedelta(seconds=(loop or asyncio.get_running_loop()).time() % 86400)


class Scripted:
    """Ends its first sends as told, and accepts the rest."""

    def __init__(self, name: str, *fates: Fate, during: Callable[[], object] = lambda: None) -> None:
        self.name = name
        self.sent: list[tuple[datetime, OutboundText]] = []
        self._fates, self._during = deque(fates), during

    async def start(self) -> None:
        """Nothing to get ready."""

    async def send(self, text: OutboundText) -> Accepted:
        self.sent.append((now(), text))
        self._during()
        if self._fates:
            raise SendFailed("It did not work.", fate=self._fates.popleft(), code="38")
        return Accepted(reference=f"{self.name}-{len(self.sent)}")

    async def incoming(self) -> AsyncIterator[Arrival]:
        nothing: list[Arrival] = []
        for item in nothing:
            yield item

    def health(self) -> Health:
        return Health.UP

    async def close(self) -> None:
        """Nothing to let go of."""


class Sending:
    """Workers at their work on a database in a folder."""

    def __init__(self, store: Store, workers: list[Worker], gateways: list[str]) -> None:
        self.store, self.workers, self._gateways = store, workers, gateways
        self.told: list[tuple[str, str]] = []

    async def put(self, text: NewText | None = None) -> str:
        """Queue a text for all gateways, due now."""
        at = now()
        new = text or a_text(at=at, gateways=self._gateways)
        return await self.store.run(lambda db: outbox.add_manual(db, new, now=at))

    def stop(self) -> None:
        """Ask every worker to stop."""
        for worker in self.workers:
            worker.stop()

    async def states(self) -> list[str]:
        return [text["state"] for text in await self.store.run(outbox.listing)]

    def note(self, text: DueText, state: str, _: str) -> None:
        self.told.append((text.gateway, state))


@asynccontextmanager
async def sending(
    folder: Path,
    *gateways: Scripted,
    store: Store | None = None,
    rate: Limit = FAST,
    on_the_phone: Callable[[], Collection[E164]] = frozenset,
) -> AsyncIterator[Sending]:
    """Run a worker for each gateway until the block ends."""
    kept = store or Store(folder / "textbackd.db")
    await kept.open()
    sending = Sending(kept, [], [gateway.name for gateway in gateways])
    clock = partial(now, asyncio.get_running_loop())
    breakers = Breakers()
    for gateway in gateways:
        worker = Worker(
            gateway,
            store=kept,
            clock=clock,
            rate=rate,
            on_the_phone=on_the_phone,
            breakers=breakers,
            bell=Bell(),
            told=sending.note,
        )
        sending.workers.append(worker)
    try:
        async with asyncio.TaskGroup() as group:
            for worker in sending.workers:
                group.create_task(worker.run())
            try:
                yield sending
            finally:
                sending.stop()
    finally:
        await kept.close()
