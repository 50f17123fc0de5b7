"""VoIP.ms: the contract on answers as it documents them, its codes, its webhook, and its list of texts."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.gateways.contract import ANSWER, OTHER, TEXT, Trait, failure_of
from tests.gateways.sink import Answer, HttpSink, Received
from tests.gateways.waiting import told, until
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
from textbackd.core.phone import E164
from textbackd.gateways.base import Fate, Hook, HookRefused, InboundText
from textbackd.gateways.voipms import STATUSES, VoipMsDialect
from textbackd.gateways.web.gateway import WebGateway

KEYS = (
    'type: voipms, username: you@example.com, password: "vms-Pass", number: "+13035550142", timeout: 1s, url: "{url}/r"'
)
SECTION = f'{{{KEYS}, webhook: "{HOOK_SECRET}"}}'
POLLED = f"{{{KEYS}, poll: 1s}}"
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def read(received: Received) -> tuple[str, str]:
    fields = dict(received.form())
    return f"+1{fields['dst']}", fields["message"]


def accept(number: int, received: Received) -> Answer:
    kind = dict(received.form())["method"].removeprefix("send").lower()
    return Answer(200, json.dumps({"status": "success", kind: 23000 + number}).encode())


def says(status: str, *, taken: bool | None = None, **more: object) -> Answer:
    return Answer(200, json.dumps({"status": status, **more}).encode(), taken=taken)


def text_hook(sender: str, body: str, message: str) -> Hook:
    fields = {"to": "3035550142", "from": sender.removeprefix("+1"), "message": body, "id": message, "media": ""}
    return post(b"", method="GET", query=urlencode({**fields, "date": "2026-11-23 12:00:05"}))


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=accept,
    refused=says("invalid_dst", taken=False),
    unfit=says("non_sufficient_funds", taken=False),
    throttled=says("limit_reached", taken=False),
    text_hook=text_hook,
)


class TestVoipMs(VendorContract):
    """What every gateway keeps."""

    vendor = VENDOR
    secrets: ClassVar = ("vms-Pass",)
    cannot: ClassVar = {
        Trait.OPT_OUT: "VoIP.ms has no status for a number that told it STOP",
        Trait.REPORT: "VoIP.ms tells nothing about delivery",
    }


# ---- sending


def asked(section: str = SECTION, **changes: Any) -> dict[str, str]:
    request = VoipMsDialect(section_from(section)).request(replace(TEXT, **changes), now=NOW)
    return dict(parse_qsl((request.body or b"").decode(), keep_blank_values=True))


@pytest.mark.parametrize(
    ("body", "method"),
    [
        ("x" * 160, "sendSMS"),
        ("x" * 161, "sendMMS"),
        ("é" * 80, "sendSMS"),
        ("é" * 81, "sendMMS"),
        ("😀" * 512, "sendMMS"),
    ],
)
def test_a_long_text_goes_as_mms_counted_in_octets(body: str, method: str) -> None:
    assert asked(body=body)["method"] == method


async def test_the_password_is_not_in_the_address() -> None:
    request = await one_request(VENDOR, TEXT)
    assert (request.method, request.target) == ("POST", "/r")
    assert dict(request.form())["did"] == "3035550142"


@pytest.mark.parametrize(
    ("section", "changes", "words"),
    [
        pytest.param(SECTION, {"body": "x" * 2049}, "2049 octets", id="a text that no MMS holds"),
        pytest.param(SECTION, {"to": E164("+442071838750")}, "only between numbers of the US and Canada", id="abroad"),
        pytest.param("{type: voipms, username: a, password: b}", {}, "set `number`", id="no number"),
    ],
)
async def test_what_cannot_be_sent_here_may_go_elsewhere(section: str, changes: dict[str, Any], words: str) -> None:
    async with HttpSink() as sink:
        vendor = replace(VENDOR, section=section)
        async with started(vendor, WebPeer(vendor, sink)) as gateway:
            failed = await failure_of(gateway, replace(TEXT, **changes))
    assert failed.fate is Fate.NOT_SENT
    assert words in str(failed)
    assert sink.requests == []


def test_a_text_comes_from_the_number_that_was_called() -> None:
    section = SECTION.replace("timeout: 1s", "from: called_did")
    assert asked(section)["did"] == str(TEXT.sender).removeprefix("+1")


@asynccontextmanager
async def answering(what: Answer) -> AsyncIterator[WebGateway]:
    async with HttpSink(usual=lambda _: what) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        yield gateway


@pytest.mark.parametrize("status", sorted(STATUSES))
async def test_each_status_means_what_the_table_says(status: str) -> None:
    async with answering(says(status)) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, failed.code) == (STATUSES[status].fate, status)


@pytest.mark.parametrize(
    ("what", "fate"),
    [
        pytest.param(says("something_new"), Fate.UNKNOWN, id="a status of no list"),
        pytest.param(says("success"), Fate.UNKNOWN, id="success without an id"),
        pytest.param(Answer(200, b"<b>Warning</b>: mysql"), Fate.UNKNOWN, id="a page"),
        pytest.param(Answer(403), Fate.GATEWAY_UNFIT, id="403"),
        pytest.param(Answer(502), Fate.UNKNOWN, id="502"),
    ],
)
async def test_other_answers_prove_nothing(what: Answer, fate: Fate) -> None:
    async with answering(what) as gateway:
        assert (await failure_of(gateway)).fate is fate


# ---- afterwards


def listed(**changes: str) -> Answer:
    item = {"id": "1918", "date": "2026-11-23 12:00:05", "type": "0", "did": "3035550142", "contact": "3035550126"}
    return says("success", sms=[{**item, "message": TEXT.body} | changes])


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        pytest.param(listed(), "1918", id="there it is"),
        pytest.param(listed(message="Another text"), None, id="another text"),
        pytest.param(listed(contact="3035550127"), None, id="another number"),
        pytest.param(listed(date="2026-11-23 11:59:59"), None, id="an earlier one"),
        pytest.param(listed(date="yesterday"), None, id="no time"),
        pytest.param(says("no_sms"), None, id="an empty list"),
        pytest.param(Answer(200, b"[]"), None, id="nonsense"),
    ],
)
async def test_a_text_whose_fate_is_unknown_is_looked_for(answer: Answer, reference: str | None) -> None:
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        found = await gateway.find(TEXT, since=NOW)
    assert (found.reference if found else None) == reference
    wanted = {"method": "getSMS", "type": "0", "contact": "3035550126", "from": "2026-11-23"}
    assert wanted.items() <= dict(sink.requests[0].form()).items()


# ---- inwards


def hear(query: dict[str, str]) -> InboundText:
    hook = post(b"", method="GET", query=urlencode(query))
    heard = VoipMsDialect(section_from(SECTION)).read_hook(hook, now=NOW)
    assert heard.reply.body == "ok"
    (text,) = heard.arrivals
    assert isinstance(text, InboundText)
    return text


def test_the_webhook_is_answered_ok_and_its_time_is_new_yorks() -> None:
    text = hear({"to": "3035550142", "from": "3035550126", "message": "Hi", "id": "7", "date": "2026-07-01 12:00:05"})
    assert (text.sender, text.recipient, text.id) == (TEXT.to, "+13035550142", "7")
    assert text.received_at == datetime(2026, 7, 1, 16, 0, 5, tzinfo=UTC)


def test_pictures_are_counted_and_a_time_that_is_none_is_now() -> None:
    text = hear({"from": "13035550126", "message": "", "id": "7", "date": "{TIMESTAMP}", "media": "http://a,http://b"})
    assert (text.sender, text.media, text.received_at) == (TEXT.to, 2, NOW)


@pytest.mark.parametrize("query", ["", "from=1", "message=x", "from=&message=x", "%FF=%FE"])
def test_a_webhook_that_makes_no_sense_is_refused(query: str) -> None:
    with pytest.raises(HookRefused) as refused:
        VoipMsDialect(section_from(SECTION)).read_hook(post(b"", method="GET", query=query), now=NOW)
    assert refused.value.status == 400


async def test_without_a_webhook_replies_are_asked_for() -> None:
    newest = {"id": "2", "date": "2026-11-23 12:01:00", "did": "3035550142", "contact": "3035550127", "message": ""}
    oldest = {"id": "1", "date": "2026-11-23 12:00:00", "did": "3035550142", "contact": "3035550126", "message": ANSWER}
    junk = [1, {}, {"contact": "x"}, {"contact": "x", "date": "when?"}]
    answer = says("success", sms=[{**newest, "col_media1": "http://a", "col_media2": ""}, *junk, oldest])
    async with HttpSink(usual=lambda _: answer) as sink:
        gateway = gateway_from(POLLED, sink.url.removesuffix("/send"))
        await gateway.start()
        try:
            first, second = await told(gateway, 2)
        finally:
            await gateway.close()
    assert (first.id, first.sender, first.body, first.recipient) == ("1", TEXT.to, ANSWER, "+13035550142")
    assert (second.id, second.sender, second.media) == ("2", OTHER, 1)
    assert {"method": "getSMS", "type": "1"}.items() <= dict(sink.requests[0].form()).items()


async def test_an_empty_list_is_no_complaint(caplog: pytest.LogCaptureFixture) -> None:
    async with HttpSink(usual=lambda _: says("no_sms")) as sink:
        gateway = gateway_from(POLLED, sink.url.removesuffix("/send"))
        await gateway.start()
        try:
            await until(lambda: len(sink.requests) >= 2)
        finally:
            await gateway.close()
    assert caplog.records == []
