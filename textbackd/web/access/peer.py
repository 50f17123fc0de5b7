"""Who asks, and how: the address, whether it came over https, and which browser.   → login, sessions, cookies

A reverse proxy on this machine is believed: it connects from loopback and says in `X-Forwarded-Proto` and `X-Forwarded-For`
what it saw. Of several addresses only the last was written by it, the ones before it by whoever connected to it.
"""

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

# The first that is found is taken: Edge also calls itself Chrome, and Chrome also Safari.
BROWSERS: Final = (
    *(("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox")),
    *(("CriOS", "Chrome"), ("Chrom", "Chrome"), ("Safari", "Safari")),
)
# Android also calls itself Linux.
SYSTEMS: Final = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android")),
    *(("Windows", "Windows"), ("Mac OS", "Mac"), ("Linux", "Linux")),
)


def is_https(request: web.Request) -> bool:
    """Return whether the browser speaks https to us or to our reverse proxy."""
    told = request.headers.get("X-Forwarded-Proto", "") if _is_proxied(request) else ""
    return request.secure or told.strip().lower() == "https"


def address(request: web.Request) -> str:
    """Return the address that asks; of IPv6 the /64, which is what one customer gets (RFC 6177)."""
    told = request.headers.get("X-Forwarded-For", "") if _is_proxied(request) else ""
    return _network(told.rpartition(",")[2].strip()) or _network(request.remote or "") or "unknown"


def _is_proxied(request: web.Request) -> bool:
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _network(written: str) -> str:
    try:
        parsed = ip_address(written)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((parsed.packed, 64), strict=False))
    return str(parsed)


def is_known_host(request: web.Request, url: str | None) -> bool:
    """Return whether the browser asks under a name that is ours: `url`'s, localhost, or an address.

    Another site's name that was made to point here (DNS rebinding) is none. Without a `url` every name may be ours.
    """
    if url is None:
        return True
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
        return host in (urlsplit(url).hostname, "localhost") or bool(_network(host))
    except ValueError:
        return False


def origin(request: web.Request) -> str:
    """Return the origin under which the browser knows this page."""
    return f"{'https' if is_https(request) else 'http'}://{request.host}"


def is_own_origin(request: web.Request, written: str) -> bool:
    """Return whether an `Origin` header names this page. "null" and what cannot be read do not."""
    try:
        given, own = urlsplit(written), urlsplit(origin(request))
        return (given.scheme, given.hostname, given.port) == (own.scheme, own.hostname, own.port)
    except ValueError:
        return False


def browser(request: web.Request) -> str:
    """Return in a few words which browser this says it is."""
    said = request.headers.get("User-Agent", "")
    name, system = _first(BROWSERS, said) or "A browser", _first(SYSTEMS, said)
    return f"{name} on {system}" if system else name


def _first(table: tuple[tuple[str, str], ...], said: str) -> str:
    return next((name for sign, name in table if sign in said), "")
