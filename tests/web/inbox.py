"""An inbox that runs, and browsers that keep cookies and fill in forms, for the tests of its pages."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Final, TypeVar

import aiohttp
import sqlite_utils
from aiohttp import web
from multidict import CIMultiDictProxy
from yarl import URL

from textbackd.config import loads
from textbackd.flow.bell import Bell
from textbackd.flow.clock import Clock
from textbackd.flow.desk import Desk
from textbackd.flow.staff.ring_back import RingBack
from textbackd.store import accounts
from textbackd.store.accounts import Role
from textbackd.store.database import Store
from textbackd.web.access.passwords import Passwords
from textbackd.web.app import make_app, start, stop
from textbackd.web.metrics import Family
from textbackd.web.pace import Pace
from textbackd.web.shop import Shop

T = TypeVar("T")
NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD: Final = "three plain words"
CONFIG: Final = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{secret: none, dial: {{context: from-internal}}}}}}
lines: {{main: {{{line}}}}}
gateways: {{web: {{type: http, url: "http://127.0.0.1:9/"}}}}
staff: {{anna: {{name: Anna Smith, phone: "PJSIP/101"}}, bob: {{name: Bob}}}}
storage: "{folder}/textbackd.db"
{more}
"""
_CSRF: Final = re.compile(r'name="csrf" value="([^"]*)"')


@dataclass
class Hands:
    """A clock that a test moves."""

    now: datetime = NOON

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)

    def wall(self) -> datetime:
        return self.now

    def steady(self) -> float:
        return self.now.timestamp()


class Well:
    """Vitals of a daemon with nothing to do."""

    async def database_ok(self) -> str:
        return "ok"

    def pbx_states(self) -> Mapping[str, str]:
        return {}

    def gateway_states(self) -> Mapping[str, str]:
        return {}

    async def texting(self) -> str:
        return "on"


async def nothing_measured() -> Iterable[Family]:
    return []


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str
    where: str  # the path, after redirects that were followed

    @property
    def csrf(self) -> str:
        found = _CSRF.search(self.text)
        return found[1] if found else ""

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.text)).split())


@dataclass
class Browser:
    """Keeps cookies, follows redirects, and fills the hidden field of the page that it saw last."""

    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    async def get(self, path: str, *, follow: bool = True) -> Page:
        return await self._seen("GET", path, None, follow)

    async def post(self, path: str, *, follow: bool = True, **fields: str) -> Page:
        return await self._seen("POST", path, {"csrf": self.csrf, **fields}, follow)

    async def _seen(self, method: str, path: str, form: Mapping[str, str] | None, follow: bool) -> Page:
        page = await self.ask(method, path, data=form, follow=follow)
        self.csrf = page.csrf or self.csrf
        return page

    async def ask(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, str] | None = None,
        follow: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """Send a request as it stands."""
        sent = {**self.headers, **(headers or {})}
        async with self.session.request(method, path, data=data, headers=sent, allow_redirects=follow) as answer:
            return Page(answer.status, answer.headers, await answer.text(errors="replace"), answer.url.path)

    async def log_in(self, name: str = "anna", password: str = PASSWORD) -> Page:
        await self.get("/login")
        return await self.post("/login", name=name, password=password)

    def cookie(self, name: str) -> str | None:
        return next((cookie.value for cookie in self.session.cookie_jar if cookie.key == name), None)


@dataclass
class Inbox:
    """The running pages of one test."""

    url: URL
    store: Store
    hands: Hands
    desk: Desk
    app: web.Application

    @asynccontextmanager
    async def browser(self, headers: dict[str, str] | None = None) -> AsyncIterator[Browser]:
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=self.url)  # cookies for an address, not a name
        async with aiohttp.ClientSession(self.url, cookie_jar=jar) as session:
            yield Browser(session, headers or {})

    async def write(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        return await self.store.run(work)


HASHED: Final = Passwords().hash_now(PASSWORD)


@asynccontextmanager
async def open_inbox(
    folder: Path, more: str = "", pace: Pace | None = None, phones: bool = False, line: str = 'dids: ["*"]'
) -> AsyncIterator[Inbox]:
    """Run an inbox in which anna is an owner with a desk phone and bob is neither; both have the same password.

    `phones`: the PBX is there to ring anna's desk phone."""
    hands = Hands()
    settings = loads(CONFIG.format(folder=folder, more=more, line=line), folder / "textbackd.yaml")
    store = Store(settings.storage)
    await store.open()
    await store.run(lambda db: accounts.add(db, "anna", Role.OWNER, HASHED, hands.now))
    await store.run(lambda db: accounts.add(db, "bob", Role.STAFF, HASHED, hands.now))
    clock = Clock(hands.wall, hands.steady)
    desk = Desk(
        settings,
        store=store,
        clock=clock,
        bell=Bell(),
        wake=lambda: None,
        ring_back=RingBack(settings) if phones else None,
    )
    shop = Shop(store=store, settings=settings, clock=clock, desk=desk)
    app = make_app(vitals=Well(), measure=nothing_measured, shop=shop, pace=pace)
    runner = await start(app, "127.0.0.1", 0)
    try:
        yield Inbox(URL(f"http://127.0.0.1:{runner.addresses[0][1]}"), store, hands, desk, app)
    finally:
        await stop(runner)
        await store.close()


async def raw(inbox: Inbox, request: bytes) -> bytes:
    """Send bytes as they stand, which no client would, and return all that comes back."""
    reader, writer = await asyncio.open_connection(inbox.url.host, inbox.url.port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
