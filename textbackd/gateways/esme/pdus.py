"""SMPP's bytes. Pure.   gateways/smpp.py, esme/inbox.py → here → esme/session.py

Source: SMPP Protocol Specification v3.4: §3.2 (header), §4.1 (bind), §4.4 (submit_sm), §4.6 (deliver_sm), §5.2.12 (esm_class),
§5.2.19 (data_coding), §5.3.2 (optional parameters), §7.1.1 (times), appendix B (receipts). submit_sm and deliver_sm are
smpp34's work, the other PDUs are a header and a few strings.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from struct import Struct
from typing import Final, Literal

import smpp34
import smsutil

from textbackd.core.segments import is_gsm7, segments
from textbackd.gateways.long_texts import part_header, part_of

HEADER: Final = Struct(">4I")
VERSION: Final = 0x34
RESPONSE: Final = 0x80000000  # the bit that makes a command's answer
LONGEST_PDU: Final = 70_000  # message_payload holds 64 KiB; what claims to be longer is no SMPP
HAS_HEADER: Final = 0x40  # esm_class: the text begins with a user data header
KIND: Final = 0x3C  # esm_class: the bits that tell receipts from texts
RECEIPT: Final = 0x04
INTERMEDIATE: Final = 0x20
WANTS_RECEIPT: Final = 0x01
UCS2: Final = 0x08
UNREADABLE: Final = "(A message without readable text, for example a picture message.)"
# What data_coding names. 0 is whatever the SMSC is set to; 2 and 4 are octets that are no text.
ALPHABETS: Final[Mapping[int, str]] = {
    0x01: "ascii", 0x03: "latin-1", 0x05: "euc_jp", 0x06: "iso8859_5", 0x07: "iso8859_8", UCS2: "utf-16-be",
    0x0A: "iso2022_jp", 0x0E: "euc_kr", 0xF0: "gsm0338", 0xF1: "gsm0338", 0xF2: "gsm0338", 0xF3: "gsm0338",
}  # fmt: skip

Alphabet = Literal["gsm7", "latin1"]
CODECS: Final[Mapping[Alphabet, str]] = {"gsm7": "gsm0338", "latin1": "latin-1"}


class Command(IntEnum):
    """The commands that we know, §5.1.2.1."""

    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    ALERT_NOTIFICATION = 0x102
    GENERIC_NACK = 0x80000000


class Tag(IntEnum):
    """The optional parameters that we read or write, §5.3.2."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class UnreadableError(Exception):
    """Bytes that are no PDU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """One PDU with its header read."""

    command: int
    status: int
    sequence: int
    raw: bytes  # with the header

    @property
    def is_answer(self) -> bool:
        return bool(self.command & RESPONSE)

    @property
    def text(self) -> str:
        """The first string of the body: the message_id of a submit_sm_resp."""
        return self.raw[HEADER.size :].partition(b"\0")[0].decode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A number or a name as SMPP writes it."""

    digits: str
    ton: int
    npi: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A deliver_sm: a text, a part of one, or a receipt."""

    sender: str
    recipient: str
    body: str
    part: tuple[int, int, int] | None  # reference, total, number
    is_receipt: bool
    is_intermediate: bool
    message_id: str | None  # TLV receipted_message_id
    state: int | None  # TLV message_state


def written(command: int, sequence: int, body: bytes = b"", *, status: int = 0) -> bytes:
    """Return a PDU's bytes."""
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


def head(raw: bytes) -> Pdu:
    """Return a whole PDU with its header read."""
    _, command, status, sequence = HEADER.unpack_from(raw)
    return Pdu(command=command, status=status, sequence=sequence, raw=raw)


def length(four: bytes) -> int:
    """Return how long the PDU that begins so is. Raises UnreadableError for what SMPP does not know."""
    octets = int.from_bytes(four, "big")
    if not HEADER.size <= octets <= LONGEST_PDU:
        raise UnreadableError(f"a PDU of {octets} octets")
    return octets


def bind(*, system_id: str, password: str, system_type: str) -> bytes:
    """Return the body of a bind; the address range is left to the SMSC."""
    strings = b"".join(word.encode() + b"\0" for word in (system_id, password, system_type))
    return strings + bytes([VERSION, 0, 0, 0])


def number(e164: str) -> Address:
    """Return an international number: type 1, plan 1 (E.164), without its `+`."""
    return Address(digits=e164.removeprefix("+"), ton=1, npi=1)


def name(sender_id: str) -> Address:
    """Return a sender's name (type 5, alphanumeric) or short code (type 3, network specific)."""
    return Address(digits=sender_id, ton=3 if sender_id.isdigit() else 5, npi=0)


def submits(
    body: str,
    *,
    to: Address,
    sender: Address,
    reference: int,
    valid_for: timedelta | None,
    receipt: bool,
    as_payload: bool,
    alphabet: Alphabet,
) -> tuple[bytes, ...]:
    """Return the bodies of the submit_sm that carry a text; `reference` (0 to 255) binds the parts of a long one."""
    pieces = _as_payload(body, alphabet) if as_payload else _in_parts(body, alphabet, reference)
    return tuple(
        smpp34.SubmitSm(
            sender.digits,
            to.digits,
            b"" if as_payload else octets,
            source_addr_ton=sender.ton,
            source_addr_npi=sender.npi,
            dest_addr_ton=to.ton,
            dest_addr_npi=to.npi,
            esm_class=HAS_HEADER if len(pieces) > 1 else 0,
            validity_period="" if valid_for is None else relative(valid_for),
            registered_delivery=WANTS_RECEIPT if receipt else 0,
            data_coding=coding,
            tlvs=[smpp34.Tlv(Tag.MESSAGE_PAYLOAD, octets)] if as_payload else [],
        ).encode()[HEADER.size :]
        for coding, octets in pieces
    )


def relative(valid_for: timedelta) -> str:
    """Return a period of at least a second as `YYMMDDhhmmss000R`; at most 27 days, which no month is shorter than."""
    seconds = max(1, min(int(valid_for.total_seconds()), 27 * 86400))
    days, rest = divmod(seconds, 86400)
    return f"0000{days:02}{rest // 3600:02}{rest // 60 % 60:02}{rest % 60:02}000R"


def _as_payload(body: str, alphabet: Alphabet) -> list[tuple[int, bytes]]:
    coding, codec, _ = _cut(body, alphabet)
    return [(coding, body.encode(codec, "replace"))]


def _in_parts(body: str, alphabet: Alphabet, reference: int) -> list[tuple[int, bytes]]:
    coding, codec, parts = _cut(body, alphabet)
    if len(parts) == 1:
        return [(coding, body.encode(codec, "replace"))]
    heads = [part_header(reference, len(parts), at) for at in range(1, len(parts) + 1)]
    return [(coding, header + part.encode(codec, "replace")) for header, part in zip(heads, parts, strict=True)]


def _cut(body: str, alphabet: Alphabet) -> tuple[int, str, tuple[str, ...]]:
    """Return data_coding, its codec and the parts: in the SMSC's own alphabet where that has every letter, else UCS-2."""
    codec = CODECS[alphabet]
    if is_gsm7(body) and _has(codec, body):
        return 0, codec, segments(body).parts
    return UCS2, ALPHABETS[UCS2], tuple(part.content for part in smsutil.unicode_split(body).parts)


def _has(codec: str, body: str) -> bool:
    try:
        body.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


# --- inwards ------------------------------------------------------------------------------------------------------


def incoming(raw: bytes, alphabet: Alphabet) -> Incoming:
    """Return what a deliver_sm says. Raises UnreadableError."""
    try:
        pdu = smpp34.decode(raw)
    except smpp34.SmppError as exc:
        raise UnreadableError(str(exc)) from exc
    if not isinstance(pdu, smpp34.DeliverSm):
        raise UnreadableError("no deliver_sm")
    extra = {tlv.tag: tlv.value for tlv in pdu.tlvs}
    octets = pdu.short_message or extra.get(Tag.MESSAGE_PAYLOAD, b"")
    header = octets[: octets[0] + 1] if octets and pdu.esm_class & HAS_HEADER else b""
    message_id = extra.get(Tag.RECEIPTED_MESSAGE_ID)
    return Incoming(
        sender=_shown(pdu.source_addr, pdu.source_addr_ton),
        recipient=_shown(pdu.destination_addr, pdu.dest_addr_ton),
        body=_body(octets[len(header) :], pdu.data_coding, alphabet),
        part=part_of(header) or _part_by_tlv(extra),
        is_receipt=pdu.esm_class & KIND in (RECEIPT, INTERMEDIATE) or message_id is not None,
        is_intermediate=pdu.esm_class & KIND == INTERMEDIATE,
        message_id=None if message_id is None else message_id.rstrip(b"\0").decode("latin-1"),
        state=_integer(extra, Tag.MESSAGE_STATE),
    )


def receipt_fields(body: str) -> dict[str, str]:
    """Return the fields of a receipt's text, `id:… sub:… stat:DELIVRD err:000 text:…`, names in lower case (appendix B)."""
    before_text = re.split(r"\btext:", body, maxsplit=1, flags=re.IGNORECASE)[0]
    return {
        name.lower(): value
        for name, value in re.findall(r"\b(id|sub|dlvrd|stat|err):(\S+)", before_text, re.IGNORECASE)
    }


def _shown(digits: str, ton: int) -> str:
    return f"+{digits}" if ton == 1 and digits.isdigit() else digits


def _body(octets: bytes, coding: int, alphabet: Alphabet) -> str:
    codec = CODECS[alphabet] if coding == 0 else ALPHABETS.get(coding)
    if codec is None:
        return UNREADABLE
    if coding == UCS2:
        return octets[: len(octets) & ~1].decode(codec, "surrogatepass")
    return octets.decode(codec, "replace")


def _part_by_tlv(extra: Mapping[int, bytes]) -> tuple[int, int, int] | None:
    reference = _integer(extra, Tag.SAR_MSG_REF_NUM)
    total, number = _integer(extra, Tag.SAR_TOTAL_SEGMENTS), _integer(extra, Tag.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or number is None or not 1 <= number <= total <= 255:
        return None
    return reference, total, number


def _integer(extra: Mapping[int, bytes], tag: int) -> int | None:
    return int.from_bytes(extra[tag], "big") if tag in extra else None
