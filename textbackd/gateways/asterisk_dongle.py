"""Texts through a GSM modem that Asterisk drives itself: chan_dongle and chan_quectel.   asterisk/gateway.py → here

Sources: chan_dongle in W. Doekes's version and chan_quectel in IchthysMaranatha's, which speak alike: manager.c (actions, events),
helpers.c (what is refused before anything is queued), at_response.c and smsdb.c (reports, parts). Both cut a long text into parts
and join those that come in, and both choose GSM-7 or UCS-2 by themselves. `Message` is read with C escapes, so a line end can be
written. Older versions of chan_dongle (bg's, up to 2016) know neither `Payload` nor DongleReport.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from textbackd.config.gateways import AsteriskDongle
from textbackd.core.segments import segments
from textbackd.gateways.asterisk.dialect import Headers, Read, refused
from textbackd.gateways.asterisk.gateway import AsteriskGateway, manager_for
from textbackd.gateways.base import Accepted, DeliveryReport, Fate, Health, InboundText, Lent, OutboundText
from textbackd.gateways.modem.verdicts import report_words
from textbackd.gateways.web.meaning import Meaning

PREFIXES: Final[Mapping[str, str]] = {"dongle": "Dongle", "quectel": "Quectel"}
# Phrases in an error's message, in lower case; the driver puts "[dongle0] " before its own.
ERRORS: Final[Mapping[str, Meaning]] = {
    "permission denied": Meaning(
        Fate.GATEWAY_UNFIT, "our manager account may not send: add `call` to its `write` in manager.conf"
    ),
    "invalid/unknown command": Meaning(Fate.GATEWAY_UNFIT, "Asterisk has not loaded the driver"),
    "invalid phone number": Meaning(Fate.REFUSED, "the driver calls the number invalid"),
    "device not found": Meaning(Fate.NOT_SENT, "the driver does not know the device, see `device`"),
    "device disconnected": Meaning(Fate.NOT_SENT, "the modem is away, not registered, or not known to the driver"),
    "device disabled": Meaning(Fate.NOT_SENT, "the modem is disabled"),
    "queue error": Meaning(Fate.NOT_SENT, "the modem's queue failed"),
}
# DongleStatus and QuectelStatus that say how the modem is; the others are about calls.
STATUS: Final[Mapping[str, Health]] = {"Initialize": Health.UP, "Disconnect": Health.DOWN}
# `Type` of a report: 0 the modem's own answer, 1 the network's report, 2 the driver waited in vain, which proves nothing.
SUBMITTED, DELIVERED = "0", "1"
ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})


class DongleDialect:
    """The drivers' way with a text."""

    def __init__(self, section: AsteriskDongle) -> None:
        self._device, self._prefix = section.device, PREFIXES[section.driver]

    @property
    def events(self) -> Mapping[str, Read]:
        """Return how each event is read."""
        return {
            f"{self._prefix}NewSMSBase64": self._text,
            f"{self._prefix}Report": self._report,
            f"{self._prefix}Status": self._status,
        }

    def action(self, text: OutboundText, *, now: datetime) -> Headers:
        """Return the action; our id goes with it as `Payload`, which the reports give back."""
        validity = {} if text.valid_until is None else {"Validity": str(_minutes(text.valid_until - now))}
        return {
            "Action": f"{self._prefix}SendSMS",
            "Device": self._device,
            "Number": text.to,
            "Message": text.body.translate(ESCAPES),
            "Report": "yes",
            "Payload": text.id,
            **validity,
        }

    def outcome(self, text: OutboundText, answer: Headers) -> Accepted | Meaning:
        """Return what the driver says; a success means that the text is in the modem's queue."""
        return refused(answer, ERRORS) or Accepted(reference=text.id, parts=segments(text.body).count)

    # ---- inwards

    def _text(self, headers: Headers, at: datetime) -> InboundText | None:
        """Return a text that came in. The driver gives it neither id nor time, but tells it once."""
        if headers.get("Device") != self._device:
            return None
        sender, encoded = headers.get("From", ""), headers.get("Message", "")
        try:
            body = base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
        except ValueError:
            body = f"(A text that could not be read: {encoded})"
        told = "\n".join((self._device, sender, encoded, at.isoformat()))
        return InboundText(
            id=hashlib.sha256(told.encode()).hexdigest()[:32], sender=sender, recipient=None, body=body, received_at=at
        )

    def _report(self, headers: Headers, _: datetime) -> DeliveryReport | None:
        """Return what became of a text. Any device may tell it; without `Payload` it was not ours."""
        kind, success, payload = headers.get("Type"), headers.get("Success") == "1", headers.get("Payload")
        if not payload or kind not in (SUBMITTED, DELIVERED):
            return None
        return DeliveryReport(
            reference=payload,
            recipient=None,
            delivered=success and kind == DELIVERED,
            final=not success or kind == DELIVERED,
            detail=_SUBMIT_WORDS[success] if kind == SUBMITTED else _statuses(headers.get("Report", ""), success),
            id=payload,
        )

    def _status(self, headers: Headers, _: datetime) -> Health | None:
        return STATUS.get(headers.get("Status", "")) if headers.get("Device") == self._device else None


_SUBMIT_WORDS: Final = {True: "the network took it from the modem", False: "the modem could not send it"}


def _minutes(left: timedelta) -> int:
    """Return a validity as the drivers take it, whole minutes, at least one."""
    if left <= timedelta():
        raise ValueError("its time is over")
    return -(-left // timedelta(minutes=1))


def _statuses(report: str, success: bool) -> str:
    """Return the words of a report, "000,064,": one TP-Status in decimal for each part (3GPP TS 23.040 §9.2.3.15)."""
    numbers = [int(part) for part in report.split(",") if part.isascii() and part.isdigit() and len(part) <= 3]
    words = dict.fromkeys(report_words(number) for number in numbers if number < 256)
    return ", ".join(words) or ("delivered" if success else "not delivered")


def build(name: str, section: AsteriskDongle, lent: Lent) -> AsteriskGateway:
    """Return the gateway of a section."""
    return AsteriskGateway(name=name, dialect=DongleDialect(section), manager=manager_for(name, section.pbx, lent))
