"""Who is it, and may they?  Stands before every page.   cookies.py, csrf.py, store → here → the pages

A page is closed unless its route's name is in one of two short tables: whoever adds a page has nothing to remember. A stranger
gets the same answer for what there is and what there is not, so that nothing can be learnt by trying addresses.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from textbackd.store import sessions, tokens
from textbackd.store.accounts import Role
from textbackd.web.access import cookies, csrf, peer
from textbackd.web.shop import SHOP
from textbackd.web.side_notes import SIDE_NOTES

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Names of routes. What monitors and the login page itself need:
FOR_EVERYBODY: Final = frozenset({"static", "healthz", "metrics"})
# Pages of somebody who has no session yet; they check their forms themselves.
BEFORE_LOGIN: Final = frozenset({"login", "invitation"})
_FOR_OWNERS: Final = "is_for_owners"  # the mark of a page that is closed to all but owners
LONGEST_NEXT: Final = 500  # characters of an address to come back to
FORBIDDEN_FORM: Final = (
    "This form is out of date, or was not sent from here. Go back, load the page again, and try once more."
)
NEEDS_CSRF: Final = "A session sends the csrf of /me as header X-CSRF with every POST."
NEEDS_LOGIN: Final = "Log in, or show a token: Authorization: Bearer TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody of the staff who is logged in, or a program with a token of theirs."""

    key: str  # the account's name
    name: str  # how colleagues know them
    role: Role
    session: int | None = None  # None: a program
    token: int | None = None  # None: a person
    csrf: str = ""  # what the forms of this session show; a program has none, as it has no cookie that others could use

    @property
    def is_owner(self) -> bool:
        """Return whether they may see accounts, sessions and who did what, and take data out as a spreadsheet."""
        return self.role is Role.OWNER


STAFF: Final = web.RequestKey("staff", Visitor)


def staff_of(request: web.Request) -> Visitor:
    """Return who is logged in; only for pages that are closed to strangers."""
    return request[STAFF]


def is_api(request: web.Request) -> bool:
    """Return whether a program asks, which wants JSON and no page."""
    return request.path == "/api" or request.path.startswith("/api/")


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, errors: Sequence[Mapping[str, str]] = ()
) -> web.Response:
    """Return what a program is told of a fault (RFC 9457): `detail` is one sentence for a person, `errors` what is wrong where."""
    told = {"status": status, "title": HTTPStatus(status).phrase, "detail": detail, "errors": list(errors)}
    return web.json_response(told, status=status, headers=headers, content_type="application/problem+json")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who may; put the `Visitor` into the request."""
    route = request.match_info.route.name
    if route in FOR_EVERYBODY:
        return await handler(request)
    if not peer.is_known_host(request, request.app[SHOP].settings.web.url):
        raise web.HTTPMisdirectedRequest
    visitor = await _visitor(request)
    if visitor is not None:
        request[STAFF] = visitor
    if route in BEFORE_LOGIN:
        return await handler(request)
    if visitor is None:
        return _stranger(request)
    if request.method not in csrf.SAFE_METHODS:
        await _check_form(request, visitor)
    return await handler(request)


async def _visitor(request: web.Request) -> Visitor | None:
    if is_api(request) and (secret := _bearer(request)) is not None:
        return await _program(request, secret)
    cookie = cookies.read(request, cookies.SESSION)
    return await _person(request, cookie) if cookie is not None else None


async def _program(request: web.Request, secret: str) -> Visitor | None:
    shop = request.app[SHOP]
    now = shop.clock()
    token = await shop.store.run(lambda db: tokens.find(db, secret))
    if token is None:
        return None
    if tokens.is_to_note(token, now):
        await request.app[SIDE_NOTES].write(shop.store.run(lambda db: tokens.used(db, token, now)))
    return Visitor(key=token.staff, name=shop.name_of(token.staff), role=token.role, token=token.id)


async def _person(request: web.Request, cookie: str) -> Visitor | None:
    shop = request.app[SHOP]
    now = shop.clock()
    found = await shop.store.run(lambda db: sessions.find(db, cookie, now))
    if found is None:
        return None
    if sessions.is_to_note(found, now):
        await request.app[SIDE_NOTES].write(shop.store.run(lambda db: sessions.seen(db, found, now)))
    name, shown = shop.name_of(found.staff), csrf.token(cookie)
    return Visitor(key=found.staff, name=name, role=found.role, session=found.id, csrf=shown)


def _bearer(request: web.Request) -> str | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _stranger(request: web.Request) -> web.Response:
    if is_api(request):
        return problem(401, NEEDS_LOGIN, {"WWW-Authenticate": "Bearer"})
    wanted = request.raw_path if request.method == "GET" and request.raw_path != "/" else ""
    where = f"/login?{urlencode({'next': wanted})}" if 0 < len(wanted) <= LONGEST_NEXT else "/login"
    return web.Response(status=303, headers={"Location": where})


async def _check_form(request: web.Request, visitor: Visitor) -> None:
    """Raise 403 unless a page of this very session sent the request. A token is not sent by itself, as a cookie is."""
    if visitor.session is None:
        return
    cookie = cookies.read(request, cookies.SESSION)
    if cookie is None or not await csrf.is_ours(request, cookie, is_form=not is_api(request)):
        raise web.HTTPForbidden(text=NEEDS_CSRF if is_api(request) else FORBIDDEN_FORM)


def owner_only(handler: Handler) -> Handler:
    """Close a page to all but owners."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        if not staff_of(request).is_owner:
            raise web.HTTPForbidden(text="Only owners may see this page. Ask one of them.")
        return await handler(request)

    vars(guarded)[_FOR_OWNERS] = True
    return guarded


def is_for_owners(handler: object) -> bool:
    """Return whether `owner_only` stands before it."""
    return _FOR_OWNERS in vars(handler)
