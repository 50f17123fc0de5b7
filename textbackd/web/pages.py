"""How a page is made: from a template, with what every page shows, under a strict policy.   templates/ → here → the pages

Everything in a template is escaped unless it says otherwise, and none does. No page has script or style of its own text: what is
not a file from /static does not run, whatever a caller has written.
"""

import logging
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp_jinja2
import jinja2
from aiohttp import web

from textbackd.web import static
from textbackd.web.access import auth
from textbackd.web.shop import SHOP

log = logging.getLogger(__name__)

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGE_HEADERS: Final = MappingProxyType({
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # With "no-referrer" a browser would call the origin of our own forms "null" (Fetch, "append a request Origin header").
    "Referrer-Policy": "same-origin",
})  # fmt: skip
# What a person reads instead of a page. The reason a page gives itself is shown in its place.
ERRORS: Final = MappingProxyType({
    400: ("Not understood", "The request could not be understood. Go back and try again."),
    403: ("Not for you", "You may not do this."),
    404: ("Nothing here", "There is no such page, or not any more."),
    405: ("Not like this", "This address is not for that. Go back and try again."),
    421: ("Unknown address", "The inbox does not go by this name. Its name is `web.url` in the configuration."),
    413: ("Too long", "That was more than can be taken at once. Shorten it and send it again."),
    429: ("Too many tries", "Wait a moment, then try again."),
    500: ("Something broke", "This is our fault, and it is written in the log. Texts and calls go on as usual. Try again in a moment."),
    503: ("Not just now", "The database cannot be written just now, so nothing was done. Go back and try again in a moment."),
})  # fmt: skip


def set_up(app: web.Application) -> None:
    """Let the pages of an application be made from our templates."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = static.url
    environment.filters["local"] = partial(_local, app[SHOP].settings.business.timezone)


def _local(zone: ZoneInfo, moment: datetime) -> str:
    """Return a moment by the shop's clock."""
    there = moment.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"


def _on_every_page(request: web.Request) -> dict[str, Any]:
    shop, visitor = request.app[SHOP], request.get(auth.STAFF)
    return {
        "business": shop.settings.business.name,
        "staff": visitor,
        "csrf": visitor.csrf if visitor else "",
        "path": request.path,
    }


def render(
    request: web.Request, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> web.Response:
    """Return a page. Every template knows `business`, `staff` (a Visitor or None), `csrf`, `path`, `static(name)` and `|local`."""
    response = aiohttp_jinja2.render_template(
        template, request, {**_on_every_page(request), **(context or {})}, status=status
    )
    response.headers.update(PAGE_HEADERS)
    return response


def redirect(where: str) -> web.Response:
    """Return the answer to a form that was done: the browser goes on, and loading again does not send it twice."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": where})


@web.middleware
async def errors(request: web.Request, handler: auth.Handler) -> web.StreamResponse:
    """Say in a plain sentence what went wrong; never how it looks inside."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _told(request, error.status, _reason(error), allowed)
    except (ConnectionError, web.RequestPayloadError):
        raise  # it broke off: no page of ours did
    # The page is lost, the daemon is not.
    except Exception as error:
        route = request.match_info.route.name
        if isinstance(error, sqlite3.Error) and not _is_of_the_query(error):
            log.error("a page cannot reach the database", extra={"route": route, "error": str(error)})
            return _told(request, 503, "", {"Retry-After": "5"})
        log.exception("a page broke", extra={"route": route})
        return _told(request, 500, "", {})


def _is_of_the_query(error: sqlite3.Error) -> bool:
    """Return whether what we asked is at fault, and not the disk or somebody who holds the database."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR or isinstance(error, sqlite3.IntegrityError)


def _reason(error: web.HTTPException) -> str:
    """Return what a page of ours gave as reason; aiohttp's own is "404: Not Found"."""
    text = error.text or ""
    return "" if text.startswith(f"{error.status}: ") or error.status not in (400, 403, 404, 429) else text


def _told(request: web.Request, status: int, reason: str, headers: Mapping[str, str]) -> web.Response:
    title, usual = ERRORS.get(status, ("That did not work", "The request could not be understood."))
    if auth.is_api(request):
        response = auth.problem(status, reason or usual)
    else:
        response = render(request, "error.html", {"title": title, "reason": reason or usual}, status=status)
    response.headers.update(headers)
    return response
