"""Kannel: the contract on its answers as recorded from version 1.4.5, then all of it again on a real Kannel with its own network."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from tests.gateways.contract import ANSWER, TEXT, GatewayContract, Peer, Trait, failure_of, next_of
from tests.gateways.kannel import (
    BLACKLISTED,
    PASSWORD,
    UNROUTABLE,
    Kannel,
    Listener,
    incoming,
    listener,
    running,
)
from tests.gateways.sink import Answer, HttpSink, Received
from tests.gateways.waiting import until
from tests.gateways.web_peer import HOOK_URL, Vendor, VendorContract, WebPeer, post, section_from, started
from textbackd.core.phone import E164
from textbackd.gateways.base import (
    Accepted,
    DeliveryReport,
    Fate,
    Gateway,
    Hook,
    HookRefused,
    InboundText,
    Lent,
    OutboundText,
    SendFailed,
)
from textbackd.gateways.kannel import KannelDialect, build
from textbackd.gateways.web.gateway import WebGateway

SECTION = (
    f'{{type: kannel, username: textbackd, password: "{PASSWORD}", number: "+13125550142", timeout: 1s,'
    ' url: "{url}/cgi-bin/sendsms"}'
)
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
NO_OPT_OUT = "Kannel keeps no list of who told STOP"
NO_REFERENCE = "Kannel answers without an id; its reports bring back ours"


def read(received: Received) -> tuple[str, str]:
    fields = dict(received.query())
    return fields["to"], fields["text"]


def text_hook(sender: str, body: str, message: str) -> Hook:
    content = quote(body.encode("utf-16-be"))
    query = f"id={message}&from={quote(sender, safe='')}&to=13125550142&text={content}&charset=UTF-16BE&at=1795578771"
    return post(b"", method="GET", query=query)


def report_hook(_reference: str, delivered: bool) -> Hook:
    return report(report="1" if delivered else "2")


def report(**fields: str) -> Hook:
    return post(b"", method="GET", query=urlencode({"id": TEXT.id, "to": TEXT.to, "said": ""} | fields))


VENDOR = Vendor(
    section=SECTION,
    read=read,
    accept=lambda _number, _received: Answer(202, b"0: Accepted for delivery"),
    refused=Answer(400, b"Number(s) has/have been denied by white- and/or black-lists."),
    unfit=Answer(403, b"Authorization failed for sendsms"),
    throttled=Answer(503, b"Temporal failure, try again later.", taken=False),
    text_hook=text_hook,
    report_hook=report_hook,
)


class TestKannel(VendorContract):
    """What every gateway keeps, on recorded answers."""

    vendor = VENDOR
    secrets: ClassVar = (PASSWORD,)
    cannot: ClassVar = {Trait.OPT_OUT: NO_OPT_OUT, Trait.REFERENCE: NO_REFERENCE}


# ---- the request


def asked(text: OutboundText = TEXT, section: str = SECTION, hook_url: str | None = HOOK_URL) -> dict[str, str]:
    dialect = KannelDialect(section_from(section), hook_url)
    return dict(parse_qsl(urlsplit(str(dialect.request(text, now=NOW).url)).query))


@pytest.mark.parametrize(
    ("body", "coding"), [("Sorry [we] missed you €", "0"), ("Grüße", "0"), ("“Sorry”", "2"), ("😀", "2")]
)
def test_a_text_is_sent_in_the_alphabet_that_holds_it(body: str, coding: str) -> None:
    fields = asked(replace(TEXT, body=body))
    assert (fields["text"], fields["coding"], fields["charset"]) == (body, coding, "UTF-8")


@pytest.mark.parametrize(
    ("keys", "sender"),
    [
        pytest.param('number: "+13125550142"', "+13125550142", id="the gateway's number"),
        pytest.param("from: called_did", TEXT.sender, id="the number that was called"),
        pytest.param("rate: 9/min", None, id="Kannel's own choice"),
    ],
)
def test_a_text_comes_from_the_number_that_is_chosen(keys: str, sender: str | None) -> None:
    assert asked(section=f"{{type: kannel, username: a, password: b, {keys}}}").get("from") == sender


def test_the_connection_that_is_named_is_asked_for() -> None:
    assert asked(section="{type: kannel, username: a, password: b, smsc: modem1}")["smsc"] == "modem1"
    assert "smsc" not in asked()


@pytest.mark.parametrize(("seconds", "minutes"), [(600, "10"), (541, "10"), (1, "1"), (-500, "1")])
def test_the_time_that_is_left_is_told_in_minutes(seconds: int, minutes: str) -> None:
    assert asked(replace(TEXT, valid_until=NOW + timedelta(seconds=seconds)))["validity"] == minutes


def test_reports_are_asked_for_only_where_there_is_a_webhook() -> None:
    assert asked()["dlr-url"] == f"{HOOK_URL}?id={TEXT.id}&report=%d&to=%p&said=%A"
    assert not {"dlr-url", "dlr-mask"} & asked(hook_url=None).keys()


def test_a_percent_sign_of_our_address_is_none_of_kannels_codes() -> None:
    assert asked(hook_url="https://sms.example.com/hook/k%C3%A4/x")["dlr-url"].startswith(
        "https://sms.example.com/hook/k%%C3%%A4/x?id="
    )


@pytest.mark.parametrize(
    ("status", "body", "fate"),
    [
        (403, b"Not routable. Do not try again.", Fate.NOT_SENT),
        (403, b"Something new", Fate.GATEWAY_UNFIT),
        (400, b"Sender missing and no global set, rejected", Fate.GATEWAY_UNFIT),
        (400, b"DLR-URL field misformed, rejected", Fate.GATEWAY_UNFIT),
        (400, b"Charset or body misformed, rejected", Fate.REFUSED),
        (404, b"<html>", Fate.GATEWAY_UNFIT),
        (500, b"Sending failed.", Fate.UNKNOWN),
        (503, b"Temporal failure, try again later.", Fate.NOT_SENT),
        (503, b"<html>a proxy", Fate.UNKNOWN),
        (200, b"0: Accepted for delivery", Fate.UNKNOWN),
    ],
)
async def test_each_answer_means_what_the_table_says(status: int, body: bytes, fate: Fate) -> None:
    async with (
        HttpSink(usual=lambda _: Answer(status, body)) as sink,
        started(VENDOR, WebPeer(VENDOR, sink)) as gateway,
    ):
        assert (await failure_of(gateway)).fate is fate


# ---- what comes in


def hear(hook: Hook) -> InboundText | DeliveryReport:
    (arrival,) = KannelDialect(section_from(SECTION), HOOK_URL).read_hook(hook, now=NOW).arrivals
    assert isinstance(arrival, InboundText | DeliveryReport)
    return arrival


@pytest.mark.parametrize(
    ("value", "delivered", "final", "words"),
    [
        ("1", True, True, "delivered"),
        ("2", False, True, "not delivered"),
        ("4", False, False, "waiting in the network"),
        ("8", False, False, "taken by the network"),
        ("16", False, True, "refused by the network"),
    ],
)
def test_each_report_says_whether_it_is_the_last_word(value: str, delivered: bool, final: bool, words: str) -> None:
    told = hear(report(report=value))
    assert isinstance(told, DeliveryReport)
    assert (told.id, told.recipient, told.detail) == (TEXT.id, TEXT.to, words)
    assert (told.delivered, told.final) == (delivered, final)


def test_what_the_network_says_is_shown_shortly_and_in_one_line() -> None:
    told = hear(report(report="16", said="NACK/0x0000000b/Invalid\r\nAddress" + "x" * 500))
    assert isinstance(told, DeliveryReport)
    assert told.detail.startswith("refused by the network: NACK/0x0000000b/InvalidAddressx")
    assert len(told.detail) < 150


@pytest.mark.parametrize(
    ("query", "body"),
    [
        pytest.param("text=Yes%2520please!+%26+co&charset=UTF-8", "Yes%20please! & co", id="GSM-7"),
        pytest.param("text=%00Z%00o%00%EB&charset=UTF-16BE", "Zoë", id="UCS-2"),
        pytest.param("text=%D8%3D&charset=UTF-16BE", "\N{REPLACEMENT CHARACTER}", id="half an emoji"),
        pytest.param("text=%FF%FE&charset=binary", "ÿþ", id="data"),
        pytest.param("text=%C3%AB", "ë", id="no alphabet told"),
        pytest.param("text=", "", id="empty"),
    ],
)
def test_a_text_is_read_in_its_alphabet(query: str, body: str) -> None:
    told = hear(post(b"", method="GET", query=f"id=m-1&from=%2B13035550126&{query}"))
    assert isinstance(told, InboundText)
    assert (told.body, told.sender, told.recipient, told.received_at) == (body, "+13035550126", None, NOW)


@pytest.mark.parametrize(
    "query", ["", "id=", "from=1&text=x", "id=1&text=x", "id=1&from=1", "id=1&report=64", "id=1&report=", "%FF=%FF&id"]
)
def test_what_kannel_does_not_say_is_refused(query: str) -> None:
    with pytest.raises(HookRefused) as refused:
        hear(post(b"", method="GET", query=query))
    assert refused.value.status == 400


# ---- a real Kannel


@pytest.fixture
async def listening() -> AsyncIterator[Listener]:
    async with listener() as one:
        yield one


@pytest.fixture
async def kannel(listening: Listener, tmp_path: Path) -> AsyncIterator[Kannel]:
    async with running(tmp_path, listening.url) as one:
        yield one


@pytest.fixture
async def real(kannel: Kannel, listening: Listener) -> AsyncIterator[WebGateway]:
    gateway = gateway_to(kannel, listening)
    await gateway.start()
    listening.gateway = gateway
    yield gateway
    await gateway.close()


def gateway_to(kannel: Kannel, listening: Listener, password: str = PASSWORD) -> WebGateway:
    # A machine that is busy with other tests must not make a time-out of an answer.
    section = SECTION.replace("{url}/cgi-bin/sendsms", kannel.url).replace("1s", "5s").replace(PASSWORD, password)
    return build("web", section_from(section), Lent(hook_url=listening.url))


class RealKannel(Peer):
    """Kannel and its simulated network as the contract wants its peer."""

    def __init__(self, kannel: Kannel, listening: Listener) -> None:
        self.kannel, self.listening = kannel, listening

    async def texts(self) -> list[tuple[str, str]]:
        await self.kannel.everything_is_out()
        return self.kannel.on_air()

    async def swallow(self) -> None:
        self.kannel.signal("bearerbox", signal.SIGSTOP)  # smsbox takes the text and waits

    async def vanish(self) -> None:
        self.kannel.signal("smsbox", signal.SIGKILL)
        await until(lambda: not self.kannel.is_up("smsbox"))

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        if again:
            self.listening.repeat(0)
        else:
            await self.kannel.to_air(incoming(sender, body))

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        """Nothing to do: the simulated network reports every text."""


@pytest.mark.slow
class TestRealKannel(GatewayContract):
    """What every gateway keeps, on a real Kannel."""

    secrets: ClassVar = (PASSWORD,)
    cannot: ClassVar = {
        Trait.OPT_OUT: NO_OPT_OUT,
        Trait.REFERENCE: NO_REFERENCE,
        Trait.REFUSE: "its lists are read at start; a number of the list is refused below",
        Trait.UNFIT: "its users are read at start; a wrong password is tried below",
        Trait.THROTTLE: "its limit is read at start; a full queue is tried below",
        Trait.GARBLE: "smsbox answers what it answers; nonsense is tried on recorded answers",
        Trait.FAILURE_REPORT: "fakesmsc delivers every text; failures are tried on recorded reports",
    }

    @pytest.fixture
    async def peer(self, kannel: Kannel, listening: Listener) -> Peer:
        return RealKannel(kannel, listening)

    @pytest.fixture
    async def gateway(self, real: WebGateway) -> Gateway:
        return real


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "password", "fate"),
    [
        pytest.param(BLACKLISTED, PASSWORD, Fate.REFUSED, id="a number of its black list"),
        pytest.param(UNROUTABLE, PASSWORD, Fate.NOT_SENT, id="no connection for this number"),
        pytest.param(TEXT.to, "wrong", Fate.GATEWAY_UNFIT, id="a wrong password"),
    ],
)
async def test_kannels_refusals_are_understood(
    kannel: Kannel, listening: Listener, to: str, password: str, fate: Fate
) -> None:
    gateway = gateway_to(kannel, listening, password)
    await gateway.start()
    try:
        assert (await failure_of(gateway, replace(TEXT, to=E164(to)))).fate is fate
    finally:
        await gateway.close()
    await kannel.everything_is_out()
    assert kannel.on_air() == []


@pytest.mark.slow
async def test_a_full_queue_is_not_sent_and_goes_out_once_when_tried_again(listening: Listener, tmp_path: Path) -> None:
    async with running(tmp_path, listening.url, limit=1) as kannel:
        gateway = gateway_to(kannel, listening)
        await gateway.start()
        kannel.signal("fakesmsc", signal.SIGKILL)
        await until(lambda: not kannel.is_up("fakesmsc"))
        waiting = [replace(TEXT, id=f"text-{number}", body=f"text {number}") for number in range(4)]
        told = {text.body: await fate_of(gateway, text) for text in waiting}
        assert set(told.values()) == {None, Fate.NOT_SENT}
        await kannel.to_air()
        await until(lambda: len(kannel.on_air()) == list(told.values()).count(None))
        for text in waiting:
            if told[text.body] is Fate.NOT_SENT:
                await gateway.send(text)
        await kannel.everything_is_out()
        assert sorted(body for _, body in kannel.on_air()) == sorted(told)
        await gateway.close()


async def fate_of(gateway: Gateway, text: OutboundText) -> Fate | None:
    """Return how a text failed; None: it was accepted."""
    try:
        await gateway.send(text)
    except SendFailed as exc:
        return exc.fate
    return None


@pytest.mark.slow
@pytest.mark.parametrize("body", ["Euro € [we] {missed} ~ you @ $ % + & Ω", "Euro € is [ours] " * 20, "Grüße 😀 " * 60])
async def test_a_text_is_on_the_air_as_it_was_written(real: WebGateway, kannel: Kannel, body: str) -> None:
    await real.send(replace(TEXT, body=body))
    await kannel.everything_is_out()
    assert kannel.on_air() == [(TEXT.to, body)]


@pytest.mark.slow
async def test_what_we_could_not_store_kannel_tells_again_under_the_same_id(
    real: WebGateway, kannel: Kannel, listening: Listener
) -> None:
    listening.broken = 2
    await kannel.to_air(incoming(TEXT.to, ANSWER))
    text = await next_of(real, InboundText)
    await until(lambda: listening.statuses == [500, 500, 200])
    assert {hook.target.partition("&")[0] for hook in listening.hooks} == {f"/hook?id={text.id}"}
    assert (text.sender, text.body, text.recipient) == (TEXT.to, ANSWER, "13125550142")


@pytest.mark.slow
async def test_two_hundred_texts_go_out_once_each_and_each_is_reported(real: WebGateway, kannel: Kannel) -> None:
    texts = [replace(TEXT, id=f"text-{number}", body=f"text number {number}") for number in range(200)]
    reports: dict[str | None, bool] = {}

    async def take() -> None:
        async for arrival in real.incoming():
            assert isinstance(arrival, DeliveryReport)
            if arrival.final:
                reports[arrival.id] = arrival.delivered

    taking = asyncio.create_task(take())
    for text in texts:
        assert (await real.send(text)) == Accepted(reference=None)
    await kannel.everything_is_out()
    assert sorted(kannel.on_air()) == sorted((text.to, text.body) for text in texts)
    await until(lambda: len(reports) == len(texts))
    assert reports == {text.id: True for text in texts}
    taking.cancel()


@pytest.mark.slow
async def test_a_text_that_smsbox_handed_on_before_it_died_is_unknown_and_out_once(
    real: WebGateway, kannel: Kannel
) -> None:
    kannel.signal("bearerbox", signal.SIGSTOP)
    sending = asyncio.create_task(fate_of(real, TEXT))
    log = kannel.folder / "smsbox.log"
    await until(lambda: "wait for bearerbox" in log.read_text(errors="replace"))
    kannel.signal("smsbox", signal.SIGKILL)
    assert await sending is Fate.UNKNOWN
    kannel.signal("bearerbox", signal.SIGCONT)
    await until(lambda: not kannel.is_up("smsbox"))
    await kannel.start()
    await kannel.everything_is_out()
    assert kannel.on_air() == [(TEXT.to, TEXT.body)]


def at_least(count: int, things: Collection[object]) -> bool:
    return len(things) >= count


@pytest.mark.slow
async def test_nothing_goes_out_twice_when_bearerbox_is_killed(real: WebGateway, kannel: Kannel) -> None:
    """What proved not to have gone out is sent again, as the outbox does; what is unknown is not."""
    fresh = (replace(TEXT, id=f"text-{number}", body=f"text number {number}") for number in itertools.count())
    enough_killed = asyncio.Event()
    waiting: list[OutboundText] = []
    accepted: set[str] = set()
    unknown: set[str] = set()
    failed: list[Fate] = []

    async def send_all() -> None:
        while waiting or not enough_killed.is_set():
            text = waiting.pop(0) if waiting else next(fresh)
            fate = await fate_of(real, text)
            if fate is None:
                accepted.add(text.body)
                continue
            failed.append(fate)
            if fate is Fate.NOT_SENT:
                waiting.append(text)
                await asyncio.sleep(0.1)
            else:
                assert fate is Fate.UNKNOWN
                unknown.add(text.body)

    sending = asyncio.create_task(send_all())
    for _ in range(3):
        await until(partial(at_least, len(accepted) + 20, accepted))
        failures = len(failed)
        kannel.signal("bearerbox", signal.SIGKILL)
        await until(partial(at_least, failures + 1, failed))
        kannel.signal("smsbox", signal.SIGKILL)  # it would end by itself, ten seconds later
        await kannel.start()
    enough_killed.set()
    lost_at_most = set(accepted)  # without a store Kannel forgets what it had accepted and not passed on
    await asyncio.wait_for(sending, 60)
    await real.send(replace(TEXT, id="text-last", body="the last one"))
    await kannel.everything_is_out()
    bodies = [body for _, body in kannel.on_air()]
    assert len(bodies) == len(set(bodies))
    assert accepted.isdisjoint(unknown)
    assert (accepted - lost_at_most) | {"the last one"} <= set(bodies)
