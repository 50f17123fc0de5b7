"""A PIN is tried once: not twice, not after a restart, not when it could be the last try."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways.contract import TEXT, failure_of
from tests.gateways.modem_shop import Shop, gateway_of, until
from textbackd.gateways.base import Fate, Health
from textbackd.gateways.modem.sim import NOTES

pytestmark = pytest.mark.modem

RIGHT, WRONG = "0042", "1111"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    shop.quirks.pin = RIGHT
    with shop.modem:
        yield shop


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def given(shop: Shop) -> list[str]:
    return [command[9:-1] for command in shop.modem.commands if command.startswith("AT+CPIN=")]


async def paused(shop: Shop, notes: Path | None, pin: str | None) -> str:
    """Run a gateway until it pauses, as a process does that systemd starts, and return its sentence."""
    async with gateway_of(shop, pin=pin, notes=notes) as gateway:
        await until(lambda: gateway.health() is Health.PAUSED)
        failed = await failure_of(gateway)
        assert failed.fate is Fate.GATEWAY_UNFIT
    return str(failed)


async def test_a_refused_pin_is_not_tried_again_after_any_number_of_restarts(shop: Shop, notes: Path) -> None:
    for _ in range(4):
        assert "did not take the PIN" in await paused(shop, notes, WRONG)
    assert (given(shop), shop.modem.pin_tries) == ([WRONG], 2)


async def test_a_corrected_pin_is_tried_and_forgotten_when_it_is_right(shop: Shop, notes: Path) -> None:
    await paused(shop, notes, WRONG)
    async with gateway_of(shop, pin=RIGHT, notes=notes) as gateway:
        await gateway.send(TEXT)
    assert given(shop) == [WRONG, RIGHT]
    # Only the wrong one is remembered, as a hash.
    assert len(json.loads((notes / NOTES).read_text())) == 1
    assert (notes / NOTES).stat().st_mode & 0o777 == 0o600
    await asyncio.to_thread(shop.modem.plug_in)
    async with gateway_of(shop, pin=RIGHT, notes=notes) as gateway:
        await gateway.send(TEXT)


async def test_the_same_pin_is_tried_on_another_sim(shop: Shop, notes: Path) -> None:
    await paused(shop, notes, WRONG)
    shop.quirks.pin, shop.quirks.iccid = WRONG, "8901001012345679995"
    await asyncio.to_thread(shop.modem.plug_in)
    async with gateway_of(shop, pin=WRONG, notes=notes) as gateway:
        await gateway.send(TEXT)


@pytest.mark.parametrize(
    "told", [False, True], ids=["a card that tells its number after the PIN", "one that never does"]
)
async def test_a_sim_that_hides_its_number_is_known_by_its_modem(shop: Shop, notes: Path, told: bool) -> None:
    shop.quirks.iccid_before_pin = False
    shop.quirks.iccid = shop.quirks.iccid if told else None
    for _ in range(2):
        await paused(shop, notes, WRONG)
    assert given(shop) == [WRONG]


@pytest.mark.parametrize("command", ["+CPINR", "^CPIN", "+QPINC", "+SPIC"])
@pytest.mark.parametrize("left", [0, 1])
async def test_the_last_try_is_left_to_a_person(shop: Shop, notes: Path, command: str, left: int) -> None:
    shop.quirks.tries_told_by = command
    shop.modem.pin_tries = left
    said = await paused(shop, notes, RIGHT)
    assert ("PUK" if left == 0 else "one more try") in said
    assert given(shop) == []


@pytest.mark.parametrize("command", ["+CPINR", "^CPIN", "+QPINC", "+SPIC", ""])
async def test_with_two_tries_left_or_an_unknown_number_the_pin_is_given(shop: Shop, notes: Path, command: str) -> None:
    shop.quirks.tries_told_by = command
    shop.modem.pin_tries = 2
    async with gateway_of(shop, pin=RIGHT, notes=notes) as gateway:
        await gateway.send(TEXT)
    assert given(shop) == [RIGHT]


@pytest.mark.parametrize(("told_by", "tries"), [
    pytest.param("+CPINR", [RIGHT, RIGHT], id="the SIM counts all tries: it did not take it for wrong"),
    pytest.param("", [RIGHT], id="nobody knows"),
])  # fmt: skip
async def test_a_pin_without_an_answer_is_given_again_only_if_the_sim_did_not_count_it(
    shop: Shop, notes: Path, told_by: str, tries: list[str]
) -> None:
    shop.quirks.tries_told_by, shop.quirks.pin_answered = told_by, False
    async with gateway_of(shop, pin=RIGHT, notes=notes) as killed:
        await until(lambda: given(shop) == [RIGHT])
        shop.modem.unplug()
        await until(lambda: killed.health() is Health.PAUSED)
    shop.quirks.pin_answered = True
    await asyncio.to_thread(shop.modem.plug_in)
    if len(tries) == 1:
        assert "tried without an answer" in await paused(shop, notes, RIGHT)
    else:
        async with gateway_of(shop, pin=RIGHT, notes=notes) as gateway:
            await gateway.send(TEXT)
    assert given(shop) == tries


async def test_what_cannot_be_written_down_is_not_tried(shop: Shop, notes: Path) -> None:
    assert "cannot be read or written down" in await paused(shop, notes / "none", RIGHT)
    (notes / NOTES).mkdir()
    assert "cannot be read or written down" in await paused(shop, notes, RIGHT)
    assert given(shop) == []


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"a": {}}', "[" * 100_000, "\x00"])
async def test_notes_that_were_spoilt_are_begun_anew(shop: Shop, notes: Path, content: str) -> None:
    (notes / NOTES).write_text(content)
    async with gateway_of(shop, pin=RIGHT, notes=notes) as gateway:
        await gateway.send(TEXT)
    json.loads((notes / NOTES).read_text())


async def test_without_a_folder_the_pin_is_given_once_per_process(shop: Shop) -> None:
    await paused(shop, None, WRONG)
    assert given(shop) == [WRONG]
