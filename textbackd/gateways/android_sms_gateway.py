"""An Android phone with "SMS Gateway for Android" (capcom6), in local mode or through its cloud.   web/gateway.py → here

The phone keeps our id of a text and refuses a second text with it (409), so that a repeated text is never sent twice.
Sources: the project's API document (swagger.json) and its documentation, "Sending Messages", "Status Tracking", "Reading
Messages" and "Webhooks"; that a text's whole body stands in `contentPreview`, and what 400 says, is read in the source of app and server.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import quote, urlencode

from yarl import URL

from textbackd.config.gateways import AndroidSmsGateway as Section
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
    SendFailed,
)
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import LIST_LIMIT, Answer, Request
from textbackd.gateways.web.fields import (
    at,
    fingerprint,
    hook_json,
    items_at,
    moment,
    reference_at,
    text_at,
)
from textbackd.gateways.web.gateway import DEFAULT_POLL, WebGateway
from textbackd.gateways.web.meaning import UNREADABLE, Meaning, by_status
from textbackd.gateways.web.signatures import mac, require, require_fresh

ACCEPTED: Final = (200, 201, 202)
HAS_IT: Final = "HTTP 409"  # the code of the failure that is none: the phone has a text of this id
# Status and a part of the answer, in lower case → what it means; the first that fits.
ANSWERS: Final[tuple[tuple[int, str, Meaning], ...]] = (
    (400, "device", Meaning(Fate.GATEWAY_UNFIT, "it knows no such phone")),
    (400, "simnumber", Meaning(Fate.GATEWAY_UNFIT, "the phone has no such SIM card")),
    (404, "", Meaning(Fate.GATEWAY_UNFIT, "there is no such service at this address")),
    # The server counts before it takes a text.
    (503, "queue limit", Meaning(Fate.NOT_SENT, "too many texts wait for the phone: is it online?")),
)
SHORTEST_LIFE: Final = 5  # seconds; `ttl` may not be less
# State → delivered, final.
STATES: Final[Mapping[str, tuple[bool, bool]]] = {
    "Pending": (False, False),
    "Processed": (False, False),
    "Sent": (False, False),
    "Delivered": (True, True),
    "Failed": (False, True),
}
# A list's window is about when a text was written; its report may come much later.
LATE_REPORTS: Final = timedelta(days=1)
MOST_STATES: Final = 100  # the cloud gives no more at once
MOST_TEXTS: Final = 500
LONGEST_DETAIL: Final = 100  # characters kept of a reason


class AndroidDialect:
    """The app's way with a text."""

    def __init__(self, section: Section) -> None:
        self._section = section
        base = section.url.partition("?")[0].rstrip("/")
        self.where = f"{base}/messages"
        self._inbox = f"{base}/inbox"
        credentials = f"{section.username}:{section.password.get_secret_value()}".encode()
        self._headers = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        fields = {
            "id": text.id,
            "textMessage": {"text": text.body},
            "phoneNumbers": [text.to],
            "withDeliveryReport": True,
            "ttl": _seconds(text.valid_until, now),
            "simNumber": self._section.sim,
            "deviceId": self._section.device,
        }
        body = json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)
        headers = {**self._headers, "Content-Type": "application/json"}
        return Request(method="POST", url=URL(self.where), headers=headers, body=body.encode())

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status in ACCEPTED:
            reference = reference_at(answer.json, "id")
            return Accepted(reference=reference) if reference else UNREADABLE
        said = answer.text.lower()
        fitting = (meaning for status, part, meaning in ANSWERS if status == answer.status and part in said)
        return next(fitting, None) or by_status(answer.status)

    # ---- afterwards

    def search(self, text: OutboundText, since: datetime) -> Request:
        return self._get(f"{self.where}/{quote(text.id, safe='')}")

    def found(self, text: OutboundText, answer: Answer, since: datetime) -> Accepted | None:
        content = answer.json
        has_it = text_at(content, "id") == text.id and text_at(content, "state") in STATES
        return Accepted(reference=text.id) if has_it and text_at(content, "state") != "Failed" else None

    # ---- inwards, asked

    def states(self, since: datetime) -> Request:
        """Return the request for what became of the texts."""
        return self._get(self.where, limit=str(MOST_STATES), **{"from": _written(since - LATE_REPORTS)})

    def inbox(self, since: datetime) -> Request:
        """Return the request for the texts that came in; only a phone in local mode has them."""
        return self._get(self._inbox, limit=str(MOST_TEXTS), **{"from": _written(since)})

    def _get(self, address: str, **query: str) -> Request:
        url = URL(f"{address}?{urlencode(query)}" if query else address, encoded=True)
        return Request(method="GET", url=url, headers=self._headers, most=LIST_LIMIT)

    # ---- inwards, told

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        self._require_signature(hook, now)
        event = hook_json(hook)
        read = EVENTS.get(text_at(event, "event"))
        payload = at(event, "payload")
        if read is None and text_at(event, "event"):  # a ping, or something that concerns nobody here
            return Heard(arrivals=())
        if read is None or not isinstance(payload, Mapping):
            raise HookRefused("The webhook says nothing of a message.", status=400)
        return Heard(arrivals=[read(payload, now)])

    def _require_signature(self, hook: Hook, now: datetime) -> None:
        key, signed_at = self._section.signing_key, hook.headers.get("x-timestamp", "")
        if key is None:
            raise HookRefused("The webhook cannot be believed without `signing_key`.", status=403)
        message = hook.body + signed_at.encode("utf-8", "replace")
        expected = mac(key.get_secret_value(), message, "sha256").hex()
        require(hook.headers.get("x-signature", "").lower(), [expected])
        require_fresh(signed_at, now)


class Asked:
    """One of the app's lists, as the gateway asks it."""

    def __init__(
        self, poll: Callable[[datetime], Request], read: Callable[[Mapping[str, object]], Arrival | None]
    ) -> None:
        self.poll, self._read = poll, read

    def polled(self, answer: Answer) -> Sequence[Arrival] | None:
        if answer.status != 200 or not isinstance(answer.json, list):
            return None
        arrivals = [self._read(item) for item in items_at(answer.json, "")]
        return [arrival for arrival in reversed(arrivals) if arrival is not None]  # the newest stand first


def _seconds(until: datetime | None, now: datetime) -> int | None:
    return None if until is None else max(SHORTEST_LIFE, int((until - now).total_seconds()))


def _written(moment_: datetime) -> str:
    return f"{moment_:%Y-%m-%dT%H:%M:%SZ}"


def _state(item: Mapping[str, object]) -> DeliveryReport | None:
    state, reference = text_at(item, "state"), reference_at(item, "id")
    if reference is None or state not in STATES or not STATES[state][1]:
        return None
    return _report(reference, state, text_at(item, "recipients.0.phoneNumber"), text_at(item, "recipients.0.error"))


def _report(reference: str, state: str, recipient: str, reason: str) -> DeliveryReport:
    delivered, final = STATES[state]
    why = "".join(filter(str.isprintable, reason))[:LONGEST_DETAIL]
    detail = f"{state.lower()}: {why}" if why else state.lower()
    return DeliveryReport(
        reference=reference, id=reference, recipient=recipient or None, delivered=delivered, final=final, detail=detail
    )


def _told_state(state: str) -> Callable[[Mapping[str, object], datetime], Arrival]:
    def read(payload: Mapping[str, object], _now: datetime) -> DeliveryReport:
        reference = reference_at(payload, "messageId")
        if reference is None:
            raise HookRefused("The webhook names no message.", status=400)
        recipient = text_at(payload, "recipient") or text_at(payload, "phoneNumber")
        return _report(reference, state, recipient, text_at(payload, "reason"))

    return read


def _listed_text(item: Mapping[str, object]) -> InboundText | None:
    came_at, pictures = moment(text_at(item, "createdAt")), PICTURES.get(text_at(item, "type"))
    if came_at is None or pictures is None or not _sender(item):
        return None
    return _text(item, body=text_at(item, "contentPreview"), received_at=came_at, media=pictures)


def _told_text(payload: Mapping[str, object], now: datetime) -> InboundText:
    body, came_at = text_at(payload, "message"), moment(text_at(payload, "receivedAt"))
    return _text(payload, body=body, received_at=came_at or now, media=0)


def _told_pictures(payload: Mapping[str, object], now: datetime) -> InboundText:
    body, came_at = text_at(payload, "body"), moment(text_at(payload, "receivedAt"))
    pictures = len(list(items_at(payload, "attachments")))
    return _text(payload, body=body, received_at=came_at or now, media=pictures)


def _sender(told: Mapping[str, object]) -> str:
    # Until 2026 the other side's number was `phoneNumber`, whichever side that was.
    return text_at(told, "sender") or text_at(told, "phoneNumber")


def _text(told: Mapping[str, object], *, body: str, received_at: datetime, media: int) -> InboundText:
    sender = _sender(told)
    if not sender:
        raise HookRefused("The webhook names no sender.", status=400)
    return InboundText(
        # The app's own id is a 32-bit hash, which its documentation calls not unique.
        id=fingerprint(sender, body, received_at),
        sender=sender,
        recipient=text_at(told, "recipient") or None,
        body=body,
        received_at=received_at,
        media=media,
    )


# Of what the inbox lists: how many pictures it has at least. An MMS that is not downloaded (MMS) comes again when it is.
PICTURES: Final[Mapping[str, int]] = {"SMS": 0, "MMS_DOWNLOADED": 1}
EVENTS: Final[Mapping[str, Callable[[Mapping[str, object], datetime], Arrival]]] = {
    "sms:received": _told_text,
    "mms:downloaded": _told_pictures,
    "sms:sent": _told_state("Sent"),
    "sms:delivered": _told_state("Delivered"),
    "sms:failed": _told_state("Failed"),
}


class AndroidSmsGateway(WebGateway):
    """A phone that takes a text once, however often it is handed over under the same id."""

    knows_ids: Literal[True] = True

    async def send(self, text: OutboundText) -> Accepted:
        """Try once; a text that the phone has already is accepted. Raises SendFailed."""
        try:
            return await super().send(text)
        except SendFailed as exc:
            if exc.code != HAS_IT:
                raise
            return Accepted(reference=text.id)


def build(name: str, section: Section, lent: Lent) -> AndroidSmsGateway:
    """Return the gateway of a section: it listens to its webhook, or asks where it has none."""
    dialect = AndroidDialect(section)
    asked = (Asked(dialect.states, _state), Asked(dialect.inbox, _listed_text))
    polls = () if section.webhook else asked
    return AndroidSmsGateway(
        name=name,
        dialect=dialect,
        timeout=section.timeout,
        polls=polls,
        poll_every=section.poll or DEFAULT_POLL,
    )
