"""Flowroute, and siptrunk.com, which speaks like it.   web/gateway.py → here

Sources: Flowroute's "Messages API v2.2" (Send an SMS, Receive an SMS, Receive a DLR, Look Up a Set of Messages) and "Errors"; the
example answers of its own Python library. It signs no webhook, and documents no words for a number that told it STOP.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from yarl import URL

from textbackd.config.gateways import Flowroute
from textbackd.gateways.base import (
    Accepted,
    Arrival,
    DeliveryReport,
    Fate,
    Hook,
    HookRefused,
    InboundText,
    Lent,
    OutboundText,
)
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import LIST_LIMIT, Answer, Request
from textbackd.gateways.web.fields import at, fingerprint, hook_json, items_at, moment, reference_at, text_at
from textbackd.gateways.web.gateway import DEFAULT_POLL, WebGateway
from textbackd.gateways.web.meaning import UNREADABLE, Meaning, by_status

JSON_API: Final = "application/vnd.api+json"
ACCEPTED: Final = (200, 201, 202)
_UNFIT: Final = Fate.GATEWAY_UNFIT
# Status and a word of the error's title and detail, in lower case → what it means; the first that fits.
ERRORS: Final[tuple[tuple[int, str, Meaning], ...]] = (
    (404, "", Meaning(_UNFIT, "there is no such service at this address")),
    (405, "", Meaning(_UNFIT, "there is no such service at this address")),
    (415, "", Meaning(_UNFIT, "it does not take texts in this way at this address")),
    (422, "from", Meaning(_UNFIT, "it calls our number wrong: is it the account's, and can it text?")),
    (422, "", Meaning(Fate.REFUSED, "it calls the number or the text wrong")),
    # Its own words, not those of a proxy before it: "temporarily offline".
    (503, "unavailable", Meaning(Fate.NOT_SENT, "it is offline for maintenance")),
)
# Status of a receipt → delivered. Others ("smsc submit", "message buffered") are on the way.
FINAL_STATUS: Final[Mapping[str, bool]] = {
    "delivered": True,
    "undelivered": False,
    "undeliverable": False,
    "delivery failed": False,
    "failed": False,
    "rejected": False,
    "smsc reject": False,
    "expired": False,
    "deleted": False,
}
LATE_RECEIPTS: Final = timedelta(hours=6)  # a list's window is about when a text was sent; its receipt comes later
MOST_LISTED: Final = 250
LONGEST_DETAIL: Final = 100  # characters kept of a description


class FlowrouteDialect:
    """Flowroute's way with a text."""

    def __init__(self, section: Flowroute, hook_url: str | None) -> None:
        self._section, self._hook_url = section, hook_url
        self.where = section.url.partition("?")[0].rstrip("/")
        credentials = f"{section.key}:{section.secret.get_secret_value()}".encode()
        self._headers = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        sender = self._section.sender_for(text.sender)
        if sender is None:
            raise ValueError("there is no number to send from: set `number`")
        attributes = {"to": text.to, "from": sender, "body": text.body}
        if self._hook_url is not None:
            attributes["dlr_callback"] = self._hook_url
        body = json.dumps({"data": {"type": "message", "attributes": attributes}}, ensure_ascii=False).encode()
        return Request(
            method="POST", url=URL(self.where), headers={**self._headers, "Content-Type": JSON_API}, body=body
        )

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status in ACCEPTED:
            reference = reference_at(answer.json, "data.id")
            return Accepted(reference=reference) if reference else UNREADABLE
        error = at(answer.json, "errors.0")
        said = f"{text_at(error, 'title')} {text_at(error, 'detail')}".lower()
        fitting = (meaning for status, word, meaning in ERRORS if status == answer.status and word in said)
        return next(fitting, None) or by_status(answer.status)

    # ---- afterwards

    def search(self, text: OutboundText, since: datetime) -> Request:
        return self._list(since)

    def found(self, text: OutboundText, answer: Answer, since: datetime) -> Accepted | None:
        for item in items_at(answer.json, "data"):
            sent_at = moment(text_at(item, "attributes.timestamp"))
            is_ours = _number(text_at(item, "attributes.to")) == text.to and at(item, "attributes.body") == text.body
            if (
                is_ours
                and text_at(item, "attributes.direction") == "outbound"
                and sent_at is not None
                and sent_at >= since
            ):
                return Accepted(reference=reference_at(item, "id"))
        return None

    # ---- inwards

    def poll(self, since: datetime) -> Request:
        return self._list(since - LATE_RECEIPTS)

    def polled(self, answer: Answer) -> Sequence[Arrival] | None:
        if answer.status != 200 or not isinstance(at(answer.json, "data"), list):
            return None
        return [arrival for item in reversed([*items_at(answer.json, "data")]) for arrival in _listed(item)]

    def _list(self, since: datetime) -> Request:
        query = urlencode({"start_date": f"{since:%Y-%m-%dT%H:%M:%SZ}", "limit": str(MOST_LISTED)})
        url = URL(f"{self.where}?{query}", encoded=True)
        return Request(method="GET", url=url, headers=self._headers, most=LIST_LIMIT)

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        content = hook_json(hook)
        data = at(content, "data")
        if not isinstance(data, Mapping):
            raise HookRefused("The webhook names no message.", status=400)
        if text_at(data, "type") == "delivery_receipt":
            return Heard(arrivals=[_receipt(data)])
        pictures = sum(1 for item in items_at(content, "included") if text_at(item, "type") == "media")
        return Heard(arrivals=[_text(data, now, media=pictures)])


def _listed(item: Mapping[str, object]) -> Iterator[Arrival]:
    """Yield what an entry of the list tells: a text that came in, or the last word on one that went out."""
    came_at, reference = moment(text_at(item, "attributes.timestamp")), reference_at(item, "id")
    if came_at is None or reference is None:
        return
    if text_at(item, "attributes.direction") == "inbound":
        if text_at(item, "attributes.from"):
            yield _text(item, came_at, media=int(at(item, "attributes.is_mms") in (True, "true")))
        return
    for receipt in items_at(item, "attributes.delivery_receipts"):
        if text_at(receipt, "status").lower() in FINAL_STATUS:
            yield _report(reference, receipt, recipient=text_at(item, "attributes.to"))


def _receipt(data: Mapping[str, object]) -> DeliveryReport:
    reference, attributes = reference_at(data, "id"), at(data, "attributes")
    if reference is None or not isinstance(attributes, Mapping) or not text_at(attributes, "status"):
        raise HookRefused("The webhook names no message or no status.", status=400)
    return _report(reference, attributes, recipient="")


def _report(reference: str, receipt: Mapping[str, object], *, recipient: str) -> DeliveryReport:
    status, code = text_at(receipt, "status").lower(), text_at(receipt, "status_code")
    said = " ".join(filter(None, (status, f"({code})" if code else "", text_at(receipt, "status_code_description"))))
    return DeliveryReport(
        reference=reference,
        recipient=_number(recipient) or None,
        delivered=FINAL_STATUS.get(status, False),
        final=status in FINAL_STATUS,
        detail="".join(filter(str.isprintable, said))[:LONGEST_DETAIL],
    )


def _text(data: Mapping[str, object], now: datetime, *, media: int) -> InboundText:
    sender, body = _number(text_at(data, "attributes.from")), text_at(data, "attributes.body")
    if not sender:
        raise HookRefused("The webhook names no sender.", status=400)
    came_at = moment(text_at(data, "attributes.timestamp"))
    return InboundText(
        # siptrunk.com has it as `message_id`.
        id=reference_at(data, "id") or reference_at(data, "message_id") or fingerprint(sender, body, came_at or now),
        sender=sender,
        recipient=_number(text_at(data, "attributes.to")) or None,
        body=body,
        received_at=came_at or now,
        media=media,
    )


def _number(written: str) -> str:
    """Return a number as E.164; short codes stay."""
    return f"+{written}" if written.isdecimal() and len(written) == 11 and written.startswith("1") else written


def build(name: str, section: Flowroute, lent: Lent) -> WebGateway:
    """Return the gateway of a section: it listens to its webhook, or asks where it has none."""
    dialect = FlowrouteDialect(section, lent.hook_url if section.webhook else None)
    polls = () if section.webhook else (dialect,)
    every = section.poll or DEFAULT_POLL
    return WebGateway(name=name, dialect=dialect, timeout=section.timeout, polls=polls, poll_every=every)
