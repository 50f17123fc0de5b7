"""The HTTP gateway against a real sink that breaks in every way there is."""

import asyncio
import json
import re
import signal
import socket
import sys
import traceback
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pytest

from textbackd.core.phone import E164
from textbackd.errors import TextbackdError
from textbackd.gateways.base import Accepted, Fate, Gateway, Health, OutboundText, SendFailed
from textbackd.gateways.http import HttpGateway
from textbackd.gateways.web.exchange import ANSWER_LIMIT

from . import sink as sink_module
from .contract import GatewayContract, Peer, Trait
from .sink import Answer, Fault, HttpSink

pytestmark = pytest.mark.slow

CALLER = E164("+13035550126")
OURS = E164("+12015550100")
TEXT = OutboundText(id="text-1", to=CALLER, sender=OURS, body="Sorry we missed your call", valid_until=None)
IMPATIENT = timedelta(seconds=0.3)
# Every character that means something in a URL, a form, JSON, XML or a template.
AWKWARD = """{to} {id} "quoted" \\ <b> & = ? # % + / ' Grüße 😀\nsecond line"""
TEXT_JSON = {"to": "{to}", "from": "{from}", "text": "{text}", "id": "{id}"}


@pytest.fixture
async def sink() -> AsyncIterator[HttpSink]:
    async with HttpSink() as opened:
        yield opened


@asynccontextmanager
async def gateway_to(url: str, **settings: Any) -> AsyncIterator[HttpGateway]:
    gateway = HttpGateway(name="web", url=url, **{"timeout": IMPATIENT, **settings})
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.close()


async def failure_of(gateway: HttpGateway, text: OutboundText = TEXT) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await gateway.send(text)
    return caught.value


class SinkPeer(Peer):
    """The sink as the contract wants its peer."""

    def __init__(self, sink: HttpSink) -> None:
        self.sink = sink

    async def texts(self) -> list[tuple[str, str]]:
        bodies = [json.loads(received.body) for received in self.sink.taken]
        return [(body["to"], body["text"]) for body in bodies]

    async def refuse_the_number(self) -> None:
        self.sink.script(Answer(422))

    async def be_unfit(self) -> None:
        self.sink.script(Answer(402))

    async def throttle(self) -> None:
        self.sink.script(Answer(429))

    async def garble(self) -> None:
        self.sink.script(Fault.NOT_HTTP)

    async def swallow(self) -> None:
        self.sink.script(Fault.NO_ANSWER)

    async def vanish(self) -> None:
        await self.sink.close()


class TestHttpGateway(GatewayContract):
    """What every gateway keeps, kept over HTTP."""

    cannot: ClassVar = {
        Trait.OPT_OUT: "a template knows no codes",
        Trait.DELIVER: "a template only sends",
        Trait.REPORT: "a template only sends",
    }

    @pytest.fixture
    async def peer(self, sink: HttpSink) -> AsyncIterator[Peer]:
        yield SinkPeer(sink)

    @pytest.fixture
    async def gateway(self, peer: SinkPeer) -> AsyncIterator[Gateway]:
        async with gateway_to(peer.sink.url, json=TEXT_JSON) as gateway:
            yield gateway


STATUSES = [
    *((status, Fate.UNKNOWN, Health.UP) for status in (303, 408, 409, 500, 502, 503, 504, 599, 700)),
    *((status, Fate.REFUSED, Health.UP) for status in (400, 404, 405, 413, 422, 451)),
    *((status, Fate.GATEWAY_UNFIT, Health.PAUSED) for status in (301, 302, 307, 308, 401, 402, 403)),
    (429, Fate.NOT_SENT, Health.UP),
]


@pytest.mark.parametrize(("status", "fate", "health"), STATUSES)
async def test_a_status_decides_the_fate(sink: HttpSink, status: int, fate: Fate, health: Health) -> None:
    sink.script(Answer(status, headers={"Location": sink.url, "Retry-After": "5"}))
    async with gateway_to(sink.url) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, failed.code, gateway.health()) == (fate, f"HTTP {status}", health)
    assert sink.connections == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_accepts_the_text(sink: HttpSink, status: int) -> None:
    sink.script(Answer(status, body=b""))
    async with gateway_to(sink.url) as gateway:
        assert await gateway.send(TEXT) == Accepted(reference=None)
        assert gateway.health() is Health.UP


async def test_only_the_statuses_named_as_success_accept(sink: HttpSink) -> None:
    sink.script(Answer(303, headers={"Location": "/done"}), Answer(200))
    async with gateway_to(sink.url, success={303}) as gateway:
        assert await gateway.send(TEXT) == Accepted(reference="sink-1")
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN


FAULTS = [
    pytest.param(Fault.RST_AT_ONCE, Health.DOWN, id="reset before anything is read"),
    pytest.param(Fault.RST_AFTER_HEADERS, Health.DOWN, id="reset after the headers"),
    pytest.param(Fault.RST_AFTER_BODY, Health.DOWN, id="reset after the body"),
    pytest.param(Fault.CLOSE_AFTER_BODY, Health.DOWN, id="closed after the body"),
    pytest.param(Fault.NO_ANSWER, Health.DOWN, id="never answers"),
    pytest.param(Fault.NOT_HTTP, Health.DOWN, id="answers something that is not HTTP"),
    pytest.param(Fault.HANG_IN_BODY, Health.UP, id="says 200 and hangs in the content"),
    pytest.param(Fault.BREAK_IN_BODY, Health.UP, id="says 200 and breaks off in the content"),
]


@pytest.mark.parametrize(("fault", "health"), FAULTS)
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
async def test_a_request_that_may_have_left_is_unknown_and_never_repeated(
    sink: HttpSink, method: str, fault: Fault, health: Health
) -> None:
    sink.script(fault)
    async with gateway_to(sink.url, method=method, query=TEXT_JSON) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, gateway.health()) == (Fate.UNKNOWN, health)
    assert sink.connections == 1
    assert len(sink.requests) <= 1


async def test_a_failure_status_counts_even_when_its_content_hangs(sink: HttpSink) -> None:
    sink.script(Answer(422, headers={"Content-Length": "100"}))
    async with gateway_to(sink.url) as gateway:
        assert (await failure_of(gateway)).fate is Fate.REFUSED


async def test_a_refused_connection_proves_that_nothing_was_sent(sink: HttpSink) -> None:
    await sink.close()
    async with gateway_to(sink.url) as gateway:
        failed = await failure_of(gateway)
        assert (failed.fate, gateway.health()) == (Fate.NOT_SENT, Health.DOWN)
        assert str(failed) == (
            f"web: nothing was sent to {sink.url}: there is no connection to it (Connection refused)."
        )
        await sink.open()
        assert await gateway.send(TEXT) == Accepted(reference="sink-1")
        assert gateway.health() is Health.UP


async def test_a_name_that_is_not_in_the_dns_proves_that_nothing_was_sent() -> None:
    async with gateway_to("http://gateway.invalid/send", timeout=timedelta(seconds=10)) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, gateway.health()) == (Fate.NOT_SENT, Health.DOWN)
    assert "not found in the DNS" in str(failed)


async def test_a_failed_tls_handshake_proves_that_nothing_was_sent(sink: HttpSink) -> None:
    sink.script(Fault.SPEAKS_FIRST)
    async with gateway_to(sink.url.replace("http:", "https:")) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, sink.requests) == (Fate.NOT_SENT, [])
    assert str(failed).endswith(": it does not agree on TLS.")


async def test_a_connection_that_does_not_come_in_time_proves_that_nothing_was_sent(sink: HttpSink) -> None:
    # With its queue of waiting connections full, Linux drops further ones unanswered (listen(2)).
    async with full_listener() as port, gateway_to(f"http://127.0.0.1:{port}/send") as gateway:
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT


@asynccontextmanager
async def full_listener() -> AsyncIterator[int]:
    """Yield a port on which connecting gets no answer at all."""
    listener = socket_on_loopback()
    listener.listen(0)
    waiting = [socket_on_loopback() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
    try:
        yield listener.getsockname()[1]
    finally:
        for one in (*waiting, listener):
            one.close()


def socket_on_loopback() -> socket.socket:
    opened = socket.socket()
    opened.bind(("127.0.0.1", 0))
    return opened


async def test_a_slow_answer_inside_the_timeout_is_waited_for(sink: HttpSink) -> None:
    sink.script(Fault.SLOW)
    async with gateway_to(sink.url, timeout=timedelta(seconds=20)) as gateway:
        assert await gateway.send(TEXT) == Accepted(reference="sink-1")


async def test_every_text_has_its_own_connection(sink: HttpSink) -> None:
    async with gateway_to(sink.url) as gateway:
        await gateway.send(TEXT)
        await gateway.send(replace(TEXT, id="text-2"))
    assert (len(sink.requests), sink.connections) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        pytest.param(Answer(body=b'{"id": 42}'), "42", id="a number"),
        pytest.param(Answer(body=b'{"data": {"id": "abc"}}'), "abc", id="the usual place, deeper"),
        pytest.param(Answer(body=b'{"messages": [{"message-id": "0A"}]}'), "0A", id="in a list"),
        pytest.param(Answer(body=b'\xef\xbb\xbf{"id": "bom"}'), "bom", id="after a byte order mark"),
        pytest.param(Answer(body=b'{"note": "\xff\xfe", "id": "x"}'), "x", id="beside bytes that are not UTF-8"),
        pytest.param(Answer(body=b"\xff\xfe\x00"), None, id="bytes that are not UTF-8"),
        pytest.param(Answer(body=b"0: Accepted for delivery"), None, id="not JSON"),
        pytest.param(Answer(body=b'{"id": true}'), None, id="true is no id"),
        pytest.param(Answer(body=b'{"id": {"a": 1}}'), None, id="an object is no id"),
        pytest.param(Answer(body=b'{"id": "  "}'), None, id="blank is no id"),
        pytest.param(Answer(body=b'{"id": "a\\nb"}'), None, id="two lines are no id"),
        pytest.param(Answer(body=b'{"id": "%s"}' % (b"x" * 201)), None, id="a novel is no id"),
        pytest.param(Answer(body=b"[" * 60_000), None, id="too deep to parse"),
        pytest.param(Answer(body=b'{"id": %s}' % (b"9" * 5000)), None, id="a number too long to parse"),
        pytest.param(Answer(body=b'{"id": "x"}', headers={"Content-Encoding": "gzip"}), "x", id="not really packed"),
        pytest.param(Answer(body=b" " * 10_000_000 + b'{"id": "x"}'), None, id="10 MB"),
        pytest.param(Fault.ENDLESS, None, id="without end"),
    ],
)
async def test_the_gateways_id_is_found_in_its_answer(
    sink: HttpSink, answer: Answer | Fault, reference: str | None
) -> None:
    sink.script(answer)
    async with gateway_to(sink.url, timeout=timedelta(seconds=20)) as gateway:
        assert await gateway.send(TEXT) == Accepted(reference=reference)


async def test_an_id_at_the_very_end_of_the_largest_answer_is_found(sink: HttpSink) -> None:
    content = b'{"id": "x"}'
    sink.script(Answer(body=b" " * (ANSWER_LIMIT - len(content)) + content))
    async with gateway_to(sink.url) as gateway:
        assert await gateway.send(TEXT) == Accepted(reference="x")


@pytest.mark.parametrize(
    ("written", "body", "reference"),
    [
        pytest.param("result.0.no", b'{"result": [{"no": 7}], "id": 1}', "7", id="a path"),
        pytest.param("result.5.no", b'{"result": [{"no": 7}], "id": 1}', None, id="a path past the end"),
        pytest.param("ref", b'{"id": 1}', None, id="a path that is not there, and no guess"),
        pytest.param(r"/ID: (\w+)/", b"OK ID: abc12", "abc12", id="an expression, its group"),
        pytest.param(r"/\d+/", b"OK 77", "77", id="an expression, all of it"),
        pytest.param(r"/(a)|(b)/", b"b", None, id="an expression whose first group is empty"),
        pytest.param(r"/\d+/", b"OK", None, id="an expression that is not there"),
    ],
)
async def test_the_configuration_says_where_the_id_stands(
    sink: HttpSink, written: str, body: bytes, reference: str | None
) -> None:
    sink.script(Answer(body=body))
    async with gateway_to(sink.url, reference=written) as gateway:
        assert await gateway.send(TEXT) == Accepted(reference=reference)


async def received_with(
    sink: HttpSink, *, text: OutboundText = TEXT, path: str = "", **settings: Any
) -> sink_module.Received:
    async with gateway_to(sink.url + path, **settings) as gateway:
        await gateway.send(text)
    return sink.requests[-1]


async def test_json_carries_any_text_by_structure(sink: HttpSink) -> None:
    template = {"message": {"to": ["{to}"], "body": "<{text}>"}, "ref": "{id}", "priority": 1, "flash": False}
    received = await received_with(sink, text=replace(TEXT, body=AWKWARD), json=template)
    assert received.headers["content-type"] == "application/json"
    assert received.json() == {
        "message": {"to": [CALLER], "body": f"<{AWKWARD}>"},
        "ref": "text-1",
        "priority": 1,
        "flash": False,
    }


async def test_braces_that_are_no_placeholders_stay(sink: HttpSink) -> None:
    received = await received_with(sink, json={"to": "{to}", "text": "{text}", "password": "{pa}ss{}{Text}{"})
    assert received.json() == {"to": CALLER, "text": TEXT.body, "password": "{pa}ss{}{Text}{"}


async def test_a_form_carries_any_text(sink: HttpSink) -> None:
    received = await received_with(
        sink, text=replace(TEXT, body=AWKWARD), form={"To": ["{to}", "x"], "Body": "{text}", "urgent": True, "n": 2}
    )
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert received.form() == [("To", CALLER), ("To", "x"), ("Body", AWKWARD), ("urgent", "true"), ("n", "2")]


async def test_a_query_and_a_path_carry_any_text(sink: HttpSink) -> None:
    awkward = replace(TEXT, body=AWKWARD)
    received = await received_with(
        sink, text=awkward, path="/{to}/a%2Fb/{text}?user=u%26&m={text}", method="GET", query={"text": "{text}"}
    )
    assert received.method == "GET"
    assert [unquote(step) for step in urlsplit(received.target).path.split("/")] == ["", "send", CALLER, "a/b", AWKWARD]
    assert received.query() == [("user", "u&"), ("m", AWKWARD), ("text", AWKWARD)]
    assert received.body == b""


@pytest.mark.parametrize(
    ("content_type", "arrives"),
    [
        pytest.param("application/json; charset=utf-8", r'"\"<&\nä"'.replace("ä", r"\u00e4"), id="JSON"),
        pytest.param("application/vnd.api+json", r'"\"<&\nä"'.replace("ä", r"\u00e4"), id="a kind of JSON"),
        pytest.param("text/xml", '"&quot;&lt;&amp;\nä"', id="XML"),
        pytest.param("application/x-www-form-urlencoded", '"%22%3C%26%0A%C3%A4"', id="a form"),
        pytest.param("text/plain; charset=utf-8", '""<&\nä"', id="plain"),
    ],
)
async def test_a_raw_body_is_encoded_as_its_content_type_says(sink: HttpSink, content_type: str, arrives: str) -> None:
    received = await received_with(
        sink,
        text=replace(TEXT, body='"<&\nä'),
        headers={"content-type": content_type},
        body='"{text}"',
        query={"to": "{to}"},
    )
    assert received.headers["content-type"] == content_type
    assert received.body.decode() == arrives


async def test_a_header_carries_a_text_of_one_line(sink: HttpSink) -> None:
    received = await received_with(sink, headers={"X-To": "{to}", "X-Text": "{text}"}, body="")
    assert (received.headers["x-to"], received.headers["x-text"]) == (CALLER, TEXT.body)


async def test_a_header_of_ones_own_takes_the_place_of_ours(sink: HttpSink) -> None:
    assert (await received_with(sink)).headers["user-agent"].startswith("textbackd/")
    assert (await received_with(sink, headers={"user-agent": "shop"})).headers["user-agent"] == "shop"


@pytest.mark.parametrize("control", ["\r\n", "\n", "\r", "\0"])
async def test_a_text_cannot_add_headers(sink: HttpSink, control: str) -> None:
    async with gateway_to(sink.url, headers={"X-To": "{to}", "X-Text": "{text}"}, body="") as gateway:
        failed = await failure_of(gateway, replace(TEXT, body=f"a{control}X-Evil: 1"))
        assert (failed.fate, gateway.health()) == (Fate.NOT_SENT, Health.UNKNOWN)
    assert sink.connections == 0


async def test_half_a_character_is_not_sent(sink: HttpSink) -> None:
    async with gateway_to(sink.url, form=TEXT_JSON) as gateway:
        failed = await failure_of(gateway, replace(TEXT, body="\ud83d"))
    assert (failed.fate, str(failed)) == (Fate.NOT_SENT, "web: nothing was sent: the text holds half a character.")
    assert sink.connections == 0


@pytest.mark.parametrize(
    ("chosen", "arrives"),
    [
        pytest.param(None, {"to": CALLER, "note": "by "}, id="no number: the key is left out"),
        pytest.param(OURS, {"to": CALLER, "from": OURS, "note": f"by {OURS}"}, id="the number that is chosen"),
    ],
)
async def test_from_is_the_number_that_is_chosen(sink: HttpSink, chosen: E164 | None, arrives: dict[str, str]) -> None:
    template = {"to": "{to}", "from": "{from}", "note": "by {from}"}
    received = await received_with(sink, sender_for=lambda _: chosen, json=template, query={"t": "{text}"})
    assert received.json() == arrives


async def test_an_address_alone_is_enough(sink: HttpSink) -> None:
    received = await received_with(sink)
    assert (received.method, received.target) == ("POST", "/send")
    assert received.json() == {"to": CALLER, "text": TEXT.body, "id": "text-1"}


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        pytest.param({"basic_auth": ("user", "pass:wörd")}, "Basic dXNlcjpwYXNzOnfDtnJk", id="basic"),
        pytest.param({"bearer": "token"}, "Bearer token", id="bearer"),
        pytest.param({"headers": {"authorization": "AccessKey k"}}, "AccessKey k", id="as written"),
    ],
)
async def test_credentials_go_into_the_header(sink: HttpSink, settings: dict[str, Any], header: str) -> None:
    assert (await received_with(sink, **settings)).headers["authorization"] == header


async def test_credentials_of_the_address_go_into_the_header(sink: HttpSink) -> None:
    async with gateway_to(sink.url.replace("//", "//us%40er:p%3Ass@")) as gateway:
        await gateway.send(TEXT)
    assert sink.requests[0].headers["authorization"] == "Basic dXNAZXI6cDpzcw=="
    assert sink.requests[0].target == "/send"


SECRET = "s3cr3t-needle"
SECRET_SETTINGS: dict[str, Any] = {
    "headers": {"X-Key": SECRET},
    "json": {"key": SECRET, "text": "{text}"},
    "query": {"password": SECRET, "t": "{text}", "to": "{to}"},
}


@pytest.mark.parametrize("way", [{"bearer": SECRET}, {"basic_auth": (SECRET, SECRET)}, {}])
@pytest.mark.parametrize(
    "step", [*Fault, *(Answer(status, body=SECRET.encode()) for status in (302, 400, 401, 429, 500))]
)
async def test_a_sentence_is_one_line_and_shows_no_secret_and_no_text(
    sink: HttpSink, step: Answer | Fault, way: dict[str, Any]
) -> None:
    sink.script(step)
    url = sink.url + f"/{{text}}?key={SECRET}"
    async with gateway_to(
        url if way else url.replace("//", f"//{SECRET}:{SECRET}@", 1), **SECRET_SETTINGS, **way
    ) as gateway:
        if step in (Fault.SLOW, Fault.ENDLESS):
            await gateway.send(TEXT)
            return
        failed = await failure_of(gateway)
    assert re.fullmatch(r"web: [^\n]+\.", str(failed))
    assert sink.url in str(failed)
    shown = "".join(traceback.format_exception(failed)) + repr(failed) + repr(gateway)
    for hidden in (SECRET, TEXT.body, "Sorry", CALLER, CALLER.removeprefix("+")):
        assert hidden not in shown


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        pytest.param({"url": "gateway:9000/send"}, "url: this is not an address", id="no scheme"),
        pytest.param({"url": "http://h:port/send"}, "url: this is not an address", id="no port"),
        pytest.param({"url": "http://[::1/send"}, "url: this is not an address", id="half a bracket"),
        pytest.param({"url": "http://{to}.example/"}, "url: a placeholder cannot stand in the host", id="host"),
        pytest.param({"url": "http://h/a b"}, "url: it holds a space", id="space"),
        pytest.param({"json": {"to": "{to}"}}, "nothing says {text}", id="no text"),
        pytest.param({"query": {"text": "{text}"}}, "nothing says {to}", id="no number"),
        pytest.param({"json": TEXT_JSON, "form": TEXT_JSON}, "a request has one of them", id="two bodies"),
        pytest.param({"bearer": "a", "basic_auth": ("b", "c")}, "given more than once", id="two credentials"),
        pytest.param({"bearer": "a", "headers": {"AUTHORIZATION": "b"}}, "given more than once", id="and a header"),
        pytest.param({"headers": {"X Y": "1"}}, "headers: 'X Y' is not the name of a header", id="header name"),
        pytest.param({"reference": "/(/"}, "reference: this regular expression", id="expression"),
    ],
)
def test_a_fault_of_the_template_is_told_at_once(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(TextbackdError, match=re.escape(fault)) as caught:
        HttpGateway(**{"name": "web", "url": "http://127.0.0.1:9000/send", **settings})
    assert all(line.startswith("gateways.web.") for line in str(caught.value).splitlines())


def test_all_faults_are_told_together() -> None:
    with pytest.raises(TextbackdError) as caught:
        HttpGateway(name="web", url="h", json={"a": "b"}, reference="/(/")
    assert len(str(caught.value).splitlines()) == 4


async def test_nothing_is_known_of_the_gateway_before_its_first_answer(sink: HttpSink) -> None:
    async with gateway_to(sink.url) as gateway:
        assert gateway.health() is Health.UNKNOWN
    assert sink.connections == 0


async def test_a_mended_gateway_is_up_again(sink: HttpSink) -> None:
    sink.script(Answer(402))
    async with gateway_to(sink.url) as gateway:
        await failure_of(gateway)
        assert gateway.health() is Health.PAUSED
        await gateway.send(TEXT)
        assert gateway.health() is Health.UP


async def test_closing_waits_for_the_send_in_flight(sink: HttpSink) -> None:
    sink.script(Fault.SLOW)
    async with gateway_to(sink.url, timeout=timedelta(seconds=20)) as gateway:
        send = asyncio.create_task(gateway.send(TEXT))
        await sink.arrival()
        assert not send.done()
        await gateway.close()
        assert send.done()
        assert await send == Accepted(reference="sink-1")


async def test_a_cancelled_send_is_cancelled_and_leaves_nothing_behind(sink: HttpSink) -> None:
    sink.script(Fault.NO_ANSWER)
    async with gateway_to(sink.url, timeout=timedelta(seconds=20)) as gateway:
        send = asyncio.create_task(gateway.send(TEXT))
        await sink.arrival()
        send.cancel()
        with pytest.raises(asyncio.CancelledError):
            await send
        assert await gateway.send(TEXT) == Accepted(reference="sink-2")


async def test_a_closed_gateway_sends_nothing(sink: HttpSink) -> None:
    async with gateway_to(sink.url) as gateway:
        await gateway.close()
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
    assert sink.connections == 0


async def test_nothing_comes_in(sink: HttpSink) -> None:
    async with gateway_to(sink.url) as gateway:
        waiting = asyncio.ensure_future(anext(aiter(gateway.incoming())))
        await gateway.send(TEXT)
        assert not waiting.done()
        waiting.cancel()


async def test_a_sink_killed_after_taking_a_text_has_it_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "texts.log"
    command = [sys.executable, sink_module.__file__, "--log", str(log), "--script", "500,no_answer"]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with gateway_to(url, timeout=timedelta(seconds=20)) as gateway:
        assert (await failure_of(gateway)).code == "HTTP 500"
        send = asyncio.create_task(failure_of(gateway))
        while len(log.read_text().splitlines()) < 2:  # noqa: ASYNC110  # the file is another process's
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert (await send).fate is Fate.UNKNOWN
    await process.wait()
