"""Flowroute and siptrunk.com: the contract on answers as Flowroute documents them, its webhooks, and its list of messages."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from tests.gateways.contract import ANSWER, OTHER, TEXT, Trait, failure_of
from tests.gateways.sink import Answer, HttpSink, Received
from tests.gateways.waiting import told
from tests.gateways.web_peer import (
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
from textbackd.gateways.base import DeliveryReport, Fate, Hook, HookRefused, InboundText
from textbackd.gateways.flowroute import FlowrouteDialect
from textbackd.gateways.web.gateway import WebGateway

KEYS = 'type: flowroute, key: k1, secret: "fr-Secret", number: "+13035550142", timeout: 1s, url: "{url}/v2.2/messages"'
SECTION = f'{{{KEYS}, webhook: "{HOOK_SECRET}"}}'
POLLED = f"{{{KEYS}, poll: 1s}}"
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def read(received: Received) -> tuple[str, str] | None:
    if received.method != "POST":
        return None
    message: Any = received.json()
    return message["data"]["attributes"]["to"], message["data"]["attributes"]["body"]


def accept(number: int, _: Received) -> Answer:
    return Answer(202, json.dumps({"data": {"type": "message", "id": f"mdr2-{number:032x}"}}).encode())


def refuse(status: int, title: str, detail: str = "") -> Answer:
    error = {"id": "5f2b", "status": status, "title": title, "detail": detail}
    return Answer(status, json.dumps({"errors": [error]}).encode(), taken=False)


def message(number: str, **attributes: object) -> dict[str, object]:
    usual = {"to": "+13035550142", "direction": "inbound", "is_mms": "false", "timestamp": "2026-11-23T17:00:05.39Z"}
    return {"type": "message", "id": number, "attributes": usual | attributes}


def text_hook(sender: str, body: str, number: str) -> Hook:
    return post(json.dumps({"data": message(number, **{"from": sender, "body": body})}))


def report_hook(reference: str, delivered: bool) -> Hook:
    return receipt_hook(reference, "delivered" if delivered else "undelivered")


def receipt_hook(reference: str, status: str, **more: object) -> Hook:
    attributes = {"body": TEXT.body, "level": 2, "status": status, "status_code": "", **more}
    return post(json.dumps({"data": {"type": "delivery_receipt", "id": reference, "attributes": attributes}}))


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=accept,
    refused=refuse(422, "Unprocessable Entity", "'to' is not a valid number"),
    unfit=refuse(401, "Unauthorized"),
    throttled=refuse(429, "Too Many Requests"),
    text_hook=text_hook,
    report_hook=report_hook,
)
NO_OPT_OUT = {Trait.OPT_OUT: "Flowroute documents no error for a number that told it STOP"}


class TestFlowroute(VendorContract):
    """What every gateway keeps."""

    vendor = VENDOR
    secrets: ClassVar = ("fr-Secret",)
    cannot: ClassVar = NO_OPT_OUT


class TestSiptrunk(VendorContract):
    """The same, at siptrunk.com: the messages are the address itself."""

    vendor = replace(VENDOR, section=SECTION.replace("/v2.2/messages", ""))
    secrets: ClassVar = ("fr-Secret",)
    cannot: ClassVar = NO_OPT_OUT


# ---- sending


async def test_a_text_names_both_numbers_and_our_webhook() -> None:
    sent = await one_request(VENDOR, TEXT)
    attributes = {"to": TEXT.to, "from": "+13035550142", "body": TEXT.body, "dlr_callback": HOOK_URL}
    assert sent.json() == {"data": {"type": "message", "attributes": attributes}}
    assert (sent.target, sent.headers["content-type"]) == ("/v2.2/messages", "application/vnd.api+json")


async def test_without_a_webhook_none_is_named() -> None:
    sent: Any = (await one_request(replace(VENDOR, section=f"{{{KEYS}}}"), TEXT)).json()
    assert "dlr_callback" not in sent["data"]["attributes"]


async def test_a_text_comes_from_the_number_that_was_called() -> None:
    vendor = replace(VENDOR, section=SECTION.replace("timeout: 1s", "timeout: 1s, from: called_did"))
    sent: Any = (await one_request(vendor, TEXT)).json()
    assert sent["data"]["attributes"]["from"] == TEXT.sender


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("", "https://api.flowroute.com/v2.2/messages"),
        (", url: 'https://messaging.siptrunk.com/'", "https://messaging.siptrunk.com"),
    ],
)
def test_the_address_is_the_vendors(url: str, where: str) -> None:
    section = section_from(f"{{type: flowroute, key: a, secret: b{url}}}")
    assert FlowrouteDialect(section, None).where == where


@asynccontextmanager
async def answering(what: Answer) -> AsyncIterator[WebGateway]:
    async with HttpSink(usual=lambda _: what) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("what", "fate"),
    [
        (refuse(400, "Bad Request"), Fate.REFUSED),
        (refuse(403, "Forbidden"), Fate.GATEWAY_UNFIT),
        (refuse(404, "Not Found"), Fate.GATEWAY_UNFIT),
        (refuse(405, "Method Not Allowed"), Fate.GATEWAY_UNFIT),
        (refuse(415, "Unsupported Media Types"), Fate.GATEWAY_UNFIT),
        (refuse(422, "Unprocessable Entity", "'from' is not a valid number"), Fate.GATEWAY_UNFIT),
        (refuse(422, "Unprocessable Entity"), Fate.REFUSED),
        (refuse(500, "Internal Server Error"), Fate.UNKNOWN),
        (refuse(503, "Service Unavailable"), Fate.NOT_SENT),
        (Answer(503, b"<html>a proxy"), Fate.UNKNOWN),
        (Answer(202, b'{"data": {"id": ""}}'), Fate.UNKNOWN),
        (Answer(422, b'{"errors": "no"}'), Fate.REFUSED),
    ],
)
async def test_each_answer_means_what_the_table_says(what: Answer, fate: Fate) -> None:
    async with answering(what) as gateway:
        assert (await failure_of(gateway)).fate is fate


async def test_without_a_number_nothing_is_sent() -> None:
    section = '{type: flowroute, key: a, secret: b, url: "{url}"}'
    async with (
        HttpSink() as sink,
        started(replace(VENDOR, section=section), WebPeer(replace(VENDOR, section=section), sink)) as one,
    ):
        assert (await failure_of(one)).fate is Fate.NOT_SENT
    assert sink.requests == []


# ---- webhooks


def hear(hook: Hook) -> Any:
    (arrival,) = FlowrouteDialect(section_from(SECTION), HOOK_URL).read_hook(hook, now=NOW).arrivals
    return arrival


@pytest.mark.parametrize(
    ("status", "delivered", "final"),
    [
        ("delivered", True, True),
        *((failed, False, True) for failed in ("undelivered", "rejected", "expired", "smsc reject", "delivery failed")),
        *((under_way, False, False) for under_way in ("smsc submit", "message buffered", "something new")),
    ],
)
def test_each_status_says_whether_it_is_the_last_word(status: str, delivered: bool, final: bool) -> None:
    words = "Words\nof a carrier" * 20
    report = hear(receipt_hook("mdr2-1", status.upper(), status_code=1003, status_code_description=words))
    assert isinstance(report, DeliveryReport)
    assert (report.delivered, report.final) == (delivered, final)
    assert report.detail.startswith(f"{status} (1003) Words")
    assert "\n" not in report.detail
    assert len(report.detail) <= 100


def test_a_text_is_read_with_its_pictures() -> None:
    content = {
        "data": message("mdr2-1", **{"from": "13035550126", "body": ""}),
        "included": [{"type": "media"}, {"type": "x"}],
    }
    text = hear(post(json.dumps(content)))
    assert isinstance(text, InboundText)
    assert (text.sender, text.media, text.received_at.second) == (TEXT.to, 1, 5)


def test_siptrunk_names_a_message_otherwise() -> None:
    data = {"type": "message", "message_id": "st-7", "attributes": {"from": "+13035550126", "to": "1", "body": "Hi"}}
    assert hear(post(json.dumps({"data": data}))).id == "st-7"


@pytest.mark.parametrize(
    "content",
    [
        "{", "[]", "{}", '{"data": []}', '{"data": {"type": "message"}}', '{"data": {"type": "delivery_receipt"}}',
        '{"data": {"type": "delivery_receipt", "id": "x"}}', '{"data": {"type": "delivery_receipt", "attributes": {"status": "x"}}}',
        '{"data": {"attributes": 3}}',
    ],
)  # fmt: skip
def test_a_webhook_that_makes_no_sense_is_refused(content: str) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(post(content))
    assert refused.value.status == 400


# ---- the list


def listed(*items: object) -> Answer:
    return Answer(200, json.dumps({"data": items}).encode())


OURS = {"direction": "outbound", "to": "13035550126", "from": "13035550142", "body": TEXT.body}


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        pytest.param(listed(message("mdr2-7", **OURS)), "mdr2-7", id="there it is"),
        pytest.param(listed(message("mdr2-7", **{**OURS, "body": "Another"})), None, id="another text"),
        pytest.param(listed(message("mdr2-7", **{**OURS, "to": "13035550127"})), None, id="another number"),
        pytest.param(listed(message("mdr2-7", **{**OURS, "direction": "inbound"})), None, id="the other way"),
        pytest.param(listed(message("m", **{**OURS, "timestamp": "2026-11-23T16:59:59Z"})), None, id="an earlier one"),
        pytest.param(listed(1, {}, {"attributes": 1}), None, id="nonsense"),
        pytest.param(Answer(500), None, id="no answer to use"),
    ],
)
async def test_a_text_whose_fate_is_unknown_is_looked_for(answer: Answer, reference: str | None) -> None:
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        found = await gateway.find(TEXT, since=NOW)
    assert (found.reference if found else None) == reference
    assert sink.requests[0].query() == [("start_date", "2026-11-23T17:00:00Z"), ("limit", "250")]


async def test_without_a_webhook_texts_and_receipts_are_asked_for() -> None:
    receipts = [{"status": "delivered", "status_code": None}, {"status": "smsc submit"}, "nonsense"]
    answer = listed(
        message("mdr2-3", **{"from": "13035550127", "body": "", "is_mms": True}),
        message("mdr2-2", **OURS, delivery_receipts=receipts),
        {"id": "mdr2-x"},
        message("mdr2-0", direction="inbound"),
        message("mdr2-1", **{"from": "13035550126", "body": ANSWER}),
    )
    async with HttpSink(usual=lambda _: answer) as sink:
        gateway = gateway_from(POLLED, sink.url.removesuffix("/send"))
        await gateway.start()
        try:
            first, report, second = await told(gateway, 3)
        finally:
            await gateway.close()
    assert (first.id, first.sender, first.body) == ("mdr2-1", TEXT.to, ANSWER)
    assert (report.reference, report.recipient, report.delivered) == ("mdr2-2", TEXT.to, True)
    assert (second.sender, second.media) == (OTHER, 1)
