"""Septets → letters, in the default alphabet or a nation's. Pure.   modem/pdu.py → here

Source: 3GPP TS 23.038 §6.2.1 and Annex A. The tables, Turkish, Spanish, Portuguese and ten of India, are those of gsmcodecs.
"""

from typing import Final

import gsmcodecs  # noqa: F401  # being imported, it registers its codecs

ESCAPE: Final = 0x1B
DEFAULT: Final = 0
LANGUAGES: Final = range(14)  # 0 to 13 (Urdu); gsmcodecs 1.0.0 raises KeyError for others
CODEC: Final = "gsm23.038-{locking}-{single}"


def letters(septets: bytes, *, locking: int = DEFAULT, single: int = DEFAULT) -> str:
    """Return the text; the languages are national language identifiers, and an unknown one is the default alphabet."""
    known = [language if language in LANGUAGES else DEFAULT for language in (locking, single)]
    codec = CODEC.format(locking=known[0], single=known[1])
    text, rest = "", iter(septets)
    for septet in rest:
        text += _escaped(next(rest, ESCAPE), codec) if septet == ESCAPE else _letter(septet, codec)
    return text


def _escaped(septet: int, codec: str) -> str:
    """Return what stands behind an escape; what is not in the table is shown as without it (§6.2.1.1)."""
    if septet == ESCAPE:
        return " "  # reserved for a further table, shown as a space
    try:
        return bytes([ESCAPE, septet]).decode(codec)
    except UnicodeDecodeError:
        return _letter(septet, codec)


def _letter(septet: int, codec: str) -> str:
    return bytes([septet]).decode(codec, "replace")
