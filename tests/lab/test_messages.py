"""Texts as SIP MESSAGE on real Asterisks: what MessageSend's answer proves, and how a text comes in through the dialplan that we ship."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.gateways.contract import ANSWER, TEXT, failure_of, next_of
from tests.gateways.web_peer import section_from
from textbackd.core.events import Event
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.gateways.asterisk_message import TOO_LONG
from textbackd.gateways.base import Accepted, Fate, Gateway, Health, InboundText, Lent
from textbackd.gateways.registry import build
from textbackd.pbx.client import AmiClient

from .ami import Listener
from .asterisk import Asterisk
from .shop import open_shop
from .sipp import Actor, Stage, Step, gets_text, pause, texts, waits

pytestmark = pytest.mark.lab

OURS = "+12015550100"


def section_of(pbx: Asterisk, endpoint: str = "trunk") -> str:
    return (
        f"{{type: asterisk_message, endpoint: {endpoint}, from: called_did,"
        f' domain: "{pbx.trunk_host()}:{pbx.sip_port}"}}'
    )


@dataclass(slots=True)
class Texting:
    """A gateway on a real PBX, and the events that the tracker got meanwhile."""

    gateway: Gateway
    events: list[Event | None] = field(default_factory=list)


@asynccontextmanager
async def texting(pbx: Asterisk, *, user: str = "texting", endpoint: str = "trunk") -> AsyncIterator[Texting]:
    """Log in as a shop does and run the gateway."""
    events: list[Event | None] = []
    client = AmiClient(
        "office",
        host=pbx.host,
        port=pbx.ami_port,
        username=user,
        secret=pbx.textbackd_secret,
        take=events.extend,
    )
    section = section_from(section_of(pbx, endpoint))
    gateway = build("trunk", section, Lent(managers={"office": client}))
    connection = asyncio.create_task(client.run())
    await gateway.start()
    try:
        async with asyncio.timeout(20):
            while not client.is_connected:  # noqa: ASYNC110  # the client tells nobody; it is asked
                await asyncio.sleep(0.02)
        yield Texting(gateway, events)
    finally:
        await gateway.close()
        connection.cancel()
        await asyncio.wait({connection})


def requests(actor: Actor) -> int:
    """Return how many MESSAGE requests an actor has seen, repeated ones included."""
    return actor.story().count("\nMESSAGE sip:")


# ---- outwards


@pytest.mark.parametrize("code", [202, 404, 503])
async def test_success_comes_before_the_trunk_has_answered_whatever_it_says(asterisk: Asterisk, code: int) -> None:
    with Stage(asterisk) as stage:
        provider = stage.outside(gets_text(code))
        async with texting(asterisk) as shop:
            assert await shop.gateway.send(replace(TEXT, body=ANSWER)) == Accepted(reference=None)
            assert shop.gateway.health() is Health.UP
            await asyncio.to_thread(provider.wait)
            story = provider.story()
    assert f"MESSAGE sip:{TEXT.to}@{asterisk.trunk_host()}" in story
    assert f"From: <sip:{TEXT.sender}@{asterisk.trunk_host()}" in story
    assert ANSWER in story


async def test_success_comes_also_when_the_trunk_is_silent_and_asterisk_repeats_the_text(asterisk: Asterisk) -> None:
    with Stage(asterisk) as stage:
        provider = stage.outside([Step("expect_message"), pause(1), Step("expect_message"), pause(60)])
        async with texting(asterisk) as shop:
            assert await shop.gateway.send(TEXT) == Accepted(reference=None)
            async with asyncio.timeout(30):
                while requests(provider) < 2:  # noqa: ASYNC110  # a file is read
                    await asyncio.sleep(0.1)
        stage.dismiss(provider)


async def test_success_comes_also_when_there_is_nobody_at_the_trunk(asterisk: Asterisk) -> None:
    async with texting(asterisk) as shop:
        assert await shop.gateway.send(TEXT) == Accepted(reference=None)


async def test_an_endpoint_that_there_is_not_is_an_error_and_nothing_is_sent(asterisk: Asterisk) -> None:
    with Stage(asterisk) as stage:
        provider = stage.outside([Step("expect_message"), pause(60)])
        async with texting(asterisk, endpoint="nowhere") as shop:
            failed = await failure_of(shop.gateway)
            assert failed.fate is Fate.NOT_SENT
            assert "compare `endpoint`" in str(failed)
            assert shop.gateway.health() is Health.DOWN
        assert requests(provider) == 0
        stage.dismiss(provider)


async def test_an_account_without_the_class_message_may_not(asterisk: Asterisk) -> None:
    async with texting(asterisk, user="textbackd") as shop:
        failed = await failure_of(shop.gateway)
        assert failed.fate is Fate.GATEWAY_UNFIT
        assert "add `message`" in str(failed)
        assert shop.gateway.health() is Health.PAUSED


@pytest.mark.parametrize(("length", "response"), [(1022, "Success"), (1023, "Error")])
def test_a_line_of_an_action_has_room_for_1022_bytes(asterisk: Asterisk, length: int, response: str) -> None:
    body = "x" * (length - len("Body: "))
    with Listener(asterisk, "texting") as ami:
        to = f"pjsip:trunk/sip:{TEXT.to}@{asterisk.trunk_host()}"
        assert ami.act("MessageSend", To=to, Body=body)[-1]["Response"] == response


# ---- inwards


def deliver(pbx: Asterisk, steps: Sequence[Step], *, name: str = "") -> None:
    with Stage(pbx) as stage:
        stage.text("+13035550126", OURS, steps, name=name)


AWKWARD = [
    pytest.param("Yes please!\nTomorrow at 8? – Zoë 👍", id="lines and letters"),
    pytest.param("Sure :) at 8:30 (or 9:15)", id="a smile and a time, which cut the text off without the detour"),
    pytest.param("a),System(touch /tmp/here) ${SHELL(id)} $(id) `id`", id="what would be run"),
    pytest.param("x\n\nEvent: Hangup\nUniqueid: 1", id="what would be an event"),
    pytest.param("\"quoted\" 'too', a;b\\c\\n,d|e^f = %s {x} $", id="all that means something somewhere"),
    pytest.param("ü" * 511, id="as long as Asterisk takes"),
]


@pytest.mark.parametrize("body", AWKWARD)
async def test_a_text_comes_in_as_it_was_written(asterisk: Asterisk, body: str) -> None:
    async with texting(asterisk) as shop:
        await asyncio.to_thread(deliver, asterisk, texts(body), name='"x) : ("')
        text = await next_of(shop.gateway, InboundText)
    assert (text.sender, text.recipient) == ("+13035550126", OURS)
    # SIPp writes the lines of what it sends with CR LF.
    assert text.body.replace("\r\n", "\n") == body
    assert not [event for event in shop.events if event and event.headers.get("Uniqueid") == "1"]
    assert not (asterisk.root / "tmp/here").exists()


async def test_a_text_that_is_too_long_for_asterisk_is_told_without_its_words(asterisk: Asterisk) -> None:
    async with texting(asterisk) as shop:
        await asyncio.to_thread(deliver, asterisk, texts("x" * 1024))
        assert (await next_of(shop.gateway, InboundText)).body == TOO_LONG


async def test_a_text_that_comes_twice_has_one_id_and_the_next_another(asterisk: Asterisk) -> None:
    async with texting(asterisk) as shop:
        await asyncio.to_thread(deliver, asterisk, texts("Yes", times=2))
        await asyncio.to_thread(deliver, asterisk, texts("Yes"))
        ids = [(await next_of(shop.gateway, InboundText)).id for _ in range(3)]
    assert ids[0] == ids[1] != ids[2]


async def test_a_text_is_no_call(asterisk: Asterisk) -> None:
    async with texting(asterisk) as shop:
        await asyncio.to_thread(deliver, asterisk, texts("Yes"))
        await next_of(shop.gateway, InboundText)
    tracker = Tracker("office", Trunks())
    calls = [call for event in shop.events if event is not None for call in tracker.feed(event)]
    assert [*calls, *tracker.close()] == []


def test_the_daemon_texts_a_missed_caller_through_the_trunk(asterisk: Asterisk, tmp_path: Path) -> None:
    with open_shop(asterisk, tmp_path, f"trunk: {section_of(asterisk)}", username="texting") as shop:
        with Stage(asterisk) as stage:
            provider = stage.outside(gets_text(202))
            stage.call("+13035550126", "+13035550115", waits())
            shop.calls_after(0, 1)
            provider.wait()
            story = provider.story()
        assert [text["state"] for text in shop.outbox()] == ["accepted"]
    assert "MESSAGE sip:+13035550126@" in story
