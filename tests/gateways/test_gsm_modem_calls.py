"""Somebody rings the SIM's own number: one call each, nothing answered, nothing hung up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.gateways.contract import TEXT
from tests.gateways.modem_shop import ROOF, Shop, arrivals, gateway_of, until
from textbackd.gateways.base import Health, InboundText, IncomingCall
from textbackd.gateways.modem.ringing import Ringing

pytestmark = pytest.mark.modem

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CLIP = f'+CLIP: "{ROOF}",145,,,,0'
WITHHELD = '+CLIP: "",128,,,,1'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    with shop.modem:
        yield shop


def callers(*said: tuple[float, str]) -> list[tuple[str | None, float]]:
    """Return who called and when, in seconds, after a modem has said these lines at these seconds; "" is a look at the clock."""
    ringing, found = Ringing("stick"), []
    for at, line in said:
        call = ringing.heard(line, at=at, now=NOON + timedelta(seconds=at)) if line else ringing.due(at=at)
        if call:
            found.append((call.caller, (call.at - NOON).total_seconds()))
    return found


@pytest.mark.parametrize(("said", "expected"), [
    pytest.param([(0, "RING"), (0.1, CLIP)], [(ROOF, 0)], id="one ring"),
    pytest.param([(0, "RING"), (0.1, CLIP), (5, "RING"), (5.1, CLIP), (10, "RING"), (10.1, CLIP)], [(ROOF, 0)],
                 id="a call that rings on is one call"),
    pytest.param([(0, "+CRING: VOICE"), (0.1, CLIP)], [(ROOF, 0)], id="a modem that says what kind of call it is"),
    pytest.param([(0.1, CLIP), (5.1, CLIP)], [(ROOF, 0.1)], id="a modem that does not say RING"),
    pytest.param([(0, "RING"), (0.1, WITHHELD), (5, "RING"), (5.1, WITHHELD)], [(None, 0)], id="withheld"),
    pytest.param([(0, "RING"), (1, ""), (3, ""), (5, "RING"), (8, "")], [(None, 0)], id="no number is told at all"),
    pytest.param([(0, "RING"), (5, "RING"), (6, "")], [(None, 0)], id="nor at the second ring"),
    pytest.param([(0, "RING"), (1, "NO CARRIER")], [(None, 0)], id="over before the number came"),
    pytest.param([(0, "RING"), (0.1, CLIP), (1, "NO CARRIER"), (2, "RING"), (2.1, CLIP)], [(ROOF, 0), (ROOF, 2)],
                 id="the same caller again at once"),
    pytest.param([(0, "RING"), (0.1, CLIP), (20, "RING"), (20.1, CLIP)], [(ROOF, 0), (ROOF, 20)], id="and later"),
    pytest.param([(0, "RING"), (0.1, CLIP), (4, "RING"), (4.1, '+CLIP: "+13035550126",145')],
                 [(ROOF, 0), ("+13035550126", 4.1)], id="another caller before the silence"),
    pytest.param([(0, "RING"), (0.1, '+CLIP: "13125550199",145')], [(ROOF, 0)], id="an international number without +"),
    pytest.param([(0, "RING"), (0.1, '+CLIP: "3125550199",129')], [("3125550199", 0)], id="a national number"),
    pytest.param([(0, ""), (1, "NO CARRIER"), (2, "^CEND: 1,0,104,31"), (3, "BUSY"), (4, "+CLIP: nonsense")], [],
                 id="nobody called"),
])  # fmt: skip
def test_a_call_is_told_once_with_its_caller_and_its_first_ring(
    said: list[tuple[float, str]], expected: list[tuple[str | None, float]]
) -> None:
    assert callers(*said) == expected


def test_calls_have_ids_of_their_own_without_the_number_in_them() -> None:
    ids = set()
    for at in range(3):
        call = Ringing("stick").heard(CLIP, at=0.0, now=NOON + timedelta(seconds=at))
        assert call is not None
        ids.add(call.id)
    assert len(ids) == 3
    assert not any(ROOF[1:] in one for one in ids)


@pytest.mark.parametrize("caller", [ROOF, "3125550199", None])
async def test_a_call_to_the_sim_arrives_once_and_is_left_alone(shop: Shop, caller: str | None) -> None:
    async with gateway_of(shop) as gateway:
        await until(lambda: "AT+CLIP=1" in shop.modem.commands and gateway.health() is Health.UP)
        shop.modem.ring(caller, rings=4, every=0.1)
        shop.modem.deliver(ROOF, "a text")
        found = await arrivals(gateway, 2, pause=0.6)
    (call,) = [item for item in found if isinstance(item, IncomingCall)]
    assert call.caller == caller
    assert abs(datetime.now(UTC) - call.at) < timedelta(minutes=1)
    assert [item.body for item in found if isinstance(item, InboundText)] == ["a text"]
    assert not any(command.startswith(("ATA", "ATH", "AT+CHUP")) for command in shop.modem.commands)


async def test_a_call_that_comes_into_a_text_disturbs_neither(shop: Shop) -> None:
    shop.quirks.after_air = 0.3
    async with gateway_of(shop, delivery_reports=False) as gateway:
        await until(lambda: gateway.health() is Health.UP)
        shop.modem.ring(ROOF, rings=3, every=0.1)
        assert (await gateway.send(TEXT)).reference == "1"
        (call,) = await arrivals(gateway, 1)
    assert isinstance(call, IncomingCall)
    assert call.caller == ROOF


async def test_a_call_without_a_number_is_told_after_a_moment(shop: Shop) -> None:
    async with gateway_of(shop, poll_every=timedelta(seconds=0.2)) as gateway:
        await until(lambda: gateway.health() is Health.UP)
        shop.modem.ring(None, clip=False)
        (call,) = await arrivals(gateway, 1)
    assert isinstance(call, IncomingCall)
    assert call.caller is None
