"""What an HTTP status says of a text, where the vendor says no more.   a dialect → here → gateway.py

Vendors' own codes are tables in the files of their gateways, from code to Meaning; what stands in none of them is judged here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from textbackd.gateways.base import Fate


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is known of a text that was not accepted."""

    fate: Fate
    words: str  # half a sentence for the person who reads the outbox
    code: str | None = None  # the gateway's own, for the record; None: the HTTP status


MAYBE: Final = "the text may have gone out"
REFUSED: Final = "it refuses this text"
MOVED: Final = "redirects are not followed with a text, put the final address into `url`"
BY_STATUS: Final[Mapping[int, Meaning]] = MappingProxyType({
    # "An indirect response to the original request" (RFC 9110 §15.4.4): it may have done the work.
    303: Meaning(Fate.UNKNOWN, MAYBE),
    401: Meaning(Fate.GATEWAY_UNFIT, "it does not accept the credentials"),
    402: Meaning(Fate.GATEWAY_UNFIT, "the account has no credit"),
    403: Meaning(Fate.GATEWAY_UNFIT, "these credentials may not send"),
    # The standard means the server's wait for us, programs also mean their own wait for others (RFC 9110 §15.5.9).
    408: Meaning(Fate.UNKNOWN, MAYBE),
    # How a gateway that knows our id says that it has this text already (android-sms-gateway).
    409: Meaning(Fate.UNKNOWN, MAYBE),
    429: Meaning(Fate.NOT_SENT, "it takes no more texts for now"),
})  # fmt: skip
BY_HUNDRED: Final[Mapping[int, Meaning]] = MappingProxyType({
    2: Meaning(Fate.UNKNOWN, "that is none of the `success` statuses, " + MAYBE),
    3: Meaning(Fate.GATEWAY_UNFIT, MOVED),
    4: Meaning(Fate.REFUSED, REFUSED),
    5: Meaning(Fate.UNKNOWN, MAYBE),
})  # fmt: skip
ODD: Final = Meaning(Fate.UNKNOWN, MAYBE)
UNREADABLE: Final = Meaning(Fate.UNKNOWN, f"its answer cannot be read, {MAYBE}")
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


def by_status(status: int) -> Meaning:
    """Return what a status that is no success means by itself."""
    return BY_STATUS.get(status) or BY_HUNDRED.get(status // 100, ODD)


def named(status: int) -> str:
    """Return a status as people know it, "429 Too Many Requests"."""
    return f"{status} {_PHRASES[status]}" if status in _PHRASES else str(status)
