"""Logging in and out.   auth.py sends strangers here; store/accounts.py, store/sessions.py ← here

A wrong name and a wrong password take the same way through this file: an attempt is counted, a hash is verified, one sentence
is told.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from aiohttp import web

from textbackd.store import accounts, bearer, refusals, sessions
from textbackd.store.accounts import Account
from textbackd.web import auth, cookies, csrf, pages, peer
from textbackd.web.passwords import Passwords
from textbackd.web.shop import SHOP

log = logging.getLogger(__name__)

PASSWORDS: Final = web.AppKey("passwords", Passwords)
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
    typed = _typed(await request.post())
    if not await is_own_form(request):
        return _page(request, fault=OLD_FORM, typed=typed, status=HTTPStatus.FORBIDDEN)
    shop, asker = request.app[SHOP], peer.address(request)
    counted = (refusals.account(typed.name), refusals.address(asker))
    until = await shop.store.run(lambda db: refusals.attempt(db, counted, shop.clock()))
    if until is not None:
        return _too_many(request, typed, until)
    account = await shop.store.run(lambda db: accounts.find(db, typed.name))
    if not await is_proved(request, account, typed.password) or account is None:
        await note_refused(request, account)
        return _page(request, fault=WRONG, typed=typed, status=HTTPStatus.UNAUTHORIZED)
    await shop.store.run(lambda db: refusals.let_off(db, *counted))
    return await start_session(request, account.staff, typed.wanted)


async def note_refused(request: web.Request, account: Account | None) -> None:
    """Tell the log and the audit of a wrong password. What was typed as name may be a password, and is not told."""
    shop, staff, asker = request.app[SHOP], account.staff if account else None, peer.address(request)
    log.warning("a login was refused", extra={"staff": staff})
    await shop.store.run(lambda db: refusals.note(db, staff, asker, shop.clock()))


async def is_own_form(request: web.Request) -> bool:
    """Return whether somebody without a session sends the form that this browser was shown."""
    secret = cookies.read(request, cookies.BEFORE_LOGIN)
    return secret is not None and await csrf.is_ours(request, secret)


async def is_proved(request: web.Request, account: Account | None, password: str) -> bool:
    """Return whether the password is the account's, and the account may log in. A hash is verified for every name."""
    store, passwords = request.app[SHOP].store, request.app[PASSWORDS]
    kept = account.password if account and account.disabled_at is None else None
    if not await passwords.is_right(kept, password) or account is None or kept is None:
        return False
    if passwords.is_outdated(kept):
        better = await passwords.hash(password)
        await store.run(lambda db: accounts.strengthen(db, account.staff, kept, better))
    return True


async def start_session(request: web.Request, staff: str, where: str) -> web.Response:
    """Log this browser in under a secret that nobody has seen before, and send it on."""
    shop, secret = request.app[SHOP], bearer.new()
    before, browser = cookies.read(request, cookies.SESSION), peer.browser(request)
    await shop.store.run(
        lambda db: sessions.start(db, staff, secret, browser, shop.clock(), instead_of=before),
    )
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


def _too_many(request: web.Request, typed: Typed, until: datetime) -> web.Response:
    seconds = seconds_until(request, until)
    response = _page(request, fault=wait_for(seconds), typed=typed, status=HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(seconds)
    return response


def seconds_until(request: web.Request, until: datetime) -> int:
    """Return how long it is until then, in whole seconds, at least one."""
    return max(1, ceil((until - request.app[SHOP].clock()).total_seconds()))


def wait_for(seconds: int) -> str:
    """Return what to tell somebody who tried too often."""
    wait = f"{seconds} seconds" if seconds < 90 else f"{ceil(seconds / 60)} minutes"
    return f"Too many tries. Wait {wait}, then try again."


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


def _typed(form: Mapping[str, Any]) -> Typed:
    name, password, wanted = (field(form, key) for key in ("name", "password", "next"))
    return Typed(name=name[:100], password=password, wanted=_safe(wanted))


def field(form: Mapping[str, Any], key: str) -> str:
    """Return a field of a form; "" where there is none, or a file in its place."""
    value = form.get(key, "")
    return value if isinstance(value, str) else ""


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
