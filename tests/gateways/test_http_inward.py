"""What any HTTP gateway tells by the names that the configuration gives, and the recipes of its documentation."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote_plus, urlencode

import pytest
import yaml

from tests.gateways.contract import ANSWER, OTHER, SOON, TEXT, Trait, failure_of
from tests.gateways.sink import Answer, HttpSink, Received
from tests.gateways.waiting import until
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
    started,
)
from textbackd.config import loads
from textbackd.errors import ConfigError
from textbackd.gateways.base import Accepted, DeliveryReport, Fate, Hook, HookRefused, InboundText
from textbackd.gateways.http import HttpGateway
from textbackd.gateways.web.gateway import WebGateway

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
KEY = "sign-Ing-key"
REQUEST = 'type: http, url: "{url}/send", json: {to: "{to}", text: "{text}", ref: "{id}"}, bearer: "t0ken", timeout: 1s'
RESULT = "result: {path: status, accepted: [ok], refused: [bad], opted_out: [stop], unfit: [poor], later: [busy]}"
RECEIVE = "receive: {from: From, to: To, text: Body, id: MessageId, media: Media}"
REPORTS = "reports: {reference: MessageId, status: Status, delivered: [DELIVRD], failed: [UNDELIV, EXPIRED]}"
SIGNED = f'signature: {{header: X-Sign, secret: "{KEY}"}}'
HOOKED = f'webhook: "{HOOK_SECRET}"'
SECTION = f"{{{', '.join((REQUEST, RESULT, HOOKED, RECEIVE, REPORTS, SIGNED))}}}"


def read(received: Received) -> tuple[str, str]:
    message: Any = received.json()
    return message["to"], message["text"]


def said(word: str, *, taken: bool = False) -> Answer:
    return Answer(200, json.dumps({"status": word, "id": "x"}).encode(), taken=taken)


def signed(body: str, *, key: str = KEY, prefix: str = "") -> Hook:
    signature = hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()
    return post(body, headers={"X-Sign": prefix + signature})


def text_hook(sender: str, body: str, message: str) -> Hook:
    return signed(urlencode({"From": sender, "To": "+13125550142", "Body": body, "MessageId": message}))


def report_hook(reference: str, delivered: bool) -> Hook:
    return signed(json.dumps({"MessageId": reference, "Status": "DELIVRD" if delivered else "undeliv"}))


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=lambda number, _received: Answer(200, json.dumps({"status": "OK", "id": f"m-{number}"}).encode()),
    refused=said("bad"),
    unfit=said("poor"),
    throttled=said("busy"),
    opted_out=said("stop"),
    text_hook=text_hook,
    report_hook=report_hook,
)


class TestHttpWithWords(VendorContract):
    """What every gateway keeps, for one that says everything in words and by webhook."""

    vendor = VENDOR
    secrets: ClassVar = ("t0ken", KEY, HOOK_SECRET)
    cannot: ClassVar[dict[Trait, str]] = {}


# ---- results


def with_keys(*keys: str) -> Vendor:
    return replace(VENDOR, section=f"{{{', '.join((REQUEST, *keys))}}}")


@pytest.mark.parametrize(
    ("result", "given", "fate"),
    [
        pytest.param(RESULT, said("What?"), Fate.UNKNOWN, id="a word in no list"),
        pytest.param(RESULT, Answer(200, b"OK"), Fate.UNKNOWN, id="no word at all"),
        pytest.param(RESULT, Answer(400, b'{"status": "stop"}'), Fate.OPTED_OUT, id="a word says more than its status"),
        pytest.param(RESULT, Answer(400, b'{"status": "huh"}'), Fate.REFUSED, id="a status where the word says nothing"),
        pytest.param(RESULT, Answer(500, b'{"status": "ok"}'), Fate.UNKNOWN, id="a failure that calls itself accepted"),
        pytest.param(
            "result: {path: '/^([A-Z]+),/', accepted: [SENDING], later: [ERROR]}", Answer(200, b"ERROR,L1 logout"),
            Fate.NOT_SENT, id="an answer that is not JSON",
        ),
    ],
)  # fmt: skip
async def test_a_word_decides_where_the_status_does_not(result: str, given: Answer, fate: Fate) -> None:
    vendor = with_keys(result)
    async with HttpSink(usual=lambda _: given) as sink, started(vendor, WebPeer(vendor, sink)) as gateway:
        assert (await failure_of(gateway)).fate is fate


async def test_words_are_read_whatever_their_case() -> None:
    async with HttpSink(usual=lambda _: said("Ok")) as sink, started(VENDOR, WebPeer(VENDOR, sink)) as gateway:
        assert await gateway.send(TEXT) == Accepted(reference="x")


# ---- webhooks


def hear(hook: Hook, *keys: str) -> Any:
    dialect: Any = gateway_from(with_keys(HOOKED, *keys).section)._dialect
    heard = dialect.read_hook(hook, now=NOW)
    return next(iter(heard.arrivals), None)


TOLD = {"From": TEXT.to, "To": "+13125550142", "Body": ANSWER, "MessageId": "m-1"}


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(post(urlencode(TOLD)), id="a form"),
        pytest.param(post(json.dumps(TOLD), headers={"Content-Type": "application/json"}), id="JSON"),
        pytest.param(post(b"", method="GET", query=urlencode(TOLD)), id="an address"),
        pytest.param(
            post(urlencode({"Body": ANSWER, "From": TEXT.to}), query="MessageId=m-1&To=%2B13125550142"), id="both"
        ),
    ],
)
def test_a_text_is_read_wherever_its_names_stand(hook: Hook) -> None:
    text = hear(hook, RECEIVE)
    assert isinstance(text, InboundText)
    assert (text.id, text.sender, text.recipient, text.body) == ("m-1", TEXT.to, "+13125550142", ANSWER)
    assert text.received_at == NOW


@pytest.mark.parametrize(
    ("receive", "content", "expected"),
    [
        pytest.param("text: d.t, from: d.f.n", {"d": {"t": "Hi", "f": {"n": "1"}}}, ("1", "Hi", 0), id="deep in JSON"),
        pytest.param("text: t, from: To.0", {"t": "Hi", "To": ["1", "2"]}, ("1", "Hi", 0), id="in a list"),
        pytest.param(
            "text: t, from: f, encoding: url", {"f": 1, "t": "a%2Bb+c"}, ("1", "a+b c", 0), id="encoded twice"
        ),
        pytest.param(
            "text: t, from: f, media: m", {"f": "1", "t": "", "m": ["u", "v"]}, ("1", "", 2), id="pictures only"
        ),
        pytest.param(
            "text: t, from: f, media: m", {"f": "1", "t": "x", "m": "3"}, ("1", "x", 3), id="a number of pictures"
        ),
        pytest.param(
            "text: t, from: f, media: m", {"f": "1", "t": "x", "m": "http://u"}, ("1", "x", 1), id="one address"
        ),
    ],
)
def test_a_name_is_a_path_into_json(receive: str, content: object, expected: tuple[str, str, int]) -> None:
    text = hear(post(json.dumps(content)), f"receive: {{{receive}}}")
    assert (text.sender, text.body, text.media) == expected


def test_a_text_without_an_id_is_known_by_what_it_says_and_when() -> None:
    keys = "receive: {from: f, text: t, at: a}"

    def told(body: str, at: str) -> str:
        found: InboundText = hear(post(urlencode({"f": "1", "t": body, "a": at})), keys)
        return found.id

    assert told("yes", "2026-11-23T10:00:00-07:00") == told("yes", "1795453200")
    assert len({told("yes", "1"), told("yes", "2"), told("no", "1"), told("yes", "when?")}) == 4


@pytest.mark.parametrize(
    ("status", "expected"),
    [("DELIVRD", (True, True)), ("expired", (False, True)), ("ENROUTE", (False, False)), ("a\nb", (False, False))],
)
def test_a_status_in_neither_list_means_that_it_still_tries(status: str, expected: tuple[bool, bool]) -> None:
    report = hear(post(urlencode({"MessageId": "m-1", "Status": status})), REPORTS)
    assert isinstance(report, DeliveryReport)
    assert (report.delivered, report.final, report.reference) == (*expected, "m-1")
    assert "\n" not in report.detail


def test_a_report_may_bring_back_our_own_id() -> None:
    report = hear(post(urlencode({"ref": "text-1", "s": "ok"})), "reports: {id: ref, status: s, delivered: [ok]}")
    assert (report.id, report.reference) == ("text-1", None)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        pytest.param({**TOLD, "Status": "received"}, InboundText, id="a text that has a status"),
        pytest.param({**TOLD, "Status": "DELIVRD"}, DeliveryReport, id="a report that has the text"),
        pytest.param({"MessageId": "m-1", "Status": "ENROUTE"}, DeliveryReport, id="a report that it still tries"),
    ],
)
def test_texts_and_reports_are_told_apart_at_one_address(fields: dict[str, str], kind: type) -> None:
    assert isinstance(hear(post(urlencode(fields)), RECEIVE, REPORTS), kind)


def test_what_only_something_else_has_makes_it_no_text() -> None:
    receipt = json.dumps({**TOLD, "DeliveryReceipt": True})
    keys = RECEIVE.replace("}", ", unless: DeliveryReceipt}")
    assert hear(post(receipt), keys) is None
    assert hear(post(json.dumps({**TOLD, "DeliveryReceipt": False})), keys).body == ANSWER


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(post(""), id="nothing"),
        pytest.param(post("{"), id="half a JSON"),
        pytest.param(post("[" * 5000), id="too deep"),
        pytest.param(post(b"\xff\xfe=\xff"), id="bytes"),
        pytest.param(post(json.dumps({"From": ["x"], "Body": {}})), id="other shapes"),
        pytest.param(post(urlencode({"From": " ", "Body": "x"})), id="no sender"),
        pytest.param(post(urlencode({"Status": "DELIVRD"})), id="a report about nothing"),
        pytest.param(post(urlencode({"Status": "DELIVRD", "MessageId": "x" * 300})), id="a report about a novel"),
    ],
)
def test_what_makes_no_sense_is_refused(hook: Hook) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(hook, RECEIVE, REPORTS)
    assert refused.value.status == 400


BODY = urlencode(TOLD)


@pytest.mark.parametrize(
    ("keys", "digest", "written"),
    [
        ("", "sha256", bytes.hex),
        ("", "sha256", lambda mac: f"sha256={mac.hex().upper()}"),
        (", encoding: base64", "sha256", lambda mac: base64.b64encode(mac).decode()),
        (", algorithm: hmac-sha1", "sha1", bytes.hex),
        (", algorithm: hmac-sha1, encoding: base64", "sha1", lambda mac: base64.b64encode(mac).decode()),
    ],
)
def test_a_signature_is_checked_as_the_configuration_says(keys: str, digest: str, written: Any) -> None:
    hook = post(BODY, headers={"X-Sign": written(hmac.new(KEY.encode(), BODY.encode(), digest).digest())})
    assert hear(hook, RECEIVE, SIGNED.replace("}", keys + "}")).body == ANSWER


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(signed(BODY, key="another"), id="another key"),
        pytest.param(post(BODY), id="no signature"),
        pytest.param(post(BODY, headers={"X-Sign": ""}), id="an empty one"),
        pytest.param(replace(signed(BODY), body=BODY.replace("From", "Form").encode()), id="changed afterwards"),
        pytest.param(post(BODY, headers={"X-Sign": "sha256="}), id="a prefix alone"),
        pytest.param(post(BODY, headers={"X-Sign": "ü\udcff"}), id="garbage"),
    ],
)
def test_what_is_not_signed_is_refused(hook: Hook) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(hook, RECEIVE, SIGNED)
    assert refused.value.status == 403


def test_without_a_webhook_none_is_believed() -> None:
    dialect: Any = gateway_from(f"{{{REQUEST}}}")._dialect
    with pytest.raises(HookRefused) as refused:
        dialect.read_hook(post(BODY), now=NOW)
    assert refused.value.status == 403


async def test_the_gateway_hears_the_answer_that_it_wants() -> None:
    gateway = gateway_from(with_keys(HOOKED, RECEIVE, "answer: ACK/Jasmin").section)
    telling = asyncio.create_task(gateway.hook(post(BODY)))
    arrivals = gateway.incoming()
    await anext(arrivals)
    acknowledging = asyncio.ensure_future(anext(arrivals))
    assert (await asyncio.wait_for(telling, SOON)).body == "ACK/Jasmin"
    acknowledging.cancel()


# ---- lists


@asynccontextmanager
async def polling(poll: str, answer: Answer) -> AsyncIterator[tuple[WebGateway, HttpSink]]:
    def usual(_: Received) -> Answer:
        return answer

    async with HttpSink(usual=usual) as sink:
        address = sink.url.removesuffix("/send")
        gateway = gateway_from(f"{{{REQUEST}, poll: {{{poll}}}}}", address)
        await gateway.start()
        try:
            yield gateway, sink
        finally:
            await gateway.close()


LISTED = [
    {"n": "m-2", "who": OTHER, "what": "later", "at": 1795453260},
    {"n": "m-1", "who": TEXT.to, "what": ANSWER, "at": 1795453200},
    {"n": "m-0", "who": "", "what": "from nobody"},
    "nonsense",
]
POLL = 'url: "{url}/inbox?since={since}", items: data.texts, from: who, text: what, id: n, at: at'


async def test_a_list_is_asked_for_and_told_oldest_first() -> None:
    answer = Answer(200, json.dumps({"data": {"texts": LISTED}}).encode())
    async with polling(POLL, answer) as (gateway, sink):
        arrivals = gateway.incoming()
        async with asyncio.timeout(SOON):
            first, second = await anext(arrivals), await anext(arrivals)
    assert isinstance(first, InboundText)
    assert isinstance(second, InboundText)
    assert (first.id, first.body, second.id) == ("m-1", ANSWER, "m-2")
    asked = sink.requests[0]
    assert re.fullmatch(r"/inbox\?since=20\d\d-\d\d-\d\dT\d\d%3A\d\d%3A\d\dZ", asked.target)
    assert (asked.method, asked.headers["authorization"]) == ("GET", "Bearer t0ken")


async def test_a_list_of_hundreds_of_texts_is_read_whole() -> None:
    texts = [{"n": f"m-{number}", "who": OTHER, "what": "x" * 300, "at": 1795453200 + number} for number in range(500)]
    async with polling(POLL, Answer(200, json.dumps({"data": {"texts": texts}}).encode())) as (gateway, _sink):
        arrivals = gateway.incoming()
        async with asyncio.timeout(SOON):
            ids = [getattr(await anext(arrivals), "id", "") for _ in texts]
    assert ids == [text["n"] for text in texts]


@pytest.mark.parametrize(
    "answer", [Answer(500), Answer(200, b"<html>"), Answer(200, b'{"data": 1}'), Answer(401, b"[]")]
)
async def test_a_list_that_cannot_be_read_is_told_once(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    async with polling(f"{POLL}, every: 1s", answer) as (_gateway, sink):
        await until(lambda: len(sink.requests) >= 3)
    assert [record.msg for record in caplog.records] == ["the gateway cannot be asked what arrived"]
    assert "t0ken" not in str(vars(caplog.records[0]))


# ---- faults


FAULTS = [
    (RECEIVE, "receive: there is no webhook"),
    ("answer: ok", "answer: there is no webhook"),
    (HOOKED, "webhook: nothing says what it tells"),
    (f"{HOOKED}, receive: {{from: x}}", "receive.text: this key is missing"),
    (f"{HOOKED}, receive: {{from: x, text: y, mdeia: z}}", "Did you mean media?"),
    (f"{HOOKED}, reports: {{status: x, delivered: y}}", "reports: nothing says which text it is about"),
    (f"{HOOKED}, reports: {{id: i, status: x}}", "reports.delivered: this key is missing"),
    (
        f"{HOOKED}, reports: {{id: i, status: x, delivered: [A], failed: [b, a]}}",
        "reports.failed: 'a' stands in delivered too",
    ),
    (f"{HOOKED}, {RECEIVE}, signature: {{header: x}}", "signature.secret: this key is missing"),
    (
        f"{HOOKED}, {RECEIVE}, signature: {{header: x, secret: y, algorithm: md5}}",
        "'md5' is none of hmac-sha256, hmac-sha1",
    ),
    ("poll: {url: 'http://h/', from: x, text: y}", "poll: nothing tells a text from its repetition"),
    ("poll: {url: 'h', from: x, text: y, id: z}", "poll.url: this is not a web address"),
    ("poll: {url: 'http://h/{sinse}', from: x, text: y, id: z}", "Did you mean {since}?"),
    ("poll: {url: 'http://h/', from: x, text: y, id: z, every: 5}", "poll.every: '5' is not a duration"),
    ("result: {path: x}", "result.accepted: this key is missing"),
    ("result: {path: '/(/', accepted: ok}", "is not a regular expression"),
    ("result: {path: x, accepted: ok, refused: [OK]}", "result.refused: 'OK' stands in accepted too"),
]


@pytest.mark.parametrize(("keys", "fault"), FAULTS)
def test_a_fault_is_told_with_its_place(keys: str, fault: str) -> None:
    section = f"{{{REQUEST}, {keys}}}".replace("{url}", "http://127.0.0.1:9")
    with pytest.raises(ConfigError) as told:
        loads(CONFIG.format(section=section))
    assert len(told.value.faults) == 1
    assert fault in told.value.faults[0]
    assert re.match(r"textbackd\.yaml:\d+: gateways\.web", told.value.faults[0])


# ---- recipes


DOCUMENT = Path(__file__).parents[2] / "docs/gateways/http.md"
RECIPES: dict[str, dict[str, Any]] = {
    name: section
    for block in re.findall(r"```yaml\n(gateways:\n.*?)```", DOCUMENT.read_text(), re.DOTALL)
    for name, section in yaml.safe_load(block)["gateways"].items()
}
# name → what it answers → method, target and content of the request, and the reference of the answer
ACCEPTING = {
    "goip": (b"Sending,L1 Send SMS to:+13035550126; ID:00001514", "00001514"),
    "openvox": (b'{"message": "x", "report": [{"0": [{"port": "1", "id": "text-1", "result": "sending"}]}]}', "text-1"),
    "skyetel": (b"{}", None),
    "bulkvs": (b'{"RefId": "abc", "Results": []}', "abc"),
    "jasmin": (b'Success "07033084-5cfd"', "07033084-5cfd"),
}


def recipe(name: str, url: str = "http://127.0.0.1:9") -> str:
    """Return the YAML of a recipe, on one line, towards the sink and without secrets from elsewhere."""
    section = dict(RECIPES[name])
    section["url"] = re.sub(r"^https?://[^/]+", "{url}", section["url"])
    written = json.dumps(section, ensure_ascii=False)
    return re.sub(
        r"\$\{[A-Z_]+\}|file:[a-z.]+(?<!hook)(?=\")", "s3cret", re.sub(r"file:[a-z]+\.hook", HOOK_SECRET, written)
    )


def test_every_recipe_is_tried() -> None:
    assert {*ACCEPTING, "web"} == {*RECIPES}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_a_configuration_without_faults(name: str) -> None:
    assert isinstance(gateway_from(recipe(name)), HttpGateway)


@pytest.mark.parametrize("name", sorted(ACCEPTING))
async def test_a_recipe_sends_a_text_and_reads_the_answer(name: str) -> None:
    body, reference = ACCEPTING[name]
    vendor = replace(VENDOR, section=recipe(name))
    async with HttpSink(usual=lambda _: Answer(200, body)) as sink, started(vendor, WebPeer(vendor, sink)) as gateway:
        assert await gateway.send(TEXT) == Accepted(reference=reference)
    sent = sink.requests[0]
    whole = sent.target + sent.body.decode()
    assert quote_plus(TEXT.body) in whole or TEXT.body in whole or TEXT.body.replace(" ", "%20") in whole
    assert TEXT.to.removeprefix("+") in whole


async def test_jasmin_is_told_our_webhook_and_skyetel_eleven_digits() -> None:
    accept = Answer(200, b'Success "1"')
    jasmin = await one_request(replace(VENDOR, section=recipe("jasmin"), accept=lambda *_: accept), TEXT)
    assert dict(jasmin.form())["dlr-url"] == HOOK_URL
    skyetel = await one_request(replace(VENDOR, section=recipe("skyetel"), accept=lambda *_: accept), TEXT)
    assert skyetel.target == f"/v1/out?from={str(TEXT.sender).removeprefix('+')}"
    assert skyetel.json() == {"to": TEXT.to.removeprefix("+"), "text": TEXT.body}


async def test_a_goip_without_a_network_is_not_sent() -> None:
    vendor = replace(VENDOR, section=recipe("goip"))
    answer = Answer(200, b"ERROR,L1 GSM logout")
    async with HttpSink(usual=lambda _: answer) as sink, started(vendor, WebPeer(vendor, sink)) as gateway:
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT


@pytest.mark.parametrize(
    ("name", "hook", "sender", "body"),
    [
        ("openvox", post(b"", method="GET", query="num=%2B13035550126&text=Hi"), TEXT.to, "Hi"),
        ("skyetel", post(json.dumps({"from": "13035550126", "to": "1", "text": "Hi"})), "13035550126", "Hi"),
        ("bulkvs", post(json.dumps({"From": "13035550126", "To": ["1"], "Message": "a+b%21"})), "13035550126", "a b!"),
        (
            "jasmin",
            post(urlencode({"id": "1", "from": "13035550126", "to": "1", "content": "Hi"})),
            "13035550126",
            "Hi",
        ),
    ],
)
def test_a_recipe_reads_replies(name: str, hook: Hook, sender: str, body: str) -> None:
    dialect: Any = gateway_from(recipe(name))._dialect
    (text,) = dialect.read_hook(hook, now=NOW).arrivals
    assert (text.sender, text.body) == (sender, body)


def test_jasmins_reports_are_understood() -> None:
    dialect: Any = gateway_from(recipe("jasmin"))._dialect
    heard = dialect.read_hook(post("id=0703&id_smsc=2&message_status=DELIVRD&level=2&text=Sorry"), now=NOW)
    assert (heard.arrivals[0].reference, heard.arrivals[0].delivered, heard.reply.body) == ("0703", True, "ACK/Jasmin")
