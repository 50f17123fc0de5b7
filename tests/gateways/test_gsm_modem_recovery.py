"""A modem that hangs is brought back step by step; one without a network says so."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from tests.gateways.contract import TEXT, failure_of
from tests.gateways.modem_shop import SOON, Shop, gateway_of, until
from textbackd.gateways.base import Fate, Gateway, Health, Measured
from textbackd.gateways.modem.ladder import AGAIN_AFTER, Ladder, Rung, Schedule

pytestmark = pytest.mark.modem

HASTY = timedelta(seconds=0.05)
NEVER = timedelta(hours=1)
HELPED = {"recovery_reopen_total", "recovery_radio_total", "recovery_restart_total"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    with shop.modem:
        yield shop


def is_in(gateway: Gateway, health: Health) -> bool:
    return gateway.health() is health


# --- the order of the rungs, without a modem ----------------------------------------------------------------------


def test_each_silence_is_answered_one_rung_higher() -> None:
    ladder = Ladder()
    assert [ladder.next(0.0) for _ in range(5)] == [Rung.REOPEN, Rung.RADIO, Rung.RESTART, Rung.REST, Rung.REST]


def test_later_rounds_begin_with_the_radio_and_come_at_1_5_15_30_60_minutes_and_then_every_hour() -> None:
    ladder, at, rounds = Ladder(), 0.0, []
    for at in range(0, 4 * 3600, 30):
        if ladder.next(float(at)) is Rung.RADIO:
            rounds.append(at // 60)
    gaps = [later - earlier for earlier, later in pairwise(rounds)]
    assert gaps[:5] == [1, 5, 15, 30, 60]
    assert set(gaps[5:]) == {60}


def test_a_modem_that_is_well_again_is_treated_as_for_the_first_time() -> None:
    ladder = Ladder()
    assert [ladder.next(0.0) for _ in range(4)][-1] is Rung.REST
    ladder.well()
    assert ladder.next(1.0) is Rung.REOPEN
    assert ladder.climbed == {Rung.REOPEN: 2, Rung.RADIO: 1, Rung.RESTART: 1}


def test_a_schedule_is_due_at_once_then_after_its_pauses_the_last_of_which_repeats() -> None:
    schedule = Schedule(AGAIN_AFTER)
    due = [at for at in range(5 * 3600) if schedule.due(float(at))]
    assert due == [0, 60, 360, 1260, 3060, 6660, 10260, 13860, 17460]


# --- with a modem ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cure", "rungs"), [
    pytest.param("AT+CFUN=0", {"ask", "reopen", "radio"}, id="the radio off and on"),
    pytest.param("AT+CFUN=1,1", {"ask", "reopen", "radio", "restart"}, id="starting it anew"),
])  # fmt: skip
async def test_a_modem_that_hangs_is_brought_back_and_sends(shop: Shop, cure: str, rungs: set[str]) -> None:
    shop.quirks.cured_by = cure
    async with gateway_of(shop, probe=HASTY) as gateway:
        await gateway.send(TEXT)
        shop.quirks.silent = True
        await until(lambda: gateway.health() is Health.DOWN)
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(replace(TEXT, body="again"))
        counted = {name for name in gateway.vitals() if name.startswith("recovery_")}
    assert counted == {f"recovery_{rung}_total" for rung in rungs}
    assert [part.body for part in shop.on_air()] == [TEXT.body, "again"]


async def test_a_modem_that_speaks_again_when_asked_twice_is_left_alone(shop: Shop) -> None:
    shop.quirks.cured_by = "AT+CMGF?"  # what is asked after ESC, because nothing else has this answer
    async with gateway_of(shop, probe=HASTY) as gateway:
        await until(lambda: gateway.health() is Health.UP)
        shop.quirks.silent = True
        await until(lambda: "recovery_ask_total" in gateway.vitals() and not shop.quirks.silent)
        await gateway.send(TEXT)
        assert HELPED.isdisjoint(gateway.vitals())
        assert gateway.health() is Health.UP


@pytest.mark.parametrize("command", ["+COPS", "+CSQ", "+CREG"])
async def test_a_modem_that_is_slow_to_tell_something_is_not_taken_for_one_that_hangs(shop: Shop, command: str) -> None:
    shop.quirks.mute = (command,)
    async with gateway_of(shop, probe=HASTY, late=HASTY) as gateway:
        await until(lambda: shop.modem.commands.count("AT+CPMS?") >= 3)
        assert gateway.health() is Health.UP
        await gateway.send(TEXT)
        assert HELPED.isdisjoint(gateway.vitals())


async def test_after_a_restart_the_pin_is_given_again(shop: Shop) -> None:
    shop.quirks.pin, shop.quirks.cured_by = "0042", "AT+CFUN=1,1"
    await asyncio.to_thread(shop.modem.plug_in)
    async with gateway_of(shop, pin="0042", probe=HASTY) as gateway:
        await until(lambda: gateway.health() is Health.UP)
        shop.quirks.silent = True
        await until(lambda: shop.modem.commands.count('AT+CPIN="0042"') == 2)
        await until(lambda: gateway.health() is Health.UP)


async def test_a_modem_that_takes_its_time_to_start_is_waited_for(shop: Shop) -> None:
    shop.quirks.silent, shop.quirks.cured_by, shop.quirks.boot_time = True, "AT+CFUN=1,1", 1.0
    async with gateway_of(shop, first_retry=NEVER, longest_retry=NEVER) as gateway:
        await until(lambda: gateway.health() is Health.UP)


async def test_a_modem_whose_port_is_back_before_it_speaks_is_waited_for(shop: Shop) -> None:
    shop.quirks.silent, shop.quirks.cured_by = True, "AT+CFUN=1,1"
    async with gateway_of(shop, first_retry=NEVER, longest_retry=NEVER, again=[NEVER]) as gateway:
        await until(lambda: "AT+CFUN=0" in shop.modem.commands)
        shop.quirks.start_time = 3.0  # longer than AT is asked at one opening
        await until(lambda: gateway.health() is Health.UP)


async def test_a_modem_that_hangs_again_is_treated_as_for_the_first_time(shop: Shop) -> None:
    shop.quirks.cured_by = "AT+CFUN=0"
    async with gateway_of(shop, probe=HASTY, again=[NEVER]) as gateway:
        for times in (1, 2):
            await until(partial(is_in, gateway, Health.UP))
            await until(lambda: shop.modem.commands[-1] == "AT+CPMS?")
            shop.quirks.silent = True
            await until(partial(is_in, gateway, Health.DOWN))
            await until(partial(is_in, gateway, Health.UP))
            assert gateway.vitals()["recovery_radio_total"] >= times
    assert "AT+CFUN=1,1" not in shop.modem.commands


async def test_a_modem_by_imei_comes_back_under_another_name_after_its_restart(shop: Shop, tmp_path: Path) -> None:
    def ports() -> list[str]:
        return sorted(map(str, tmp_path.glob("port*")))

    shop.quirks.cured_by = "AT+CFUN=1,1"
    async with gateway_of(shop, imei=shop.quirks.imei, ports=ports, probe=HASTY) as gateway:
        await gateway.send(TEXT)
        shop.modem.next_link = tmp_path / "port7"
        shop.quirks.silent = True
        await until((tmp_path / "port7").exists)
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(replace(TEXT, body="again"))
    assert [part.body for part in shop.on_air()] == [TEXT.body, "again"]


async def test_a_silent_port_that_was_never_the_modem_s_is_not_reset(shop: Shop, tmp_path: Path) -> None:
    shop.quirks.silent = True
    async with gateway_of(shop, imei=shop.quirks.imei, ports=lambda: [shop.modem.port]) as gateway:
        await until(lambda: gateway.health() is Health.DOWN)
        await until(lambda: shop.modem.commands.count("AT") >= 9)
    assert not any("CFUN" in command for command in shop.modem.commands)


async def test_when_nothing_helps_the_log_says_so_again_and_again_and_resets_are_repeated(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.quirks.silent = True
    async with gateway_of(shop, again=[timedelta(seconds=0.5)], restart=HASTY) as gateway:
        await until(lambda: shop.modem.commands.count("AT+CFUN=1,1") >= 2)
        await until(lambda: sum("still cannot be used" in record.message for record in caplog.records) >= 2)
        assert gateway.health() is Health.DOWN
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        shop.quirks.silent = False
        await until(lambda: gateway.health() is Health.UP)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert {record.message for record in errors} == {"the modem still cannot be used"}


async def test_closing_does_not_wait_for_a_modem_that_hangs(shop: Shop) -> None:
    shop.quirks.silent = True
    async with gateway_of(shop, radio=NEVER, first_retry=NEVER) as gateway:
        await until(lambda: "AT+CFUN=0" in shop.modem.commands)
        async with asyncio.timeout(SOON):
            await gateway.close()


# --- network ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stat", [0, 2, 3, 8])
async def test_without_a_network_the_gateway_is_down_and_nothing_is_handed_over(shop: Shop, stat: int) -> None:
    shop.quirks.registration = stat
    async with gateway_of(shop, probe_unregistered=HASTY) as gateway:
        await until(lambda: gateway.health() is Health.DOWN)
        failed = await failure_of(gateway)
        assert failed.fate is Fate.NOT_SENT
        assert gateway.told()["registration"] in str(failed)
        assert not any(command.startswith("AT+CMGS") for command in shop.modem.commands)
        shop.quirks.registration = 5
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(TEXT)


@pytest.mark.parametrize("stat", [1, 4, 5, 6, 7])
async def test_with_a_network_of_any_kind_texts_go_out(shop: Shop, stat: int) -> None:
    shop.quirks.registration = stat
    async with gateway_of(shop) as gateway:
        await until(lambda: "seconds_since_ok" in gateway.vitals())
        await gateway.send(TEXT)
        assert gateway.health() is Health.UP


async def test_old_news_of_no_network_holds_no_text_back(shop: Shop) -> None:
    shop.quirks.registration = 2
    async with gateway_of(shop, probe_unregistered=NEVER) as gateway:
        await until(lambda: gateway.health() is Health.DOWN)
        shop.quirks.registration = 1
        await gateway.send(TEXT)
        assert gateway.health() is Health.UP


async def test_losing_the_network_is_logged_once_and_so_is_its_return(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with gateway_of(shop, probe=HASTY, probe_unregistered=HASTY) as gateway:
        for stat, health in ((2, Health.DOWN), (1, Health.UP)):
            shop.quirks.registration = stat
            await until(partial(is_in, gateway, health))
            await asyncio.sleep(0.2)
    said = [record.message for record in caplog.records if "network" in record.message]
    assert said == ["the modem has no network", "the modem has a network again"]


async def test_what_is_measured_and_told_is_what_the_modem_said(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        assert isinstance(gateway, Measured)
        await until(lambda: "imei" in gateway.told())
        assert gateway.told() == {
            "registration": "registered", "operator": "Virtual", "technology": "4G", "imei": "004999010640000",
        }  # fmt: skip
        vitals = dict(gateway.vitals())
        assert 0 <= vitals.pop("seconds_since_ok") < SOON
        assert vitals == {"signal_dbm": -71.0, "sim_storage_used": 0.0, "sim_storage_size": 30.0}


async def test_the_modem_is_not_probed_while_a_text_is_under_way(shop: Shop) -> None:
    shop.next_texts("deaf:0.5")
    async with gateway_of(shop, probe=timedelta(0)) as gateway:
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(TEXT)
        await until(lambda: shop.modem.commands[-1] == "AT+CPMS?")
    # A deaf modem takes what is said to it meanwhile for its next commands, so there would be more of them before +CMGS was answered.
    assert gateway.vitals().keys().isdisjoint({"recovery_ask_total", "recovery_reopen_total"})


# --- a modem that says "unknown error" -----------------------------------------------------------------------------------


async def test_two_unknown_errors_in_a_row_restart_the_radio_and_the_next_text_goes_out(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.next_texts("cms:500", "ok", "cms:500", "cms:500")
    async with gateway_of(shop) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        await gateway.send(TEXT)
        assert (await failure_of(gateway)).code == "CMS 500"
        assert "AT+CFUN=0" not in shop.modem.commands
        assert (await failure_of(gateway)).code == "CMS 500"
        await until(lambda: shop.modem.commands.count("AT+CMGF=0") == 2)
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(TEXT)
    assert [c for c in shop.modem.commands if c.startswith("AT+CFUN=")] == ["AT+CFUN=0", "AT+CFUN=1"]
    assert any("two unknown errors in a row" in record.message for record in caplog.records)
