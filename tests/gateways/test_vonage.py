"""Vonage: the contract on exchanges as it documents them, its five ways to sign, and long texts that come in as parts."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest

from tests.gateways.contract import ANSWER, LONG_BODY, TEXT, Trait, failure_of, next_of
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
from textbackd.gateways.base import DeliveryReport, Fate, Hook, HookRefused, InboundText, Lent
from textbackd.gateways.vonage import CODES, DEAD_NUMBERS, ERRORS, VonageDialect, VonageGateway, build

SECRET, SIGNATURE = "api-s&cret=1", "signature-s3cret"
OURS = "+13035550142"
SECTION = (
    f'{{type: vonage, key: abcd1234, secret: "{SECRET}", number: "{OURS}", timeout: 1s, webhook: "{HOOK_SECRET}",'
    f' signature: {{secret: "{SIGNATURE}"}}, url: "{{url}}"}}'
)
UNSIGNED = SECTION.replace(f' signature: {{secret: "{SIGNATURE}"}},', "")
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
HMACS = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


def read(received: Received) -> tuple[str, str] | None:
    fields = dict(received.form())
    return f"+{fields['to']}", fields["text"]


def accept(number: int, _: Received) -> Answer:
    return answered({"status": "0", "message-id": f"0C{number:014}", "remaining-balance": "15.5"})


def answered(*parts: object, taken: bool | None = None) -> Answer:
    content = {"message-count": str(len(parts)), "messages": list(parts)}
    return Answer(200, json.dumps(content).encode(), taken=taken)


def refuse(status: int | str) -> Answer:
    return answered({"status": str(status), "error-text": f"No to {TEXT.to}"}, taken=False)


def with_signature(
    fields: Mapping[str, str], *, method: str = "sha256", secret: str = SIGNATURE, at: datetime | None = None
) -> dict[str, str]:
    """Return the fields as Vonage signs them: `&name=value` of each, sorted, with & and = in values as underscores."""
    timed = {**fields, "timestamp": str(int((at or datetime.now(UTC)).timestamp())), "nonce": "aaaaaaaa-bbbb"}
    words = "".join(f"&{name}={timed[name].replace('&', '_').replace('=', '_')}" for name in sorted(timed)).encode()
    if method == "md5hash":
        return timed | {"sig": hashlib.md5(words + secret.encode(), usedforsecurity=False).hexdigest()}
    return timed | {"sig": hmac.new(secret.encode(), words, HMACS[method]).hexdigest().upper()}


def signed(fields: Mapping[str, str], **how: Any) -> Hook:
    return post(json.dumps(with_signature(fields, **how)), headers={"Content-Type": "application/json"})


def text_fields(sender: str = TEXT.to, body: str = "Hi", message: str = "in-1", **more: str) -> dict[str, str]:
    """Return what Vonage posts: its numbers have no +."""
    numbers = {"msisdn": sender.removeprefix("+"), "to": OURS.removeprefix("+")}
    fields = {"messageId": message, "text": body, "type": "text", "keyword": "HI", "api-key": "abcd1234"}
    return numbers | fields | {"message-timestamp": "2026-11-23 16:59:58"} | more


def part_fields(number: int, total: int, body: str, reference: str = "108") -> dict[str, str]:
    place = {"concat": "true", "concat-ref": reference, "concat-total": str(total), "concat-part": str(number)}
    return text_fields(body=body, message=f"in-{reference}-{number}") | place


def report_fields(reference: str = "m-1", status: str = "delivered", code: int = 0, **more: str) -> dict[str, str]:
    fields = {"msisdn": TEXT.to[1:], "to": OURS[1:], "messageId": reference, "status": status, "scts": "2611231700"}
    return fields | {"err-code": str(code), "client-ref": "text-1"} | more


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=accept,
    refused=refuse(6),
    unfit=refuse(9),
    throttled=refuse(1),
    text_hook=lambda sender, body, message: signed(text_fields(sender, body, message)),
    report_hook=lambda reference, delivered: signed(
        report_fields(reference) if delivered else report_fields(reference, "failed", 8)
    ),
)


class TestVonage(VendorContract):
    """What every gateway keeps."""

    vendor = VENDOR
    secrets: ClassVar = (SECRET, SIGNATURE)
    cannot: ClassVar = {Trait.OPT_OUT: "it takes the text and says 9 in the delivery receipt"}


# ---- sending


async def test_a_request_is_what_vonage_documents() -> None:
    received = await one_request(VENDOR, replace(TEXT, body="Hello"))
    assert (received.method, received.target) == ("POST", "/sms/json")
    assert dict(received.form()) == {
        "api_key": "abcd1234",
        "api_secret": SECRET,
        "from": OURS[1:],
        "to": TEXT.to[1:],
        "text": "Hello",
        "type": "text",
        "client-ref": "text-1",
        "callback": HOOK_URL,
    }


def test_the_address_is_the_vendors() -> None:
    dialect = gateway_from(SECTION.replace(', url: "{url}"', ""))._dialect
    assert dialect.where == "https://rest.nexmo.com/sms/json"


def fields_of(section: str = SECTION, **changes: Any) -> dict[str, str]:
    request = VonageDialect(section_from(section), None).request(replace(TEXT, **changes), now=NOW)
    return dict(Received(method="POST", target="/", headers={}, body=request.body or b"").form())


@pytest.mark.parametrize(("body", "kind"), [("Hello [€]", "text"), (LONG_BODY, "unicode")])
def test_only_what_gsm_does_not_have_is_sent_as_unicode(body: str, kind: str) -> None:
    assert fields_of(body=body)["type"] == kind


@pytest.mark.parametrize(("left", "life"), [(600, "600000"), (-5, "20000"), (10**8, "604800000")])
def test_the_time_that_is_left_is_told_within_vonages_limits(left: int, life: str) -> None:
    assert fields_of(valid_until=NOW + timedelta(seconds=left))["ttl"] == life


def test_an_id_that_is_too_long_for_vonage_is_left_out() -> None:
    assert "client-ref" in fields_of(id="x" * 40)
    assert "client-ref" not in fields_of(id="x" * 41)


def test_a_text_comes_from_the_number_that_was_called() -> None:
    assert TEXT.sender is not None
    assert fields_of(SECTION.replace("timeout", "from: called_did, timeout"))["from"] == TEXT.sender[1:]


async def fate_after(answer: Answer) -> tuple[Fate, str | None]:
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        failed = await failure_of(gateway)
    return failed.fate, failed.code


@pytest.mark.parametrize("code", sorted(CODES))
async def test_each_code_means_what_the_table_says(code: int) -> None:
    assert await fate_after(refuse(code)) == (CODES[code].fate, f"status {code}")


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        pytest.param(refuse(77), Fate.UNKNOWN, id="a code that is not in the table"),
        pytest.param(refuse("no number"), Fate.UNKNOWN, id="a code that is none"),
        pytest.param(answered(), Fate.UNKNOWN, id="an answer about no text"),
        pytest.param(answered({"status": "0"}, {"status": "1"}, taken=True), Fate.UNKNOWN, id="half a text"),
        pytest.param(Answer(429), Fate.NOT_SENT, id="too many requests"),
        pytest.param(Answer(401), Fate.GATEWAY_UNFIT, id="the status says it too"),
        pytest.param(Answer(502), Fate.UNKNOWN, id="a fault of theirs"),
    ],
)
async def test_what_is_in_no_table_is_judged_with_care(answer: Answer, fate: Fate) -> None:
    assert (await fate_after(answer))[0] is fate


async def test_each_part_of_a_long_text_has_its_reference() -> None:
    answer = answered({"status": "0", "message-id": "a"}, {"status": "0", "message-id": "b"})
    async with HttpSink(usual=lambda _: answer) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        accepted = await gateway.send(TEXT)
    assert (accepted.reference, accepted.parts) == ("a,b", 2)


# ---- webhooks


def hear(hook: Hook, section: str = SECTION, *, now: datetime = NOW) -> InboundText | DeliveryReport:
    (arrival,) = VonageDialect(section_from(section), HOOK_URL).read_hook(hook, now=now).arrivals
    assert isinstance(arrival, InboundText | DeliveryReport)
    return arrival


@pytest.mark.parametrize("method", ["md5hash", "md5", "sha1", "sha256", "sha512"])
def test_each_way_to_sign_is_understood(method: str) -> None:
    section = SECTION.replace(f'"{SIGNATURE}"}}', f'"{SIGNATURE}", method: {method}}}')
    assert hear(signed(text_fields(body="a=b & c"), method=method, at=NOW), section).id == "in-1"
    with pytest.raises(HookRefused):
        hear(signed(text_fields(body="a=b & c"), method=method, at=NOW, secret="another"), section)


@pytest.mark.parametrize("way", ["JSON", "form", "GET"])
def test_a_webhook_may_come_in_each_way_that_the_account_can_choose(way: str) -> None:
    fields = with_signature(text_fields(body=ANSWER), at=NOW)
    hooks = {
        "JSON": post(json.dumps(fields)),
        "form": post(urlencode(fields)),
        "GET": post("", method="GET", query=urlencode(fields)),
    }
    text = hear(hooks[way])
    assert isinstance(text, InboundText)
    assert (text.sender, text.recipient, text.body) == (TEXT.to, OURS, ANSWER)
    assert text.received_at == datetime(2026, 11, 23, 16, 59, 58, tzinfo=UTC)


def test_a_message_that_is_no_text_is_told_as_it_is() -> None:
    text = hear(signed(text_fields(type="binary", data="cafe"), at=NOW))
    assert isinstance(text, InboundText)
    assert "cafe" in text.body


GENUINE = with_signature(text_fields(), at=NOW)
FORGED = [
    pytest.param(GENUINE | {"text": "Ho"}, id="changed afterwards"),
    pytest.param(GENUINE | {"more": "x"}, id="a field added"),
    pytest.param({name: value for name, value in GENUINE.items() if name != "sig"}, id="not signed"),
    pytest.param({name: value for name, value in GENUINE.items() if name != "timestamp"}, id="without its time"),
    pytest.param(with_signature(text_fields(), at=NOW - timedelta(seconds=301)), id="a recording"),
    pytest.param(with_signature(text_fields(), at=NOW + timedelta(seconds=301)), id="from the future"),
    pytest.param(with_signature(text_fields(), at=NOW, method="md5"), id="signed in another way"),
    pytest.param(text_fields() | {"sig": "é"}, id="odd letters"),
]


@pytest.mark.parametrize("fields", FORGED)
def test_what_vonage_has_not_signed_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(post(json.dumps(fields)))
    assert refused.value.status == 403


def test_without_a_signature_in_the_settings_the_address_alone_is_the_secret() -> None:
    assert hear(post(json.dumps(text_fields())), UNSIGNED).id == "in-1"


@pytest.mark.parametrize("body", ["", "{", "{}", "[]", '{"messageId": {"a": 1}}', "text=hello", b"\xff=1"])
def test_a_webhook_that_names_no_message_is_refused(body: str | bytes) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(post(body), UNSIGNED)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("accepted", 0, (False, False, False, False)),
        ("buffered", 0, (False, False, False, False)),
        ("unknown", 1, (False, False, False, False)),
        ("delivered", 0, (True, True, False, False)),
        ("failed", 2, (False, True, False, False)),
        ("expired", 7, (False, True, False, False)),
        ("rejected", 9, (False, True, False, True)),
        *(("failed", code, (False, True, True, False)) for code in sorted(DEAD_NUMBERS)),
    ],
)
def test_a_status_says_whether_it_is_the_last_word(
    status: str, code: int, expected: tuple[bool, bool, bool, bool]
) -> None:
    report = hear(signed(report_fields(status=status, code=code), at=NOW))
    assert isinstance(report, DeliveryReport)
    assert (report.delivered, report.final, report.permanent, report.opted_out) == expected
    assert (report.id, report.recipient) == ("text-1", TEXT.to)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_each_code_of_a_receipt_is_told_in_words(code: int) -> None:
    report = hear(signed(report_fields(status="failed", code=code), at=NOW))
    assert isinstance(report, DeliveryReport)
    assert report.detail == f"failed ({code}): {ERRORS[code]}"


# ---- long texts


def gateway_with(notes: Path | None, name: str = "web") -> VonageGateway:
    return build(name, section_from(SECTION), Lent(hook_url=HOOK_URL, notes=notes))


def left_in(notes: Path) -> list[Path]:
    return [path for path in notes.rglob("*") if path.is_file()]


async def test_a_long_text_is_told_once_it_is_whole(tmp_path: Path) -> None:
    gateway = gateway_with(tmp_path)
    await gateway.start()
    for number, body in [(2, "eight"), (1, "Tomorrow at "), (2, "eight")]:
        assert (await gateway.hook(signed(part_fields(number, 2, body)))).status == 200
    text = await next_of(gateway, InboundText)
    assert (text.body, text.sender, text.recipient) == ("Tomorrow at eight", TEXT.to, OURS)
    await gateway.close()
    assert left_in(tmp_path) == []


async def test_a_part_that_was_taken_before_a_restart_is_joined_after_it(tmp_path: Path) -> None:
    former = gateway_with(tmp_path)
    await former.start()
    await former.hook(signed(part_fields(1, 2, "Tomorrow at ")))
    await former.close()
    gateway = gateway_with(tmp_path)
    await gateway.start()
    await gateway.hook(signed(part_fields(2, 2, "eight")))
    assert (await next_of(gateway, InboundText)).body == "Tomorrow at eight"
    await gateway.close()


async def test_two_gateways_with_one_folder_keep_their_parts_apart(tmp_path: Path) -> None:
    former = gateway_with(tmp_path, "sales")
    await former.start()
    await former.hook(signed(part_fields(1, 2, "Tomorrow at ")))
    await former.close()
    gateway = gateway_with(tmp_path, "service")
    await gateway.start()
    await gateway.hook(signed(part_fields(2, 2, "eight")))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(aiter(gateway.incoming())), 0.3)
    await gateway.close()


async def test_a_text_that_nobody_stored_is_told_again_after_a_restart(tmp_path: Path) -> None:
    former = gateway_with(tmp_path)
    await former.start()
    for number, body in [(1, "Tomorrow at "), (2, "eight")]:
        await former.hook(signed(part_fields(number, 2, body)))
    first = await anext(aiter(former.incoming()))
    await former.close()
    gateway = gateway_with(tmp_path)
    await gateway.start()
    assert (await next_of(gateway, InboundText)) == first
    await gateway.close()


async def test_a_part_that_cannot_be_kept_is_told_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a file where the folder should be")
    gateway = gateway_with(tmp_path / "notes")
    await gateway.start()
    telling = asyncio.create_task(gateway.hook(signed(part_fields(1, 2, "Tomorrow at "))))
    assert (await next_of(gateway, InboundText)).body == "Tomorrow at "
    assert (await telling).status == 200
    await gateway.close()


@pytest.mark.parametrize(
    "place", [{"concat-part": "0"}, {"concat-total": "x"}, {"concat-ref": ""}, {"concat": "false"}]
)
async def test_a_part_that_cannot_be_one_is_told_as_it_is(place: dict[str, str]) -> None:
    gateway = gateway_with(None)
    await gateway.start()
    telling = asyncio.create_task(gateway.hook(signed(part_fields(1, 2, "Tomorrow") | place)))
    assert (await next_of(gateway, InboundText)).body == "Tomorrow"
    await telling
    await gateway.close()


async def test_a_forged_part_is_not_kept(tmp_path: Path) -> None:
    gateway = gateway_with(tmp_path)
    with pytest.raises(HookRefused):
        await gateway.hook(signed(part_fields(1, 2, "Tomorrow at "), secret="another"))
    assert left_in(tmp_path) == []
