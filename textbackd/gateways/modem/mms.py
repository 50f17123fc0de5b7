"""The notification of a picture message: from whom, about what. Pure.   modem/pdu.py → here → modem/inbox.py

The picture itself stays with the operator: getting it needs a data connection and the operator's settings. What says that
there is one comes as a WAP push in a binary text. Sources: WAP-230-WSP §8.2.4.2 (Push) and §8.4.1.2 (how long a field is),
OMA-MMS-ENC §6.2 (M-Notification.ind) and §7.3 (field names).
"""

from dataclasses import dataclass
from typing import Final

PORT: Final = 2948  # where WAP pushes go (WAP-259-WDP, appendix B)
PUSH: Final = 0x06
MEDIA_TYPES: Final = (b"\xbe", b"application/vnd.wap.mms-message\x00")  # the short form is 0x3E of the WINA list
MESSAGE_TYPE, FROM, SUBJECT = 0x8C, 0x89, 0x96
NOTIFICATION: Final = 0x82
ADDRESS_PRESENT: Final = 0x80
QUOTE: Final = 31  # octets of length up to 30 are the length itself; 31 says that it follows
LONGEST: Final = 200  # characters of a subject or an address


@dataclass(frozen=True, slots=True)
class Notification:
    """A picture message waits at the operator's."""

    sender: str | None  # None: not told, or withheld
    subject: str | None


def notification(push: bytes) -> Notification | None:
    """Return what the octets of a WAP push say; None if they are no notification of a picture message."""
    try:
        fields = _fields(_body(push))
    except IndexError:
        return None
    if fields.get(MESSAGE_TYPE) != bytes([NOTIFICATION]):
        return None
    return Notification(sender=_sender(fields.get(FROM, b"")), subject=_words(fields.get(SUBJECT, b"")) or None)


def _body(push: bytes) -> bytes:
    """Return what stands behind the headers of a push about a picture message; nothing for another."""
    if push[1] != PUSH:
        return b""
    length, at = _length(push, 2)
    headers = push[at : at + length]
    # The media type comes first, alone or behind the length of itself with its parameters.
    skipped = 1 if headers[0] < QUOTE else 0
    return push[at + length :] if headers[skipped:].startswith(MEDIA_TYPES) else b""


def _fields(body: bytes) -> dict[int, bytes]:
    """Return the fields by their number, the first of each; a field with a name in letters is passed over."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(body):
        if body[at] & 0x80:
            name, (value, at) = body[at], _value(body, at + 1)
            found.setdefault(name, value)
        else:
            _, at = _value(body, at)
            _, at = _value(body, at)
    return found


def _value(body: bytes, at: int) -> tuple[bytes, int]:
    """Return a value without its length, and where the next field begins; IndexError if it is cut off."""
    first = body[at]
    if first & 0x80:
        return body[at : at + 1], at + 1
    if first > QUOTE:
        end = body.find(0, at)
        if end < 0:
            raise IndexError("a text without its end")
        return body[at:end], end + 1
    length, begin = (first, at + 1) if first < QUOTE else _length(body, at + 1)
    if begin + length > len(body):
        raise IndexError("a value that is cut off")
    return body[begin : begin + length], begin + length


def _length(octets: bytes, at: int) -> tuple[int, int]:
    """Return a number in groups of seven bits, and where it ends (WAP-230-WSP §8.1.2)."""
    number = 0
    for end in range(at, at + 5):
        number = number << 7 | octets[end] & 0x7F
        if not octets[end] & 0x80:
            return number, end + 1
    raise IndexError("a length without its end")


def _sender(value: bytes) -> str | None:
    """Return the address in a From field: "+13035550126/TYPE=PLMN" is a number."""
    if value[:1] != bytes([ADDRESS_PRESENT]):
        return None
    return _words(value[1:]).partition("/TYPE=")[0] or None


def _words(value: bytes) -> str:
    """Return an encoded string, with or without its length and its character set in front."""
    if value and value[0] < QUOTE:
        value = value[1:]
    if value and value[0] & 0x80:
        value = value[1:]  # the character set; phones use UTF-8 (0xEA), of which ASCII is a part
    text = value.split(b"\x00")[0].removeprefix(b"\x7f").decode("utf-8", "replace")
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST].strip()
