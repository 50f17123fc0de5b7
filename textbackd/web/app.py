"""The listener on loopback: the inbox, /healthz and /metrics.   health.py, metrics.py, the pages → here → browser, monitor"""

import errno
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from textbackd.errors import TextbackdError
from textbackd.web import inbox, pages, reports, static
from textbackd.web.access import account, accounts_page, attempts, audit, auth, invitation, login
from textbackd.web.access.passwords import Passwords
from textbackd.web.api.operation import OF_A_PROGRAM, PACE
from textbackd.web.api.routes import ROUTES as API
from textbackd.web.health import VITALS, Vitals, health
from textbackd.web.metrics import CONTENT_TYPE, Family, render
from textbackd.web.pace import Pace
from textbackd.web.shop import SHOP, Shop
from textbackd.web.side_notes import SIDE_NOTES, SideNotes

Measure = Callable[[], Awaitable[Iterable[Family]]]  # gathers the numbers at the moment when they are asked for

# What every answer says; a page that needs more sets its own.
SECURITY_HEADERS: Final = MappingProxyType({
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
})  # fmt: skip
# Every page of the inbox: closed to strangers, but for those that auth.py names.
PAGES: Final = (
    *(*static.ROUTES, *inbox.ROUTES, *login.ROUTES, *invitation.ROUTES),
    *(*account.ROUTES, *accounts_page.ROUTES, *audit.ROUTES, *reports.ROUTES),
)
MOST_BYTES: Final = 64 * 1024  # of one form; a text has at most 1,600 characters
SHUTDOWN_PATIENCE: Final = 2.0  # seconds that an answer under way may still take
_BIND_FAULTS: Final = MappingProxyType({
    errno.EADDRINUSE: "is in use by another program. Stop it or choose another port.",
    errno.EADDRNOTAVAIL: "is not an address of this machine. Choose 127.0.0.1 or an address that `ip addr` lists.",
    errno.EACCES: "is not allowed for this user. Choose a port above 1023.",
})  # fmt: skip


def make_app(
    *, vitals: Vitals, measure: Measure, shop: Shop | None = None, pace: Pace | None = None
) -> web.Application:
    """Return the application: what monitors ask, and for a shop its inbox and the API, which has the usual pace without one."""

    async def healthz(_request: web.Request) -> web.Response:
        return await health(vitals)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=render(await measure()).encode(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_get("/healthz", healthz, name="healthz")
    app.router.add_get("/metrics", metrics, name="metrics")
    app.on_response_prepare.append(harden)
    if shop is not None:
        app[VITALS] = vitals
        app[PACE] = Pace(*OF_A_PROGRAM) if pace is None else pace
        _open_inbox(app, shop)
    return app


def _open_inbox(app: web.Application, shop: Shop) -> None:
    app[SHOP] = shop
    app[SIDE_NOTES] = SideNotes()
    app[attempts.PASSWORDS] = Passwords()
    app.on_cleanup.append(attempts.close)
    app.middlewares.extend([cut_off, pages.errors, auth.guard])  # the first is the outermost
    pages.set_up(app)
    app.router.add_routes(PAGES)
    app.router.add_routes(API)
    inbox.set_up(app)


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of `SECURITY_HEADERS`, and take out what tells which versions run here."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    # The versions of Python and aiohttp are nobody's business.
    response.headers.popall("Server", None)


@web.middleware
async def cut_off(request: web.Request, handler: auth.Handler) -> web.StreamResponse:
    """Answer what broke off: whoever sent it has gone, or sends what is no HTTP. It reaches nobody, and keeps us from a traceback."""
    try:
        return await handler(request)
    except ConnectionError:
        return web.Response(status=HTTPStatus.REQUEST_TIMEOUT)
    except web.RequestPayloadError:
        return web.Response(status=HTTPStatus.BAD_REQUEST)


def _is_ours(record: logging.LogRecord) -> bool:
    """Return whether a fault that aiohttp tells of is not only that somebody sent bytes that are no HTTP, as scanners of the net do."""
    fault = record.exc_info[1] if record.exc_info else None
    return not isinstance(fault, BadHttpMessage | web.RequestPayloadError)


_connections: Final = logging.getLogger("textbackd.web.connections")
_connections.addFilter(_is_ours)


async def start(app: web.Application, host: str, port: int, *, key: str = "web.listen") -> web.AppRunner:
    """Serve until `stop`. Raises TextbackdError, a sentence about the configuration's `key`, when the address cannot be had."""
    # No access log: a number may stand in a path. Bodies stay as they come: nobody has reason to compress one, and aiohttp answers a
    # broken one with a traceback in the log.
    runner = web.AppRunner(
        app, access_log=None, logger=_connections, shutdown_timeout=SHUTDOWN_PATIENCE, auto_decompress=False
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as exc:
        await runner.cleanup()
        raise TextbackdError(f"{key}: {_address(host, port)} {_bind_fault(exc)}") from exc
    return runner


async def stop(runner: web.AppRunner) -> None:
    """Stop listening and close what is open."""
    await runner.cleanup()


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bind_fault(exc: OSError) -> str:
    # From Python 3.13 on asyncio passes over addresses that are not ours, and then has no number for what is left: nothing.
    number = exc.errno or (errno.EADDRNOTAVAIL if "could not bind on any address" in str(exc) else 0)
    words = os.strerror(number) if number > 0 else str(exc)
    return _BIND_FAULTS.get(number, f"cannot be listened on: {words}. Choose another address.")
