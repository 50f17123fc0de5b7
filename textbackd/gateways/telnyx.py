"""Telnyx.   web/gateway.py → here

Sources: Telnyx's API reference "Send a message" and its OpenAPI document, "Messaging error codes", "API errors", "Receiving
webhooks for messaging", "Webhook signing". Telnyx has no list of texts to search; what a lost answer leaves open, the webhooks
settle, because each text is given an address of its own for them, with our id in it.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from yarl import URL

from textbackd.config.gateways import Telnyx
from textbackd.gateways.base import (
    Accepted,
    DeliveryReport,
    Fate,
    Hook,
    HookRefused,
    InboundText,
    Lent,
    OutboundText,
    Word,
)
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import Answer, Request
from textbackd.gateways.web.fields import at, hook_json, items_at, moment, number_at, reference_at, text_at
from textbackd.gateways.web.gateway import WebGateway
from textbackd.gateways.web.meaning import UNREADABLE, Meaning, by_status
from textbackd.gateways.web.signatures import require_fresh

TELNYX: Final = "https://api.telnyx.com"

_NOT_SENT, _REFUSED, _UNFIT = Fate.NOT_SENT, Fate.REFUSED, Fate.GATEWAY_UNFIT
CODES: Final[Mapping[int, Meaning]] = {
    10009: Meaning(_UNFIT, "it does not accept the API key"),
    10010: Meaning(_UNFIT, "the API key may not send"),
    10011: Meaning(_NOT_SENT, "it takes no more texts for now"),
    20002: Meaning(_UNFIT, "the API key was revoked"),
    20006: Meaning(_UNFIT, "the API key has expired"),
    20012: Meaning(_UNFIT, "the account is inactive, perhaps for want of credit"),
    20013: Meaning(_UNFIT, "the account is blocked"),
    20014: Meaning(_UNFIT, "the account is not verified"),
    20015: Meaning(_UNFIT, "the account may not send texts"),
    20016: Meaning(_UNFIT, "the account is not verified (level 1)"),
    20017: Meaning(_UNFIT, "the account is not verified (level 2)"),
    20100: Meaning(_UNFIT, "the account has no credit"),
    40001: Meaning(_REFUSED, "the number is a landline or cannot be reached"),
    40002: Meaning(_NOT_SENT, "the carrier takes our texts for spam at the moment"),
    40003: Meaning(_UNFIT, "the carrier has blocked our number as a source of spam"),
    40004: Meaning(_REFUSED, "the carrier refuses the text without a reason"),
    40005: Meaning(_REFUSED, "the text expired on its way"),
    40006: Meaning(_NOT_SENT, "the carrier's server is down"),
    40008: Meaning(_REFUSED, "the carrier does not take the text"),
    40009: Meaning(_REFUSED, "it does not like the text's content"),
    40010: Meaning(_UNFIT, "our number is in no registered campaign (10DLC)"),
    40011: Meaning(_NOT_SENT, "it takes no more texts for now"),
    40012: Meaning(_REFUSED, "it calls the number invalid"),
    40013: Meaning(_UNFIT, "it calls our number invalid: set `number`"),
    40014: Meaning(_NOT_SENT, "the text expired in its queue"),
    40015: Meaning(_REFUSED, "it takes the text for spam"),
    40016: Meaning(_NOT_SENT, "the day's limit at T-Mobile is reached (10DLC)"),
    40017: Meaning(_REFUSED, "AT&T takes the text for spam (10DLC)"),
    40018: Meaning(_NOT_SENT, "the minute's limit at AT&T is reached (10DLC)"),
    40100: Meaning(_UNFIT, "our number cannot text: enable messaging for it"),
    40150: Meaning(_UNFIT, "our toll-free number is not in the registry"),
    40151: Meaning(_UNFIT, "our number still texts with another provider"),
    40300: Meaning(_REFUSED, "it blocks texts to this number"),  # see STOPPED
    40301: Meaning(_REFUSED, "the number does not take this kind of message"),
    40302: Meaning(_REFUSED, "the text is too long"),
    40304: Meaning(_REFUSED, "it does not like the text's content"),
    40305: Meaning(_UNFIT, "`number` is not in its messaging profile"),
    40306: Meaning(_UNFIT, "the account has no sender's name"),
    40309: Meaning(_REFUSED, "the messaging profile does not allow that country"),
    40310: Meaning(_REFUSED, "it calls the number invalid"),
    40311: Meaning(_UNFIT, "the messaging profile's secret is wrong"),
    40312: Meaning(_UNFIT, "the messaging profile is disabled"),
    40313: Meaning(_UNFIT, "the messaging profile's secret is missing"),
    40314: Meaning(_UNFIT, "messaging is disabled for the account"),
    40315: Meaning(_UNFIT, "too many texts from our number were spam or did not arrive"),
    40316: Meaning(_REFUSED, "the text is empty"),
    40318: Meaning(_NOT_SENT, "its queue is full"),
    40319: Meaning(_REFUSED, "the number does not take this kind of message"),
    40320: Meaning(_NOT_SENT, "our number is not ready yet"),
    40321: Meaning(_UNFIT, "the messaging profile has no number that can text"),
    40322: Meaning(_REFUSED, "it does not like the text's content"),
    40328: Meaning(_REFUSED, "the text is too long"),
    40329: Meaning(_UNFIT, "our toll-free number is not verified"),
}
# 40300 also stands for other blocks; only its title, "Blocked due to STOP message", tells an opt-out, which we keep for ever.
BLOCKED: Final = 40300
STOPPED: Final = Meaning(Fate.OPTED_OUT, "the number has told it STOP", str(BLOCKED))
SENDERS_FIELD: Final = "/from"  # where an error points that is about our number, whatever its code
LANDLINES: Final = frozenset({40001, 40012, 40310})  # codes after which no text will ever reach the number
# Status of a recipient → delivered. Others ("queued", "sending", "sent", and "delivery_unconfirmed", which the carrier never
# told more about) are no last word.
FINAL_STATUS: Final[Mapping[str, bool]] = {
    "delivered": True,
    "sending_failed": False,
    "delivery_failed": False,
    "expired": False,
}
REPORTS: Final = frozenset({"message.sent", "message.finalized"})
WORDS: Final[Mapping[str, Word]] = {"STOP": Word.STOP, "START": Word.START, "HELP": Word.HELP}
ID_FIELD: Final = "id"  # of the query of a text's webhook address


class TelnyxDialect:
    """Telnyx's way with a text."""

    def __init__(self, section: Telnyx, hook_url: str | None) -> None:
        self._section, self._hook_url = section, hook_url
        self.where = f"{(section.url or TELNYX).rstrip('/')}/v2/messages"
        self._key = _public_key(section.public_key) if section.public_key else None

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        fields = {
            "from": self._section.sender_for(text.sender),
            "messaging_profile_id": self._section.profile,
            "to": text.to,
            "text": text.body,
            "type": "SMS",
            "webhook_url": f"{self._hook_url}?{urlencode({ID_FIELD: text.id})}" if self._hook_url else None,
        }
        body = json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)
        headers = {
            "Authorization": f"Bearer {self._section.key.get_secret_value()}",
            "Content-Type": "application/json",
        }
        return Request(method="POST", url=URL(self.where), headers=headers, body=body.encode())

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status // 100 == 2:
            reference = reference_at(answer.json, "data.id")
            parts = number_at(answer.json, "data.parts") or 1
            return Accepted(reference=reference, parts=parts) if reference else UNREADABLE
        # A 5xx proves nothing, whatever code stands in it.
        error = next(items_at(answer.json, "errors"), None) if answer.status < 500 else None
        return _meaning(error) or by_status(answer.status)

    # ---- inwards

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        self._require_signature(hook, now)
        content = hook_json(hook)
        kind, payload = text_at(content, "data.event_type"), at(content, "data.payload")
        if kind != "message.received" and kind not in REPORTS:
            return Heard(arrivals=[])  # the account's other events may come to the same address
        reference = reference_at(payload, "id")
        if reference is None:
            raise HookRefused("The webhook names no message.", status=400)
        return Heard(arrivals=[_report(reference, payload) if kind in REPORTS else _text(reference, payload, now)])

    def _require_signature(self, hook: Hook, now: datetime) -> None:
        if self._key is None:
            raise HookRefused("The webhook cannot be checked: `public_key` is missing.", status=403)
        signed_at = hook.headers.get("telnyx-timestamp", "")
        try:
            signature = base64.b64decode(hook.headers.get("telnyx-signature-ed25519", ""))
            self._key.verify(signature, signed_at.encode() + b"|" + hook.body)
        except (InvalidSignature, ValueError):
            raise HookRefused("The webhook is not signed by the vendor.", status=403) from None
        require_fresh(signed_at, now)


def _public_key(written: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(written))


def _meaning(error: object) -> Meaning | None:
    """Return what one of Telnyx's errors means; None where that is not known."""
    code = number_at(error, "code")
    if code is None:
        return None
    if _is_stop(error):
        return STOPPED
    meaning = CODES.get(code)
    if meaning is None and text_at(error, "source.pointer") == SENDERS_FIELD:
        meaning = Meaning(_UNFIT, "it does not send from our number: set `number`")
    return Meaning(meaning.fate, meaning.words, str(code)) if meaning else None


def _is_stop(error: object) -> bool:
    return number_at(error, "code") == BLOCKED and "stop" in text_at(error, "title").casefold().split()


def _report(reference: str, payload: object) -> DeliveryReport:
    status = text_at(payload, "to.0.status")
    error = next(items_at(payload, "errors"), None)
    code, meaning = number_at(error, "code"), _meaning(error)
    return DeliveryReport(
        reference=reference,
        recipient=text_at(payload, "to.0.phone_number") or None,
        delivered=FINAL_STATUS.get(status, False),
        final=status in FINAL_STATUS,
        detail=f"{status} ({code})" + (f": {meaning.words}" if meaning else "") if code else status or "no status",
        id=_our_id(text_at(payload, "webhook_url")),
        permanent=code in LANDLINES,
        opted_out=_is_stop(error),
    )


def _our_id(address: str) -> str | None:
    """Return the id of ours in the address that the text was given, which the vendor repeats in what it signs."""
    try:
        found = parse_qs(urlsplit(address).query).get(ID_FIELD)
    except ValueError:
        return None
    return found[0] if found else None


def _text(reference: str, payload: object, now: datetime) -> InboundText:
    return InboundText(
        id=reference,
        sender=text_at(payload, "from.phone_number"),
        recipient=text_at(payload, "to.0.phone_number") or None,
        body=text_at(payload, "text"),
        received_at=moment(text_at(payload, "received_at")) or now,
        media=len(list(items_at(payload, "media"))),
        word=WORDS.get(text_at(payload, "autoresponse_type").upper()),
    )


def build(name: str, section: Telnyx, lent: Lent) -> WebGateway:
    """Return the gateway of a section."""
    return WebGateway(name=name, dialect=TelnyxDialect(section, lent.hook_url), timeout=section.timeout)
