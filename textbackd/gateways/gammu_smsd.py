"""Texts through gammu-smsd and its SQL tables.   flow/texts_out, flow/replies_in → here → gammu/*

A text is accepted when it stands in gammu's outbox where its daemon sees it; from then on it is gammu's. It carries our id
(`CreatorID`), so handing the same one over again finds it there, in the outbox or among the sent items, and adds nothing.
What no daemon has touched when its time is over is taken back. Replies and reports are read from the tables.
"""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeVar

from textbackd.config.gateways import GammuSmsd as Section
from textbackd.gateways.base import Accepted, Arrival, DeliveryReport, Fate, Health, Lent, OutboundText, SendFailed
from textbackd.gateways.gammu import tables
from textbackd.gateways.gammu.database import Database, FaultError, MySql, Row, Run, Server, Sqlite
from textbackd.gateways.gammu.tables import Received
from textbackd.gateways.long_texts import LongTexts

log = logging.getLogger(__name__)

NOT_SEEN: Final = (
    "gammu-smsd has not written to its database for five minutes: is it running, and StatusFrequency not 0"
)
Result = TypeVar("Result")


class GammuSmsd:
    """A gateway through one gammu-smsd, or several that share a database; see base.Gateway for the contract."""

    knows_ids: Literal[True] = True

    def __init__(self, *, name: str, database: Database, section: Section) -> None:
        self.name = name
        self._database, self._section = database, section
        self._reference = secrets.randbelow(256)
        self._health = Health.UNKNOWN
        self._is_open = False
        self._taken_back: deque[DeliveryReport] = deque()
        self._told: dict[str, str] = {}  # the last state that is stored, by the part's reference
        self._long: LongTexts[Row] = LongTexts()
        self._lock = asyncio.Lock()  # one conversation at a time: two of ours need not wait for each other's locks

    async def start(self) -> None:
        """Look whether the database is there, and clear away what an earlier start left half-written."""
        self._is_open = True
        with suppress(FaultError):
            await self._talk(tables.sweep)

    async def send(self, text: OutboundText) -> Accepted:
        """Put a text into gammu's outbox, once. See base.Gateway."""
        if not self._is_open:
            raise SendFailed(f"{self.name}: the gateway is not started, nothing was sent.", fate=Fate.NOT_SENT)
        now = datetime.now(UTC)
        if text.valid_until is not None and text.valid_until <= now:
            raise SendFailed(f"{self.name}: the text's time is over, nothing was sent.", fate=Fate.NOT_SENT)
        self._reference = (self._reference + 1) % 256
        try:
            prepared = await self._talk(lambda run: self._prepare(run, text, now))
        except FaultError as exc:
            raise SendFailed(f"{self.name}: nothing was sent: {exc}.", fate=exc.fate) from exc
        return prepared if isinstance(prepared, Accepted) else await self._hand_over(*prepared)

    async def find(self, text: OutboundText, *, since: datetime) -> Accepted | None:
        """Return what gammu has of a text, in its outbox or among its sent items."""
        del since  # ids are never used twice
        try:
            return _accepted(await self._talk(lambda run: tables.rows_of(run, text.id)))
        except FaultError:
            return None

    async def incoming(self) -> AsyncIterator[Arrival]:
        """Yield what arrives; asking for the next marks the last as processed."""
        while True:
            for received in await self._look(self._received, list[Received]()):
                yield received.text
                await self._look(partial(tables.mark, rows=received.rows), None)
            self._taken_back.extend(await self._look(self._taken, list[DeliveryReport]()))
            while self._taken_back:
                yield self._taken_back[0]
                self._taken_back.popleft()
            states = await self._look(self._sent, dict[str, tuple[str, DeliveryReport]]())
            for reference, (state, report) in states.items():
                if self._told.get(reference) != state:
                    yield report
                    self._told[reference] = state
            self._told = {reference: state for reference, state in self._told.items() if reference in states}
            await asyncio.sleep(self._section.poll_every.total_seconds())

    def health(self) -> Health:
        """Return what the last look at the tables showed; DOWN also when no daemon has written to them lately."""
        return self._health

    async def close(self) -> None:
        """Wait for the conversation under way."""
        self._is_open = False
        async with self._lock:
            pass

    # --- in a thread, within one conversation ---------------------------------------------------------------------

    def _prepare(self, run: Run, text: OutboundText, now: datetime) -> Accepted | tuple[int, int]:
        known = _accepted(tables.rows_of(run, text.id))
        if known is not None:
            return known
        if not tables.is_seen(self._database, run, self._section.phone_id):
            raise FaultError(NOT_SEEN, Fate.NOT_SENT)
        report = self._section.delivery_reports
        return tables.prepare(run, text, reference=self._reference, report=report, now=now)

    def _received(self, run: Run) -> list[Received]:
        return tables.received(run, self._long, self._section.phone_id, at=time.monotonic())

    def _taken(self, run: Run) -> list[DeliveryReport]:
        return tables.take_back(run, datetime.now(UTC))

    def _sent(self, run: Run) -> dict[str, tuple[str, DeliveryReport]]:
        return tables.sent(self._database, run)

    # --- conversations --------------------------------------------------------------------------------------------

    async def _hand_over(self, number: int, parts: int) -> Accepted:
        try:
            await self._talk(lambda run: tables.hand_over(run, number, self._section.phone_id))
        except FaultError as exc:
            # A server that is lost here may have done it; asking again under the same id will tell.
            raise SendFailed(f"{self.name}: the text may have gone out: {exc}.", fate=Fate.UNKNOWN) from exc
        return Accepted(reference=",".join(f"{number}.{at}" for at in range(1, parts + 1)), parts=parts)

    async def _look(self, what: Callable[[Run], Result], otherwise: Result) -> Result:
        """Return what a conversation says, or `otherwise` if there is none now."""
        try:
            return await self._talk(what)
        except FaultError as exc:
            log.warning("gammu-smsd's database cannot be read", extra={"gateway": self.name, "cause": str(exc)})
            return otherwise

    async def _talk(self, what: Callable[[Run], Result]) -> Result:
        """Hold one conversation in a thread. Raises FaultError."""
        async with self._lock:
            try:
                result, is_seen = await asyncio.to_thread(self._converse, what)
            except FaultError as exc:
                self._health = Health.PAUSED if exc.fate is Fate.GATEWAY_UNFIT else Health.DOWN
                raise
            self._health = Health.UP if is_seen else Health.DOWN
            return result

    def _converse(self, what: Callable[[Run], Result]) -> tuple[Result, bool]:
        with self._database.conversation() as run:
            return what(run), tables.is_seen(self._database, run, self._section.phone_id)


def build(name: str, section: Section, lent: Lent) -> GammuSmsd:
    """Return the gateway of a section."""
    del lent  # it needs nothing of the daemon's
    return GammuSmsd(name=name, database=database_of(section), section=section)


def database_of(section: Section) -> Database:
    """Return where a section's tables are."""
    mysql = section.mysql
    if mysql is None:
        assert section.sqlite is not None  # noqa: S101 (the settings have seen to it)
        return Sqlite(Path(section.sqlite))
    return MySql(
        Server(
            host=mysql.host,
            port=mysql.port,
            socket=mysql.socket,
            user=mysql.user,
            password=mysql.password.get_secret_value(),
            database=mysql.database,
        )
    )


def _accepted(references: list[str]) -> Accepted | None:
    return Accepted(reference=",".join(references), parts=len(references)) if references else None
