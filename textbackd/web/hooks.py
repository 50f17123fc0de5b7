"""Where vendors tell what arrived: a listener of its own, the only thing that has to be seen from outside.   → gateways

The doors of forms (leads.py) and calendars (bookings.py) are here, too.

An address ends in a secret; a wrong one is answered like one that does not exist. The body goes to the gateway as it came, which
checks the vendor's signature. The vendor hears "200" only when everything is stored, so that it comes again otherwise.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp import web

from textbackd.gateways.base import Hook, HookRefused, HookReply, TakesHooks
from textbackd.web.app import cut_off, harden
from textbackd.web.secret import is_secret

log = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 1024  # of one body; a long text with its envelope has fewer than 10,000
# Vendors give up after 10 to 15 s and come again; they had better hear it from us.
PATIENCE: Final = timedelta(seconds=8)


@dataclass(frozen=True, slots=True)
class Door:
    """The webhook of one gateway."""

    gateway: TakesHooks
    secret: str


def make_app(
    doors: Mapping[str, Door], others: Iterable[web.RouteDef] = (), *, patience: timedelta = PATIENCE
) -> web.Application:
    """Return the application for the webhooks of gateways by name, and for `others`."""

    async def hook(request: web.Request) -> web.Response:
        door = doors.get(request.match_info["gateway"])
        if not is_secret(request.match_info["secret"], door.secret if door else None) or door is None:
            raise web.HTTPNotFound
        return await _taken(request, request.match_info["gateway"], door.gateway, patience)

    app = web.Application(client_max_size=MOST_BYTES, middlewares=[cut_off])
    app.on_response_prepare.append(harden)
    app.router.add_route("GET", "/hook/{gateway}/{secret}", hook)
    app.router.add_route("POST", "/hook/{gateway}/{secret}", hook)
    app.router.add_routes(others)
    return app


async def _taken(request: web.Request, name: str, gateway: TakesHooks, patience: timedelta) -> web.Response:
    hook = Hook(
        method=request.method,
        target=request.raw_path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
    )
    try:
        async with asyncio.timeout(patience.total_seconds()):
            reply = await gateway.hook(hook)
    except HookRefused as refused:
        log.warning("a webhook was refused", extra={"gateway": name, "why": str(refused)})
        reply = HookReply(status=refused.status, body=str(refused))
    except TimeoutError:
        log.warning("a webhook could not be stored in time; the vendor is told to come again", extra={"gateway": name})
        reply = HookReply(status=503, body="Not stored yet. Please come again.")
    return web.Response(status=reply.status, content_type=reply.content_type, text=reply.body)
