"""Is this webhook the vendor's?  Comparisons that take the same time whatever is wrong.   a dialect → here"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from textbackd.gateways.base import Hook, HookRefused

FRESH: Final = timedelta(
    seconds=300
)  # a signed time further away than this is a recording; Telnyx and Stripe use the same
DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def mac(key: str, message: bytes, algorithm: Literal["sha1", "sha256"]) -> bytes:
    """Return the HMAC of a message."""
    return hmac.new(key.encode(), message, getattr(hashlib, algorithm)).digest()


def base64_mac(key: str, message: bytes, algorithm: Literal["sha1", "sha256"]) -> str:
    """Return the HMAC of a message as vendors write it into a header."""
    return base64.b64encode(mac(key, message, algorithm)).decode()


def require(given: str, expected: Iterable[str]) -> None:
    """Raise HookRefused unless `given` is one of the expected signatures."""
    # Every one is compared, so that the time tells nothing. Bytes: a header may hold anything.
    matches = [hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in expected]
    if not any(matches):
        raise HookRefused("The webhook is not signed by the vendor.", status=403)


def require_fresh(signed_at: str, now: datetime) -> None:
    """Raise HookRefused unless the signed time, in seconds since 1970, is within `FRESH` of now."""
    try:
        then = datetime.fromtimestamp(float(signed_at), UTC)
    except (ValueError, OverflowError, OSError):
        raise HookRefused("The webhook's signed time cannot be read.", status=403) from None
    if abs(now - then) > FRESH:
        raise HookRefused("The webhook was signed too long ago. Is this machine's clock right?", status=403)


def signed_addresses(hook_url: str, hook: Hook) -> list[str]:
    """Return the address that the vendor may have signed: as configured, with the query as it came, with and without port.

    The Host header is never asked: it is whatever the sender likes.
    """
    query = urlsplit(hook.target).query
    parts = urlsplit(hook_url)
    port = DEFAULT_PORTS.get(parts.scheme)
    hosts = [parts.netloc]
    if parts.port is None:
        hosts.append(f"{parts.netloc}:{port}")
    elif parts.port == port:
        hosts.append(parts.netloc.removesuffix(f":{port}"))
    return [urlunsplit((parts.scheme, host, parts.path, query, "")) for host in hosts]
