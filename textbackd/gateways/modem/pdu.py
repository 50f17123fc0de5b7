"""Texts ↔ the PDUs that a modem takes and gives. Pure.   gateways/gsm_modem.py → here → modem/link.py

Source: 3GPP TS 23.040 §9.2.2 (SMS-SUBMIT, SMS-DELIVER, SMS-STATUS-REPORT) and §9.2.3 (their fields); the service
centre's address in front of them: 3GPP TS 27.005 §3.1. The building blocks are python-gsmmodem-new's. Its encoder and
decoder as a whole are not used: 0.13.0 cuts an emoji in two at a part boundary, sends a back-tick as `§`, loses the first
character of each part with a 16-bit reference and raises ValueError for a time stamp of zeros.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from gsmmodem import pdu as blocks

from textbackd.core.segments import Encoding, segments
from textbackd.gateways.modem import gsm7

SUBMIT: Final = 0x01
HAS_RELATIVE_VALIDITY: Final = 0x10
WANTS_REPORT: Final = 0x20
HAS_HEADER: Final = 0x40
SHORTEST_VALIDITY: Final = timedelta(minutes=5)  # TP-VP 0; there is nothing shorter (3GPP TS 23.040 §9.2.3.12.1)
LONGEST_VALIDITY: Final = timedelta(weeks=63)  # TP-VP 255
UNREADABLE: Final = "(A message without readable text, for example settings from the operator.)"
# Elements of the header in front of a text (3GPP TS 23.040 §9.2.3.24).
PARTS, PARTS_16, PORTS_8, PORTS_16, SINGLE_SHIFT, LOCKING_SHIFT = 0x00, 0x08, 0x04, 0x05, 0x24, 0x25


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitPdu:
    """One radio text, ready for AT+CMGS."""

    hex: str
    length: int  # octets without the service centre's address: what AT+CMGS is told


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOf:
    """Which part of which long text this is."""

    reference: int  # the sender's, 8 or 16 bit
    total: int
    number: int  # from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """A radio text that came in: a whole text, or a part of one."""

    sender: str
    sent_at: datetime | None  # aware UTC; None where the network gave no readable time
    part: PartOf | None
    body: str  # UTF-16 surrogates as they came: a phone may cut an emoji at a part boundary. See `joined`
    octets: bytes | None = None  # of a binary message, whose body is `UNREADABLE`; None: it is text
    port: int | None = None  # the application that it is for; 2948 gets WAP pushes, picture messages among them


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """What became of a radio text that was sent."""

    reference: int
    recipient: str
    status: int  # TP-ST, 3GPP TS 23.040 §9.2.3.15

    @property
    def delivered(self) -> bool:
        return self.status <= 0x1F

    @property
    def final(self) -> bool:
        # 0x20 to 0x3F: the service centre is still trying.
        return not 0x20 <= self.status <= 0x3F


class UndecodableError(Exception):
    """Bytes that are no PDU of ours to read."""


def submit_pdus(
    *, to: str, body: str, reference: int, smsc: str | None, valid_for: timedelta | None, report: bool
) -> tuple[SubmitPdu, ...]:
    """Return the radio texts that carry `body`; `reference` (0 to 255) binds the parts of a long one together."""
    cut = segments(body)
    first = SUBMIT | (WANTS_REPORT if report else 0) | (HAS_RELATIVE_VALIDITY if valid_for is not None else 0)
    head = bytes([0]) + _address(to) + bytes([0, 0x00 if cut.encoding is Encoding.GSM7 else 0x08])
    head += b"" if valid_for is None else bytes([validity(valid_for)])
    if cut.count == 1:
        return (_submit(bytes([first]) + head + _user_data(cut.encoding, cut.parts[0], b""), smsc),)
    headers = [_concatenation(reference, cut.count, number) for number in range(1, cut.count + 1)]
    return tuple(
        _submit(bytes([first | HAS_HEADER]) + head + _user_data(cut.encoding, part, header), smsc)
        for part, header in zip(cut.parts, headers, strict=True)
    )


def validity(valid_for: timedelta) -> int:
    """Return TP-VP for the longest period it can tell that is not over `valid_for`; at least 5 minutes."""
    octet: int = blocks._encodeRelativeValidityPeriod(min(max(valid_for, SHORTEST_VALIDITY), LONGEST_VALIDITY))
    return octet


def decode(pdu_hex: str) -> Deliver | StatusReport:
    """Return what a stored or pushed PDU says; raises UndecodableError for anything else."""
    try:
        reader = _Reader(bytes.fromhex(pdu_hex))
        reader.take(reader.octet())  # the service centre's address
        first = reader.octet()
        if first & 0x03 == 0x00:
            return _deliver(reader, has_header=bool(first & HAS_HEADER))
        if first & 0x03 == 0x02:
            return _status_report(reader)
    except (ValueError, IndexError, StopIteration) as exc:
        raise UndecodableError(str(exc)) from exc
    raise UndecodableError(f"message type {first & 0x03} is not one that comes in")


def joined(parts: Iterable[str]) -> str:
    """Return the bodies as one, with the surrogates of an emoji, even one cut at a part boundary, made whole."""
    return "".join(parts).encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def dialable(number: str) -> str:
    """Return `number` with only digits and a leading `+`; with spaces in it, it would be sent as a *name*."""
    digits = re.sub(r"[^0-9]", "", number)
    return f"+{digits}" if number.strip().startswith("+") else digits


# --- outwards -----------------------------------------------------------------------------------------------------


def _submit(tpdu: bytes, smsc: str | None) -> SubmitPdu:
    centre = bytes([0]) if smsc is None else bytes(blocks._encodeAddressField(dialable(smsc), smscField=True))
    return SubmitPdu(hex=(centre + tpdu).hex().upper(), length=len(tpdu))


def _address(number: str) -> bytes:
    return bytes(blocks._encodeAddressField(dialable(number)))


def _concatenation(reference: int, total: int, number: int) -> bytes:
    element = blocks.Concatenation()
    element.reference, element.parts, element.number = reference & 0xFF, total, number
    encoded = bytes(element.encode())
    return bytes([len(encoded)]) + encoded


def _user_data(encoding: Encoding, part: str, header: bytes) -> bytes:
    """Return TP-UDL and TP-UD: the length counts septets in GSM-7, octets in UCS-2, the header included."""
    if encoding is Encoding.UCS2:
        octets = header + part.encode("utf-16-be", "replace")
        return bytes([len(octets)]) + octets
    septets = bytearray(part.encode("gsm0338"))
    # The text starts on a septet boundary; fill bits stand between it and the header (3GPP TS 23.040 §9.2.3.24).
    begun = len(header) * 8 % 7  # bits of the header in the septet that it ends in
    packed = blocks.packSeptets(septets, padBits=begun) if septets else b""
    return bytes([_header_septets(header) + len(septets)]) + header + bytes(packed)


def _header_septets(header: bytes) -> int:
    return (len(header) * 8 + 6) // 7


# --- inwards ------------------------------------------------------------------------------------------------------


class _Reader:
    """Octets in their order; running out of them raises IndexError."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def octet(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._octets):
            raise IndexError("the PDU ends too early")
        self._at += count
        return self._octets[self._at - count : self._at]

    @property
    def empty(self) -> bool:
        return self._at >= len(self._octets)

    def rest(self) -> bytes:
        return self.take(len(self._octets) - self._at)


def _deliver(reader: _Reader, *, has_header: bool) -> Deliver:
    sender = _read_address(reader)
    reader.octet()  # protocol identifier
    coding = reader.octet()
    sent_at = _read_time(reader.take(7))
    length, data = reader.octet(), reader.rest()
    header = data[: data[0] + 1] if has_header else b""
    elements = _read_elements(header)
    readable = _alphabet(coding) is not None
    return Deliver(
        sender=sender,
        sent_at=sent_at,
        part=_part(elements),
        body=_read_body(coding, length, data, header, elements),
        octets=None if readable else data[len(header) : length],
        port=_port(elements),
    )


def _status_report(reader: _Reader) -> StatusReport:
    reference = reader.octet()
    recipient = _read_address(reader)
    reader.take(14)  # when it was sent and when that became of it
    return StatusReport(reference=reference, recipient=recipient, status=reader.octet())


def _read_address(reader: _Reader) -> str:
    """Return a number, `+` in front if international, or a name in letters (3GPP TS 23.040 §9.1.2.5)."""
    digits, kind = reader.octet(), reader.octet()
    octets = reader.take((digits + 1) // 2)
    if kind & 0x70 == 0x50:
        return gsm7.letters(_septets(octets, 0, digits * 4 // 7))
    number = str(blocks.decodeSemiOctets(bytearray(octets)))[:digits]
    return f"+{number}" if kind & 0x70 == 0x10 else number


def _read_time(octets: bytes) -> datetime | None:
    """Return the service centre's time stamp as UTC; its last octet counts quarters of an hour, bit 3 is the sign."""
    digits = [10 * (octet & 0x0F) + (octet >> 4) for octet in octets[:6]]
    zone = octets[6]
    quarters = 10 * (zone & 0x07) + (zone >> 4)
    offset = timezone(timedelta(minutes=-15 * quarters if zone & 0x08 else 15 * quarters))
    try:
        return datetime(2000 + digits[0], *digits[1:], tzinfo=offset).astimezone(UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def _read_elements(header: bytes) -> dict[int, bytes]:
    """Return the elements of a header by their identifier; of two that are equal the last counts (§9.2.3.24)."""
    reader = _Reader(header[1:])
    found: dict[int, bytes] = {}
    while not reader.empty:
        kind = reader.octet()
        found[kind] = reader.take(reader.octet())
    return found


def _part(elements: dict[int, bytes]) -> PartOf | None:
    """Return which part the header says, with an 8-bit or a 16-bit reference."""
    for kind in (PARTS, PARTS_16):
        data = elements.get(kind, b"")
        # A total of zero or a number out of range: the whole element is to be ignored (3GPP TS 23.040 §9.2.3.24.1).
        if len(data) >= 3 and 1 <= data[-1] <= data[-2]:
            return PartOf(reference=int.from_bytes(data[:-2], "big"), total=data[-2], number=data[-1])
    return None


def _port(elements: dict[int, bytes]) -> int | None:
    """Return the port that the message is for: the first half of the element, the other is the sender's."""
    ports = elements.get(PORTS_16) or elements.get(PORTS_8) or b""
    return int.from_bytes(ports[: len(ports) // 2], "big") if ports else None


def _language(elements: dict[int, bytes], kind: int) -> int:
    return next(iter(elements.get(kind, b"")), gsm7.DEFAULT)


def _read_body(coding: int, length: int, data: bytes, header: bytes, elements: dict[int, bytes]) -> str:
    match _alphabet(coding):
        case Encoding.GSM7:
            skipped = _header_septets(header)
            return gsm7.letters(
                _septets(data, skipped, length - skipped),
                locking=_language(elements, LOCKING_SHIFT),
                single=_language(elements, SINGLE_SHIFT),
            )
        case Encoding.UCS2:
            octets = data[len(header) : length]
            return octets[: len(octets) & ~1].decode("utf-16-be", "surrogatepass")
        case None:
            return UNREADABLE


def _septets(octets: bytes, skipped: int, count: int) -> bytes:
    bits = int.from_bytes(octets, "little")
    return bytes(bits >> 7 * at & 0x7F for at in range(skipped, skipped + max(0, count)))


def _alphabet(coding: int) -> Encoding | None:
    """Return the alphabet that TP-DCS names; None: 8-bit data or compressed text (3GPP TS 23.038 §4)."""
    if coding < 0x80:  # general data coding, and the same marked for automatic deletion
        return None if coding & 0x20 else {0x00: Encoding.GSM7, 0x08: Encoding.UCS2}.get(coding & 0x0C)
    group = coding & 0xF0
    if group == 0xF0:
        return None if coding & 0x04 else Encoding.GSM7
    return Encoding.UCS2 if group == 0xE0 else Encoding.GSM7
