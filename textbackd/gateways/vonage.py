"""Vonage's SMS API, formerly Nexmo.   web/gateway.py, web/parts.py → here

Sources: Vonage's "SMS API" reference and OpenAPI document, "Troubleshooting SMS", "Delivery receipts", "Inbound SMS", "Signing
messages". Every answer is HTTP 200; what became of the text stands in it, once for each part. Long texts come in as parts,
which are joined here. Its old list of texts is gone; what a lost answer leaves open, the delivery receipt settles, for it
repeats our id.
"""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from yarl import URL

from textbackd.config.gateways import Vonage
from textbackd.core.segments import is_gsm7
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
from textbackd.gateways.web.exchange import Answer, Request
from textbackd.gateways.web.fields import (
    FORM,
    form,
    hook_form,
    hook_json,
    hook_query,
    international,
    items_at,
    moment,
    number_at,
    reference_at,
    text_at,
)
from textbackd.gateways.web.gateway import WebGateway
from textbackd.gateways.web.meaning import MAYBE, UNREADABLE, Meaning, by_status
from textbackd.gateways.web.parts import Part, Parts
from textbackd.gateways.web.signatures import require, require_fresh

log = logging.getLogger(__name__)

VONAGE: Final = "https://rest.nexmo.com"
SHORTEST_LIFE, LONGEST_LIFE = timedelta(seconds=20), timedelta(days=7)  # of `ttl`
LONGEST_ID: Final = 40  # characters of `client-ref`
LOOK_AGAIN: Final = timedelta(seconds=30)  # for parts that nothing followed

_NOT_SENT, _REFUSED, _UNFIT = Fate.NOT_SENT, Fate.REFUSED, Fate.GATEWAY_UNFIT
ACCEPTED: Final = 0
CODES: Final[Mapping[int, Meaning]] = {
    1: Meaning(_NOT_SENT, "it takes no more texts for now"),
    2: Meaning(_REFUSED, "it misses something in the text"),
    3: Meaning(_REFUSED, "it does not like the number or the text"),
    4: Meaning(_UNFIT, "it does not accept the credentials"),
    5: Meaning(Fate.UNKNOWN, f"it failed in itself, {MAYBE}"),
    6: Meaning(_REFUSED, "it cannot reach the number"),
    7: Meaning(_REFUSED, "the number is barred"),
    8: Meaning(_UNFIT, "the account is suspended"),
    9: Meaning(_UNFIT, "the account has no credit"),
    10: Meaning(_NOT_SENT, "it takes no more connections for now"),
    11: Meaning(_UNFIT, "the account may not use the SMS API"),
    12: Meaning(_REFUSED, "the text is too long"),
    14: Meaning(_UNFIT, "the account demands signed requests"),
    15: Meaning(_UNFIT, "`number` may not be used to send there"),
    22: Meaning(_REFUSED, "the network does not fit the number"),
    23: Meaning(_UNFIT, "it does not like the webhook's address"),
    29: Meaning(_UNFIT, "the account is a trial: pay, or allow the number there"),
    32: Meaning(_UNFIT, "the account demands signed requests"),
    33: Meaning(_REFUSED, "the number is out of service"),
}
SOME: Final = Meaning(Fate.UNKNOWN, "it took only some parts of the text")
# err-code of a delivery receipt → what it means.
ERRORS: Final[Mapping[int, str]] = {
    1: "nobody knows why",
    2: "the number cannot be reached now",
    3: "the number is out of service",
    4: "the number does not take texts",
    5: "the number has moved between carriers",
    6: "the carrier takes the text for spam",
    7: "the phone was busy",
    8: "the network failed",
    9: "the number has told it STOP",
    10: "the carrier calls the text invalid",
    11: "there is no route",
    12: "the number cannot be reached",
    13: "the subscriber is too young for it",
    14: "the carrier has blocked the number",
    15: "the subscriber has no credit",
    99: "something failed",
}
DEAD_NUMBERS: Final = frozenset({3, 4})  # codes after which no text will ever reach the number
OPTED_OUT: Final = 9
# status → delivered. Others ("accepted", "buffered", and "unknown", which nobody will tell more about) are no last word.
FINAL_STATUS: Final[Mapping[str, bool]] = {"delivered": True, "expired": False, "failed": False, "rejected": False}
DIGESTS: Final = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
PLAIN_MD5: Final = "md5hash"
RESERVED: Final = str.maketrans("&=", "__")  # these two stand for themselves in what is signed


class VonageDialect:
    """Vonage's way with a text."""

    def __init__(self, section: Vonage, hook_url: str | None) -> None:
        self._section, self._hook_url = section, hook_url
        self.where = f"{(section.url or VONAGE).rstrip('/')}/sms/json"

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        fields = {
            "api_key": self._section.key,
            "api_secret": self._section.secret.get_secret_value(),
            "from": (self._section.sender_for(text.sender) or "").removeprefix("+"),
            "to": text.to.removeprefix("+"),
            "text": text.body,
            "type": "text" if is_gsm7(text.body) else "unicode",
            "client-ref": text.id if len(text.id) <= LONGEST_ID else None,
            "callback": self._hook_url,
            "ttl": _life(text.valid_until, now),
        }
        return Request(method="POST", url=URL(self.where), headers={"Content-Type": FORM}, body=form(fields))

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        if answer.status != 200:
            return by_status(answer.status)
        parts = list(items_at(answer.json, "messages"))
        codes = [number_at(part, "status") for part in parts]
        refused = [code for code in codes if code != ACCEPTED]
        if not parts or None in codes:
            return UNREADABLE
        if refused:
            return _refusal(refused[0]) if len(refused) == len(codes) else SOME
        references = [reference_at(part, "message-id") for part in parts]
        return Accepted(reference=",".join(filter(None, references)) or None, parts=len(parts))

    # ---- inwards

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        told = self.told_by(hook, now=now)
        return Heard(arrivals=[_report(told) if "status" in told else _text(told, now)])

    def told_by(self, hook: Hook, *, now: datetime) -> Mapping[str, str]:
        """Return the fields of a webhook, whichever way the account has them sent. Raises HookRefused."""
        told = _fields(hook)
        self._require_signature(told, now)
        if reference_at(told, "messageId") is None:
            raise HookRefused("The webhook names no message.", status=400)
        return told

    def _require_signature(self, told: Mapping[str, str], now: datetime) -> None:
        signature = self._section.signature
        if signature is None:
            return
        expected = signed(told, signature.secret.get_secret_value(), signature.method)
        require(told.get("sig", "").lower(), [expected])
        require_fresh(told.get("timestamp", ""), now)


class VonageGateway(WebGateway):
    """Vonage, with the parts of long texts joined."""

    def __init__(self, *, name: str, dialect: VonageDialect, timeout: timedelta, parts: Parts) -> None:
        super().__init__(name=name, dialect=dialect, timeout=timeout)
        self._vonage, self._parts = dialect, parts
        self._joining: asyncio.Task[None] | None = None
        self._came = asyncio.Event()

    async def start(self) -> None:
        """Get ready, and join what a former run left."""
        await super().start()
        self._joining = asyncio.create_task(self._join_for_ever())

    async def hook(self, hook: Hook) -> HookReply:
        """Return the reply when what `hook` told has been stored; a part counts as stored once it is on disk."""
        now = datetime.now(UTC)
        part = part_of(self._vonage.told_by(hook, now=now), now)
        if part is None or not await self._keep(part):
            return await super().hook(hook)
        self._came.set()
        return HookReply()

    async def _keep(self, part: Part) -> bool:
        try:
            return await asyncio.to_thread(self._parts.keep, part)
        except OSError as exc:
            # Told as it is rather than lost; the disk has its own alarm.
            log.warning("a part of a text cannot be kept", extra={"gateway": self.name, "why": exc.strerror})
            return False

    async def _join_for_ever(self) -> None:
        while True:
            self._came.clear()
            for joined in self._parts.joined(datetime.now(UTC)):
                await self._store([joined.text])
                await asyncio.to_thread(self._parts.forget, joined)
            try:
                async with asyncio.timeout(LOOK_AGAIN.total_seconds()):
                    await self._came.wait()
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Let go; parts that wait stay on disk."""
        joining, self._joining = self._joining, None
        if joining is not None:
            joining.cancel()
            await asyncio.gather(joining, return_exceptions=True)
        await super().close()


# ---- words


def _refusal(code: int | None) -> Meaning:
    meaning = CODES.get(code) if code is not None else None
    if meaning is None:
        return Meaning(Fate.UNKNOWN, MAYBE, f"status {code}")
    return Meaning(meaning.fate, meaning.words, f"status {code}")


def _life(until: datetime | None, now: datetime) -> str | None:
    if until is None:
        return None
    return str(int(min(max(until - now, SHORTEST_LIFE), LONGEST_LIFE).total_seconds() * 1000))


def _fields(hook: Hook) -> dict[str, str]:
    if hook.method == "GET":
        return dict(hook_query(hook))
    if hook.body.lstrip()[:1] == b"{":
        content = hook_json(hook)
        return {name: text_at(content, name) for name in content} if isinstance(content, dict) else {}
    return dict(hook_form(hook))


def signed(told: Mapping[str, str], secret: str, method: str) -> str:
    """Return the signature of a webhook's fields in lower case: of `&name=value` for each, sorted, without `sig`."""
    fields: Iterable[tuple[str, str]] = sorted((name, value) for name, value in told.items() if name != "sig")
    words = "".join(f"&{name}={value.translate(RESERVED)}" for name, value in fields).encode("utf-8", "replace")
    if method == PLAIN_MD5:
        return hashlib.md5(words + secret.encode(), usedforsecurity=False).hexdigest()
    return hmac.new(secret.encode(), words, DIGESTS[method]).hexdigest()


def part_of(told: Mapping[str, str], now: datetime) -> Part | None:
    """Return what a webhook tells as a part of a long text; None if it is whole, or a delivery receipt."""
    reference, number, total = (told.get("concat-ref"), number_at(told, "concat-part"), number_at(told, "concat-total"))
    if told.get("concat", "").lower() != "true" or not reference or number is None or total is None:
        return None
    text = _text(told, now)
    return Part(
        id=text.id,
        sender=text.sender,
        recipient=text.recipient,
        reference=reference,
        number=number,
        total=total,
        body=text.body,
        received_at=now,
    )


def _report(told: Mapping[str, str]) -> DeliveryReport:
    status, code = told["status"].lower(), number_at(told, "err-code")
    words = ERRORS.get(code) if code else None
    return DeliveryReport(
        reference=told["messageId"],
        recipient=international(told.get("msisdn", "")) or None,
        delivered=FINAL_STATUS.get(status, False),
        final=status in FINAL_STATUS,
        detail=f"{status} ({code})" + (f": {words}" if words else "") if code else status,
        id=told.get("client-ref") or None,
        permanent=code in DEAD_NUMBERS,
        opted_out=code == OPTED_OUT,
    )


def _text(told: Mapping[str, str], now: datetime) -> InboundText:
    is_binary = told.get("type") == "binary"
    return InboundText(
        id=told["messageId"],
        sender=international(told.get("msisdn", "")),
        recipient=international(told.get("to", "")) or None,
        # Told as it is rather than dropped: a person may know what it was.
        body=f"(A message that is no text: {told.get('data', '')})" if is_binary else told.get("text", ""),
        received_at=moment(told.get("message-timestamp", "")) or now,
    )


def build(name: str, section: Vonage, lent: Lent) -> VonageGateway:
    """Return the gateway of a section."""
    dialect = VonageDialect(section, lent.hook_url)
    # The folder that is lent may be that of all gateways.
    parts = Parts(lent.notes / f"{name}-parts" if lent.notes else None)
    return VonageGateway(name=name, dialect=dialect, timeout=section.timeout, parts=parts)
