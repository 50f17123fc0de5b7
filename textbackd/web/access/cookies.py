"""The cookies: one holds the secret of a session, one that of a login form before there is a session.   → auth.py, login.py

Over https their names begin with `__Host-`, so that the browser takes them from this very host only, over https only, for every
path (RFC 6265bis, §4.1.3.2). A name without it is not even read there: a neighbour could have set that one.
"""

import re
from datetime import timedelta
from typing import Final

from aiohttp import web

from textbackd.store.sessions import LASTS
from textbackd.web.access.peer import is_https

SESSION: Final = "textbackd"
BEFORE_LOGIN: Final = "textbackd-login"
FORM_LASTS: Final = timedelta(hours=12)  # a login page that is left open overnight
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes in base64url, as store/bearer.py makes them


def read(request: web.Request, name: str) -> str | None:
    """Return the secret in a cookie, None if there is none or it cannot be one of ours."""
    secret = request.cookies.get(_name(request, name), "")
    return secret if _SECRET.fullmatch(secret) else None


def give_session(request: web.Request, response: web.Response, secret: str) -> None:
    """Let the browser keep the secret of its session; how long that is good for is ours to know."""
    _give(request, response, SESSION, secret, LASTS)


def give_before_login(request: web.Request, response: web.Response, secret: str) -> None:
    """Let the browser keep the secret of the login form."""
    _give(request, response, BEFORE_LOGIN, secret, FORM_LASTS)


def take_back(request: web.Request, response: web.Response, name: str) -> None:
    """Have the browser forget a cookie."""
    # With the attributes it was given, without which a browser does not let a `__Host-` cookie be touched.
    response.del_cookie(_name(request, name), path="/", secure=is_https(request), httponly=True, samesite="Lax")


def _give(request: web.Request, response: web.Response, name: str, secret: str, lasts: timedelta) -> None:
    response.set_cookie(
        _name(request, name),
        secret,
        path="/",
        max_age=int(lasts.total_seconds()),
        secure=is_https(request),
        httponly=True,
        samesite="Lax",
    )


def _name(request: web.Request, name: str) -> str:
    return f"__Host-{name}" if is_https(request) else name
