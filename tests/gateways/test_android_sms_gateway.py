"""An Android phone: the contract on exchanges as app and server document them, its signatures, its lists and its memory of ids."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from tests.gateways.contract import ANSWER, OTHER, SOON, TEXT, Trait, failure_of
from tests.gateways.sink import Answer, HttpSink, Received
from tests.gateways.waiting import told, until
from tests.gateways.web_peer import (
    CONFIG,
    HOOK_SECRET,
    Vendor,
    VendorContract,
    WebPeer,
    gateway_from,
    post,
    section_from,
    started,
)
from textbackd.config import loads
from textbackd.errors import ConfigError
from textbackd.gateways.android_sms_gateway import ANSWERS, AndroidDialect
from textbackd.gateways.base import Accepted, DeliveryReport, Fate, Hook, HookRefused, Idempotent, InboundText
from textbackd.gateways.web.gateway import WebGateway

KEY = "p1neapple-Signing-Key"
KEYS = 'type: android_sms_gateway, url: "{url}", username: sms, password: "s3cret-Phone", timeout: 1s'
SECTION = f'{{{KEYS}, webhook: "{HOOK_SECRET}", signing_key: "{KEY}"}}'
POLLED = f"{{{KEYS}, poll: 1s}}"
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def read(received: Received) -> tuple[str, str] | None:
    if received.method != "POST":
        return None
    message: Any = received.json()
    return message["phoneNumbers"][0], message["textMessage"]["text"]


def state_of(message_id: str, state: str = "Pending", error: str | None = None) -> dict[str, object]:
    recipient = {"phoneNumber": TEXT.to, "state": state, "error": error}
    return {"id": message_id, "deviceId": "ffff", "state": state, "isHashed": False, "recipients": [recipient]}


def accept(_number: int, received: Received) -> Answer:
    message: Any = received.json()
    return answer(202, state_of(message["id"]))


def answer(status: int, content: object) -> Answer:
    return Answer(status, json.dumps(content).encode())


def refuse(status: int, sentence: str) -> Answer:
    return answer(status, {"message": sentence})


def signed(event: object, *, key: str = KEY, at: datetime | None = None) -> Hook:
    """Return a webhook as the app signs it: HMAC-SHA256 over the content and the time."""
    body, written = json.dumps(event).encode(), str(int((at or datetime.now(UTC)).timestamp()))
    signature = hmac.new(key.encode(), body + written.encode(), hashlib.sha256).hexdigest()
    return post(body, headers={"X-Signature": signature, "X-Timestamp": written})


def event(name: str, **payload: object) -> dict[str, object]:
    return {"deviceId": "ffff", "event": name, "id": "Ey6ECg", "webhookId": "w-1", "payload": payload}


def text_hook(sender: str, body: str, message: str) -> Hook:
    minute = int(message.removeprefix("in-"))
    told = {"message": body, "sender": sender, "phoneNumber": sender, "recipient": None, "simNumber": 1}
    return signed(event("sms:received", messageId="abc", receivedAt=f"2026-11-23T17:{minute:02}:11.000+07:00", **told))


def report_hook(reference: str, delivered: bool) -> Hook:
    if delivered:
        return signed(
            event("sms:delivered", messageId=reference, recipient=TEXT.to, deliveredAt="2026-11-23T17:00:00Z")
        )
    return signed(event("sms:failed", messageId=reference, recipient=TEXT.to, reason="RESULT_ERROR_GENERIC_FAILURE"))


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=accept,
    refused=refuse(400, "invalid phone number in row 1: not a mobile number"),
    unfit=refuse(401, "Unauthorized"),
    throttled=replace(refuse(503, "queue limits exceeded: too many pending messages: 9 / 9"), taken=False),
    text_hook=text_hook,
    report_hook=report_hook,
)


class TestAndroidSmsGateway(VendorContract):
    """What every gateway keeps."""

    vendor = VENDOR
    secrets: ClassVar = ("s3cret-Phone", KEY)
    cannot: ClassVar = {Trait.OPT_OUT: "a phone with a SIM card keeps no list of who told it STOP"}


# ---- sending


def asked(section: str = SECTION, **changes: Any) -> Any:
    request = AndroidDialect(section_from(section)).request(replace(TEXT, **changes), now=NOW)
    assert request.body is not None
    return json.loads(request.body)


def test_a_text_takes_our_id_along() -> None:
    expected = {
        "id": TEXT.id,
        "textMessage": {"text": TEXT.body},
        "phoneNumbers": [TEXT.to],
        "withDeliveryReport": True,
    }
    assert asked() == expected


def test_sim_card_and_phone_can_be_chosen() -> None:
    chosen = asked(f"{{{KEYS}, sim: 2, device: PyDm}}")
    assert (chosen["simNumber"], chosen["deviceId"]) == (2, "PyDm")


@pytest.mark.parametrize(("left", "ttl"), [(600, 600), (4, 5), (-60, 5)])
def test_the_time_that_is_left_is_told_in_seconds(left: int, ttl: int) -> None:
    assert asked(valid_until=NOW + timedelta(seconds=left))["ttl"] == ttl


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://192.0.2.10:8080", "http://192.0.2.10:8080/messages"),
        ("https://api.sms-gate.app/3rdparty/v1/", "https://api.sms-gate.app/3rdparty/v1/messages"),
    ],
)
def test_local_mode_and_cloud_differ_in_the_address_only(url: str, where: str) -> None:
    assert AndroidDialect(section_from(SECTION, url)).where == where


@asynccontextmanager
async def answering(what: Answer) -> AsyncIterator[WebGateway]:
    async with HttpSink(usual=lambda _: what) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        yield gateway


async def test_a_text_that_the_phone_has_already_is_accepted_once_more() -> None:
    async with answering(refuse(409, "message with the same ID already exists")) as gateway:
        assert isinstance(gateway, Idempotent)
        assert await gateway.send(TEXT) == Accepted(reference=TEXT.id)


@pytest.mark.parametrize(
    ("given", "fate"),
    [
        (refuse(400, "failed to select device: record not found"), Fate.GATEWAY_UNFIT),
        (refuse(400, "Invalid device ID"), Fate.GATEWAY_UNFIT),
        (refuse(400, "simNumber must be >= 1"), Fate.GATEWAY_UNFIT),
        (refuse(400, "Text message is empty"), Fate.REFUSED),
        (Answer(404, b"<html>"), Fate.GATEWAY_UNFIT),
        (refuse(429, "Too many attempts"), Fate.NOT_SENT),
        (refuse(500, "failed to handle request"), Fate.UNKNOWN),
        (Answer(503, b"<html>a proxy"), Fate.UNKNOWN),
        (answer(202, {"id": ""}), Fate.UNKNOWN),
    ],
)
async def test_each_answer_means_what_the_table_says(given: Answer, fate: Fate) -> None:
    async with answering(given) as gateway:
        assert (await failure_of(gateway)).fate is fate
    assert len(ANSWERS) == 4


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        pytest.param(answer(200, state_of(TEXT.id, "Sent")), TEXT.id, id="the phone has it"),
        pytest.param(answer(200, state_of(TEXT.id, "Failed")), None, id="it failed there"),
        pytest.param(answer(200, state_of("another")), None, id="another text"),
        pytest.param(answer(200, [TEXT.id]), None, id="nonsense"),
        pytest.param(Answer(404), None, id="it does not have it"),
    ],
)
async def test_a_text_whose_fate_is_unknown_is_looked_for(given: Answer, reference: str | None) -> None:
    async with HttpSink(usual=lambda _: given) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        found = await gateway.find(TEXT, since=NOW)
    assert (found.reference if found else None) == reference
    assert (sink.requests[0].method, sink.requests[0].target) == ("GET", f"/messages/{TEXT.id}")


# ---- webhooks


def hear(hook: Hook, now: datetime | None = None) -> object:
    heard = AndroidDialect(section_from(SECTION)).read_hook(hook, now=now or datetime.now(UTC))
    return next(iter(heard.arrivals), None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sms:sent", (False, False)), ("sms:delivered", (True, True)), ("sms:failed", (False, True))],
)
def test_an_event_says_whether_it_is_the_last_word(name: str, expected: tuple[bool, bool]) -> None:
    report = hear(signed(event(name, messageId="text-1", phoneNumber=TEXT.to, reason="no\nSIM" + "x" * 500)))
    assert isinstance(report, DeliveryReport)
    assert (report.delivered, report.final) == expected
    assert (report.reference, report.id, report.recipient) == ("text-1", "text-1", TEXT.to)
    assert "\n" not in report.detail
    assert len(report.detail) < 130


def test_a_text_from_an_older_app_is_understood() -> None:
    text = hear(
        signed(event("sms:received", message="Hi", phoneNumber="6505551212", receivedAt="2024-06-22T15:46:11Z"))
    )
    assert isinstance(text, InboundText)
    assert (text.sender, text.recipient, text.received_at.hour) == ("6505551212", None, 15)


def test_pictures_are_counted() -> None:
    pictures = [{"partId": 1, "contentType": "image/jpeg"}, {"partId": 2, "contentType": "image/png"}]
    text = hear(signed(event("mms:downloaded", sender=TEXT.to, body=None, attachments=pictures)))
    assert isinstance(text, InboundText)
    assert (text.body, text.media) == ("", 2)


@pytest.mark.parametrize("name", ["system:ping", "sms:data-received", "mms:received", "something:new"])
def test_what_concerns_nobody_is_taken_and_forgotten(name: str) -> None:
    assert hear(signed(event(name))) is None


GOOD = event("sms:received", message="Hi", sender=TEXT.to)


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(signed(GOOD, key="another"), id="signed with another key"),
        pytest.param(signed(GOOD, at=NOW - timedelta(minutes=6)), id="recorded six minutes ago"),
        pytest.param(signed(GOOD, at=NOW + timedelta(minutes=6)), id="from a clock that is wrong"),
        pytest.param(replace(signed(GOOD, at=NOW), body=b"{}"), id="changed afterwards"),
        pytest.param(post(json.dumps(GOOD)), id="not signed"),
        pytest.param(
            post("{}", headers={"X-Signature": "ü\udcff", "X-Timestamp": "\udcff"}), id="garbage for a signature"
        ),
        pytest.param(
            replace(signed(GOOD, at=NOW), headers={**signed(GOOD, at=NOW).headers, "x-timestamp": "1"}),
            id="another time",
        ),
    ],
)
def test_what_the_app_has_not_signed_just_now_is_refused(hook: Hook) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(hook, NOW)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "content",
    [[1], event("sms:received"), event("sms:failed"), {"event": "sms:sent", "payload": "x"}, "just words"],
)
def test_what_is_signed_and_makes_no_sense_is_refused(content: object) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(signed(content))
    assert refused.value.status == 400


def test_without_the_key_no_webhook_is_believed() -> None:
    dialect = AndroidDialect(section_from(POLLED))
    with pytest.raises(HookRefused, match="signing_key"):
        dialect.read_hook(signed(GOOD), now=datetime.now(UTC))


def test_a_webhook_without_the_key_is_a_fault_of_the_configuration() -> None:
    section = SECTION.replace(f', signing_key: "{KEY}"', "").replace("{url}", "http://127.0.0.1")
    with pytest.raises(ConfigError, match="signing_key is missing"):
        loads(CONFIG.format(section=section))


# ---- asked, without a webhook


class Phone:
    """A phone in local mode with its two lists, the newest first."""

    def __init__(self) -> None:
        self.inbox: list[object] = []
        self.states: list[object] = []
        self.times = 0

    def answer(self, received: Received) -> Answer:
        self.times += received.target.startswith("/inbox")
        return answer(200, self.inbox if received.target.startswith("/inbox") else self.states)

    def deliver(self, sender: str, body: str, *, minute: int, kind: str = "SMS") -> None:
        at = f"2026-11-23T17:{minute:02}:11.000Z"
        told = {"id": "text:1", "type": kind, "sender": sender, "contentPreview": body, "createdAt": at}
        self.inbox.insert(0, {**told, "recipient": "+13125550142", "simNumber": 1})


@asynccontextmanager
async def polling(phone: Phone) -> AsyncIterator[tuple[WebGateway, HttpSink]]:
    async with HttpSink(usual=phone.answer) as sink:
        gateway = gateway_from(POLLED, sink.url.removesuffix("/send"))
        await gateway.start()
        try:
            yield gateway, sink
        finally:
            await gateway.close()


async def test_texts_are_asked_for_and_told_oldest_first_under_an_id_of_their_own() -> None:
    phone = Phone()
    phone.deliver(TEXT.to, ANSWER, minute=1)
    phone.deliver(OTHER, "", minute=2, kind="MMS_DOWNLOADED")
    phone.deliver(TEXT.to, "MMS notification", minute=3, kind="MMS")
    async with polling(phone) as (gateway, sink):
        first, second = await told(gateway, 2)
    assert (first.sender, first.body, first.recipient, first.media) == (TEXT.to, ANSWER, "+13125550142", 0)
    assert (second.sender, second.media) == (OTHER, 1)
    assert first.id != second.id
    assert all(received.method == "GET" for received in sink.requests)


async def test_a_text_is_the_same_whether_asked_for_or_told() -> None:
    phone = Phone()
    phone.deliver(TEXT.to, ANSWER, minute=1)
    async with polling(phone) as (gateway, _):
        (asked_for,) = await told(gateway, 1)
    payload = {"message": ANSWER, "sender": TEXT.to, "receivedAt": "2026-11-24T00:01:11.000+07:00"}
    text = hear(signed(event("sms:received", **payload)))
    assert isinstance(text, InboundText)
    assert text.id == asked_for.id


async def test_what_was_told_is_not_told_with_every_answer() -> None:
    phone = Phone()
    phone.deliver(TEXT.to, "one", minute=1)
    async with polling(phone) as (gateway, _):
        arrivals = gateway.incoming()
        async with asyncio.timeout(SOON):
            first = await anext(arrivals)
            asked_before = phone.times
            later = asyncio.ensure_future(anext(arrivals))
            await until(lambda: phone.times >= asked_before + 2)
            phone.deliver(TEXT.to, "two", minute=2)
            second = await later
    assert isinstance(first, InboundText)
    assert isinstance(second, InboundText)
    assert (first.body, second.body) == ("one", "two")


async def test_what_became_of_the_texts_is_asked_for() -> None:
    phone = Phone()
    phone.states = [state_of("text-3"), state_of("text-2", "Failed", "no SIM"), state_of("text-1", "Delivered")]
    async with polling(phone) as (gateway, sink):
        reports = await told(gateway, 2)
    assert [(report.id, report.delivered, report.detail) for report in reports] == [
        ("text-1", True, "delivered"),
        ("text-2", False, "failed: no SIM"),
    ]
    states = next(received for received in sink.requests if received.target.startswith("/messages"))
    since = datetime.fromisoformat(dict(states.query())["from"])
    assert since < datetime.now(UTC) - timedelta(days=2, hours=12)


async def test_garbage_in_a_list_harms_nothing() -> None:
    phone = Phone()
    phone.inbox = [1, None, {}, {"type": "SMS"}, {"type": "SMS", "createdAt": "when?"}, {"type": ["SMS"], "sender": 3}]
    phone.deliver(TEXT.to, ANSWER, minute=1)
    phone.states = ["x", {"id": "a", "state": "Lost"}, {"state": "Failed"}]
    async with polling(phone) as (gateway, _):
        assert [text.body for text in await told(gateway, 1)] == [ANSWER]


async def test_with_a_webhook_nothing_is_asked() -> None:
    async with HttpSink() as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        await gateway.send(TEXT)
        await asyncio.sleep(0.2)
    assert [received.method for received in sink.requests] == ["POST"]
