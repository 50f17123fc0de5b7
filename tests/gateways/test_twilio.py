"""Twilio and SignalWire: the contract on exchanges as they document them, their signatures, and their list of texts."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

import pytest

from tests.gateways.contract import TEXT, failure_of
from tests.gateways.sink import Answer, HttpSink, Received
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
from textbackd.gateways.base import DeliveryReport, Fate, Hook, HookRefused, InboundText, Word
from textbackd.gateways.twilio import CODES, TwilioDialect

TOKEN = "0123456789abcdef0123456789abcdef"
SECTION = (
    f'{{type: twilio, account: AC1, token: "{TOKEN}", number: "+13035550142", timeout: 1s, webhook: "{HOOK_SECRET}",'
    ' url: "{url}"}'
)
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def read(received: Received) -> tuple[str, str] | None:
    if received.method != "POST":
        return None
    fields = dict(received.form())
    return fields["To"], fields["Body"]


def accept(number: int, _: Received) -> Answer:
    body = {"sid": f"SM{number:032x}", "status": "queued", "error_code": None}
    return Answer(201, json.dumps(body).encode())


def refuse(status: int, code: int) -> Answer:
    body = {"code": code, "message": "No.", "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    return Answer(status, json.dumps(body).encode())


def signed(fields: dict[str, str], *, token: str = TOKEN, url: str = HOOK_URL) -> Hook:
    """Return a webhook as Twilio signs it: HMAC-SHA1 over the address and the sorted fields."""
    content = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signature = base64.b64encode(hmac.new(token.encode(), content.encode(), hashlib.sha1).digest()).decode()
    return post(urlencode(fields), headers={"X-Twilio-Signature": signature, "X-SignalWire-Signature": signature})


def text_hook(sender: str, body: str, message: str) -> Hook:
    return signed({"MessageSid": message, "From": sender, "To": "+13035550142", "Body": body, "NumMedia": "0"})


def report_hook(reference: str, delivered: bool) -> Hook:
    fields = {"MessageSid": reference, "MessageStatus": "delivered" if delivered else "undelivered", "To": TEXT.to}
    return signed(fields if delivered else fields | {"ErrorCode": "30005"})


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=accept,
    refused=refuse(400, 21211),
    unfit=refuse(401, 20003),
    throttled=refuse(429, 20429),
    opted_out=refuse(400, 21610),
    text_hook=text_hook,
    report_hook=report_hook,
)


class TestTwilio(VendorContract):
    """What every gateway keeps."""

    vendor = VENDOR
    secrets: ClassVar = (TOKEN,)


class TestSignalWire(VendorContract):
    """The same, at SignalWire."""

    vendor = replace(VENDOR, section=SECTION.replace("account: AC1", "account: p-1, space: example.signalwire.com"))
    secrets: ClassVar = (TOKEN,)


@pytest.mark.parametrize(
    ("section", "where"),
    [
        pytest.param("account: AC1", "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages", id="Twilio"),
        pytest.param(
            "account: p-1, space: example.signalwire.com",
            "https://example.signalwire.com/api/laml/2010-04-01/Accounts/p-1/Messages",
            id="SignalWire",
        ),
    ],
)
def test_the_address_is_the_vendors(section: str, where: str) -> None:
    gateway = gateway_from(f"{{type: twilio, {section}, token: x}}")
    assert isinstance(gateway._dialect, TwilioDialect)
    assert gateway._dialect.where == where


@pytest.mark.parametrize(
    ("keys", "fields"),
    [
        pytest.param('number: "+13035550142"', {"From": "+13035550142"}, id="the gateway's number"),
        pytest.param(
            'from: called_did, number: "+13035550142"', {"From": TEXT.sender}, id="the number that was called"
        ),
        pytest.param(
            'from: called_did, number: "+13035550142", numbers: ["+13035550143"]',
            {"From": "+13035550142"},
            id="the called number cannot text",
        ),
        pytest.param("messaging_service: MG1", {"MessagingServiceSid": "MG1"}, id="a messaging service"),
    ],
)
async def test_a_text_comes_from_the_number_that_is_chosen(keys: str, fields: dict[str, str]) -> None:
    section = f'{{type: twilio, account: AC1, token: "{TOKEN}", url: "{{url}}", {keys}}}'
    sent = dict((await one_request(replace(VENDOR, section=section), TEXT)).form())
    assert {key: sent.get(key) for key in ("From", "MessagingServiceSid") if key in sent} == fields


@pytest.mark.parametrize(("left", "period"), [(600, "600"), (-5, "1"), (10**6, "36000")])
def test_the_time_that_is_left_is_told_within_twilios_limits(left: int, period: str) -> None:
    dialect = TwilioDialect(section_from(SECTION), None)
    text = replace(TEXT, valid_until=NOW + timedelta(seconds=left))
    assert f"ValidityPeriod={period}&".encode() in (dialect.request(text, now=NOW).body or b"") + b"&"


@pytest.mark.parametrize("code", sorted(CODES))
async def test_each_code_means_what_the_table_says(code: int) -> None:
    async with HttpSink(usual=lambda _: refuse(400, code)) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, failed.code) == (CODES[code].fate, str(code))


async def test_a_code_that_is_not_in_the_table_is_judged_by_the_status() -> None:
    async with HttpSink(usual=lambda _: refuse(400, 99999)) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, failed.code) == (Fate.REFUSED, "HTTP 400")


# ---- webhooks


def hear(hook: Hook) -> InboundText | DeliveryReport:
    (arrival,) = TwilioDialect(section_from(SECTION), HOOK_URL).read_hook(hook, now=NOW).arrivals
    assert isinstance(arrival, InboundText | DeliveryReport)
    return arrival


def test_twilios_own_opt_out_is_told_with_the_text() -> None:
    text = hear(signed({"MessageSid": "SM1", "From": "+13035550126", "Body": "Stop!", "OptOutType": "STOP"}))
    assert isinstance(text, InboundText)
    assert text.word is Word.STOP


def test_pictures_are_counted() -> None:
    text = hear(signed({"MessageSid": "SM1", "From": "+13035550126", "Body": "", "NumMedia": "2"}))
    assert isinstance(text, InboundText)
    assert text.media == 2


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("sent", "", (False, False, False, False)),
        ("delivered", "", (True, True, False, False)),
        ("undelivered", "30006", (False, True, True, False)),
        ("undelivered", "30003", (False, True, False, False)),
        ("failed", "21610", (False, True, False, True)),
    ],
)
def test_a_status_says_whether_it_is_the_last_word(
    status: str, code: str, expected: tuple[bool, bool, bool, bool]
) -> None:
    report = hear(signed({"MessageSid": "SM1", "MessageStatus": status} | ({"ErrorCode": code} if code else {})))
    assert isinstance(report, DeliveryReport)
    assert (report.delivered, report.final, report.permanent, report.opted_out) == expected


FORGED = [
    pytest.param(signed({"MessageSid": "SM1"}, token="another"), id="signed with another token"),
    pytest.param(signed({"MessageSid": "SM1"}, url="https://evil.example/hook"), id="signed for another address"),
    pytest.param(post("MessageSid=SM1&Body=hello"), id="not signed"),
    pytest.param(replace(signed({"MessageSid": "SM1"}), body=b"MessageSid=SM2"), id="changed afterwards"),
    pytest.param(post("{}", query="bodySHA256=00", headers={"X-Twilio-Signature": "x"}), id="JSON of another hash"),
]


@pytest.mark.parametrize("hook", FORGED)
def test_what_twilio_has_not_signed_is_refused(hook: Hook) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(hook)
    assert refused.value.status == 403


@pytest.mark.parametrize("url", [HOOK_URL, HOOK_URL.replace("example.com", "example.com:443")])
def test_the_address_may_be_signed_with_its_port(url: str) -> None:
    assert hear(signed({"MessageSid": "SM1", "From": "+13035550126", "Body": "x"}, url=url)).id == "SM1"


# ---- afterwards


def listed(**changes: str) -> Answer:
    message = {
        "sid": "SM7",
        "to": TEXT.to,
        "body": TEXT.body,
        "status": "sent",
        "date_created": "Mon, 23 Nov 2026 17:00:05 +0000",
    }
    return Answer(200, json.dumps({"messages": [message | changes]}).encode())


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        pytest.param(listed(), "SM7", id="there it is"),
        pytest.param(listed(body="Another text"), None, id="another text to this number"),
        pytest.param(listed(date_created="Mon, 23 Nov 2026 16:59:00 +0000"), None, id="an earlier one"),
        pytest.param(listed(status="failed"), None, id="it failed there"),
        pytest.param(Answer(200, b'{"messages": 3}'), None, id="nonsense"),
        pytest.param(Answer(500), None, id="no answer to use"),
    ],
)
async def test_a_text_whose_fate_is_unknown_is_looked_for(answer: Answer, reference: str | None) -> None:
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        found = await gateway.find(TEXT, since=NOW)
    assert (found.reference if found else None) == reference
    assert sink.requests[0].query() == [("To", TEXT.to), ("DateSent>", "2026-11-23"), ("PageSize", "50")]
