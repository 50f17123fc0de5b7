"""A store, the staff's desk and what tells them, for the tests of the handoff."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.flow.settings import configured
from tests.store.rows import CALLER, DID, NOON
from textbackd.config import Settings
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.flow.bell import Bell
from textbackd.flow.desk import Desk
from textbackd.flow.staff.duty import Duty
from textbackd.flow.staff.handoff import Handoff
from textbackd.pbx.client import AmiClient
from textbackd.store import conversations, notices, outbox
from textbackd.store.conversations import News
from textbackd.store.database import Store, writing
from textbackd.store.notices import Way

ANNA, BEN = E164("+13035550113"), E164("+13035550114")
STAFF = '{anna: {name: Anna, mobile: "+13035550113"}, ben: {name: Ben, mobile: "+13035550114"}}'


@dataclass
class Telling:
    """The running pieces, with a clock that a test sets."""

    settings: Settings
    store: Store
    handoff: Handoff
    desk: Desk
    now: datetime = NOON

    async def happens(
        self,
        happening: Happening = Happening.WROTE,
        words: str = "",
        *,
        number: E164 = CALLER,
        hand_on: bool = True,
        arrives: bool = True,
        **more: Any,
    ) -> None:
        """Let something happen in a conversation, and be handed on; `arrives`: the gateway takes what staff are told."""
        news = News(number=number, happening=happening, at=self.now, words=words, did=DID, line="main", **more)

        def work(db: Any) -> None:
            with writing(db):
                conversations.happen(db, news)

        await self.store.run(work)
        if hand_on:
            await self.handoff.hand_on()
        if arrives:
            await self.arrive()

    async def arrive(self) -> None:
        """Let what staff are told get there."""
        await self.store.run(self._send)

    def _send(self, db: Any) -> None:
        while (text := outbox.claim(db, "stick", self.now)) is not None:
            outbox.accepted(db, text, None, self.now)
        while (notice := notices.due(db, Way.SIP, self.now)) is not None:
            notices.sent(db, notice.id)

    async def texts(self) -> list[tuple[str, str]]:
        """Return the texts of the outbox as (number, words)."""
        return [(text["to"], text["text"]) for text in await self.store.run(outbox.listing)]

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all of a table."""
        return await self.store.run(lambda db: list(db[table].rows))

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@asynccontextmanager
async def telling(
    folder: Path, *, clients: Mapping[str, AmiClient] | None = None, **sections: str
) -> AsyncIterator[Telling]:
    """Open a store until the block ends; nothing runs by itself."""
    settings = configured(**{"staff": STAFF, **sections})
    store, bell = Store(folder / "textbackd.db"), Bell()
    await store.open()
    found: list[Telling] = []
    desk = Desk(settings, store=store, clock=lambda: found[0].now, bell=bell, wake=lambda: None)
    duty = Duty(settings, clients or {})
    handoff = Handoff(settings, store=store, clock=lambda: found[0].now, bell=bell, duty=duty)
    found.append(Telling(settings, store, handoff, desk))
    try:
        yield found[0]
    finally:
        await store.close()
        await asyncio.sleep(0)
