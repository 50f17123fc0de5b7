"""The text files of SMS Server Tools ↔ texts and reports. Pure.   gateways/smstools.py → here → spool/folders.py

Sources: "SMS file format" and "How to configure" of SMS Server Tools 3, and files that smsd 3.1.21 was seen to write. Headers are
in an eight-bit alphabet, a text of `Alphabet: UCS2` after the blank line is UTF-16 in network order; unknown headers are kept
through every folder, so ours carries our id from `outgoing` to `sent` or `failed`.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from textbackd.core.segments import is_gsm7
from textbackd.gateways.base import DeliveryReport, InboundText, OutboundText
from textbackd.gateways.long_texts import mended
from textbackd.gateways.modem.pdu import validity
from textbackd.gateways.modem.verdicts import report_words

OURS: Final = "Textbackd"
UNTIL: Final = "Textbackd-Until"
# How Alphabet names what the text after the headers is written in; only the first three letters count.
ALPHABETS: Final = {"ISO": "iso8859-15", "LAT": "iso8859-15", "ANS": "iso8859-15", "UTF": "utf-8", "UCS": "utf-16-be",
                    "GSM": "iso8859-15"}  # fmt: skip
MISTAKEN: Final = "¤"  # smsd 3.1.21 makes a € of it, which has its place in ISO 8859-15
UNREADABLE: Final = "(A message without readable text, for example a picture message.)"
REPORT: Final = re.compile(
    r"SMS STATUS REPORT\nMessage_id: (?P<id>\d{1,3})\nDischarge_timestamp: [^\n]*\nStatus: (?P<status>\d{1,3})(?:,[^\n]*)?\s*"
)
LONGEST_REASON: Final = 100
TAKEN_BACK: Final = "taken back: its time was over before a modem sent it"  # we put it there; smsd writes a reason


@dataclass(frozen=True, slots=True)
class Message:
    """One file."""

    headers: dict[str, str]
    body: bytes

    @property
    def our_id(self) -> str | None:
        """Our id of a text that we wrote."""
        return self.headers.get(OURS)

    @property
    def until(self) -> datetime | None:
        """Until when a text of ours may go out."""
        written = self.headers.get(UNTIL, "")
        return datetime.fromtimestamp(int(written), UTC) if re.fullmatch(r"\d{1,11}", written) else None


@dataclass(frozen=True, slots=True)
class Status:
    """What a status report says: TP-ST of the text with that TP-MR."""

    message_id: str
    recipient: str
    status: int

    def told(self, reference: str | None, our_id: str | None) -> DeliveryReport:
        """Return it as a report on a text of ours; None where it is about no text of ours."""
        return DeliveryReport(
            reference=reference,
            recipient=self.recipient,
            delivered=self.status <= 0x1F,
            final=not 0x20 <= self.status <= 0x3F,
            detail=report_words(self.status),
            id=our_id,
        )


def written(text: OutboundText, *, report: bool, now: datetime) -> bytes:
    """Return the file that has smsd send a text, in parts if it is long."""
    gsm7 = is_gsm7(text.body) and MISTAKEN not in text.body
    headers = {
        "To": text.to.removeprefix("+"),
        # Ready-made UCS-2 leaves smsd nothing to convert, and so nothing to drop.
        "Alphabet": "UTF-8" if gsm7 else "UCS2",
        "Autosplit": "3",
        "Report": "yes" if report else "no",
        OURS: text.id,
    }
    if text.valid_until is not None:
        headers |= {"Validity": str(validity(text.valid_until - now)), UNTIL: str(int(text.valid_until.timestamp()))}
    head = "".join(f"{name}: {value}\n" for name, value in headers.items())
    return head.encode() + b"\n" + text.body.encode("utf-8" if gsm7 else "utf-16-be", "replace")


def read(raw: bytes) -> Message:
    """Return a file's headers and what follows them; a file without any is all headers that nobody knows."""
    head, _, body = raw.partition(b"\n\n")
    fields = (line.decode("latin-1").partition(":") for line in head.split(b"\n"))
    return Message({name.strip(): value.strip() for name, colon, value in fields if colon}, body)


def failed(message: Message, reference: str) -> DeliveryReport:
    """Return what a file in `failed` says of a text of ours."""
    reason = message.headers.get("Fail_reason")
    return DeliveryReport(
        reference=reference,
        recipient=recipient(message),
        delivered=False,
        final=True,
        detail=TAKEN_BACK if reason is None else f"smsd gave up: {reason[:LONGEST_REASON]}",
        id=message.our_id,
    )


def recipient(message: Message) -> str:
    """Return to whom a text of ours goes."""
    return f"+{message.headers.get('To', '')}"


def incoming(message: Message) -> InboundText | Status:
    """Return what a file in `incoming` says."""
    sender, body = _sender(message), _body(message)
    # A caller may write the very words of a report: only smsd's own has this header and no other text.
    found = REPORT.fullmatch(body) if message.headers.get("UDH") == "no" else None
    if found:
        return Status(found["id"], sender, int(found["status"]))
    return InboundText(
        # Not `Received`, which is another one when the network brings the same text again.
        id=hashlib.sha256(f"{sender}\n{message.headers.get('Sent')}\n{body}".encode("utf-8", "replace")).hexdigest()[
            :32
        ],
        sender=sender,
        recipient=None,
        body=body,
        received_at=_time(message.headers.get("Sent", "")),
    )


def _sender(message: Message) -> str:
    sender = message.headers.get("From", "") or "unknown"
    is_international = message.headers.get("From_TOA", "").startswith("91")
    return f"+{sender}" if is_international and sender.isdigit() else sender


def _body(message: Message) -> str:
    codec = ALPHABETS.get(message.headers.get("Alphabet", "ISO")[:3].upper())
    if codec is None:
        return UNREADABLE
    if codec == "utf-16-be":
        return mended(message.body[: len(message.body) & ~1].decode(codec, "surrogatepass"))
    return message.body.decode(codec, "replace")


def _time(stamp: str) -> datetime:
    """Return smsd's time, "26-11-25 10:11:12", which is the machine's; what cannot be read or is to come is now."""
    now = datetime.now(UTC)
    try:
        return min(now, datetime.strptime(stamp, "%y-%m-%d %H:%M:%S").astimezone(UTC))
    except (ValueError, OverflowError, OSError):
        return now


def is_over(message: Message, now: datetime) -> bool:
    """Return whether a text of ours may not go out any more."""
    return message.until is not None and message.until + timedelta(seconds=1) <= now
