"""A text in letters that GSM-7 has.   core/compose.py → here      Pure.

For a shop that would rather write "Grüße - bis gleich" than pay twice for a long dash. GSM-7 has many letters with accents (ä, é, ñ),
which stay; everything else becomes the nearest thing that people read, by the library anyascii. Pictures are left out.
Source: 3GPP TS 23.038 §6.2.1.
"""

import re
import unicodedata
from typing import Final

from anyascii import anyascii

from textbackd.core.segments import is_gsm7

# In ASCII, and not in GSM-7.
_NO_GSM7: Final = str.maketrans({"`": "'", "\t": " "})


def to_gsm7(body: str) -> str:
    """Return `body` with every character in GSM-7."""
    # Composed first: "é" may have come as "e" and an accent, which alone would be lost.
    plain = "".join(_nearest(character) for character in unicodedata.normalize("NFC", body))
    return re.sub(r" {2,}", " ", plain).strip()  # a picture leaves two blanks


def _nearest(character: str) -> str:
    if is_gsm7(character):
        return character
    if unicodedata.category(character) in ("So", "Sk", "Cf", "Mn", "Co", "Cs", "Cn"):  # pictures and what shapes them
        return "'" if character == "`" else ""
    plain = anyascii(character).translate(_NO_GSM7)
    return plain if is_gsm7(plain) else ""
