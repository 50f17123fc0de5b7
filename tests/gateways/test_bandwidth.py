"""Bandwidth: the contract on exchanges as it documents them, its webhooks in batches, and its list that keeps no words."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from tests.gateways.contract import TEXT, Trait, failure_of
from tests.gateways.sink import Answer, HttpSink, Received
from tests.gateways.web_peer import (
    HOOK_SECRET,
    Vendor,
    VendorContract,
    WebPeer,
    gateway_from,
    one_request,
    post,
    section_from,
    started,
)
from textbackd.gateways.bandwidth import DEAD_NUMBERS, BandwidthDialect
from textbackd.gateways.base import DeliveryReport, Fate, Hook, HookRefused, InboundText

PASSWORD, CALLBACK_PASSWORD = "pa:ss-wörd", "call-back-secret"
OURS = "+13035550142"
CALLBACK = f' callback: {{username: bw, password: "{CALLBACK_PASSWORD}"}},'
SECTION = (
    f'{{type: bandwidth, account: "9900000", application: app-1, username: user, password: "{PASSWORD}",'
    f' number: "{OURS}", timeout: 1s, webhook: "{HOOK_SECRET}",'
    f'{CALLBACK} url: "{{url}}"}}'
)
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def authorization(username: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}


def read(received: Received) -> tuple[str, str] | None:
    content = received.json()
    assert isinstance(content, dict)
    (number,) = content["to"]
    return number, content["text"]


def accept(number: int, _: Received) -> Answer:
    return Answer(202, json.dumps({"id": f"1589228074636lm4k2je7j7jkl{number}", "segmentCount": 2}).encode())


def refuse(status: int, *fields: str, kind: str = "request-validation") -> Answer:
    errors = [{"fieldName": field, "description": f"{TEXT.to} must be replaced"} for field in fields]
    return Answer(status, json.dumps({"type": kind, "description": "No.", "fieldErrors": errors}).encode())


def posted(*events: object, username: str = "bw", password: str = CALLBACK_PASSWORD) -> Hook:
    return post(json.dumps(events), headers=authorization(username, password))


def received_event(sender: str = TEXT.to, body: str = "Hi", message: str = "in-1", **more: object) -> dict[str, Any]:
    content = {
        "id": message,
        "owner": OURS,
        "time": "2026-11-23T16:59:58.123Z",
        "direction": "in",
        "to": [OURS],
        "from": sender,
        "text": body,
    }
    return {"type": "message-received", "to": OURS, "description": "Incoming message", "message": content | more}


def report_event(kind: str, reference: str = "m-1", **more: object) -> dict[str, Any]:
    content = {"id": reference, "direction": "out", "to": [TEXT.to], "from": OURS, "tag": "text-1"}
    return {"type": kind, "to": TEXT.to, "description": "some-words", "message": content} | more


def report_hook(reference: str, delivered: bool) -> Hook:
    if delivered:
        return posted(report_event("message-delivered", reference))
    return posted(report_event("message-failed", reference, errorCode=4750))


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=accept,
    refused=refuse(400, "to"),
    unfit=refuse(401, kind="unauthorized"),
    throttled=refuse(429, kind="max-message-queue-size-exceeded"),
    text_hook=lambda sender, body, message: posted(received_event(sender, body, message)),
    report_hook=report_hook,
)


class TestBandwidth(VendorContract):
    """What every gateway keeps."""

    vendor = VENDOR
    secrets: ClassVar = (PASSWORD, CALLBACK_PASSWORD)
    cannot: ClassVar = {Trait.OPT_OUT: "the carriers keep the opt-outs, so it takes the text and reports 4775 later"}


# ---- sending


async def test_a_request_is_what_bandwidth_documents() -> None:
    received = await one_request(VENDOR, TEXT)
    assert (received.method, received.target) == ("POST", "/api/v2/users/9900000/messages")
    assert received.headers["authorization"] == authorization("user", PASSWORD)["Authorization"]
    assert received.json() == {
        "applicationId": "app-1",
        "to": [TEXT.to],
        "from": OURS,
        "text": TEXT.body,
        "tag": "text-1",
    }


def test_the_address_is_the_vendors() -> None:
    dialect = gateway_from(SECTION.replace(', url: "{url}"', ""))._dialect
    assert dialect.where == "https://messaging.bandwidth.com/api/v2/users/9900000/messages"


async def test_a_text_comes_from_the_number_that_was_called() -> None:
    section = SECTION.replace("timeout", "from: called_did, timeout")
    sent = (await one_request(replace(VENDOR, section=section), TEXT)).json()
    assert isinstance(sent, dict)
    assert sent["from"] == TEXT.sender


@pytest.mark.parametrize(("left", "expires"), [(600, "2026-11-23T17:10:00Z"), (-5, "2026-11-23T17:01:00Z")])
def test_a_text_expires_when_it_is_late_but_never_in_the_past(left: int, expires: str) -> None:
    text = replace(TEXT, valid_until=NOW + timedelta(seconds=left))
    assert json.loads(dialect().request(text, now=NOW).body or b"")["expiration"] == expires


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        pytest.param(refuse(400, "from"), Fate.GATEWAY_UNFIT, id="our number"),
        pytest.param(refuse(400, "applicationId"), Fate.GATEWAY_UNFIT, id="our application"),
        pytest.param(refuse(400, "to"), Fate.REFUSED, id="the caller's number"),
        pytest.param(refuse(400, "text"), Fate.REFUSED, id="the text"),
        pytest.param(Answer(400, b'{"fieldErrors": 3}'), Fate.REFUSED, id="nonsense"),
        pytest.param(refuse(403, kind="forbidden"), Fate.GATEWAY_UNFIT, id="no right to send"),
        pytest.param(Answer(404, b"{}"), Fate.GATEWAY_UNFIT, id="an account that does not exist"),
        pytest.param(Answer(503, b"{}"), Fate.UNKNOWN, id="a fault of theirs, or of something between"),
        pytest.param(Answer(202, b'{"id": null}', taken=True), Fate.UNKNOWN, id="taken without an id"),
    ],
)
async def test_each_answer_is_judged(answer: Answer, fate: Fate) -> None:
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        assert (await failure_of(gateway)).fate is fate


# ---- webhooks


def dialect(section: str = SECTION) -> BandwidthDialect:
    return BandwidthDialect(section_from(section))


def hear(hook: Hook, section: str = SECTION) -> list[Any]:
    return list(dialect(section).read_hook(hook, now=NOW).arrivals)


def test_one_webhook_may_tell_of_several_texts() -> None:
    told = hear(
        posted(received_event(message="in-1"), received_event(message="in-2"), report_event("message-delivered"))
    )
    assert [type(one) for one in told] == [InboundText, InboundText, DeliveryReport]
    assert [one.id for one in told] == ["in-1", "in-2", "text-1"]


def test_a_text_is_told_with_its_time_our_number_and_its_pictures() -> None:
    (text,) = hear(posted(received_event(media=["https://a.example/1", "https://a.example/2"])))
    assert (text.recipient, text.media) == (OURS, 2)
    assert text.received_at == datetime(2026, 11, 23, 16, 59, 58, 123000, tzinfo=UTC)


def test_half_a_character_becomes_a_question_mark_that_can_be_stored() -> None:
    (text,) = hear(
        post(
            r'[{"type": "message-received", "message": {"id": "in-1", "from": "\ud83d", "text": "Hi \ud83d"}}]',
            headers=authorization("bw", CALLBACK_PASSWORD),
        )
    )
    assert (text.sender, text.body) == ("?", "Hi ?")


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("message-sending", None, (False, False, False, False)),
        ("message-delivered", None, (True, True, False, False)),
        ("message-failed", 4702, (False, True, False, False)),
        ("message-failed", 4775, (False, True, False, True)),
        ("message-failed", 9902, (False, False, False, False)),
        ("message-failed", 9999, (False, True, False, False)),
        *(("message-failed", code, (False, True, True, False)) for code in sorted(DEAD_NUMBERS)),
    ],
)
def test_an_event_says_whether_it_is_the_last_word(
    kind: str, code: int | None, expected: tuple[bool, bool, bool, bool]
) -> None:
    (report,) = hear(posted(report_event(kind) | ({"errorCode": code} if code else {})))
    assert (report.delivered, report.final, report.permanent, report.opted_out) == expected
    assert code is None or str(code) in report.detail


def test_a_report_gives_back_our_id_although_the_answer_was_lost() -> None:
    (report,) = hear(posted(report_event("message-delivered")))
    assert (report.reference, report.id, report.recipient) == ("m-1", "text-1", TEXT.to)


def test_a_description_without_end_is_cut() -> None:
    (report,) = hear(posted(report_event("message-failed", errorCode=4001, description="no\n" * 9999)))
    assert len(report.detail) < 300
    assert "\n" not in report.detail


def test_an_event_about_something_else_tells_nothing() -> None:
    assert hear(posted({"type": "suggestion-response", "message": {}}, 3, "x")) == []


FORGED = [
    pytest.param(posted(received_event(), password="guessed"), id="another password"),
    pytest.param(posted(received_event(), username="guessed"), id="another user"),
    pytest.param(post(json.dumps([received_event()])), id="no password"),
    pytest.param(post("[]", headers={"Authorization": "Basic \udcff"}), id="odd bytes"),
]


@pytest.mark.parametrize("hook", FORGED)
def test_a_webhook_without_our_password_is_refused(hook: Hook) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(hook)
    assert refused.value.status == 403


def test_without_a_password_in_the_settings_the_address_alone_is_the_secret() -> None:
    section = SECTION.replace(CALLBACK, "")
    assert len(hear(post(json.dumps([received_event()])), section)) == 1


@pytest.mark.parametrize("body", ["", "no JSON", '[{"type": "message-received"}]'])
def test_a_webhook_that_means_nothing_is_refused(body: str) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(post(body, headers=authorization("bw", CALLBACK_PASSWORD)))
    assert refused.value.status == 400


# ---- afterwards


def listed(*changes: dict[str, object]) -> Answer:
    message = {
        "messageId": "m-7",
        "sourceTn": OURS,
        "destinationTn": TEXT.to,
        "messageStatus": "SENT",
        "messageDirection": "OUTBOUND",
        "segmentCount": 2,
        "messageLength": len(TEXT.body),
        "receiveTime": "2026-11-23T17:00:05.000Z",
    }
    return Answer(200, json.dumps({"totalCount": 1, "messages": [message | change for change in changes]}).encode())


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        pytest.param(listed({}), "m-7", id="there it is"),
        pytest.param(listed({}, {"messageId": "m-8", "messageLength": 3}), "m-7", id="beside a shorter one"),
        pytest.param(listed({}, {"messageId": "m-8"}), None, id="two of its length: which is it?"),
        pytest.param(listed({"messageLength": 3}), None, id="another length"),
        pytest.param(listed({"destinationTn": "+13035550127"}), None, id="another number"),
        pytest.param(listed({"receiveTime": "2026-11-23T16:59:00.000Z"}), None, id="an earlier one"),
        pytest.param(listed({"messageStatus": "FAILED"}), None, id="it failed there"),
        pytest.param(Answer(200, b'{"messages": 3}'), None, id="nonsense"),
        pytest.param(Answer(500), None, id="no answer to use"),
    ],
)
async def test_a_text_whose_fate_is_unknown_is_looked_for(answer: Answer, reference: str | None) -> None:
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        found = await gateway.find(TEXT, since=NOW)
    assert (found.reference if found else None) == reference
    assert dict(sink.requests[0].query()) == {
        "destinationTn": TEXT.to,
        "sourceTn": OURS,
        "messageDirection": "OUTBOUND",
        "fromDateTime": "2026-11-23T17:00:00.000Z",
    }
