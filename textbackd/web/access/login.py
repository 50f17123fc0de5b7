"""Logging in and out.   auth.py sends strangers here; attempts.py, store/sessions.py ← here"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from textbackd.store import bearer, sessions
from textbackd.store.accounts import Account
from textbackd.web import pages
from textbackd.web.access import attempts, auth, cookies, csrf, forms, peer
from textbackd.web.access.attempts import Refused
from textbackd.web.access.forms import Form
from textbackd.web.shop import SHOP

HOME: Final = "/"
WRONG: Final = "That name and password do not belong together."
OLD_FORM: Final = "This page had been open for too long. Please try again."
NOTICES: Final = {"password": "Your password is set. Log in with it.", "out": "You are logged out."}


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody has typed."""

    name: str
    password: str
    wanted: str  # the page to go on to


async def form(request: web.Request) -> web.StreamResponse:
    """Show the login form."""
    wanted = _safe(request.query.get("next", ""))
    if auth.STAFF in request:
        return pages.redirect(wanted)
    return _page(request, notice=NOTICES.get(request.query.get("done", ""), ""), wanted=wanted)


async def log_in(request: web.Request) -> web.StreamResponse:
    """Check a name and a password, and start a session."""
    typed = _typed(await forms.read(request))
    if not await is_own_form(request):
        return _page(request, fault=OLD_FORM, typed=typed, status=HTTPStatus.FORBIDDEN)
    tried = await attempts.attempt(request, typed.name, typed.password)
    if isinstance(tried, Refused):
        return _refused(request, typed, tried)
    started = await _started(request, tried, typed.wanted)
    return started or _refused(request, typed, Refused(wait=None))


async def is_own_form(request: web.Request) -> bool:
    """Return whether somebody without a session sends the form that this browser was shown."""
    secret = cookies.read(request, cookies.BEFORE_LOGIN)
    return secret is not None and await csrf.is_ours(request, secret)


async def _started(request: web.Request, account: Account, where: str) -> web.Response | None:
    """Log this browser in under a secret that nobody has seen before, and send it on; None if the password was changed meanwhile."""
    shop, secret = request.app[SHOP], bearer.new()
    before, browser = cookies.read(request, cookies.SESSION), peer.browser(request)
    if not await shop.store.run(
        lambda db: sessions.start(db, account, secret, browser, shop.clock(), instead_of=before)
    ):
        return None
    response = pages.redirect(where)
    cookies.give_session(request, response, secret)
    cookies.take_back(request, response, cookies.BEFORE_LOGIN)
    return response


async def log_out(request: web.Request) -> web.StreamResponse:
    """End this session."""
    shop, visitor = request.app[SHOP], auth.staff_of(request)
    if visitor.session is not None:
        session = visitor.session
        await shop.store.run(lambda db: sessions.log_out(db, visitor.key, session, shop.clock()))
    response = pages.redirect("/login?done=out")
    cookies.take_back(request, response, cookies.SESSION)
    return response


def _refused(request: web.Request, typed: Typed, refused: Refused) -> web.Response:
    if refused.wait is None:
        return _page(request, fault=WRONG, typed=typed, status=HTTPStatus.UNAUTHORIZED)
    response = _page(request, fault=refused.sentence, typed=typed, status=HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(refused.wait)
    return response


def _page(
    request: web.Request,
    *,
    fault: str = "",
    notice: str = "",
    wanted: str = HOME,
    typed: Typed | None = None,
    status: int = HTTPStatus.OK,
) -> web.Response:
    told = {
        "fault": fault,
        "notice": notice,
        "name": typed.name if typed else "",
        "next": typed.wanted if typed else wanted,
    }
    return before_login(request, "login.html", told, status=status)


def before_login(
    request: web.Request, template: str, context: Mapping[str, Any], *, status: int = HTTPStatus.OK
) -> web.Response:
    """Return a page with a form for somebody who has no session yet."""
    secret = cookies.read(request, cookies.BEFORE_LOGIN) or bearer.new()
    response = pages.render(request, template, {**context, "csrf": csrf.token(secret)}, status=status)
    cookies.give_before_login(request, response, secret)
    return response


def _typed(form: Form) -> Typed:
    name, password, wanted = (forms.field(form, key) for key in ("name", "password", "next"))
    return Typed(name=name[:100], password=password, wanted=_safe(wanted))


def _safe(wanted: str) -> str:
    """Return a page of ours to go on to. What a browser could take for another host's address is none."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\", "/login"))
    is_plain = len(wanted) <= auth.LONGEST_NEXT and wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if is_ours and is_plain else HOME


ROUTES: Final = (
    web.get("/login", form, name="login"),
    web.post("/login", log_in, name="login"),
    web.post("/logout", log_out, name="logout"),
)
