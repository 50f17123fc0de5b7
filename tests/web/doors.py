"""The doors for forms and calendars, open, before a real database."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import sqlite_utils

from tests.flow.bringing import Disk
from tests.flow.noting import NotesWhom
from tests.flow.settings import configured
from tests.store.rows import CALLER, DAY, NOON, judged
from textbackd.config import Brake, Settings
from textbackd.core.caps import Caps
from textbackd.flow.bell import Bell
from textbackd.flow.bookings_in import BookingsIn
from textbackd.flow.guard import Guard
from textbackd.flow.leads_in import LeadsIn
from textbackd.store import conversations, journal, outbox, timeline
from textbackd.store.acts import ActKind
from textbackd.store.conversations import Conversation
from textbackd.web import app, bookings, hooks, leads

T = TypeVar("T")
SECRET: Final = "k7Jm0V2x9Qp4Rt6Yz8Aa1B"
FORM: Final = f"/lead/website/{SECRET}"
CAL: Final = "/booking/cal"
CALENDAR: Final = f"/booking/calendar/{SECRET}"
BOOKINGS: Final = (
    f"{{cal: {{type: cal_com, secret: {SECRET}}}, calendar: {{type: generic, secret: {SECRET}, event: event}}}}"
)
TEXT: Final = '"Hi {caller_name}, this is {business}."'


@dataclass(frozen=True)
class Heard:
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass
class Doors:
    """The running doors of one test."""

    url: str
    store: Disk
    now: datetime = NOON
    woken: int = 0
    rung: list[str | None] = field(default_factory=list)

    async def ask(self, path: str, *, method: str = "POST", data: bytes = b"", **headers: str) -> Heard:
        """Send a request as it stands; a header `Content_Type=` is Content-Type."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, data=data, headers=sent, allow_redirects=False) as answer,
        ):
            return Heard(answer.status, await answer.text(), answer.headers)

    async def post_json(self, path: str, content: object, **headers: str) -> Heard:
        return await self.ask(path, data=json.dumps(content).encode(), Content_Type="application/json", **headers)

    async def signed(self, content: object, secret: str = SECRET) -> Heard:
        """Send a message of Cal.com's, signed as it signs them."""
        body = json.dumps(content).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return await self.ask(CAL, data=body, Content_Type="application/json", X_Cal_Signature_256=signature)

    async def read(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        return await self.store.run(work)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        return await self.read(lambda db: list(db[table].rows))

    async def conversation(self) -> Conversation | None:
        return await self.read(lambda db: conversations.find(db, CALLER))

    async def acts(self) -> list[tuple[str, str]]:
        entries = await self.read(lambda db: timeline.timeline(db, CALLER))
        return [(entry.row["kind"], entry.row["detail"]) for entry in entries if entry.row.get("kind") in set(ActKind)]

    async def texts(self) -> list[dict[str, Any]]:
        return await self.read(outbox.listing)

    async def missed(self) -> None:
        """Let the caller be missed."""
        await self.read(lambda db: journal.record(db, judged(), None, same_case_within=DAY, now=self.now))

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@asynccontextmanager
async def open_doors(folder: Path, *, form: str = "", **sections: str) -> AsyncIterator[Doors]:
    """Open the doors of a form `website` and of the calendars `cal` and `calendar`; `form` is more of the form's settings."""
    sections = {"leads": f"{{website: {{secret: {SECRET}{form}}}}}", "bookings": BOOKINGS, **sections}
    settings = configured(**sections)
    store = Disk(folder / "textbackd.db")
    await store.open()
    doors = Doors("", store)
    runner = await app.start(hooks.make_app({}, _routes(settings, doors)), "127.0.0.1", 0)
    doors.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield doors
    finally:
        await app.stop(runner)
        await store.close()


def _routes(settings: Settings, doors: Doors) -> list[aiohttp.web.RouteDef]:
    bell = _Noted(doors.rung)
    leads_in = LeadsIn(
        settings,
        store=doors.store,
        guard=Guard(Caps(), Brake(), observing=False),
        bell=bell,
        clock=lambda: doors.now,
        wake=lambda: setattr(doors, "woken", doors.woken + 1),
        one_decision=asyncio.Lock(),
        tells=NotesWhom(),
    )
    bookings_in = BookingsIn("US", store=doors.store, bell=bell, clock=lambda: doors.now)
    return [
        *leads.Doors(settings.leads, leads_in).routes(),
        *bookings.Doors(settings.bookings, bookings_in).routes(),
    ]


class _Noted(Bell):
    """A bell that notes for whom it rings."""

    def __init__(self, rung: list[str | None]) -> None:
        super().__init__()
        self._rung = rung

    def ring(self, number: str | None) -> None:
        self._rung.append(number)
