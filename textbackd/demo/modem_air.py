"""What the virtual modem's network hears and says: PDUs read and made, texts logged.   demo/modem.py → here → air log

Written apart from gateways/modem/pdu.py, from the same source (3GPP TS 23.040 §9.2), so that each checks the other.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from textbackd.core.segments import Encoding, segments


@dataclass(frozen=True, slots=True, kw_only=True)
class OnAir:
    """One radio text as the network got it."""

    at: str  # ISO time, UTC
    to: str
    body: str  # of this part; lone surrogates where an emoji was cut
    reference: int | None  # of the long text that it is a part of
    number: int
    total: int
    message_reference: int  # what +CMGS answered
    valid_for: int | None  # TP-VP as sent
    report: bool  # a status report was asked for


class WholeTexts:
    """Puts the parts of long texts together, as a phone does."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, int | None], dict[int, str]] = {}

    def add(self, part: OnAir) -> OnAir | None:
        """Return the text that is whole with this part, None as long as others of it are missing."""
        if part.total == 1:
            return part
        parts = self._parts.setdefault((part.to, part.reference), {})
        parts[part.number] = part.body
        if len(parts) < part.total:
            return None
        del self._parts[part.to, part.reference]
        halves = "".join(body for _, body in sorted(parts.items()))
        return replace(part, body=halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def read_submit(pdu: bytes, length: int) -> OnAir:
    """Return the text in an SMS-SUBMIT; ValueError or IndexError if it is none, or not as long as AT+CMGS was told."""
    tpdu = pdu[1 + pdu[0] :]
    if len(tpdu) != length or tpdu[0] & 0x03 != 0x01:
        raise ValueError("not an SMS-SUBMIT of that length")
    first, digits = tpdu[0], tpdu[2]
    at = 4 + (digits + 1) // 2
    to = ("+" if tpdu[3] & 0x70 == 0x10 else "") + _swapped(tpdu[4:at])[:digits]
    coding, at = tpdu[at + 1], at + 2
    relative = first & 0x18 == 0x10
    valid_for, at = (tpdu[at], at + 1) if relative else (None, at)
    body, long = _read_user_data(tpdu[at], tpdu[at + 1 :], coding, header=bool(first & 0x40))
    return OnAir(
        at=datetime.now(UTC).isoformat(), to=to, body=body, reference=long[0], total=long[1], number=long[2],
        message_reference=-1, valid_for=valid_for, report=bool(first & 0x20),
    )  # fmt: skip


def _read_user_data(length: int, data: bytes, coding: int, *, header: bool) -> tuple[str, tuple[int | None, int, int]]:
    size = data[0] + 1 if header else 0
    long: tuple[int | None, int, int] = (data[3], data[4], data[5]) if header else (None, 1, 1)
    if coding == 0x08:
        if len(data) != length:
            raise ValueError("the user data are not as long as they say")
        return data[size:].decode("utf-16-be", "surrogatepass"), long
    skipped = -(-size * 8 // 7)
    if len(data) != -(-length * 7 // 8):
        raise ValueError("the user data are not as long as they say")
    bits = "".join(f"{octet:08b}" for octet in reversed(data))
    septets = [int(bits[len(bits) - 7 * (at + 1) : len(bits) - 7 * at], 2) for at in range(skipped, length)]
    return bytes(septets).decode("gsm0338"), long


def deliver_pdus(sender: str, body: str, *, reference: int, wide: bool = False) -> list[str]:
    """Return the SMS-DELIVERs that bring `body` from `sender` (a number, or a name in letters)."""
    cut = segments(body)
    headers = (
        [b""] if cut.count == 1 else [_long_header(reference, cut.count, n, wide=wide) for n in range(1, cut.count + 1)]
    )
    parts = _shorter_parts(body, cut.encoding, cut.count) if wide and cut.count > 1 else cut.parts
    return [_deliver_pdu(sender, cut.encoding, part, header) for part, header in zip(parts, headers, strict=True)]


def _shorter_parts(body: str, encoding: Encoding, count: int) -> list[str]:
    # A 16-bit reference takes one octet more, so full parts do not fit: spread the body evenly.
    size = -(-len(body) // count)
    return [body[at : at + size] for at in range(0, len(body), size)]


def _long_header(reference: int, total: int, number: int, *, wide: bool) -> bytes:
    if wide:
        return bytes([6, 8, 4, reference >> 8 | 0x41, reference & 0xFF, total, number])
    return bytes([5, 0, 3, reference & 0xFF, total, number])


def _deliver_pdu(sender: str, encoding: Encoding, part: str, header: bytes) -> str:
    first = 0x44 if header else 0x04
    if encoding is Encoding.UCS2:
        data = header + part.encode("utf-16-be", "surrogatepass")
        coding, length = 0x08, len(data)
    else:
        septets = part.encode("gsm0338")
        skipped = -(-len(header) * 8 // 7)
        data = header + _packed(septets, skipped * 7 - len(header) * 8)
        coding, length = 0x00, skipped + len(septets)
    tpdu = bytes([first]) + _sender(sender) + bytes([0, coding]) + _timestamp() + bytes([length]) + data
    return "00" + tpdu.hex().upper()


def binary_pdus(sender: str, octets: bytes, *, port: int, reference: int = 1) -> list[str]:
    """Return the SMS-DELIVERs that bring octets from `sender` to an application's port (3GPP TS 23.040 §9.2.3.24.4)."""
    ports = bytes([5, 4]) + port.to_bytes(2, "big") + (9200).to_bytes(2, "big")
    if len(octets) <= 140 - 7:
        return [_binary_pdu(sender, bytes([6]) + ports, octets)]
    size = 140 - 12
    parts = [octets[at : at + size] for at in range(0, len(octets), size)]
    headers = [bytes([11, 0, 3, reference, len(parts), number]) + ports for number in range(1, len(parts) + 1)]
    return [_binary_pdu(sender, header, part) for header, part in zip(headers, parts, strict=True)]


def _binary_pdu(sender: str, header: bytes, part: bytes) -> str:
    data = header + part
    tpdu = bytes([0x44]) + _sender(sender) + bytes([0, 0x04]) + _timestamp() + bytes([len(data)]) + data
    return "00" + tpdu.hex().upper()


def picture_push(sender: str | None, *, subject: str | None = None, short_type: bool = False) -> bytes:
    """Return the WAP push that tells of a picture message (WAP-230-WSP §8.2.4.2, OMA-MMS-ENC §6.2)."""
    media = b"\xbe" if short_type else b"application/vnd.wap.mms-message\0"
    headers = media + b"\xaf\x84"  # X-Wap-Application-Id: the MMS agent
    origin = b"\x80" + sender.encode() + b"/TYPE=PLMN\0" if sender else b"\x81"
    body = b"\x8c\x82\x98T1\0\x8d\x90\x89" + bytes([len(origin)]) + origin
    if subject:
        coded = b"\xea" + subject.encode() + b"\0"
        body += b"\x96" + bytes([len(coded)]) + coded
    body += b"\x8a\x80\x8e\x02\xa0\x67\x88\x05\x81\x03\x09\x3a\x80\x83http://mmsc.example/servlets/mms?message-id=0123456789abcdef\0"
    return bytes([0, 0x06, len(headers)]) + headers + body


def report_pdu(message_reference: int, to: str, status: int) -> str:
    """Return the SMS-STATUS-REPORT on a text that was sent to `to`."""
    return "00" + (bytes([0x06, message_reference]) + _sender(to) + _timestamp() * 2 + bytes([status])).hex().upper()


def _sender(sender: str) -> bytes:
    digits = sender.removeprefix("+")
    if not digits.isdigit():
        packed = _packed(sender.encode("gsm0338"), 0)
        return bytes([-(-len(sender) * 7 // 4), 0xD0]) + packed
    return bytes([len(digits), 0x91 if sender.startswith("+") else 0x81]) + bytes.fromhex(_swapped_digits(digits))


def _packed(septets: bytes, fill: int) -> bytes:
    bits = "".join(f"{septet:07b}" for septet in reversed(septets)) + "0" * fill
    bits = bits.zfill(-(-len(bits) // 8) * 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(len(bits) - 8, -1, -8))


def _timestamp() -> bytes:
    return bytes.fromhex(_swapped_digits(datetime.now(UTC).strftime("%y%m%d%H%M%S") + "00"))


def _swapped_digits(digits: str) -> str:
    padded = digits + "F" * (len(digits) % 2)
    return "".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2))


def _swapped(octets: bytes) -> str:
    return _swapped_digits(octets.hex())


def tpdu_length(pdu: str) -> int:
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)


def log_on_air(path: Path, text: OnAir) -> None:
    """Append one line of JSON that is on the disk when this returns."""
    line = json.dumps(asdict(text))
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, line.encode() + b"\n")
        os.fsync(fd)
    finally:
        os.close(fd)


def read_air(path: Path) -> list[OnAir]:
    """Return what an air log says, oldest first."""
    return [OnAir(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []
