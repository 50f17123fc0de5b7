"""Forms that were filled in without a number, so that no conversation could begin.   store/leads.py → here → browser"""

from aiohttp import web

from textbackd.store import leads
from textbackd.store.leads import Lead
from textbackd.web import pages
from textbackd.web.access.auth import staff_of
from textbackd.web.inbox import words
from textbackd.web.inbox.columns import eyes_of
from textbackd.web.inbox.rows import Eyes
from textbackd.web.shop import SHOP


async def show(request: web.Request) -> web.StreamResponse:
    """Show those that nobody has read."""
    found, eyes = await request.app[SHOP].store.read(leads.to_read), eyes_of(request)
    return pages.render(request, "inbox/forms.html", {"forms": [(form, _when(form, eyes)) for form in found]})


async def read(request: web.Request) -> web.StreamResponse:
    """Take one off the list."""
    shop, staff, written = request.app[SHOP], staff_of(request).key, request.match_info["id"]
    is_id = len(written) < 16
    if not is_id or not await shop.store.run(lambda db: leads.read(db, int(written), staff, shop.clock())):
        raise web.HTTPNotFound
    shop.desk.bell.ring(None)
    return pages.redirect("/forms")


def _when(form: Lead, eyes: Eyes) -> str:
    at = eyes.local(form.at)
    return f"{words.day(at.date(), eyes.local(eyes.now).date())}, {words.clock(at)}"
