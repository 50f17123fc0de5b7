"""The doors for calendars that tell of appointments.   Cal.com and others → here → calendars.py → flow/bookings_in.py"""

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import web

from textbackd.config.sections.bookings import Booking, CalCom
from textbackd.flow.bookings_in import BookingsIn
from textbackd.gateways.web.exchange import parsed
from textbackd.gateways.web.signatures import mac
from textbackd.web import calendars
from textbackd.web.secret import is_secret

log = logging.getLogger(__name__)

NOT_SIGNED: Final = "The message is not signed with this calendar's secret."
NOT_READ: Final = "The message is not a JSON object in UTF-8."
NOT_STORED: Final = "Not stored yet. Please come again."


class Doors:
    """All calendars of the configuration."""

    def __init__(self, bookings: Mapping[str, Booking], bookings_in: BookingsIn) -> None:
        self._bookings, self._bookings_in = bookings, bookings_in

    def routes(self) -> Iterable[web.RouteDef]:
        """Return the addresses: that of a calendar that signs, and that of one that only knows a secret address."""
        return [web.post("/booking/{name}", self._signed), web.post("/booking/{name}/{secret}", self._unsigned)]

    async def _signed(self, request: web.Request) -> web.Response:
        _require_plain(request)
        section = self._bookings.get(request.match_info["name"])
        if not isinstance(section, CalCom):
            raise web.HTTPNotFound
        body = await request.read()
        expected = mac(section.secret.get_secret_value(), body, "sha256").hex()
        given = request.headers.get(calendars.CAL_SIGNATURE, "").strip().lower()
        if not is_secret(given, expected):
            log.warning("a calendar's message was refused", extra={"source": request.match_info["name"]})
            return web.Response(status=403, text=NOT_SIGNED)
        return await self._taken(request.match_info["name"], section, body)

    async def _unsigned(self, request: web.Request) -> web.Response:
        _require_plain(request)
        section = self._bookings.get(request.match_info["name"])
        is_signing = isinstance(section, CalCom)
        expected = section.secret.get_secret_value() if section is not None and not is_signing else None
        if not is_secret(request.match_info["secret"], expected) or section is None:
            raise web.HTTPNotFound
        return await self._taken(request.match_info["name"], section, await request.read())

    async def _taken(self, name: str, section: Booking, body: bytes) -> web.Response:
        content = _content(body)
        if content is None:
            return web.Response(status=400, text=NOT_READ)
        told = calendars.read(section, content, body)
        if told is None:
            return web.Response(text="Nothing to do.")
        try:
            await self._bookings_in.take(name, told)
        except sqlite3.Error as error:
            log.error("an appointment cannot be stored", extra={"source": name, "error": str(error)})
            return web.Response(status=503, text=NOT_STORED, headers={"Retry-After": "5"})
        return web.Response(text="Stored.")


def _require_plain(request: web.Request) -> None:
    """Refuse a compressed message before it is read: it may be a bomb, and the signature is over what was compressed."""
    if "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType


def _content(body: bytes) -> dict[str, object] | None:
    try:
        content = parsed(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None
    return content if isinstance(content, dict) else None
