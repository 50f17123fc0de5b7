"""/invitation/SECRET: somebody chooses a password by the link that an owner gave them.   accounts_page.py → here → login.py"""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from textbackd.store import accounts
from textbackd.web import pages
from textbackd.web.access import attempts, forms, login
from textbackd.web.access.passwords import TOO_SHORT, is_long_enough
from textbackd.web.shop import SHOP

GONE: Final = "This link was used, or is older than a day. Ask for a new one."


async def form(request: web.Request) -> web.StreamResponse:
    """Show the form to whoever has a link that is still good."""
    return _page(request, await _whose(request))


async def choose(request: web.Request) -> web.StreamResponse:
    """Set the password, use the link up, and let them log in."""
    shop, staff = request.app[SHOP], await _whose(request)
    if not await login.is_own_form(request):
        return _page(request, staff, fault=login.OLD_FORM, status=HTTPStatus.FORBIDDEN)
    password = forms.field(await forms.read(request), "password")
    if not is_long_enough(password):
        return _page(request, staff, fault=TOO_SHORT, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    hashed, secret = await request.app[attempts.PASSWORDS].hash(password), request.match_info["secret"]
    if await shop.store.run(lambda db: accounts.accept(db, secret, hashed, shop.clock())) is None:
        raise web.HTTPNotFound(text=GONE)
    return pages.redirect("/login?done=password")


async def _whose(request: web.Request) -> str:
    """Return for whom the link is. Raises 404 if it is not good any more."""
    shop, secret = request.app[SHOP], request.match_info["secret"]
    staff = await shop.store.run(lambda db: accounts.invited(db, secret, shop.clock()))
    if staff is None:
        raise web.HTTPNotFound(text=GONE)
    return staff


def _page(request: web.Request, staff: str, *, fault: str = "", status: int = HTTPStatus.OK) -> web.Response:
    told = {"name": staff, "fault": fault, "secret": request.match_info["secret"]}
    return login.before_login(request, "invitation.html", told, status=status)


ROUTES: Final = (
    web.get("/invitation/{secret}", form, name="invitation"),
    web.post("/invitation/{secret}", choose, name="invitation"),
)
