"""What can be seen from outside: the doors for vendors, forms and calendars.   web/hooks.py, web/leads.py, web/bookings.py"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp.web import RouteDef

from textbackd.config import Settings
from textbackd.config.readers import HOOK_SECRET, TOO_WEAK
from textbackd.daemon.common import Common
from textbackd.errors import TextbackdError
from textbackd.flow.bookings_in import BookingsIn
from textbackd.flow.leads_in import LeadsIn
from textbackd.flow.staff.tells import Tells
from textbackd.web import app as web
from textbackd.web import bookings, hooks, leads


@asynccontextmanager
async def doors(
    common: Common, vendors: Mapping[str, hooks.Door], wake: Callable[[], None], tells: Tells
) -> AsyncIterator[None]:
    """Listen until the block ends, if there is anything to listen for. Raises TextbackdError when the address cannot be had."""
    _require_secrets(common.settings)
    others = [*_leads(common, wake, tells), *_bookings(common)]
    if not vendors and not others:
        yield
        return
    listen = common.settings.webhooks
    runner = await web.start(hooks.make_app(vendors, others), listen.host, listen.port, key="webhooks.listen")
    try:
        yield
    finally:
        await web.stop(runner)


def _require_secrets(settings: Settings) -> None:
    """Raise TextbackdError for a secret, looked up by now, that could be guessed or cannot stand in an address."""
    for section, entries in (("leads", settings.leads), ("bookings", settings.bookings)):
        for name, entry in entries.items():
            if not HOOK_SECRET.fullmatch(entry.secret.get_secret_value()):
                raise TextbackdError(f"{section}.{name}.secret: {TOO_WEAK}")


def _leads(common: Common, wake: Callable[[], None], tells: Tells) -> list[RouteDef]:
    sections = common.settings.leads
    if not sections:
        return []
    leads_in = LeadsIn(
        common.settings,
        store=common.store,
        guard=common.guard,
        bell=common.bell,
        clock=common.clock,
        wake=wake,
        one_decision=common.one_decision,
        tells=tells,
    )
    return list(leads.Doors(sections, leads_in).routes())


def _bookings(common: Common) -> list[RouteDef]:
    sections = common.settings.bookings
    if not sections:
        return []
    country = common.settings.business.country
    bookings_in = BookingsIn(country, store=common.store, bell=common.bell, clock=common.clock)
    return list(bookings.Doors(sections, bookings_in).routes())
