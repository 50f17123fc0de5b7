"""The doors for forms on the shop's web pages.   browsers, web sites → here → core/form.py → flow/leads_in.py

The address of a form stands in the page, so it keeps out nobody who looks. What holds is: a limit per visitor and per form, a field that
only machines fill in, a body of at most 64 KiB, and that nothing of it is believed. It answers "200" only when everything is stored.
"""

import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import ceil
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from textbackd.config.sections.leads import Lead
from textbackd.core.form import LONGEST_VALUE, Form, Names, read
from textbackd.flow.leads_in import LeadsIn
from textbackd.gateways.web.exchange import parsed
from textbackd.web.access import peer
from textbackd.web.pace import Pace
from textbackd.web.secret import is_secret

log = logging.getLogger(__name__)

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 500  # what has more is no form
# A person who mistypes sends a form a few times; a school or a company sits behind one address.
PER_VISITOR: Final = (10, timedelta(minutes=1))
PER_FORM: Final = (60, timedelta(seconds=5))
TAKEN: Final = "Thank you. We will be in touch."
NOT_READ: Final = (
    "The form cannot be read. Send it as application/x-www-form-urlencoded or as one JSON object, in UTF-8."
)
NOT_STORED: Final = "It could not be stored just now. Please send it again."
TOO_OFTEN: Final = "Too many forms came from here. Please wait a moment and send it again."


class Doors:
    """All forms of the configuration."""

    def __init__(self, leads: Mapping[str, Lead], leads_in: LeadsIn) -> None:
        self._leads, self._leads_in = leads, leads_in
        self._per_visitor, self._per_form = Pace(*PER_VISITOR), Pace(*PER_FORM)

    def routes(self) -> Iterable[web.RouteDef]:
        """Return the addresses."""
        return [web.post("/lead/{name}/{secret}", self._post), web.options("/lead/{name}/{secret}", self._options)]

    async def _options(self, request: web.Request) -> web.Response:
        """Answer what a browser asks before a script may send JSON (Fetch, "CORS-preflight request")."""
        section = self._section(request)
        if section.cors_origin is None:
            raise web.HTTPMethodNotAllowed("OPTIONS", ["POST"])
        asked = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": "3600",
        }
        return _opened(web.Response(status=204, headers=asked), section)

    async def _post(self, request: web.Request) -> web.Response:
        section, name = self._section(request), request.match_info["name"]
        wait = self._per_visitor.wait(peer.address(request)) or self._per_form.wait(name)
        if wait:
            return _opened(_told(429, TOO_OFTEN, {"Retry-After": str(ceil(wait))}), section)
        return _opened(await self._taken(request, name, section), section)

    def _section(self, request: web.Request) -> Lead:
        section = self._leads.get(request.match_info["name"])
        expected = section.secret.get_secret_value() if section else None
        if not is_secret(request.match_info["secret"], expected) or section is None:
            raise web.HTTPNotFound
        return section

    async def _taken(self, request: web.Request, name: str, section: Lead) -> web.Response:
        is_plain = "Content-Encoding" not in request.headers  # nobody compresses a form; what does may be a bomb
        fields = _fields(request.content_type, await request.read()) if is_plain else None
        if fields is None:
            return _told(400, NOT_READ)
        form = read(fields, _names(section))
        if form.by_machine or not _says_anything(form):
            # It learns nothing from the answer.
            log.info("a form was filled in by a machine, or not at all", extra={"source": name})
            return _thanks(request, section)
        try:
            await self._leads_in.take(name, form)
        except sqlite3.Error as error:
            log.error("a form cannot be stored", extra={"source": name, "error": str(error)})
            return _told(503, NOT_STORED, {"Retry-After": "5"})
        return _thanks(request, section)


def _says_anything(form: Form) -> bool:
    return bool(form.phone or form.words or form.name)


def _names(section: Lead) -> Names:
    return Names(
        phone=section.phone,
        name=section.name,
        message=section.message,
        email=section.email,
        leave_empty=section.leave_empty,
    )


def _fields(content_type: str, body: bytes) -> list[tuple[str, str]] | None:
    """Return the fields of a form or of a JSON object; None for what is neither."""
    try:
        text = body.decode("utf-8-sig")
        if content_type == JSON:
            return _of_json(parsed(text))
        # What is not UTF-8 under its percent signs comes from an old page, and still has a number in it.
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS) if content_type == FORM else None
    except ValueError:
        return None


def _of_json(content: object) -> list[tuple[str, str]] | None:
    if not isinstance(content, dict) or len(content) > MOST_FIELDS:
        return None
    return [(str(name), _text(value)) for name, value in content.items()]


def _text(value: object) -> str:
    """Return what a page's author may have put under a name, as a person would read it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(str(item) for item in value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)[:LONGEST_VALUE]


def _thanks(request: web.Request, section: Lead) -> web.Response:
    """Answer a browser that sent the form itself with a page, and a script with JSON."""
    if "text/html" not in request.headers.get("Accept", ""):
        return web.json_response({"status": "taken"})
    if section.thanks is None:
        return _told(200, TAKEN)
    return web.Response(status=303, headers={"Location": section.thanks})


def _told(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=sentence, headers=headers)


def _opened(response: web.Response, section: Lead) -> web.Response:
    """Let scripts of the shop's own site read the answer."""
    if section.cors_origin is not None:
        response.headers["Access-Control-Allow-Origin"] = section.cors_origin
        response.headers["Vary"] = "Origin"
    return response
