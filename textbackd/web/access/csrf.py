"""Does this request come from a page of ours?   cookies.py → here → auth.py, login.py

Two checks (OWASP, "Cross-Site Request Forgery Prevention"): the form shows a token that only pages of this session know, and
the browser says where the request comes from. The token is derived from the secret in the cookie, so there is nothing to store,
and whoever reads the database cannot make one.
"""

import hashlib
import hmac
from typing import Final

from aiohttp import web

from textbackd.web.access import forms, peer
from textbackd.web.secret import is_secret

FIELD: Final = "csrf"
HEADER: Final = "X-CSRF"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# "none" is the person's own doing, such as loading a page again (W3C Fetch Metadata, §2.3).
OWN_SITE: Final = frozenset({"same-origin", "none"})


def token(secret: str) -> str:
    """Return what the forms of a session show; `secret` is what its cookie holds."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


async def is_ours(request: web.Request, secret: str, *, is_form: bool = True) -> bool:
    """Return whether a request that changes something was sent by a page of the session that has `secret`.

    What is no form, such as JSON, has the token in the header alone.
    """
    if not comes_from_here(request):
        return False
    given = request.headers.get(HEADER) or (await _field(request) if is_form else "")
    return is_secret(given, token(secret))


async def _field(request: web.Request) -> str:
    return forms.field(await forms.read(request), FIELD)


def comes_from_here(request: web.Request) -> bool:
    """Return whether the browser says that one of our pages sent this, or says nothing, as old ones and programs do."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in OWN_SITE
    origin = request.headers.get("Origin")
    return origin is None or peer.is_own_origin(request, origin)
