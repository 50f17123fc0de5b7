"""How many radio texts does a body take, and where is it cut?  Pure.   compose → here → gateways, lint

Sources: 3GPP TS 23.038 §6.2.1 (the GSM 7-bit alphabet; characters of its extension table take two septets) and §6.2.3
(UCS-2); 3GPP TS 23.040 §9.2.3.24 (140 octets of user data, of which the header of a part of a long text takes 6).
The cutting itself is smsutil's, which is right at every boundary tried (tests/core/test_segments.py).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import smsutil

# 140 octets hold 160 septets or 70 UCS-2 characters; less the 6 octets of a part's header, 153 or 67
# (3GPP TS 23.040 §9.2.3.24.1).
GSM7_ALONE: Final = 160
GSM7_PART: Final = 153
UCS2_ALONE: Final = 70
UCS2_PART: Final = 67

# 0x1B is the way into the extension table, not a character that anybody can read; smsutil counts it as one.
_ESCAPE: Final = "\x1b"


class Encoding(StrEnum):
    """The alphabet of a text. One character outside GSM-7 makes the whole text UCS-2 and more than halves its room."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """A body as the radio network carries it."""

    encoding: Encoding
    parts: tuple[str, ...]  # joined they are the body; no character is cut in two, nor an emoji into its surrogates
    units: int  # septets in GSM-7, 16-bit units in UCS-2: what counts against the limits above

    @property
    def count(self) -> int:
        return len(self.parts)


def segments(body: str) -> Segments:
    """Return the alphabet of `body` and its parts: one of up to 160 septets or 70 units, else several of 153 or 67.

    An empty body is one empty part. An extension character (`[`, `€`) takes two septets, an emoji two units, and
    neither is ever cut, so a part may be one unit shorter than it could be.
    """
    if not body:
        return Segments(encoding=Encoding.GSM7, parts=("",), units=0)
    gsm7 = is_gsm7(body)
    cut = smsutil.gsm_split(body) if gsm7 else smsutil.unicode_split(body)
    return Segments(
        encoding=Encoding.GSM7 if gsm7 else Encoding.UCS2,
        parts=tuple(part.content for part in cut.parts),
        units=cut.total_bytes if gsm7 else cut.total_bytes // 2,
    )


def is_gsm7(body: str) -> bool:
    """Return whether the GSM 7-bit alphabet has every character of `body`."""
    return not body or (_ESCAPE not in body and bool(smsutil.is_valid_gsm(body)))


def outside_gsm7(body: str) -> tuple[str, ...]:
    """Return the characters, each once, in their order, that turn `body` into UCS-2: what the lint shows the shop."""
    return tuple(dict.fromkeys(character for character in body if not is_gsm7(character)))
