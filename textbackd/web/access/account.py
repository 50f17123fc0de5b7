"""/account: where I am logged in, and my password.   auth.py → here → store/sessions.py, store/accounts.py"""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from textbackd.store import accounts, sessions
from textbackd.web import pages
from textbackd.web.access import attempts, auth, forms
from textbackd.web.access.attempts import Refused
from textbackd.web.access.passwords import TOO_SHORT, is_long_enough
from textbackd.web.shop import SHOP

NOT_THE_SAME: Final = "The new password was not typed the same twice."
NOT_YOURS: Final = "That is not your present password."
DONE: Final = {
    "ended": "That session has ended.",
    "others": "All your other sessions have ended.",
    "password": "Your password is changed, and all your other sessions have ended.",
}


async def show(request: web.Request) -> web.StreamResponse:
    """Show my sessions, and a form to change my password."""
    return await _page(request, notice=DONE.get(request.query.get("done", ""), ""))


async def end_one(request: web.Request) -> web.StreamResponse:
    """End one of my sessions."""
    shop, me = request.app[SHOP], auth.staff_of(request)
    wanted = int(request.match_info["session"])
    if not await shop.store.run(lambda db: sessions.end(db, me.key, wanted, shop.clock(), by=me.key)):
        raise web.HTTPNotFound(text="That session has ended already.")
    return pages.redirect("/account?done=ended")


async def end_others(request: web.Request) -> web.StreamResponse:
    """End all my sessions but this one."""
    shop, me = request.app[SHOP], auth.staff_of(request)
    await shop.store.run(lambda db: sessions.end_all(db, me.key, shop.clock(), by=me.key, keep=me.session))
    return pages.redirect("/account?done=others")


async def change_password(request: web.Request) -> web.StreamResponse:
    """Change my password."""
    form = await forms.read(request)
    present, new, again = (forms.field(form, key) for key in ("present", "new", "again"))
    fault = _unusable(new, again) or await _changed(request, present, new)
    if fault:
        return await _page(request, fault=fault, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return pages.redirect("/account?done=password")


async def _changed(request: web.Request, present: str, new: str) -> str:
    """Set it, and return ""; or why this is not known to be me. Who finds my browser open may not guess, no more than at the login."""
    shop, me = request.app[SHOP], auth.staff_of(request)
    tried = await attempts.attempt(request, me.key, present)
    if isinstance(tried, Refused):
        return NOT_YOURS if tried.wait is None else tried.sentence
    proved, hashed = tried.password, await request.app[attempts.PASSWORDS].hash(new)
    done = await shop.store.run(
        lambda db: accounts.set_password(db, me.key, hashed, shop.clock(), by=me.key, keep=me.session, proved=proved)
    )
    return "" if done else NOT_YOURS


def _unusable(new: str, again: str) -> str:
    if not is_long_enough(new):
        return TOO_SHORT
    return "" if new == again else NOT_THE_SAME


async def _page(
    request: web.Request, *, notice: str = "", fault: str = "", status: int = HTTPStatus.OK
) -> web.Response:
    shop, me = request.app[SHOP], auth.staff_of(request)
    mine = await shop.store.run(lambda db: sessions.listing(db, shop.clock(), me.key))
    return pages.render(request, "account.html", {"sessions": mine, "notice": notice, "fault": fault}, status=status)


ROUTES: Final = (
    web.get("/account", show),
    web.post("/account/password", change_password),
    web.post("/account/sessions/end-others", end_others),
    web.post(r"/account/sessions/{session:\d{1,15}}/end", end_one),
)
