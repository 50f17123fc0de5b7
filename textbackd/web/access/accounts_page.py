"""/accounts: who may log in. For owners.   auth.py → here → store/accounts.py"""

from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from textbackd.store import accounts, bearer, sessions
from textbackd.store.accounts import Account, Role
from textbackd.store.sessions import Session
from textbackd.web import pages
from textbackd.web.access import auth, forms, peer
from textbackd.web.access.names import fault_of_staff
from textbackd.web.shop import SHOP

YOURSELF: Final = "You cannot lock yourself out. Let another owner do it."
DONE: Final = {"disabled": "They cannot log in any more.", "ended": "Their sessions have ended."}


@auth.owner_only
async def show(request: web.Request) -> web.StreamResponse:
    """Show all accounts."""
    return await _page(request, notice=DONE.get(request.query.get("done", ""), ""))


@auth.owner_only
async def invite(request: web.Request) -> web.StreamResponse:
    """Make a link by which somebody new, or somebody who has forgotten theirs, chooses a password. Shown once."""
    shop, me, form = request.app[SHOP], auth.staff_of(request), await forms.read(request)
    staff = forms.field(form, "staff").strip()
    known = await shop.store.run(lambda db: accounts.find(db, staff))
    if known is None and (fault := fault_of_staff(staff)):
        return await _page(request, fault=fault, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    role = Role.OWNER if forms.field(form, "role") == Role.OWNER else Role.STAFF
    name, secret = known.staff if known else staff, bearer.new()
    await shop.store.run(lambda db: accounts.invite(db, name, role, secret, shop.clock(), by=me.key))
    base = (shop.settings.web.url or peer.origin(request)).rstrip("/")
    return await _page(request, invited=name, link=f"{base}/invitation/{secret}")


@auth.owner_only
async def disable(request: web.Request) -> web.StreamResponse:
    """Let somebody in no more."""
    shop, me, staff = request.app[SHOP], auth.staff_of(request), forms.field(await forms.read(request), "staff")
    if staff == me.key:
        return await _page(request, fault=YOURSELF, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    await shop.store.run(lambda db: accounts.disable(db, staff, shop.clock(), by=me.key))
    return pages.redirect("/accounts?done=disabled")


@auth.owner_only
async def end_sessions(request: web.Request) -> web.StreamResponse:
    """End all sessions of somebody; of one's own, all but this one."""
    shop, me, staff = request.app[SHOP], auth.staff_of(request), forms.field(await forms.read(request), "staff")
    keep = me.session if staff == me.key else None
    await shop.store.run(lambda db: sessions.end_all(db, staff, shop.clock(), by=me.key, keep=keep))
    return pages.redirect("/accounts?done=ended")


async def _page(
    request: web.Request,
    *,
    notice: str = "",
    fault: str = "",
    invited: str = "",
    link: str = "",
    status: int = HTTPStatus.OK,
) -> web.Response:
    shop = request.app[SHOP]
    known = await shop.store.run(accounts.listing)
    alive = await shop.store.run(lambda db: sessions.listing(db, shop.clock()))
    without = sorted(set(shop.settings.staff) - {account.staff for account in known})
    told = {"rows": [_row(account, alive) for account in known], "without": without}
    told |= {"notice": notice, "fault": fault, "invited": invited, "link": link}
    return pages.render(request, "accounts.html", told, status=status)


def _row(account: Account, alive: list[Session]) -> dict[str, Any]:
    theirs = [session for session in alive if session.staff == account.staff]
    return {"account": account, "sessions": theirs, "seen": theirs[0].last_seen_at if theirs else None}


ROUTES: Final = (
    web.get("/accounts", show),
    web.post("/accounts/invite", invite),
    web.post("/accounts/disable", disable),
    web.post("/accounts/end-sessions", end_sessions),
)
