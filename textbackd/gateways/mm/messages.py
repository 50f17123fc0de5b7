"""The properties of an SMS object → a text or a delivery report. Pure.   mm/bus.py → here → gateways/modemmanager.py

Source: ModemManager's D-Bus reference, org.freedesktop.ModemManager1.Sms, and ModemManager-enums.h; MMSmsDeliveryState has the
numbers of TP-Status (3GPP TS 23.040 §9.2.3.15).
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from textbackd.gateways.base import DeliveryReport, InboundText
from textbackd.gateways.modem.verdicts import report_words

RECEIVED, SENT = 3, 5  # MMSmsState; 2 is RECEIVING: parts are missing still
STATUS_REPORT: Final = 3  # MMSmsPduType; such a report is an object of its own
TRYING: Final = range(0x20, 0x40)


def reference_of(sms: Mapping[str, Any]) -> str:
    """Return the reference of a sent text: that of its last part, the only one for which ModemManager asks for a report."""
    return str(sms.get("MessageReference", 0))


def text_of(sms: Mapping[str, Any], path: str, *, now: datetime) -> InboundText | None:
    """Return a text that came in; None for any other, or one whose parts have not all come."""
    if sms.get("State") != RECEIVED or sms.get("PduType") == STATUS_REPORT:
        return None
    sender, written = str(sms.get("Number", "")), str(sms.get("Timestamp", ""))
    data = bytes(sms.get("Data") or b"")
    body = str(sms.get("Text", "")) or (f"(A message without text: {data.hex()})" if data else "")
    # Without a time, the same words would be the same text for ever; paths are new in each of ModemManager's lives.
    told = "\n".join((sender, written or path, body))
    return InboundText(
        id=hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        sender=sender,
        recipient=None,
        body=body,
        received_at=_time(written) or now,
    )


def report_of(sms: Mapping[str, Any]) -> DeliveryReport | None:
    """Return what the network tells of a text of ours; None for what is no report."""
    state = sms.get("DeliveryState")
    if sms.get("State") != RECEIVED or sms.get("PduType") != STATUS_REPORT or not isinstance(state, int):
        return None
    return DeliveryReport(
        reference=reference_of(sms),
        recipient=str(sms.get("Number", "")) or None,
        delivered=state < TRYING.start,
        final=state not in TRYING,
        detail=report_words(state) if state < 0x100 else "an odd report",  # 0x100: unknown (MMSmsDeliveryState)
    )


def _time(written: str) -> datetime | None:
    """Return a time as ModemManager writes it, "2026-11-25T04:20:00Z" or with "+01"; without a zone it is none."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None
