"""Texts whose fate is unknown: ask whoever may know.   store/outbox → here → gateways → store/reports

Late answers and delivery reports settle most (flow/replies_in.py). Where the gateway keeps a list it is asked; where it knows texts
by our id the text is handed over again, which changes nothing if it is there. What is left over is a person's to decide.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from textbackd.gateways.base import Gateway, Idempotent, OutboundText, Searchable
from textbackd.store import outbox, reports
from textbackd.store.database import Store
from textbackd.store.outbox import Unsettled

log = logging.getLogger(__name__)

# After the hand-over. Lists lag behind by seconds as a rule; the last look is for a gateway that was down meanwhile.
ASK_AFTER: Final = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600))
LOOK_EVERY: Final = 5.0  # seconds
CLOCKS_APART: Final = timedelta(seconds=90)  # the vendor's clock is not ours


class Unknowns:
    """Settles the unknown texts of one gateway, as far as the gateway can tell."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        store: Store,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        account: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`account` tells this gateway from another that has had its name, and whose texts it does not know."""
        self._account = account
        self._gateway, self._store, self._clock, self._wake, self._sleep = gateway, store, clock, wake, sleep
        self._asked: dict[str, int] = {}  # text → how many times

    @staticmethod
    def can_settle(gateway: Gateway) -> bool:
        """Return whether a gateway can be asked at all."""
        return isinstance(gateway, Searchable | Idempotent)

    async def run(self) -> None:
        """Look for unknown texts until cancelled."""
        while True:
            try:
                await self._look()
            except sqlite3.Error as error:
                log.error("unknown texts cannot be looked up; trying again", extra={"error": str(error)})
            await self._sleep(LOOK_EVERY)

    async def _look(self) -> None:
        since = self._clock() - ASK_AFTER[-1] - timedelta(seconds=10 * LOOK_EVERY)
        texts = await self._store.run(lambda db: outbox.unknown_at(db, self._gateway.name, since, self._account))
        self._asked = {text.id: self._asked.get(text.id, 0) for text in texts}
        for text in texts:
            asked = self._asked[text.id]
            if asked < len(ASK_AFTER) and self._clock() - text.submitted_at >= ASK_AFTER[asked]:
                self._asked[text.id] += 1
                await self._settle(text)

    async def _settle(self, text: Unsettled) -> None:
        gateway, now = self._gateway, self._clock()
        if isinstance(gateway, Idempotent):
            if now < text.expires_at and await self._store.run(
                lambda db: outbox.repeat(db, text.id, gateway.name, now, self._account)
            ):
                log.info("handing a text over again under the same id", extra={"outbox_id": text.id})
                self._wake()
        elif isinstance(gateway, Searchable):
            wanted = OutboundText(
                id=text.id, to=text.recipient, sender=text.did, body=text.body, valid_until=text.expires_at
            )
            found = await gateway.find(wanted, since=text.submitted_at - CLOCKS_APART)
            if found is not None:
                await self._store.run(lambda db: reports.late(db, gateway.name, text.id, found.reference, now))
                log.info("the gateway's list has a text whose fate was unknown", extra={"outbox_id": text.id})
