"""Answers that come late: a text is out once, and its fate is told as soon as it is known."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.gateways.contract import TEXT, failure_of
from tests.gateways.modem_shop import SHORT, SOON, Shop, arrivals, gateway_of, until
from textbackd.gateways.base import DeliveryReport, Fate, Health, HearsLate, LateAnswer
from textbackd.gateways.modem.pdu import submit_pdus

pytestmark = pytest.mark.modem


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    shop.quirks.report_status = None
    with shop.modem:
        yield shop


@pytest.mark.parametrize("hundredths", [45, 100, 170])
async def test_an_answer_after_45_100_or_170_hundredths_of_its_time_is_waited_for(shop: Shop, hundredths: int) -> None:
    # A hundredth of what networks take; the modem's three minutes are 1.8 seconds, and half of that more for a busy machine.
    shop.next_texts(f"deaf:{hundredths / 100}")
    async with gateway_of(shop, submit=timedelta(seconds=2.7)) as gateway:
        assert (await gateway.send(TEXT)).reference == "1"
    assert len(shop.on_air()) == 1


@pytest.mark.parametrize("word", ["late:1.5", "deaf:1.5"])
async def test_an_answer_after_the_time_out_is_told_with_the_text_that_it_is_about(shop: Shop, word: str) -> None:
    shop.next_texts(word)
    async with gateway_of(shop, submit=SHORT) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        assert await arrivals(gateway, 1) == [LateAnswer(id=TEXT.id, reference="1")]
    assert len(shop.on_air()) == 1


async def test_the_next_text_does_not_get_the_answer_of_the_last(shop: Shop) -> None:
    shop.next_texts("deaf:1.5", "ok")
    async with gateway_of(shop, submit=SHORT, late=timedelta(seconds=SOON)) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        assert (await gateway.send(replace(TEXT, id="text-2"))).reference == "2"
        assert await arrivals(gateway, 1) == [LateAnswer(id=TEXT.id, reference="1")]


async def test_the_late_answer_to_the_last_part_has_the_references_of_all(shop: Shop) -> None:
    shop.next_texts("ok", "deaf:1.5")
    async with gateway_of(shop, submit=SHORT) as gateway:
        assert (await failure_of(gateway, replace(TEXT, body="a" * 161))).fate is Fate.UNKNOWN
        assert await arrivals(gateway, 1) == [LateAnswer(id=TEXT.id, reference="1,2")]


async def test_the_late_answer_to_another_part_does_not_make_the_text_whole(shop: Shop) -> None:
    shop.next_texts("deaf:1.5")
    async with gateway_of(shop, submit=SHORT, late=timedelta(seconds=SOON)) as gateway:
        assert (await failure_of(gateway, replace(TEXT, body="a" * 161))).fate is Fate.UNKNOWN
        assert (await gateway.send(TEXT)).reference == "2"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(aiter(gateway.incoming()))
    assert [part.number for part in shop.on_air()] == [1, 1]


@pytest.mark.parametrize("word", ["cms:28", "cms:500", "error"])
async def test_a_reference_after_an_error_is_no_late_answer(shop: Shop, word: str) -> None:
    shop.next_texts(word)
    async with gateway_of(shop) as gateway:
        await failure_of(gateway)
        shop.modem.say(b"\r\n+CMGS: 9\r\n")
        await gateway.send(replace(TEXT, id="text-2"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(aiter(gateway.incoming()))


async def test_an_error_after_the_time_out_tells_nothing(shop: Shop) -> None:
    shop.next_texts("silent")
    async with gateway_of(shop, submit=SHORT) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        shop.modem.say(b"\r\n+CMS ERROR: 38\r\n")
        await gateway.send(replace(TEXT, id="text-2"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(aiter(gateway.incoming()))


async def handed_over_by_another(shop: Shop) -> None:
    """Have a process hand a text to the modem and die before the answer."""
    (pdu,) = submit_pdus(to=TEXT.to, body=TEXT.body, reference=0, smsc=None, valid_for=None, report=True)
    port = os.open(shop.modem.port, os.O_RDWR | os.O_NOCTTY)
    os.write(port, f"AT+CNMI=2,1,0,1,0\rAT+CMGS={pdu.length}\r".encode())
    await until(lambda: len(shop.modem.commands) == 2)
    os.write(port, f"{pdu.hex}\x1a".encode())
    await until(lambda: len(shop.on_air()) == 1)
    os.close(port)


async def test_after_a_kill_the_answer_is_heard_before_the_modem_is_spoken_to(shop: Shop) -> None:
    shop.quirks.submit, shop.quirks.report_status, shop.quirks.report_after = "late:0.5", 0, 0.6
    await handed_over_by_another(shop)
    async with gateway_of(shop, late=timedelta(seconds=SOON), cut_off=True) as gateway:
        assert isinstance(gateway, HearsLate)
        # On a slow machine the modem has said both before anybody listens: then the report may be read first.
        late, report = sorted(await arrivals(gateway, 2), key=lambda one: isinstance(one, DeliveryReport))
        assert late == LateAnswer(id=None, reference="1")
        assert isinstance(report, DeliveryReport)
        assert report.delivered
        await until(lambda: gateway.health() is Health.UP)
    assert len(shop.on_air()) == 1


async def test_nothing_is_written_while_an_answer_is_owed_and_nothing_is_waited_for_otherwise(shop: Shop) -> None:
    async with gateway_of(shop, late=timedelta(seconds=1), cut_off=True) as gateway:
        await asyncio.sleep(0.3)
        assert shop.modem.commands == []
        await until(lambda: gateway.health() is Health.UP)
    begun = asyncio.get_running_loop().time()
    async with gateway_of(shop, late=timedelta(hours=1)) as gateway:
        await until(lambda: gateway.health() is Health.UP)
    assert asyncio.get_running_loop().time() - begun < SOON


async def test_a_reference_out_of_nowhere_is_no_late_answer(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        await until(lambda: gateway.health() is Health.UP)
        shop.modem.say(b"\r\n+CMGS: 9\r\n")
        await gateway.send(TEXT)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(aiter(gateway.incoming()))
