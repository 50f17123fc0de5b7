"""Kannel, by its smsbox.   web/gateway.py → here

Kannel gives no id of a text: ours travels in the address that it asks with the report. Sources: Kannel 1.4.5 User's Guide, "Using
the HTTP interface to send SMS messages" (tables 7-16 and 7-17), "Parameters (Escape Codes)" and "Delivery reports"; the sentences
of 400 and 403 are in none of its tables and are read in gw/smsbox.c of the same version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from yarl import URL

from textbackd.config.gateways import Kannel
from textbackd.core.segments import Encoding, segments
from textbackd.gateways.base import (
    Accepted,
    DeliveryReport,
    Fate,
    Hook,
    HookRefused,
    InboundText,
    Lent,
    OutboundText,
)
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import Answer, Request
from textbackd.gateways.web.fields import moment
from textbackd.gateways.web.gateway import WebGateway
from textbackd.gateways.web.meaning import Meaning, by_status

ACCEPTED: Final = 202  # "0: Accepted for delivery" or "3: Queued for later delivery"; both are Kannel's to deliver now
# Status and beginning of the answer → what it means; the first that fits. Everything here is said before anything is sent.
ANSWERS: Final[tuple[tuple[int, str, Meaning], ...]] = (
    (400, "Number(s) has/have been denied", Meaning(Fate.REFUSED, "its lists forbid the number")),
    (400, "Sender missing", Meaning(Fate.GATEWAY_UNFIT, "it has no number to send from: set `number`")),
    (400, "DLR-URL", Meaning(Fate.GATEWAY_UNFIT, "it cannot use the address of our webhook")),
    (403, "Authorization failed", Meaning(Fate.GATEWAY_UNFIT, "it does not accept the credentials or our address")),
    # Of its connections none takes this number, or none is configured: another gateway may.
    (403, "Not routable", Meaning(Fate.NOT_SENT, "none of its connections takes the number")),
    (404, "", Meaning(Fate.GATEWAY_UNFIT, "there is no sendsms at this address")),
    (503, "Temporal failure", Meaning(Fate.NOT_SENT, "it takes no more texts for now")),
)

# Which reports are asked for: 1 delivered, 2 not delivered, 4 waiting in the network, 8 taken and 16 refused by the network.
REPORTS: Final = "31"
UCS2: Final = "2"
GSM7: Final = "0"
# What Kannel calls the alphabet of a text that came in (%C) → the codec. Others are data; Latin-1 reads any octet.
CHARSETS: Final[Mapping[str, str]] = {"UTF-8": "utf-8", "UTF-16BE": "utf-16-be", "WINDOWS-1252": "cp1252"}
LONGEST_DETAIL: Final = 100  # characters kept of what the network said


@dataclass(frozen=True, slots=True)
class Told:
    """What a value of %d says."""

    delivered: bool
    final: bool
    words: str


STATES: Final[Mapping[str, Told]] = {
    "1": Told(True, True, "delivered"),
    "2": Told(False, True, "not delivered"),
    "4": Told(False, False, "waiting in the network"),
    "8": Told(False, False, "taken by the network"),
    "16": Told(False, True, "refused by the network"),
}


class KannelDialect:
    """Kannel's way with a text."""

    def __init__(self, section: Kannel, hook_url: str | None) -> None:
        self._section, self._hook_url = section, hook_url
        self.where = section.url.partition("?")[0]

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        wide = segments(text.body).encoding is Encoding.UCS2
        fields = {
            "username": self._section.username,
            "password": self._section.password.get_secret_value(),
            "to": text.to,
            "from": self._section.sender_for(text.sender),
            "text": text.body,
            "charset": "UTF-8",
            "coding": UCS2 if wide else GSM7,
            "smsc": self._section.smsc,
            "validity": _minutes(text.valid_until, now),
            **self._report_to(text),
        }
        query = urlencode({name: value for name, value in fields.items() if value is not None})
        return Request(method="GET", url=URL(f"{self.where}?{query}", encoded=True))

    def _report_to(self, text: OutboundText) -> Mapping[str, str]:
        if self._hook_url is None:
            return {}
        # Kannel fills in its own %-codes, so a % of ours is written twice. In a report %p is the number that we texted.
        ours = f"{self._hook_url}?id={quote(text.id, safe='')}".replace("%", "%%")
        return {"dlr-mask": REPORTS, "dlr-url": f"{ours}&report=%d&to=%p&said=%A"}

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status == ACCEPTED:
            return Accepted(reference=None)
        fitting = (said for status, start, said in ANSWERS if status == answer.status and answer.text.startswith(start))
        return next(fitting, None) or by_status(answer.status)

    # ---- inwards

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        # The octets of a text are in the address as they are, in whatever alphabet: Latin-1 keeps each of them.
        told = dict(parse_qsl(urlsplit(hook.target).query, keep_blank_values=True, encoding="latin-1"))
        if not told.get("id"):
            raise HookRefused("The webhook names no message. Compare kannel.conf with the documentation.", status=400)
        return Heard(arrivals=[_report(told) if "report" in told else _text(told, now)])


def _minutes(until: datetime | None, now: datetime) -> str | None:
    if until is None:
        return None
    return str(max(1, -((now - until) // timedelta(minutes=1))))


def _report(told: Mapping[str, str]) -> DeliveryReport:
    state = STATES.get(told["report"])
    if state is None:
        raise HookRefused("The webhook's report has a value that Kannel's documentation does not have.", status=400)
    said = "".join(filter(str.isprintable, told.get("said", ""))).strip("/ ")[:LONGEST_DETAIL]
    return DeliveryReport(
        reference=None,
        id=told["id"],
        recipient=told.get("to") or None,
        delivered=state.delivered,
        final=state.final,
        detail=f"{state.words}: {said}" if said else state.words,
    )


def _text(told: Mapping[str, str], now: datetime) -> InboundText:
    if not told.get("from") or "text" not in told:
        raise HookRefused(
            "The webhook has no sender or no text. Compare kannel.conf with the documentation.", status=400
        )
    codec = CHARSETS.get(told.get("charset", "UTF-8").upper(), "latin-1")
    return InboundText(
        id=told["id"],
        sender=told["from"],
        recipient=told.get("to") or None,
        body=told["text"].encode("latin-1").decode(codec, errors="replace"),
        received_at=moment(told.get("at", "")) or now,
    )


def build(name: str, section: Kannel, lent: Lent) -> WebGateway:
    """Return the gateway of a section."""
    return WebGateway(name=name, dialect=KannelDialect(section, lent.hook_url), timeout=section.timeout)
