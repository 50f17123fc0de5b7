"""VoIP.ms.   web/gateway.py → here

It answers 200 whatever happened; `status` says it in a word. Sources: VoIP.ms "SOAP & REST/JSON API" (methods sendSMS, sendMMS,
getSMS, getMMS; the list of error codes) and its wiki, "SMS-MMS". That a text is measured in UTF-8 octets, not in characters, is
in no document; several users have measured it (an accented letter counts two). Its times are those of New York.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from yarl import URL

from textbackd.config.gateways import VoipMs
from textbackd.gateways.base import (
    Accepted,
    Arrival,
    Fate,
    Hook,
    HookRefused,
    HookReply,
    InboundText,
    Lent,
    OutboundText,
)
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import LIST_LIMIT, Answer, Request
from textbackd.gateways.web.fields import FORM, fingerprint, form, hook_query, items_at, reference_at, text_at
from textbackd.gateways.web.gateway import DEFAULT_POLL, WebGateway
from textbackd.gateways.web.meaning import MAYBE, UNREADABLE, Meaning, by_status

SMS_OCTETS: Final = 160  # of UTF-8; more go by sendMMS
MMS_OCTETS: Final = 2048
MOST_LISTED: Final = 500
OK: Final = HookReply(body="ok")  # anything else has VoIP.ms tell it again
THERE: Final = ZoneInfo("America/New_York")

_NOT_SENT, _REFUSED, _UNFIT = Fate.NOT_SENT, Fate.REFUSED, Fate.GATEWAY_UNFIT
STATUSES: Final[Mapping[str, Meaning]] = {
    "api_not_enabled": Meaning(_UNFIT, "its API is not enabled for the account"),
    "invalid_credentials": Meaning(_UNFIT, "it does not accept the credentials"),
    "invalid_did": Meaning(_UNFIT, "our number is none of the account's that can text"),
    "invalid_dst": Meaning(_REFUSED, "it calls the number invalid"),
    "invalid_number": Meaning(_REFUSED, "it calls the number invalid"),
    "invalid_phonenumber": Meaning(_REFUSED, "it calls the number invalid"),
    "invalid_to_number": Meaning(_REFUSED, "it calls the number invalid"),
    "ip_not_enabled": Meaning(_UNFIT, "this machine's address is not enabled for its API"),
    "limit_reached": Meaning(_NOT_SENT, "the day's limit of texts by its API is reached"),
    "method_maintenance": Meaning(_NOT_SENT, "its texting is under maintenance"),
    "missing_credentials": Meaning(_UNFIT, "it does not accept the credentials"),
    "missing_did": Meaning(_UNFIT, "there is no number to send from: set `number`"),
    "missing_dst": Meaning(_REFUSED, "it calls the number invalid"),
    "no_did": Meaning(_UNFIT, "our number is none of the account's"),
    "non_sufficient_funds": Meaning(_UNFIT, "the account has no credit"),
    "provider_outofservice": Meaning(_NOT_SENT, "one of its carriers is out of service"),
    "sms_failed": Meaning(_NOT_SENT, "it says that the text was not sent"),
    "sms_toolong": Meaning(_REFUSED, "it calls the text too long"),
    "unavailable_info": Meaning(_NOT_SENT, "it cannot answer at the moment"),
}
UNKNOWN_STATUS: Final = Meaning(Fate.UNKNOWN, f"it says a word that is in none of our lists, {MAYBE}")


class VoipMsDialect:
    """VoIP.ms's way with a text."""

    def __init__(self, section: VoipMs) -> None:
        self._section = section
        self.where = section.url.partition("?")[0]

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        octets = len(text.body.encode())
        if octets > MMS_OCTETS:
            raise ValueError(f"the text has {octets} octets, and VoIP.ms takes {MMS_OCTETS} at most")
        sender = self._section.sender_for(text.sender)
        if sender is None:
            raise ValueError("there is no number to send from: set `number`")
        method = "sendMMS" if octets > SMS_OCTETS else "sendSMS"
        return self._ask(method, did=_national(sender), dst=_national(text.to), message=text.body)

    def _ask(self, method: str, **fields: str | None) -> Request:
        credentials = {
            "api_username": self._section.username,
            "api_password": self._section.password.get_secret_value(),
        }
        body = form({**credentials, "method": method, **fields})
        return Request(method="POST", url=URL(self.where), headers={"Content-Type": FORM}, body=body)

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status != 200:
            return by_status(answer.status)
        status = text_at(answer.json, "status").strip().lower()
        reference = reference_at(answer.json, "sms") or reference_at(answer.json, "mms")
        if status == "success":
            return Accepted(reference=reference) if reference else UNREADABLE
        if not status:
            return UNREADABLE
        meaning = STATUSES.get(status, UNKNOWN_STATUS)
        return Meaning(meaning.fate, meaning.words, status[:40])

    # ---- afterwards

    def search(self, text: OutboundText, since: datetime) -> Request:
        method = "getMMS" if len(text.body.encode()) > SMS_OCTETS else "getSMS"
        return self._list(method, since, type="0", contact=_national(text.to))

    def found(self, text: OutboundText, answer: Answer, since: datetime) -> Accepted | None:
        for item in items_at(answer.json, "sms"):
            sent_at = _moment(text_at(item, "date"))
            is_ours = item.get("message") == text.body and _international(text_at(item, "contact")) == text.to
            if is_ours and sent_at is not None and sent_at >= since:
                return Accepted(reference=reference_at(item, "id"))
        return None

    # ---- inwards

    def asked(self, since: datetime) -> Request:
        """Return the request for the texts that came in."""
        return self._list("getSMS", since, type="1", all_messages="1")

    def _list(self, method: str, since: datetime, **fields: str) -> Request:
        # Whole days; `to` is today if it is not told.
        day = {"from": f"{since.astimezone(THERE):%Y-%m-%d}"}
        return replace(self._ask(method, **fields, **day, limit=str(MOST_LISTED)), most=LIST_LIMIT)

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        told = dict(hook_query(hook))
        if not told.get("from") or "message" not in told:
            raise HookRefused(
                "The webhook has no sender or no text. Compare its address with the documentation.", status=400
            )
        media = len(list(filter(None, told.get("media", "").split(","))))
        return Heard(arrivals=[_text(told, "from", "to", now, media=media)], reply=OK)


class Inbox:
    """The list of texts that came in, as the gateway asks it."""

    def __init__(self, dialect: VoipMsDialect) -> None:
        self.poll = dialect.asked

    def polled(self, answer: Answer) -> Sequence[Arrival] | None:
        status = text_at(answer.json, "status")
        if answer.status != 200 or status not in ("success", "no_sms", "no_mms"):
            return None
        texts = [
            _text(item, "contact", "did", came_at, media=_pictures(item))
            for item in items_at(answer.json, "sms")
            if text_at(item, "contact") and (came_at := _moment(text_at(item, "date")))
        ]
        return sorted(texts, key=lambda text: text.received_at)


def _text(told: Mapping[str, object], sender: str, recipient: str, at: datetime, *, media: int) -> InboundText:
    who, body = _international(text_at(told, sender)), text_at(told, "message")
    return InboundText(
        id=reference_at(told, "id") or fingerprint(who, body, at),
        sender=who,
        recipient=_international(text_at(told, recipient)) or None,
        body=body,
        received_at=_moment(text_at(told, "date")) or at,
        media=media,
    )


def _pictures(item: Mapping[str, object]) -> int:
    return sum(1 for name, value in item.items() if name.startswith("col_media") and value)


def _moment(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written).replace(tzinfo=THERE).astimezone(UTC)
    except ValueError:
        return None


def _national(number: str) -> str:
    """Return the ten digits that VoIP.ms takes. Raises ValueError for a number elsewhere."""
    if len(number) != 12 or not number.startswith("+1"):
        raise ValueError("VoIP.ms texts only between numbers of the US and Canada")
    return number[2:]


def _international(number: str) -> str:
    if number.isdecimal() and len(number) == 10:
        return f"+1{number}"
    return f"+{number}" if number.isdecimal() and len(number) == 11 and number.startswith("1") else number


def build(name: str, section: VoipMs, lent: Lent) -> WebGateway:
    """Return the gateway of a section: it listens to its webhook, or asks where it has none."""
    dialect = VoipMsDialect(section)
    polls = () if section.webhook else (Inbox(dialect),)
    every = section.poll or DEFAULT_POLL
    return WebGateway(name=name, dialect=dialect, timeout=section.timeout, polls=polls, poll_every=every)
