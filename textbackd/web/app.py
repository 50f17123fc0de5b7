"""The listener on loopback: the inbox, /healthz and /metrics.   health.py, metrics.py, the pages → here → browser, monitor"""

import errno
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from textbackd.errors import TextbackdError
from textbackd.web import inbox, pages, pause, reports, static
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
    *(*account.ROUTES, *accounts_page.ROUTES, *audit.ROUTES, *reports.ROUTES, *pause.ROUTES),
)
MOST_BYTES: Final = 64 * 1024  # of one form; a text has at most 1,600 characters
BACKLOG: Final = 128  # connections that wait to be taken
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


def bound(host: str, port: int, *, key: str = "web.listen") -> list[socket.socket]:
    """Return sockets at an address. Raises TextbackdError, a sentence about the configuration's `key`, when it cannot be had."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            sockets.append(_bound(socket.socket(family, kind, protocol), address))
    except OSError as exc:
        for sock in sockets:
            sock.close()
        raise TextbackdError(f"{key}: {_address(host, port)} {_bind_fault(exc)}") from exc
    return sockets


def _bound(sock: socket.socket, address: tuple[Any, ...]) -> socket.socket:
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        # Only now is an address taken that another program listens on, too.
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


async def start(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve at an address until `stop`. Raises TextbackdError when it cannot be had."""
    sockets = bound(host, port)
    try:
        return await serve(app, sockets)
    finally:
        for sock in sockets:
            sock.close()


async def serve(app: web.Application, sockets: Iterable[socket.socket]) -> web.AppRunner:
    """Serve until `stop` on copies of these sockets, which stay open: whoever comes in between waits, and is not turned away."""
    # No access log: a number may stand in a path. Bodies stay as they come: nobody has reason to compress one, and aiohttp answers a
    # broken one with a traceback in the log.
    runner = web.AppRunner(
        app, access_log=None, logger=_connections, shutdown_timeout=SHUTDOWN_PATIENCE, auto_decompress=False
    )
    await runner.setup()
    for sock in sockets:
        await web.SockSite(runner, sock.dup(), backlog=BACKLOG).start()
    return runner


async def stop(runner: web.AppRunner) -> None:
    """Stop listening and close what is open."""
    await runner.cleanup()


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bind_fault(exc: OSError) -> str:
    number = exc.errno or 0  # less than nothing where it is the name that cannot be looked up
    words = os.strerror(number) if number > 0 else str(exc)
    return _BIND_FAULTS.get(number, f"cannot be listened on: {words}. Choose another address.")
