"""What can be seen from outside: the doors for vendors, forms and calendars.   web/hooks.py, web/leads.py, web/bookings.py"""

from collections.abc import Callable, Mapping

from aiohttp.web import Application, RouteDef

from textbackd.config import Settings
from textbackd.config.readers import HOOK_SECRET, TOO_WEAK
from textbackd.daemon.common import Common
from textbackd.errors import TextbackdError
from textbackd.flow.bookings_in import BookingsIn
from textbackd.flow.leads_in import LeadsIn
from textbackd.flow.staff.tells import Tells
from textbackd.web import bookings, hooks, leads


def make_app(common: Common, vendors: Mapping[str, hooks.Door], wake: Callable[[], None], tells: Tells) -> Application:
    """Return the application with all doors."""
    return hooks.make_app(vendors, [*_leads(common, wake, tells), *_bookings(common)])


def are_there(settings: Settings, vendors: Mapping[str, hooks.Door]) -> bool:
    """Return whether there is any door. Raises TextbackdError for a secret that could be guessed."""
    _require_secrets(settings)
    return bool(vendors or settings.leads or settings.bookings)


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
