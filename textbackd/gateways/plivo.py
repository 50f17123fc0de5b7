"""Plivo.   web/gateway.py → here

Sources: Plivo's "Message API", "Messaging error codes", "Signature validation" and, where its prose on what is signed is short,
its own libraries for V3. Plivo's list of texts holds neither words nor lengths, so it is not asked; what a lost answer leaves
open, the delivery report settles, because each text is given an address of its own for it, with our id in it.
"""

import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from yarl import URL

from textbackd.config.gateways import Plivo
from textbackd.gateways.base import (
    Accepted,
    DeliveryReport,
    Fate,
    Hook,
    HookRefused,
    HookReply,
    InboundText,
    Lent,
    OutboundText,
)
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import Answer, Request, basic_auth
from textbackd.gateways.web.fields import at, hook_form, hook_query, international, number_at, reference_at, text_at
from textbackd.gateways.web.gateway import WebGateway
from textbackd.gateways.web.meaning import UNREADABLE, Meaning, by_status
from textbackd.gateways.web.signatures import base64_mac, signed_addresses

PLIVO: Final = "https://api.plivo.com"
NO_ANSWER: Final = HookReply(content_type="text/xml", body="<Response/>")  # XML that says nothing to the sender
ID_FIELD: Final = "id"  # of the query of a text's webhook address

_UNFIT = Fate.GATEWAY_UNFIT
STATUSES: Final[Mapping[int, Meaning]] = {404: Meaning(_UNFIT, "there is no such `account`")}
BAD_NUMBER: Final = Meaning(Fate.REFUSED, "it calls the number invalid")
# A refused request is told in a sentence without a code. A word in it → what it is about; the first that fits.
FAULTS: Final[tuple[tuple[str, Meaning], ...]] = (
    ("src", Meaning(_UNFIT, "`number` is none of the account's that can text")),
    ("powerpack_uuid", Meaning(_UNFIT, "there is no such `powerpack`")),
    ("dst", BAD_NUMBER),
)
# ErrorCode of a delivery report.
ERRORS: Final[Mapping[int, str]] = {
    10: "the carrier calls the text invalid",
    20: "the carrier's network failed",
    30: "the carrier takes the text for spam",
    40: "`number` cannot text",
    50: "the number is invalid",
    60: "the carrier sees a loop of answers",
    70: "the number is out of service",
    80: "the number cannot be reached now",
    90: "there is no route",
    100: "the carrier does not allow it",
    110: "the text is too long",
    200: "the number has told it STOP",
    201: "a US toll-free number cannot text to Canada",
    300: "it failed to hand the text on",
    420: "the text expired",
    450: "the account may not text to that country",
    900: "the account has no credit",
    910: "the account is disabled",
    1000: "nobody knows why",
}
DEAD_NUMBERS: Final = frozenset({50, 70})  # codes after which no text will ever reach the number
OPTED_OUT: Final = 200
# Status → delivered. Others ("queued", "sent") are on the way.
FINAL_STATUS: Final[Mapping[str, bool]] = {
    "delivered": True,
    "read": True,
    "undelivered": False,
    "failed": False,
    "rejected": False,
}
SIGNATURES: Final = ("x-plivo-signature-v3", "x-plivo-signature-ma-v3")  # by the (sub)account, and by its main account
MOST_SIGNATURES: Final = 8  # one for each active token of an account
PART: Final = re.compile(r"\s*(\d{1,3})\s*of\s*(\d{1,3})\s*")
MEDIA: Final = re.compile(r"Media\d+")

Fields = list[tuple[str, str]]


class PlivoDialect:
    """Plivo's way with a text."""

    def __init__(self, section: Plivo, hook_url: str | None) -> None:
        self._section, self._hook_url = section, hook_url
        self.where = f"{(section.url or PLIVO).rstrip('/')}/v1/Account/{quote(section.account, safe='')}/Message/"
        self._headers = {
            "Authorization": basic_auth(section.account, section.token.get_secret_value()),
            "Content-Type": "application/json",
        }

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        powerpack = self._section.powerpack
        fields = {
            "src": None if powerpack else self._section.sender_for(text.sender),
            "powerpack_uuid": powerpack,
            "dst": text.to,
            "text": text.body,
            "type": "sms",
            "url": f"{self._hook_url}?{urlencode({ID_FIELD: text.id})}" if self._hook_url else None,
            "method": "POST" if self._hook_url else None,
        }
        body = json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)
        return Request(method="POST", url=URL(self.where), headers=self._headers, body=body.encode())

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status // 100 == 2:
            reference = reference_at(answer.json, "message_uuid.0")
            if reference is None and at(answer.json, "message_uuid") == [] and at(answer.json, "invalid_number.0"):
                return BAD_NUMBER
            return Accepted(reference=reference) if reference else UNREADABLE
        if answer.status == 400:
            words = set(re.findall(r"\w+", text_at(answer.json, "error").lower()))
            return next((meaning for word, meaning in FAULTS if word in words), by_status(400))
        return STATUSES.get(answer.status) or by_status(answer.status)

    # ---- inwards

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        fields = hook_form(hook)
        self._require_signature(hook, fields)
        told = dict(reversed(fields or hook_query(hook)))
        uuid = reference_at(told, "MessageUUID")
        if uuid is None:
            raise HookRefused("The webhook names no message.", status=400)
        arrival = _report(uuid, told, hook) if "Status" in told else _text(uuid, told, now)
        return Heard(arrivals=[arrival], reply=NO_ANSWER)

    def _require_signature(self, hook: Hook, fields: Fields) -> None:
        nonce, token = hook.headers.get("x-plivo-signature-v3-nonce", ""), self._section.token.get_secret_value()
        expected = [
            base64_mac(token, f"{signed_words(address, fields)}.{nonce}".encode("utf-8", "replace"), "sha256")
            for address in signed_addresses(self._hook_url or "", hook)
        ]
        # Every one is compared, so that the time tells nothing. Bytes: a header may hold anything.
        matches = [
            hmac.compare_digest(given.encode("utf-8", "replace"), one.encode())
            for given in _given(hook)
            for one in expected
        ]
        if not any(matches):
            raise HookRefused("The webhook is not signed by the vendor.", status=403)


def signed_words(address: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return what Plivo signs (V3) before the nonce: the address, its query sorted and decoded, and the sorted form."""
    parts = urlsplit(address)
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True)))
    form = "".join(f"{name}{value}" for name, value in sorted(fields))
    if not form:
        return f"{bare}?{query}" if query else bare
    # The question mark stands there with a form even if there is no query.
    return f"{bare}?{query}.{form}" if query else f"{bare}?{form}"


def _given(hook: Hook) -> Iterator[str]:
    for header in SIGNATURES:
        for signature in hook.headers.get(header, "").split(",")[:MOST_SIGNATURES]:
            yield signature.strip()


def _report(uuid: str, told: Mapping[str, str], hook: Hook) -> DeliveryReport:
    status, code = told["Status"].lower(), number_at(told, "ErrorCode")
    words = ERRORS.get(code) if code else None
    return DeliveryReport(
        reference=_reference(uuid, told),
        recipient=international(told.get("To", "")) or None,
        delivered=FINAL_STATUS.get(status, False),
        final=status in FINAL_STATUS,
        detail=f"{status} ({code})" + (f": {words}" if words else "") if code else status,
        id=dict(hook_query(hook)).get(ID_FIELD),
        permanent=code in DEAD_NUMBERS,
        opted_out=code == OPTED_OUT,
    )


def _reference(uuid: str, told: Mapping[str, str]) -> str:
    """Return what a report is about: each part of a long text is reported for itself.

    The last part goes under the id that the whole text was accepted with, so that a text counts as delivered with it, and as
    undelivered if any other part was.
    """
    parent, part = reference_at(told, "ParentMessageUUID") or uuid, PART.fullmatch(told.get("PartInfo", ""))
    return parent if part is None or int(part[1]) >= int(part[2]) else f"{parent}/{int(part[1])}"


def _text(uuid: str, told: Mapping[str, str], now: datetime) -> InboundText:
    return InboundText(
        id=uuid,
        sender=international(told.get("From", "")),
        recipient=international(told.get("To", "")) or None,
        body=told.get("Text", ""),
        received_at=now,
        media=sum(MEDIA.fullmatch(name) is not None for name in told),
    )


def build(name: str, section: Plivo, lent: Lent) -> WebGateway:
    """Return the gateway of a section."""
    return WebGateway(name=name, dialect=PlivoDialect(section, lent.hook_url), timeout=section.timeout)
