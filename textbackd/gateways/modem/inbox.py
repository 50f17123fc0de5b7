"""Stored PDUs → texts and delivery reports, long texts joined. No I/O.   modem/link.py → here → gateways/gsm_modem.py

A part stays on the SIM until its text is complete and stored by us, so that a restart loses nothing. Parts that stay alone
are told as they are after `PATIENCE`, for half a text is better than none.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from textbackd.gateways.base import DeliveryReport, InboundText
from textbackd.gateways.modem.link import StoredPdu
from textbackd.gateways.modem.mms import PORT, notification
from textbackd.gateways.modem.pdu import UNREADABLE, Deliver, StatusReport, UndecodableError, decode, joined
from textbackd.gateways.modem.verdicts import NEVER, report_words

PATIENCE: Final = timedelta(minutes=10)  # gammu-smsd waits as long (its MultipartTimeout)
MISSING: Final = "[…]"
PICTURE: Final = "(A picture message{}. Pictures cannot be shown here: ask what is in it.)"

Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Arrived:
    """Something for the inbox, and where it is stored until the inbox has it."""

    item: InboundText | DeliveryReport
    stored: tuple[StoredPdu, ...]


class Inbox:
    """Finds what is complete in a listing of the modem, and remembers since when the rest is waiting."""

    def __init__(self) -> None:
        self._waiting_since: dict[Key, float] = {}

    def arrived(self, messages: Iterable[StoredPdu], *, at: float) -> list[Arrived]:
        """Return what can be told of `messages`, oldest first; `at` is the monotonic clock in seconds."""
        whole: list[Arrived] = []
        parts: dict[Key, list[tuple[Deliver, StoredPdu]]] = {}
        for message in messages:
            decoded = _decoded(message)
            if isinstance(decoded, Deliver) and decoded.part:
                key = (decoded.sender, decoded.part.reference, decoded.part.total)
                parts.setdefault(key, []).append((decoded, message))
            else:
                whole.append(_whole(decoded, message))
        return sorted([*whole, *self._complete(parts, at)], key=_told_at)

    def _complete(self, parts: dict[Key, list[tuple[Deliver, StoredPdu]]], at: float) -> Iterator[Arrived]:
        self._waiting_since = {key: self._waiting_since.get(key, at) for key in parts}
        for key, found in parts.items():
            numbers = {deliver.part.number for deliver, _ in found if deliver.part}
            if len(numbers) == key[2] or at - self._waiting_since[key] > PATIENCE.total_seconds():
                yield _long(found, total=key[2])


def _told_at(arrived: Arrived) -> datetime:
    # Places on the SIM are used again, so their order says nothing; reports have no time of interest and go first.
    return arrived.item.received_at if isinstance(arrived.item, InboundText) else datetime.min.replace(tzinfo=UTC)


def _decoded(message: StoredPdu) -> Deliver | StatusReport | None:
    try:
        return decode(message.pdu)
    except UndecodableError:
        return None


def _whole(decoded: Deliver | StatusReport | None, message: StoredPdu) -> Arrived:
    match decoded:
        case StatusReport():
            return Arrived(_report(decoded), (message,))
        case Deliver():
            return Arrived(_said(decoded, [decoded.body], decoded.octets, [message]), (message,))
        case None:
            # Told as it is rather than dropped: a person may know what it was.
            body = f"(A message that could not be read: {message.pdu})"
            return Arrived(_text("unknown", [body], None, [message]), (message,))


def _long(found: Sequence[tuple[Deliver, StoredPdu]], *, total: int) -> Arrived:
    by_number = {deliver.part.number: deliver for deliver, _ in reversed(found) if deliver.part}
    bodies = [by_number[number].body if number in by_number else MISSING for number in range(1, total + 1)]
    messages = [message for _, message in found]
    octets = [by_number[number].octets or b"" for number in sorted(by_number)]
    first = by_number[min(by_number)]
    whole = b"".join(octets) if first.octets is not None else None
    return Arrived(_said(first, bodies, whole, messages), tuple(messages))


def _said(first: Deliver, bodies: list[str], octets: bytes | None, messages: list[StoredPdu]) -> InboundText:
    """Return a text, or in its place a sentence about what came instead of one."""
    if octets is None:
        return _text(first.sender, bodies, first.sent_at, messages)
    picture = notification(octets) if first.port == PORT else None
    if picture is None:
        return _text(first.sender, [UNREADABLE], first.sent_at, messages)
    # The radio text comes from the operator's message centre; who took the picture is inside.
    body = PICTURE.format(f" about “{picture.subject}”" if picture.subject else "")
    return _text(picture.sender or first.sender, [body], first.sent_at, messages, media=1)


def _text(
    sender: str, bodies: list[str], sent_at: datetime | None, messages: list[StoredPdu], *, media: int = 0
) -> InboundText:
    return InboundText(
        id=hashlib.sha256("\n".join(sorted({message.pdu for message in messages})).encode()).hexdigest()[:32],
        sender=sender,
        recipient=None,
        body=joined(bodies),
        received_at=sent_at or datetime.now(UTC),
        media=media,
    )


def _report(report: StatusReport) -> DeliveryReport:
    return DeliveryReport(
        reference=str(report.reference),
        recipient=report.recipient,
        delivered=report.delivered,
        final=report.final,
        detail=report_words(report.status),
        permanent=report.status in NEVER,
    )
