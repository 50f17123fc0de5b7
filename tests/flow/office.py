"""A running daemon between a simulated PBX and real sinks, for the tests of the whole way of a call."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlite_utils

from textbackd.config import loads, resolve_secrets
from textbackd.core.phone import E164
from textbackd.daemon import Daemon
from textbackd.demo.pbx import DemoPbx
from textbackd.flow.clock import Clock
from textbackd.store import journal, outbox
from textbackd.store.database import open_database

TRACES = Path(__file__).parents[1] / "traces" / "asterisk22"

CONFIG = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{host: 127.0.0.1, port: {ami}, secret: demo{cdr}}}{more}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{{gateways}}}
policy: {{{policy}}}
web: {{listen: "127.0.0.1:{pages}"}}
storage: "{folder}/textbackd.db"
{sections}
"""


@dataclass(slots=True)
class Office:
    """The running pieces of one test."""

    pbx: DemoPbx
    folder: Path
    stop: asyncio.Event

    async def play(self, *stories: str) -> None:
        """Play recorded calls one after the other, without their pauses."""
        for story in stories:
            await self.pbx.play(TRACES / f"{story}.ami", pause=lambda _: 0.0)

    def texts(self) -> list[dict[str, Any]]:
        """Return the outbox as `outbox --json` prints it."""
        db = open_database(self.folder / "textbackd.db")
        try:
            return outbox.listing(db)
        finally:
            db.close()

    def calls(self, wanted: str) -> list[dict[str, Any]]:
        """Return the recorded calls of a caller, newest first."""
        db = open_database(self.folder / "textbackd.db")
        try:
            return journal.find_calls(db, wanted, E164(wanted))
        finally:
            db.close()

    def resolution(self, caller: str) -> str | None:
        """Return how the caller's case ended; None: it is open."""
        db = open_database(self.folder / "textbackd.db")
        try:
            found: list[str | None] = [row["resolution"] for row in db["cases"].rows_where("caller = ?", [caller])]
            return found[-1]
        finally:
            db.close()

    def decisions(self) -> dict[str, int]:
        """Return how often each rule decided on a call."""
        db = open_database(self.folder / "textbackd.db")
        try:
            return dict(Counter(row["decision_reason"] for row in db["calls"].rows))
        finally:
            db.close()

    def write(self, work: Callable[[sqlite_utils.Database], object]) -> None:
        """Do something to the database, as a command beside the daemon does."""
        db = open_database(self.folder / "textbackd.db")
        try:
            work(db)
        finally:
            db.close()


@asynccontextmanager
async def running(
    folder: Path,
    gateways: str,
    policy: str = "min_wait: 0s, delay: 0s",
    cdr: Path | None = None,
    more_pbx: str = "",
    clock: Clock | None = None,
    sections: str = "",
    pages: int = 0,
) -> AsyncIterator[Office]:
    """Run a daemon until the block ends; what it raised is raised here."""
    pbx = DemoPbx()
    await pbx.start()
    records = f', cdr: "{cdr}"' if cdr else ""
    text = CONFIG.format(
        ami=pbx.port,
        gateways=gateways,
        policy=policy,
        folder=folder,
        cdr=records,
        more=more_pbx,
        sections=sections,
        pages=pages,
    )
    settings = loads(text, folder / "textbackd.yaml")
    office = Office(pbx, folder, asyncio.Event())
    task = asyncio.create_task(Daemon(resolve_secrets(settings), clock=clock).run(office.stop))
    try:
        await until(lambda: pbx.listeners > 0 or task.done())
        yield office
    finally:
        office.stop.set()
        await task
        await pbx.stop()


async def until(true: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until something is so; fail if it never gets so."""
    async with asyncio.timeout(seconds):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)
