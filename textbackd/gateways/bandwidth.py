"""Bandwidth.   web/gateway.py → here

Sources: Bandwidth's "Messaging API" reference and OpenAPI document, "Webhooks" and "Errors". The errors page says that no 5xx
means a text that was sent; it cannot speak for what stands between Bandwidth and us, so a 5xx proves nothing here either.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from yarl import URL

from textbackd.config.gateways import Bandwidth
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
from textbackd.gateways.web.exchange import Answer, Request, basic_auth
from textbackd.gateways.web.fields import at, hook_json, items_at, moment, number_at, reference_at, text_at
from textbackd.gateways.web.gateway import WebGateway
from textbackd.gateways.web.meaning import UNREADABLE, Meaning, by_status
from textbackd.gateways.web.signatures import require

BANDWIDTH: Final = "https://messaging.bandwidth.com"
SHORTEST_LIFE: Final = timedelta(minutes=1)  # `expiration` must lie in the future, by their clock
DETAIL_LIMIT: Final = 200  # characters kept of a description; the longest documented has 57

_UNFIT = Fate.GATEWAY_UNFIT
# Which field of a request they do not like → what that means.
FIELDS: Final[Mapping[str, Meaning]] = {
    "to": Meaning(Fate.REFUSED, "it calls the number invalid"),
    "from": Meaning(_UNFIT, "`number` is none of the account's that can text"),
    "applicationId": Meaning(_UNFIT, "`application` is none of the account's"),
}
STATUSES: Final[Mapping[int, Meaning]] = {404: Meaning(_UNFIT, "there is no such `account`")}
# Codes of `message-failed`. After these no text will ever reach the number: malformed, forbidden, unallocated, a landline or
# outside the numbering plan, deactivated.
DEAD_NUMBERS: Final = frozenset({4303, 4404, 4406, 4720, 4721})
OPTED_OUT: Final = 4775
NOBODY_KNOWS: Final = frozenset({9902})  # no delivery report came in two hours: no failure, and nothing to wait for
# Type of an event → delivered. `message-sending` is on the way; other types are about no text of ours.
REPORTS: Final[Mapping[str, bool]] = {"message-sending": False, "message-delivered": True, "message-failed": False}
NOT_OUT: Final = frozenset({"FAILED", "UNDELIVERED"})


class BandwidthDialect:
    """Bandwidth's way with a text."""

    def __init__(self, section: Bandwidth) -> None:
        self._section = section
        base = (section.url or BANDWIDTH).rstrip("/")
        self.where = f"{base}/api/v2/users/{quote(section.account, safe='')}/messages"
        self._headers = {"Authorization": basic_auth(section.username, section.password.get_secret_value())}

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        fields = {
            "applicationId": self._section.application,
            "to": [text.to],
            "from": self._section.sender_for(text.sender),
            "text": text.body,
            "tag": text.id,
        }
        if text.valid_until is not None:
            fields["expiration"] = f"{max(text.valid_until, now + SHORTEST_LIFE):%Y-%m-%dT%H:%M:%SZ}"
        body = json.dumps(fields, ensure_ascii=False).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        return Request(method="POST", url=URL(self.where), headers=headers, body=body)

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status // 100 == 2:
            reference = reference_at(answer.json, "id")
            parts = number_at(answer.json, "segmentCount") or 1
            return Accepted(reference=reference, parts=parts) if reference else UNREADABLE
        if answer.status == 400:
            return next(_disliked(answer.json), None) or by_status(400)
        return STATUSES.get(answer.status) or by_status(answer.status)

    # ---- afterwards

    def search(self, text: OutboundText, since: datetime) -> Request:
        fields = {
            "destinationTn": text.to,
            "sourceTn": self._section.sender_for(text.sender) or "",
            "messageDirection": "OUTBOUND",
            "fromDateTime": f"{since:%Y-%m-%dT%H:%M:%S.000Z}",
        }
        return Request(method="GET", url=URL(f"{self.where}?{urlencode(fields)}", encoded=True), headers=self._headers)

    def found(self, text: OutboundText, answer: Answer, since: datetime) -> Accepted | None:
        """Bandwidth keeps no words, so it is surely ours only if it is the one text of that length in that time."""
        matching = [item for item in items_at(answer.json, "messages") if _may_be(text, item, since)]
        if len(matching) != 1:
            return None
        return Accepted(
            reference=reference_at(matching[0], "messageId"), parts=number_at(matching[0], "segmentCount") or 1
        )

    # ---- inwards

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        self._require_password(hook)
        return Heard(arrivals=[arrival for event in items_at(hook_json(hook), "") for arrival in _told(event, now)])

    def _require_password(self, hook: Hook) -> None:
        callback = self._section.callback
        if callback is not None:
            expected = basic_auth(callback.username, callback.password.get_secret_value())
            require(hook.headers.get("authorization", ""), [expected])


def _disliked(content: object) -> Iterator[Meaning]:
    for error in items_at(content, "fieldErrors"):
        meaning = FIELDS.get(text_at(error, "fieldName"))
        if meaning is not None:
            yield meaning


def _may_be(text: OutboundText, item: Mapping[str, object], since: datetime) -> bool:
    received = moment(text_at(item, "receiveTime"))
    # Whether a face counts as one or, as on the air, as two is not documented.
    lengths = (len(text.body), len(text.body.encode("utf-16-le", "replace")) // 2)
    return (
        item.get("destinationTn") == text.to
        and received is not None
        and received >= since
        and number_at(item, "messageLength") in lengths
        and item.get("messageStatus") not in NOT_OUT
    )


def _told(event: Mapping[str, object], now: datetime) -> Iterator[Arrival]:
    kind, message = text_at(event, "type"), at(event, "message")
    if kind != "message-received" and kind not in REPORTS:
        return
    reference = reference_at(message, "id")
    if reference is None:
        raise HookRefused("The webhook names no message.", status=400)
    yield _report(reference, kind, event) if kind in REPORTS else _text(reference, event, now)


def _report(reference: str, kind: str, event: Mapping[str, object]) -> DeliveryReport:
    code = number_at(event, "errorCode")
    description = " ".join(text_at(event, "description").split())[:DETAIL_LIMIT]
    return DeliveryReport(
        reference=reference,
        recipient=text_at(event, "to") or None,
        delivered=REPORTS[kind],
        final=kind != "message-sending" and code not in NOBODY_KNOWS,
        detail=f"{kind} ({code}): {description}" if code else kind,
        id=text_at(event, "message.tag") or None,
        permanent=code in DEAD_NUMBERS,
        opted_out=code == OPTED_OUT,
    )


def _text(reference: str, event: Mapping[str, object], now: datetime) -> InboundText:
    media = at(event, "message.media")
    return InboundText(
        id=reference,
        sender=text_at(event, "message.from"),
        recipient=text_at(event, "to") or None,
        body=text_at(event, "message.text"),
        received_at=moment(text_at(event, "message.time")) or now,
        media=len(media) if isinstance(media, list) else 0,
    )


def build(name: str, section: Bandwidth, lent: Lent) -> WebGateway:
    """Return the gateway of a section."""
    return WebGateway(name=name, dialect=BandwidthDialect(section), timeout=section.timeout)
