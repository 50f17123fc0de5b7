"""Twilio, and SignalWire, which speaks like it.   web/gateway.py → here

Sources: Twilio's API reference "Messages resource", "Error and warning dictionary" and "Webhooks security"; SignalWire's
"Compatibility API". The codes are a table because Twilio changes them (its changelog of July 2024 says not to rely on them).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from yarl import URL

from textbackd import config
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
    Word,
)
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import Answer, Request
from textbackd.gateways.web.fields import (
    FORM,
    form,
    hook_form,
    hook_query,
    items_at,
    moment,
    number_at,
    reference_at,
    text_at,
)
from textbackd.gateways.web.gateway import WebGateway
from textbackd.gateways.web.meaning import UNREADABLE, Meaning, by_status
from textbackd.gateways.web.signatures import base64_mac, require, signed_addresses

TWILIO: Final = "https://api.twilio.com"
LONGEST_VALIDITY: Final = timedelta(hours=10)  # ValidityPeriod is 1 to 36,000 seconds
NO_ANSWER: Final = HookReply(content_type="text/xml", body="<Response/>")  # TwiML that says nothing to the sender

_NOT_SENT, _REFUSED, _UNFIT = Fate.NOT_SENT, Fate.REFUSED, Fate.GATEWAY_UNFIT
CODES: Final[Mapping[int, Meaning]] = {
    20003: Meaning(_UNFIT, "it does not accept the credentials"),
    20429: Meaning(_NOT_SENT, "it takes no more texts for now"),
    21211: Meaning(_REFUSED, "it calls the number invalid"),
    21214: Meaning(_REFUSED, "it cannot reach the number"),
    21217: Meaning(_REFUSED, "it calls the number invalid"),
    21266: Meaning(_REFUSED, "the number is the one that it would send from"),
    21408: Meaning(_REFUSED, "the account is not allowed to text that country"),
    21603: Meaning(_UNFIT, "it has no number to send from: set `number`"),
    21606: Meaning(_UNFIT, "`number` is none of the account's that can text"),
    21610: Meaning(Fate.OPTED_OUT, "the number has told it STOP"),
    21611: Meaning(_NOT_SENT, "its queue for our number is full"),
    21612: Meaning(_REFUSED, "it cannot reach the number from ours"),
    21614: Meaning(_REFUSED, "the number cannot get texts"),
    21635: Meaning(_REFUSED, "the number is a landline"),
    21659: Meaning(_UNFIT, "`number` is none of the account's"),
    30001: Meaning(_NOT_SENT, "its queue is full"),
    30002: Meaning(_UNFIT, "the account is suspended"),
    30005: Meaning(_REFUSED, "the number is unknown or no longer in service"),
    30006: Meaning(_REFUSED, "the number is a landline or cannot be reached"),
    30017: Meaning(_NOT_SENT, "the network is congested"),
    30022: Meaning(_NOT_SENT, "it takes no more texts for now"),
    30032: Meaning(_UNFIT, "our toll-free number is not verified"),
    30034: Meaning(_UNFIT, "our number is in no registered campaign (10DLC)"),
}
LANDLINES: Final = frozenset({21614, 21635, 30005, 30006})  # codes after which no text will ever reach the number
OPTED_OUT: Final = 21610
# MessageStatus → delivered, final. Others ("queued", "sending", "sent") are on the way.
FINAL_STATUS: Final[Mapping[str, bool]] = {"delivered": True, "read": True, "undelivered": False, "failed": False}
WORDS: Final[Mapping[str, Word]] = {"STOP": Word.STOP, "START": Word.START, "HELP": Word.HELP}


class TwilioDialect:
    """Twilio's way with a text."""

    def __init__(self, section: config.Twilio, hook_url: str | None) -> None:
        self._section, self._hook_url = section, hook_url
        path = "/api/laml" if section.space else ""
        base = section.url or (f"https://{section.space}" if section.space else TWILIO)
        self.where = f"{base.rstrip('/')}{path}/2010-04-01/Accounts/{quote(section.account, safe='')}/Messages"
        self._address = self.where if section.space else f"{self.where}.json"
        self._headers = {"Authorization": f"Basic {self._credentials()}"}
        self._signature = "x-signalwire-signature" if section.space else "x-twilio-signature"

    def _credentials(self) -> str:
        section = self._section
        key, secret = (section.key, section.key_secret) if section.key and section.key_secret else (None, None)
        user, password = (key, secret) if key and secret else (section.account, section.token)
        return base64.b64encode(f"{user}:{password.get_secret_value()}".encode()).decode()

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        service = self._section.messaging_service
        fields = {
            "To": text.to,
            "From": None if service else self._section.sender_for(text.sender),
            "MessagingServiceSid": service,
            "Body": text.body,
            "StatusCallback": self._hook_url,
            "ValidityPeriod": _validity(text.valid_until, now),
        }
        headers = {**self._headers, "Content-Type": FORM}
        return Request(method="POST", url=URL(self._address), headers=headers, body=form(fields))

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status in (200, 201):
            reference = reference_at(answer.json, "sid")
            return Accepted(reference=reference) if reference else UNREADABLE
        code = number_at(answer.json, "code")
        meaning = CODES.get(code) if code is not None else None
        if meaning is None:
            return by_status(answer.status)
        return Meaning(meaning.fate, meaning.words, str(code))

    # ---- afterwards

    def search(self, text: OutboundText, since: datetime) -> Request:
        query = urlencode({"To": text.to, "DateSent>": f"{since:%Y-%m-%d}", "PageSize": "50"})
        return Request(method="GET", url=URL(f"{self._address}?{query}", encoded=True), headers=self._headers)

    def found(self, text: OutboundText, answer: Answer, since: datetime) -> Accepted | None:
        for item in items_at(answer.json, "messages"):
            created = moment(text_at(item, "date_created"))
            is_ours = item.get("body") == text.body and item.get("to") == text.to and created and created >= since
            if is_ours and text_at(item, "status") not in ("failed", "canceled"):
                return Accepted(reference=reference_at(item, "sid"))
        return None

    # ---- inwards

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        fields = hook_form(hook) if hook.method == "POST" else hook_query(hook)
        self._require_signature(hook, fields if hook.method == "POST" else [])
        told = dict(reversed(fields))
        sid = told.get("MessageSid") or told.get("SmsSid")
        if not sid:
            raise HookRefused("The webhook names no message.", status=400)
        if "MessageStatus" in told:
            return Heard(arrivals=[_report(sid, told)], reply=NO_ANSWER)
        return Heard(arrivals=[_text(sid, told, now)], reply=NO_ANSWER)

    def _require_signature(self, hook: Hook, fields: Sequence[tuple[str, str]]) -> None:
        addresses = signed_addresses(self._hook_url or "", hook)
        body_hash = dict(hook_query(hook)).get("bodySHA256")
        if body_hash is not None:  # JSON is signed through its hash in the address
            if not hmac.compare_digest(hashlib.sha256(hook.body).hexdigest(), body_hash.lower()):
                raise HookRefused("The webhook's content is not what was signed.", status=403)
            fields = []
        token = self._section.token.get_secret_value()
        signed = _sorted_together(fields)
        expected = [base64_mac(token, f"{address}{signed}".encode(), "sha1") for address in addresses]
        require(hook.headers.get(self._signature, ""), expected)


def _sorted_together(fields: Iterable[tuple[str, str]]) -> str:
    """Return names and values as they are signed: sorted by name, one behind the other, nothing between them."""
    return "".join(f"{name}{value}" for name, value in sorted(set(fields)))


def _validity(until: datetime | None, now: datetime) -> str | None:
    if until is None:
        return None
    return str(int(min(max(until - now, timedelta(seconds=1)), LONGEST_VALIDITY).total_seconds()))


def _report(sid: str, told: Mapping[str, str]) -> DeliveryReport:
    status, code = told["MessageStatus"].lower(), number_at(told, "ErrorCode")
    meaning = CODES.get(code) if code else None
    return DeliveryReport(
        reference=sid,
        recipient=told.get("To"),
        delivered=FINAL_STATUS.get(status, False),
        final=status in FINAL_STATUS,
        detail=f"{status} ({code})" + (f": {meaning.words}" if meaning else "") if code else status,
        permanent=code in LANDLINES,
        opted_out=code == OPTED_OUT,
    )


def _text(sid: str, told: Mapping[str, str], now: datetime) -> InboundText:
    return InboundText(
        id=sid,
        sender=told.get("From", ""),
        recipient=told.get("To"),
        body=told.get("Body", ""),
        received_at=now,
        media=number_at(told, "NumMedia") or 0,
        word=WORDS.get(told.get("OptOutType", "").upper()),
    )


def build(name: str, section: config.Twilio, lent: Lent) -> WebGateway:
    """Return the gateway of a section."""
    return WebGateway(name=name, dialect=TwilioDialect(section, lent.hook_url), timeout=section.timeout)
