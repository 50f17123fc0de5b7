"""/leads: forms that came without a usable number, until somebody has read them.   store/leads.py → here → browser"""

from typing import Final

from aiohttp import web

from textbackd.store import leads
from textbackd.web import auth, pages
from textbackd.web.shop import SHOP

PATH: Final = "/leads"


async def show(request: web.Request) -> web.StreamResponse:
    """Show those that nobody has read, the newest first."""
    found = await request.app[SHOP].store.run(leads.to_read)
    return pages.render(request, "leads.html", {"leads": found})


async def read(request: web.Request) -> web.StreamResponse:
    """Take one off the list. One that somebody else took off a moment ago is as well."""
    shop, lead_id, staff = request.app[SHOP], int(request.match_info["id"]), auth.staff_of(request).key
    if not await shop.store.run(lambda db: leads.read(db, lead_id, staff, shop.clock())):
        raise web.HTTPNotFound
    shop.desk.bell.ring(None)
    return pages.redirect(PATH)


ROUTES: Final = (web.get(PATH, show), web.post(PATH + r"/{id:[1-9][0-9]{0,17}}/read", read))
