"""Plivo: the contract on exchanges as it documents them, its codes, and its signatures (V3 over address, form and nonce)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlencode

import pytest

from tests.gateways.contract import TEXT, Trait, failure_of
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
from textbackd.gateways.base import DeliveryReport, Fate, Hook, HookRefused, InboundText
from textbackd.gateways.plivo import DEAD_NUMBERS, ERRORS, PlivoDialect, signed_words

TOKEN = "0123456789abcdef0123456789abcdef"
OURS = "+13035550142"
SECTION = (
    f'{{type: plivo, account: MA1, token: "{TOKEN}", number: "{OURS}", timeout: 1s, webhook: "{HOOK_SECRET}",'
    ' url: "{url}"}'
)
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
NONCE = "05429567804466091622"


def read(received: Received) -> tuple[str, str] | None:
    content = received.json()
    assert isinstance(content, dict)
    return content["dst"], content["text"]


def accept(number: int, _: Received) -> Answer:
    content = {"message": "message(s) queued", "message_uuid": [f"db3ce55a-7f1d-11e1-8ea7-{number:012}"], "api_id": "a"}
    return Answer(202, json.dumps(content).encode())


def refuse(status: int, error: str) -> Answer:
    return Answer(status, json.dumps({"api_id": "a", "error": error}).encode())


def signature(words: str, token: str = TOKEN) -> str:
    return base64.b64encode(hmac.new(token.encode(), words.encode(), hashlib.sha256).digest()).decode()


def signed(
    fields: Mapping[str, str],
    *,
    query: str = "",
    token: str = TOKEN,
    url: str = HOOK_URL,
    header: str = "X-Plivo-Signature-V3",
) -> Hook:
    """Return a webhook as Plivo signs it: HMAC-SHA256 over address, `?`, query, `.`, sorted form, `.`, nonce."""
    asked = f"{query}." if query else ""
    words = f"{url}?{asked}{''.join(f'{name}{fields[name]}' for name in sorted(fields))}.{NONCE}"
    headers = {header: signature(words, token), "X-Plivo-Signature-V3-Nonce": NONCE}
    return post(urlencode(fields), query=query, headers=headers)


def text_fields(sender: str = TEXT.to, body: str = "Hi", message: str = "in-1", **more: str) -> dict[str, str]:
    """Return what Plivo posts: its numbers have no +."""
    numbers = {"From": sender.removeprefix("+"), "To": OURS.removeprefix("+")}
    return numbers | {"Text": body, "Type": "sms", "MessageUUID": message} | more


def report_fields(reference: str = "m-1", status: str = "delivered", **more: str) -> dict[str, str]:
    fields = {"From": OURS[1:], "To": TEXT.to[1:], "Status": status, "MessageUUID": f"{reference}-part"}
    return fields | {"ParentMessageUUID": reference, "PartInfo": "1 of 1"} | more


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=accept,
    refused=refuse(400, "dst parameter is invalid"),
    unfit=refuse(401, "authentication failed"),
    throttled=refuse(429, "too many requests"),
    text_hook=lambda sender, body, message: signed(text_fields(sender, body, message)),
    report_hook=lambda reference, delivered: signed(
        report_fields(reference) if delivered else report_fields(reference, "undelivered", ErrorCode="20")
    ),
)


class TestPlivo(VendorContract):
    """What every gateway keeps."""

    vendor = VENDOR
    secrets: ClassVar = (TOKEN,)
    cannot: ClassVar = {Trait.OPT_OUT: "it queues every text and reports 200 later"}


# ---- sending


async def test_a_request_is_what_plivo_documents() -> None:
    received = await one_request(VENDOR, TEXT)
    assert (received.method, received.target) == ("POST", "/v1/Account/MA1/Message/")
    assert received.headers["authorization"] == f"Basic {base64.b64encode(f'MA1:{TOKEN}'.encode()).decode()}"
    assert received.json() == {
        "src": OURS,
        "dst": TEXT.to,
        "text": TEXT.body,
        "type": "sms",
        "url": f"{HOOK_URL}?id=text-1",
        "method": "POST",
    }


def test_the_address_is_the_vendors() -> None:
    dialect = gateway_from('{type: plivo, account: MA1, token: x, number: "+13035550142"}')._dialect
    assert dialect.where == "https://api.plivo.com/v1/Account/MA1/Message/"


@pytest.mark.parametrize(
    ("keys", "fields"),
    [
        pytest.param("powerpack: p-1", {"powerpack_uuid": "p-1"}, id="a Powerpack"),
        pytest.param(f'from: called_did, number: "{OURS}"', {"src": TEXT.sender}, id="the number that was called"),
    ],
)
async def test_a_text_comes_from_the_number_that_is_chosen(keys: str, fields: dict[str, str]) -> None:
    section = f'{{type: plivo, account: MA1, token: x, url: "{{url}}", {keys}}}'
    sent = (await one_request(replace(VENDOR, section=section), TEXT)).json()
    assert isinstance(sent, dict)
    assert {key: sent[key] for key in ("src", "powerpack_uuid") if key in sent} == fields


def test_a_gateway_without_a_number_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="number is missing"):
        loads(CONFIG.format(section="{type: plivo, account: MA1, token: x}"))


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        pytest.param(refuse(400, "src parameter not present"), Fate.GATEWAY_UNFIT, id="our number"),
        pytest.param(refuse(400, "Invalid powerpack_uuid"), Fate.GATEWAY_UNFIT, id="our Powerpack"),
        pytest.param(refuse(400, "text is too long"), Fate.REFUSED, id="the text"),
        pytest.param(Answer(400, b'{"error": ["src"]}'), Fate.REFUSED, id="an error of another shape"),
        pytest.param(refuse(402, "no credit"), Fate.GATEWAY_UNFIT, id="no credit"),
        pytest.param(refuse(404, "not found"), Fate.GATEWAY_UNFIT, id="an account that does not exist"),
        pytest.param(refuse(500, "internal error"), Fate.UNKNOWN, id="a fault of theirs"),
        pytest.param(
            Answer(202, b'{"message_uuid": [], "invalid_number": ["1"]}', taken=False),
            Fate.REFUSED,
            id="no such number",
        ),
        pytest.param(Answer(202, b'{"message_uuid": []}', taken=True), Fate.UNKNOWN, id="taken without an id"),
        pytest.param(Answer(202, b'{"message_uuid": "x"}', taken=True), Fate.UNKNOWN, id="an id of another shape"),
    ],
)
async def test_each_answer_is_judged(answer: Answer, fate: Fate) -> None:
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        assert (await failure_of(gateway)).fate is fate


# ---- webhooks


def hear(hook: Hook) -> InboundText | DeliveryReport:
    (arrival,) = PlivoDialect(section_from(SECTION), HOOK_URL).read_hook(hook, now=NOW).arrivals
    assert isinstance(arrival, InboundText | DeliveryReport)
    return arrival


def hear_report(hook: Hook) -> DeliveryReport:
    report = hear(hook)
    assert isinstance(report, DeliveryReport)
    return report


@pytest.mark.parametrize(
    ("given", "sender"), [("13035550126", "+13035550126"), ("72345", "72345"), ("MyBank", "MyBank")]
)
def test_a_number_gets_its_plus_and_a_short_code_or_a_name_none(given: str, sender: str) -> None:
    text = hear(signed(text_fields(given)))
    assert isinstance(text, InboundText)
    assert (text.sender, text.recipient) == (sender, OURS)


def test_pictures_are_counted() -> None:
    text = hear(signed(text_fields(Media0="https://a.example/0", Media1="https://a.example/1", MediaType="x")))
    assert isinstance(text, InboundText)
    assert text.media == 2


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("queued", "", (False, False, False, False)),
        ("sent", "000", (False, False, False, False)),
        ("delivered", "000", (True, True, False, False)),
        ("undelivered", "80", (False, True, False, False)),
        ("failed", "900", (False, True, False, False)),
        ("rejected", "4711", (False, True, False, False)),
        ("failed", "200", (False, True, False, True)),
        *(("undelivered", str(code), (False, True, True, False)) for code in sorted(DEAD_NUMBERS)),
    ],
)
def test_a_status_says_whether_it_is_the_last_word(
    status: str, code: str, expected: tuple[bool, bool, bool, bool]
) -> None:
    report = hear_report(signed(report_fields(status=status, ErrorCode=code)))
    assert (report.delivered, report.final, report.permanent, report.opted_out) == expected


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_each_code_is_told_in_words(code: int) -> None:
    report = hear_report(signed(report_fields(status="failed", ErrorCode=str(code))))
    assert report.detail == f"failed ({code}): {ERRORS[code]}"


@pytest.mark.parametrize(
    ("part", "reference"),
    [
        pytest.param("1 of 1", "m-1", id="a short text"),
        pytest.param("1 of 3", "m-1/1", id="the first part"),
        pytest.param("2 of 3", "m-1/2", id="one in the middle"),
        pytest.param("3 of 3", "m-1", id="the last stands for the whole"),
        pytest.param("", "m-1", id="not told"),
        pytest.param("many", "m-1", id="nonsense"),
    ],
)
def test_a_long_text_is_delivered_with_its_last_part(part: str, reference: str) -> None:
    assert hear_report(signed(report_fields(PartInfo=part))).reference == reference


def test_a_report_gives_back_our_id_although_the_answer_was_lost() -> None:
    assert hear_report(signed(report_fields(), query="id=text-1")).id == "text-1"
    assert hear_report(signed(report_fields())).id is None


def test_what_is_signed_is_put_together_as_plivos_libraries_do() -> None:
    address = "https://a.example/hook"
    assert signed_words(address, []) == address
    assert signed_words(f"{address}?b=2&a=x%20y", []) == f"{address}?a=x y&b=2"
    assert signed_words(address, [("To", "2"), ("From", "1")]) == f"{address}?From1To2"
    assert signed_words(f"{address}?id=7", [("To", "2"), ("From", "1")]) == f"{address}?id=7.From1To2"


def test_a_webhook_may_come_as_get() -> None:
    fields = text_fields()
    words = f"{HOOK_URL}?{'&'.join(f'{name}={fields[name]}' for name in sorted(fields))}.{NONCE}"
    headers = {"X-Plivo-Signature-V3": signature(words), "X-Plivo-Signature-V3-Nonce": NONCE}
    assert hear(post("", method="GET", query=urlencode(fields), headers=headers)).id == "in-1"


TEXT_HOOK = signed(text_fields())
ITS_SIGNATURE = TEXT_HOOK.headers["x-plivo-signature-v3"]


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(signed(text_fields(), header="X-Plivo-Signature-Ma-V3"), id="signed by the main account"),
        pytest.param(
            replace(TEXT_HOOK, headers=dict(TEXT_HOOK.headers) | {"x-plivo-signature-v3": f"other=, {ITS_SIGNATURE}"}),
            id="one of two tokens",
        ),
        pytest.param(signed(text_fields(), url=HOOK_URL.replace("example.com", "example.com:443")), id="with the port"),
    ],
)
def test_what_plivo_has_signed_is_believed(hook: Hook) -> None:
    assert hear(hook).id == "in-1"


FORGED = [
    pytest.param(signed(text_fields(), token="another"), id="signed with another token"),
    pytest.param(signed(text_fields(), url="https://evil.example/hook"), id="signed for another address"),
    pytest.param(replace(TEXT_HOOK, body=TEXT_HOOK.body.replace(b"Hi", b"Ho")), id="form changed afterwards"),
    pytest.param(replace(TEXT_HOOK, target=f"{TEXT_HOOK.target}?id=text-2"), id="query added afterwards"),
    pytest.param(
        replace(TEXT_HOOK, headers=dict(TEXT_HOOK.headers) | {"x-plivo-signature-v3-nonce": "1"}), id="another nonce"
    ),
    pytest.param(replace(TEXT_HOOK, headers={}), id="not signed"),
    pytest.param(
        replace(TEXT_HOOK, headers={"x-plivo-signature-v3": "\udcff", "x-plivo-signature-v3-nonce": "\udcff"}),
        id="odd bytes",
    ),
    pytest.param(
        post(
            urlencode(text_fields()),
            headers={"X-Plivo-Signature-V2": signature(HOOK_URL + NONCE), "X-Plivo-Signature-V2-Nonce": NONCE},
        ),
        id="V2, which does not sign the form",
    ),
]


@pytest.mark.parametrize("hook", FORGED)
def test_what_plivo_has_not_signed_is_refused(hook: Hook) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(hook)
    assert refused.value.status == 403


def test_a_signed_webhook_that_names_no_message_is_refused() -> None:
    with pytest.raises(HookRefused) as refused:
        hear(signed({"From": "1", "Text": "x"}))
    assert refused.value.status == 400
