"""The modem gateway against ofono-phonesim: a modem, and an encoder of texts, that nobody here wrote."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.gateways.contract import LONG_BODY, TEXT, failure_of
from tests.gateways.modem_shop import arrivals, until
from tests.gateways.phonesim import CannotRunError, Phonesim, running
from textbackd.core.phone import E164
from textbackd.gateways.base import Fate, Health, InboundText
from textbackd.gateways.gsm_modem import TIMING, GsmModem

pytestmark = pytest.mark.modem


@pytest.fixture
def phonesim() -> Iterator[Phonesim]:
    try:
        with running() as started:
            yield started
    except CannotRunError as exc:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"NOT TESTED against ofono-phonesim: {exc}")


@pytest.fixture
async def gateway(phonesim: Phonesim) -> AsyncIterator[GsmModem]:
    gateway = GsmModem(name="stick", port=phonesim.port, timing=replace(TIMING, submit=timedelta(seconds=5)))
    await gateway.start()
    try:
        await until(lambda: gateway.health() is Health.UP)
        yield gateway
    finally:
        await gateway.close()


@pytest.mark.parametrize(("body", "reference"), [
    pytest.param("Sorry we missed your call", "7", id="GSM-7"),
    pytest.param("😀 Кровля", "7", id="UCS-2"),
    pytest.param(LONG_BODY, "7,7,7", id="three parts"),
])  # fmt: skip
async def test_phonesim_takes_a_text(gateway: GsmModem, body: str, reference: str) -> None:
    assert (await gateway.send(replace(TEXT, body=body))).reference == reference


async def test_phonesim_refuses_a_number_and_takes_the_next(gateway: GsmModem) -> None:
    failed = await failure_of(gateway, replace(TEXT, to=E164("+13035550008")))
    assert (failed.fate, failed.code) == (Fate.REFUSED, "CMS 28")
    assert (await gateway.send(TEXT)).reference == "7"


@pytest.mark.parametrize("body", [
    pytest.param("Hi, my roof leaks", id="GSM-7"),
    pytest.param("a{b}[c] ~^|", id="extension characters"),
    pytest.param("Grüße, Привет, 屋顶", id="UCS-2"),
    pytest.param("x" * 160, id="a full one"),
    pytest.param("The quick brown fox jumps over the lazy dog. " * 9, id="in parts"),
])  # fmt: skip
async def test_a_text_of_phonesims_own_making_is_read_and_deleted(
    gateway: GsmModem, phonesim: Phonesim, body: str
) -> None:
    phonesim.deliver("+13125550199", body)
    (item,) = await arrivals(gateway, 1)
    assert isinstance(item, InboundText)
    assert (item.sender, item.body) == ("+13125550199", body)
    phonesim.deliver("+13125550198", "the next")
    (item,) = await arrivals(gateway, 1)
    assert isinstance(item, InboundText)
    assert (item.sender, item.body) == ("+13125550198", "the next")
