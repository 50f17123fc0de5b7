"""Telnyx: the contract on exchanges as it documents them, its codes, and its signatures (Ed25519 over time and content)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.gateways.contract import TEXT, failure_of
from tests.gateways.sink import Answer, HttpSink, Received
from tests.gateways.web_peer import (
    CONFIG,
    HOOK_SECRET,
    HOOK_URL,
    Vendor,
    VendorContract,
    WebPeer,
    gateway_from,
    one_request,
    post,
    section_from,
    started,
)
from textbackd.config import loads
from textbackd.errors import ConfigError
from textbackd.gateways.base import DeliveryReport, Fate, Hook, HookRefused, InboundText, Word
from textbackd.gateways.telnyx import CODES, TelnyxDialect

KEY = "KEY0123456789ABCDEF"
SIGNER, ANOTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PUBLIC_KEY = base64.b64encode(SIGNER.public_key().public_bytes_raw()).decode()
SECTION = (
    f'{{type: telnyx, key: "{KEY}", number: "+13035550142", timeout: 1s, webhook: "{HOOK_SECRET}",'
    f' public_key: "{PUBLIC_KEY}", url: "{{url}}"}}'
)
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def read(received: Received) -> tuple[str, str] | None:
    content = received.json()
    assert isinstance(content, dict)
    return content["to"], content["text"]


def accept(number: int, _: Received) -> Answer:
    data = {"record_type": "message", "id": f"40385f64-5717-4562-b3fc-{number:012}", "parts": 2}
    return Answer(200, json.dumps({"data": data}).encode())


def refuse(status: int, code: int | str, title: str = "No", pointer: str = "/to") -> Answer:
    error = {"code": str(code), "title": title, "detail": "No.", "source": {"pointer": pointer}}
    return Answer(status, json.dumps({"errors": [error]}).encode())


def signed(
    content: object, *, signer: Ed25519PrivateKey = SIGNER, at: datetime | None = None, claimed: str | None = None
) -> Hook:
    """Return a webhook as Telnyx signs it: Ed25519 over "timestamp|content"."""
    body = json.dumps(content).encode()
    signed_at = str(int((at or datetime.now(UTC)).timestamp()))
    signature = base64.b64encode(signer.sign(f"{signed_at}|".encode() + body)).decode()
    return post(body, headers={"Telnyx-Signature-Ed25519": signature, "Telnyx-Timestamp": claimed or signed_at})


def event(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "data": {"event_type": kind, "id": "e-1", "record_type": "event", "payload": payload},
        "meta": {"attempt": 1},
    }


def text_of(sender: str = TEXT.to, body: str = "Hi", message: str = "in-1", **more: object) -> dict[str, Any]:
    payload = {
        "id": message,
        "direction": "inbound",
        "from": {"phone_number": sender, "carrier": "T-Mobile USA"},
        "to": [{"phone_number": "+13035550142", "status": "webhook_delivered"}],
        "text": body,
        "received_at": "2026-11-23T16:59:58.123Z",
        "media": [],
    }
    return event("message.received", payload | more)


def report_of(
    reference: str = "m-1", status: str = "delivered", code: str | None = None, **more: object
) -> dict[str, Any]:
    payload = {
        "id": reference,
        "direction": "outbound",
        "to": [{"phone_number": TEXT.to, "status": status}],
        "errors": [{"code": code, "title": "No"}] if code else [],
        "webhook_url": f"{HOOK_URL}?id=text-1",
    }
    return event("message.finalized", payload | more)


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=accept,
    refused=refuse(400, 40310),
    unfit=refuse(401, 10009),
    throttled=refuse(429, 10011),
    opted_out=refuse(400, 40300, "Blocked due to STOP message"),
    text_hook=lambda sender, body, message: signed(text_of(sender, body, message)),
    report_hook=lambda reference, delivered: signed(
        report_of(reference) if delivered else report_of(reference, "delivery_failed", "40008")
    ),
)


class TestTelnyx(VendorContract):
    """What every gateway keeps."""

    vendor = VENDOR
    secrets: ClassVar = (KEY,)


# ---- sending


async def test_a_request_is_what_telnyx_documents() -> None:
    received = await one_request(VENDOR, TEXT)
    assert (received.method, received.target) == ("POST", "/v2/messages")
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.json() == {
        "from": "+13035550142",
        "to": TEXT.to,
        "text": TEXT.body,
        "type": "SMS",
        "webhook_url": f"{HOOK_URL}?id=text-1",
    }


def test_the_address_is_the_vendors() -> None:
    dialect = gateway_from("{type: telnyx, key: x, profile: p}")._dialect
    assert dialect.where == "https://api.telnyx.com/v2/messages"


@pytest.mark.parametrize(
    ("keys", "fields"),
    [
        pytest.param("profile: p-1", {"messaging_profile_id": "p-1"}, id="a profile's number pool"),
        pytest.param(
            'from: called_did, number: "+13035550142"', {"from": TEXT.sender}, id="the number that was called"
        ),
        pytest.param(
            'from: called_did, number: "+13035550142", numbers: ["+13035550143"]',
            {"from": "+13035550142"},
            id="the called number cannot text",
        ),
    ],
)
async def test_a_text_comes_from_the_number_that_is_chosen(keys: str, fields: dict[str, str]) -> None:
    sent = (
        await one_request(replace(VENDOR, section=f'{{type: telnyx, key: x, url: "{{url}}", {keys}}}'), TEXT)
    ).json()
    assert isinstance(sent, dict)
    assert {key: sent[key] for key in ("from", "messaging_profile_id") if key in sent} == fields


async def fate_after(answer: Answer) -> tuple[Fate, str | None]:
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        failed = await failure_of(gateway)
    return failed.fate, failed.code


@pytest.mark.parametrize("code", sorted(CODES))
async def test_each_code_means_what_the_table_says(code: int) -> None:
    assert await fate_after(refuse(400, code)) == (CODES[code].fate, str(code))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(refuse(400, 99999), (Fate.REFUSED, "HTTP 400"), id="a code that is not in the table"),
        pytest.param(refuse(400, "x" * 9), (Fate.REFUSED, "HTTP 400"), id="a code that is none"),
        pytest.param(refuse(422, 10002, pointer="/from"), (Fate.GATEWAY_UNFIT, "10002"), id="about our number"),
        pytest.param(refuse(422, 10002, pointer="/to"), (Fate.REFUSED, "HTTP 422"), id="about the caller's number"),
        pytest.param(refuse(500, 10009), (Fate.UNKNOWN, "HTTP 500"), id="a 5xx, whatever it says"),
        pytest.param(refuse(403, 40300, "Blocked"), (Fate.REFUSED, "40300"), id="a block that is no STOP"),
        pytest.param(Answer(400, b'{"errors": {"code": 1}}'), (Fate.REFUSED, "HTTP 400"), id="errors of another shape"),
        pytest.param(Answer(200, b'{"data": {"id": ["x"]}}', taken=True), (Fate.UNKNOWN, "HTTP 200"), id="an odd id"),
    ],
)
async def test_what_is_in_no_table_is_judged_with_care(answer: Answer, expected: tuple[Fate, str]) -> None:
    assert await fate_after(answer) == expected


# ---- webhooks


def hear(hook: Hook, section: str = SECTION) -> list[Any]:
    return list(TelnyxDialect(section_from(section), HOOK_URL).read_hook(hook, now=NOW).arrivals)


def hear_text(content: object) -> InboundText:
    (text,) = hear(signed(content, at=NOW))
    assert isinstance(text, InboundText)
    return text


def hear_report(content: object) -> DeliveryReport:
    (report,) = hear(signed(content, at=NOW))
    assert isinstance(report, DeliveryReport)
    return report


def test_a_text_is_told_with_its_time_and_our_number() -> None:
    text = hear_text(text_of())
    assert (text.id, text.recipient, text.media) == ("in-1", "+13035550142", 0)
    assert text.received_at == datetime(2026, 11, 23, 16, 59, 58, 123000, tzinfo=UTC)


@pytest.mark.parametrize("word", list(Word))
def test_what_telnyx_has_answered_by_itself_is_told_with_the_text(word: Word) -> None:
    assert hear_text(text_of(autoresponse_type=word.name)).word is word


def test_pictures_are_counted() -> None:
    assert hear_text(text_of(media=[{"url": "https://a.example/1"}, {"url": "https://a.example/2"}])).media == 2


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("queued", None, (False, False, False)),
        ("sent", None, (False, False, False)),
        ("delivered", None, (True, True, False)),
        ("sending_failed", "40002", (False, True, False)),
        ("delivery_failed", "40001", (False, True, True)),
        ("delivery_unconfirmed", None, (False, False, False)),
        ("expired", "40005", (False, True, False)),
        ("something new", None, (False, False, False)),
    ],
)
def test_a_status_says_whether_it_is_the_last_word(
    status: str, code: str | None, expected: tuple[bool, bool, bool]
) -> None:
    report = hear_report(report_of(status=status, code=code))
    assert (report.delivered, report.final, report.permanent) == expected
    assert not report.opted_out


def test_a_text_that_is_stopped_on_its_way_is_an_opt_out() -> None:
    stop = [{"code": "40300", "title": "Blocked due to STOP message"}]
    assert hear_report(report_of(status="sending_failed", errors=stop)).opted_out
    assert not hear_report(report_of(status="sending_failed", code="40300")).opted_out


def test_a_report_gives_back_our_id_although_the_answer_was_lost() -> None:
    assert hear_report(report_of()).id == "text-1"
    assert hear_report(report_of(webhook_url=None)).id is None
    assert hear_report(report_of(webhook_url="https://[")).id is None


def test_an_event_about_something_else_tells_nothing() -> None:
    assert hear(signed(event("10dlc.campaign.update", {"id": "c-1"}), at=NOW)) == []


TEXT_HOOK = signed(text_of(), at=NOW)
FORGED = [
    pytest.param(signed(text_of(), at=NOW, signer=ANOTHER), id="signed with another key"),
    pytest.param(replace(TEXT_HOOK, body=TEXT_HOOK.body.replace(b"Hi", b"Ho")), id="content changed afterwards"),
    pytest.param(replace(TEXT_HOOK, body=TEXT_HOOK.body + b" "), id="one space more"),
    pytest.param(
        signed(text_of(), at=NOW - timedelta(hours=1), claimed=str(int(NOW.timestamp()))), id="time changed afterwards"
    ),
    pytest.param(signed(text_of(), at=NOW - timedelta(seconds=301)), id="a recording"),
    pytest.param(signed(text_of(), at=NOW + timedelta(seconds=301)), id="from the future"),
    pytest.param(replace(TEXT_HOOK, headers={}), id="not signed"),
    pytest.param(replace(TEXT_HOOK, headers=dict(TEXT_HOOK.headers) | {"telnyx-timestamp": ""}), id="without a time"),
    pytest.param(replace(TEXT_HOOK, headers=dict(TEXT_HOOK.headers) | {"telnyx-timestamp": "\udcff"}), id="odd bytes"),
    pytest.param(
        replace(TEXT_HOOK, headers=dict(TEXT_HOOK.headers) | {"telnyx-signature-ed25519": "é=="}), id="no base64"
    ),
    pytest.param(
        replace(TEXT_HOOK, headers=dict(TEXT_HOOK.headers) | {"telnyx-signature-ed25519": "AAAA"}), id="too short"
    ),
]


@pytest.mark.parametrize("hook", FORGED)
def test_what_telnyx_has_not_signed_is_refused(hook: Hook) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(hook)
    assert refused.value.status == 403


def test_without_the_public_key_no_webhook_is_believed() -> None:
    with pytest.raises(HookRefused, match="public_key"):
        hear(TEXT_HOOK, "{type: telnyx, key: x, profile: p}")


@pytest.mark.parametrize(
    "content", [3, [], {"data": {"event_type": "message.received"}}, event("message.received", {})]
)
def test_a_signed_webhook_that_means_nothing_is_refused_or_tells_nothing(content: object) -> None:
    try:
        assert hear(signed(content, at=NOW)) == []
    except HookRefused as refused:
        assert refused.status == 400


# ---- configuration


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        pytest.param("public_key: abc", "no public key of Telnyx", id="not base64 of 32 bytes"),
        pytest.param(f"webhook: {HOOK_SECRET}", "public_key is missing", id="a webhook that cannot be checked"),
        pytest.param("timeout: 5s", "number is missing", id="no number to text from"),
    ],
)
def test_a_fault_of_the_configuration_is_told(keys: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        loads(CONFIG.format(section=f"{{type: telnyx, key: x, {keys}}}"))
