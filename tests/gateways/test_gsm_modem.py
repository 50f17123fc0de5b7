"""The modem gateway against the virtual modem: what goes on air, what is proved, what survives the ways that sticks break."""

import asyncio
import logging
import os
import threading
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.gateways.contract import TEXT, GatewayContract, Peer, Trait, failure_of
from tests.gateways.modem_shop import ROOF, SHORT, SOON, Shop, arrivals, brief, gateway_of, hasty, until
from textbackd.core.phone import E164
from textbackd.demo.modem_air import binary_pdus, picture_push, report_pdu
from textbackd.gateways.base import DeliveryReport, Fate, Gateway, Health, InboundText, IncomingCall
from textbackd.gateways.gsm_modem import GsmModem
from textbackd.gateways.modem.verdicts import CME, CMS

pytestmark = pytest.mark.modem


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    with shop.modem:
        yield shop


class TestContract(GatewayContract):
    """The contract of every gateway."""

    cannot: ClassVar = {
        Trait.OPT_OUT: "a network knows of no opt-outs",
        Trait.GARBLE: "noise on the line is no answer, see below",
        Trait.FAILURE_REPORT: "the virtual network is told before, see below",
    }

    @pytest.fixture
    async def peer(self, shop: Shop) -> AsyncIterator[Peer]:
        yield shop

    @pytest.fixture
    async def gateway(self, shop: Shop) -> AsyncIterator[Gateway]:
        async with gateway_of(shop, submit=SHORT) as gateway:
            await until(lambda: gateway.health() is Health.UP)
            yield gateway


# --- out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "parts"), [
    pytest.param("Sorry we missed your call [{|}~€^\\]", 1, id="GSM-7 with its extension"),
    pytest.param("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", 1, id="every odd letter of GSM-7"),
    pytest.param("use `ls`", 1, id="a back-tick"),
    pytest.param("a" * 160, 1, id="160"),
    pytest.param("abcdefg" * 23, 2, id="161"),
    pytest.param("x" * 152 + "€" + "y" * 152 + "€€", 3, id="GSM-7 in three parts"),
    pytest.param("Кровля 屋顶 ő", 1, id="UCS-2"),
    pytest.param("ő" * 71, 2, id="UCS-2 in two parts"),
    pytest.param("😀", 1, id="an emoji"),
    pytest.param("a" * 66 + "😀" * 40, 3, id="emoji at part boundaries"),
    pytest.param("OK\r\nERROR\r\n+CMGS: 9\n> ", 1, id="what looks like an answer"),
])  # fmt: skip
async def test_a_body_goes_on_air_as_it_is(shop: Shop, body: str, parts: int) -> None:
    async with gateway_of(shop) as gateway:
        accepted = await gateway.send(replace(TEXT, body=body))
    assert await shop.texts() == [(TEXT.to, body)]
    assert accepted.parts == parts == len(shop.on_air())
    assert [(part.number, part.total) for part in shop.on_air()] == [(n, parts) for n in range(1, parts + 1)]


async def test_the_reference_names_every_part_as_the_modem_did(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        accepted = await gateway.send(replace(TEXT, body="a" * 400))
    assert accepted.reference == ",".join(str(part.message_reference) for part in shop.on_air()) == "1,2,3"
    assert len({part.reference for part in shop.on_air()}) == 1


async def test_no_emoji_is_cut_in_two(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        await gateway.send(replace(TEXT, body="a" * 66 + "😀" * 40))
    for part in shop.on_air():
        assert not any("\ud800" <= character <= "\udfff" for character in part.body)


async def test_sixty_texts_of_two_senders_all_arrive_whole_and_once(shop: Shop) -> None:
    async def sender(number: str) -> list[str | None]:
        bodies = [f"{number} {count} " + "😀" * (count % 3 * 30) for count in range(30)]
        return [(await gateway.send(replace(TEXT, to=E164(number), body=body))).reference for body in bodies]

    async with gateway_of(shop) as gateway:
        references = await asyncio.gather(sender("+13035550126"), sender("+13035550127"))
    texts = await shop.texts()
    expected = [(n, f"{n} {c} " + "😀" * (c % 3 * 30)) for n in ("+13035550126", "+13035550127") for c in range(30)]
    assert sorted(texts) == sorted(expected)
    assert len({reference for ours in references for reference in ours}) == 60


@pytest.mark.parametrize(("left", "octet"), [
    pytest.param(timedelta(minutes=10, seconds=20), 1, id="ten minutes"),
    pytest.param(timedelta(minutes=14), 1, id="rounded down: not a minute longer than wanted, if it can be"),
    pytest.param(timedelta(minutes=1), 0, id="five minutes are the shortest"),
    pytest.param(timedelta(hours=20, minutes=10), 159, id="half hours above twelve hours"),
    pytest.param(timedelta(days=2, hours=1), 168, id="days"),
    pytest.param(timedelta(weeks=100), 255, id="63 weeks are the longest"),
])  # fmt: skip
async def test_the_network_is_told_how_long_to_try(shop: Shop, left: timedelta, octet: int) -> None:
    async with gateway_of(shop) as gateway:
        await gateway.send(replace(TEXT, valid_until=datetime.now(UTC) + left))
    assert [part.valid_for for part in shop.on_air()] == [octet]


async def test_a_text_whose_time_is_over_when_its_turn_comes_is_not_sent(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        failed = await failure_of(gateway, replace(TEXT, valid_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert failed.fate is Fate.NOT_SENT
    assert shop.on_air() == []


@pytest.mark.parametrize("asked", [True, False])
async def test_reports_are_asked_for_as_configured(shop: Shop, asked: bool) -> None:
    async with gateway_of(shop, delivery_reports=asked) as gateway:
        await gateway.send(replace(TEXT, body="a" * 161))
    assert [part.report for part in shop.on_air()] == [asked, asked]


async def test_a_number_with_blanks_goes_out_as_a_number(shop: Shop) -> None:
    async with gateway_of(shop, smsc="+1 206 313 0004") as gateway:
        await gateway.send(replace(TEXT, to=E164("+1 (303) 555-0126")))
    assert [part.to for part in shop.on_air()] == ["+13035550126"]


# --- what an error proves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "number", "fate"), [
    *(pytest.param("cms", number, known.fate, id=f"CMS {number}") for number, known in CMS.items() if not known.taken),
    *(pytest.param("cme", number, known.fate, id=f"CME {number}") for number, known in CME.items()),
    pytest.param("cms", 99, Fate.NOT_SENT, id="an unnamed cause of the network: it rejected the text"),
    pytest.param("cms", 213, Fate.NOT_SENT, id="an unnamed cause of the service centre: it rejected the text"),
    pytest.param("cms", 399, Fate.UNKNOWN, id="a number without a meaning"),
    pytest.param("cms", 515, Fate.UNKNOWN, id="a vendor's number"),
    pytest.param("cme", 100, Fate.UNKNOWN, id="an unnamed CME"),
])  # fmt: skip
async def test_an_error_after_the_pdu_has_its_fate(shop: Shop, kind: str, number: int, fate: Fate) -> None:
    shop.next_texts(f"{kind}:{number}")
    async with gateway_of(shop) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, failed.code) == (fate, f"{kind.upper()} {number}")


def test_the_classes_of_errors_are_those_of_the_standard() -> None:
    classes = {fate: {number for number, known in CMS.items() if known.fate is fate} for fate in Fate}
    assert {1, 28, 30, 195, 196, 304, 305} == classes[Fate.REFUSED]
    assert {8, 10, 50, 69, 193, 310, 311, 312, 313, 316, 318, 330} <= classes[Fate.GATEWAY_UNFIT]
    assert {17, 22, 27, 29, 38, 41, 42, 47, 192, 194, 314, 331, 208, 211, 320, 322} <= classes[Fate.NOT_SENT]
    assert {197, 332, 350, 500} == classes[Fate.UNKNOWN]
    assert {number for number, known in CMS.items() if known.taken} == {197}
    assert {number for number, known in CMS.items() if known.full} == {208, 211, 320, 322}


async def test_a_text_that_the_service_centre_has_already_was_sent(shop: Shop) -> None:
    shop.next_texts("ok", "cms:197", "ok")
    async with gateway_of(shop) as gateway:
        accepted = await gateway.send(replace(TEXT, body="a" * 400))
    assert (accepted.reference, accepted.parts) == ("1,2", 3)


@pytest.mark.parametrize("code", ["cms:322", "cms:208", "cme:20"])
async def test_a_full_memory_is_read_before_the_text_is_tried_again(shop: Shop, code: str) -> None:
    async with gateway_of(shop, poll_every=timedelta(hours=1)) as gateway:
        waiting = asyncio.ensure_future(anext(aiter(gateway.incoming())))
        await until(lambda: shop.modem.commands.count("AT+CMGL=4") >= 2)
        shop.modem.keep("SM", ROOF, "in the way")
        shop.next_texts(code)
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        async with asyncio.timeout(SOON):
            item = await waiting
    assert isinstance(item, InboundText)


@pytest.mark.parametrize("number", [28, 38, 332, 500, 10])
async def test_an_error_before_the_pdu_proves_that_nothing_was_sent(shop: Shop, number: int) -> None:
    shop.next_texts(f"refuse:{number}")
    async with gateway_of(shop) as gateway:
        assert (await failure_of(gateway)).fate is not Fate.UNKNOWN
    assert shop.on_air() == []


async def test_a_bare_error_after_the_pdu_proves_nothing(shop: Shop) -> None:
    shop.next_texts("error")
    async with gateway_of(shop) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, failed.code) == (Fate.UNKNOWN, None)


@pytest.mark.parametrize("word", ["cms:38", "cms:28", "no_prompt", "refuse:38"])
async def test_a_long_text_of_which_a_part_is_out_must_not_go_again(shop: Shop, word: str) -> None:
    shop.next_texts("ok", word)
    async with gateway_of(shop) as gateway:
        failed = await failure_of(gateway, replace(TEXT, body="a" * 161))
    assert failed.fate is Fate.UNKNOWN
    assert "1 of 2 parts" in str(failed)
    assert len(shop.on_air()) == 1


# --- silence and death --------------------------------------------------------------------------------------------


async def test_silence_after_the_pdu_is_unknown_and_the_text_is_out_once(shop: Shop) -> None:
    shop.next_texts("silent")
    async with gateway_of(shop, submit=SHORT) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        assert (await gateway.send(replace(TEXT, body="the next"))).reference == "2"
    assert [part.body for part in shop.on_air()] == [TEXT.body, "the next"]


@pytest.mark.parametrize("word", ["late:1.5", "deaf:1.5"])
async def test_a_late_answer_is_not_taken_for_that_of_the_next_text(
    shop: Shop, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop.next_texts(word, "cms:28", "ok")
    async with gateway_of(shop, submit=SHORT, late=timedelta(seconds=SOON)) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        assert (await failure_of(gateway)).code == "CMS 28"
        assert (await gateway.send(replace(TEXT, body="third"))).reference == "2"
    assert [part.body for part in shop.on_air()] == [TEXT.body, "third"]
    assert [record for record in caplog.records if "late answer" in record.message and vars(record)["reference"] == "1"]


async def test_a_late_answer_is_not_taken_for_that_of_another_command(shop: Shop) -> None:
    shop.next_texts("late:1.8")
    async with gateway_of(shop, submit=SHORT, late=timedelta(seconds=0.05), delivery_reports=False) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        shop.modem.deliver(ROOF, "hello?")
        assert [item.body for item in await arrivals(gateway, 1) if isinstance(item, InboundText)] == ["hello?"]
        await asyncio.sleep(1)  # the answer comes while nothing is asked
        assert (await gateway.send(TEXT)).reference == "2"


async def test_no_prompt_is_not_sent_and_the_modem_is_freed_from_it(shop: Shop) -> None:
    shop.next_texts("no_prompt")
    async with gateway_of(shop) as gateway:
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        assert (await gateway.send(replace(TEXT, body="the next"))).reference == "1"
    assert [part.body for part in shop.on_air()] == ["the next"]


async def test_a_modem_that_dies_at_the_prompt_has_sent_nothing(shop: Shop) -> None:
    shop.next_texts("die_at_prompt")
    async with gateway_of(shop) as gateway:
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
    assert shop.on_air() == []


async def test_a_modem_that_dies_with_the_text_leaves_it_unknown(shop: Shop) -> None:
    shop.next_texts("die_after_pdu")
    async with gateway_of(shop) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        await until(lambda: gateway.health() is Health.DOWN)
    assert len(shop.on_air()) == 1


async def test_unplugged_while_idle_it_is_down_and_plugged_in_again_it_sends(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        await gateway.send(TEXT)
        await asyncio.to_thread(shop.modem.unplug)
        await until(lambda: gateway.health() is Health.DOWN)
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        await asyncio.to_thread(shop.modem.plug_in)
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(replace(TEXT, body="again"))
    assert [part.body for part in shop.on_air()] == [TEXT.body, "again"]


async def test_a_port_that_appears_ends_the_wait(shop: Shop) -> None:
    async with gateway_of(shop, first_retry=timedelta(hours=1), longest_retry=timedelta(hours=1)) as gateway:
        await until(lambda: gateway.health() is Health.UP)
        await asyncio.to_thread(shop.modem.unplug)
        await until(lambda: gateway.health() is Health.DOWN)
        await asyncio.to_thread(shop.modem.plug_in)
        await until(lambda: gateway.health() is Health.UP)


async def test_an_absent_modem_is_no_error_at_start_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    patience = hasty(first_retry=timedelta(seconds=0.01))
    gateway = GsmModem(name="stick", port=str(tmp_path / "none"), patience=patience)
    await gateway.start()
    await until(lambda: gateway.health() is Health.DOWN)
    await asyncio.sleep(0.2)
    assert (await failure_of(gateway)).fate is Fate.NOT_SENT
    await gateway.close()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == ["modem not usable"]


async def test_a_port_that_another_program_has_open_is_left_to_it(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        await gateway.send(TEXT)
        async with gateway_of(shop) as other:
            assert "another program has it open" in str(await failure_of(other))
        await gateway.send(replace(TEXT, body="undisturbed"))
    assert [part.body for part in shop.on_air()] == [TEXT.body, "undisturbed"]


async def test_a_port_that_does_not_speak_at_is_down(shop: Shop) -> None:
    shop.quirks.silent = True
    async with gateway_of(shop) as gateway:
        failed = await failure_of(gateway)
        assert failed.fate is Fate.NOT_SENT
        assert "nothing on this port answers AT" in str(failed)
        shop.quirks.silent = False
        await until(lambda: gateway.health() is Health.UP)


@pytest.mark.parametrize("noise", [b"$GPGGA,120000,4111.7,N,08737.2,W\r\n", b"\x00\x7e\xff", b"> "])
async def test_a_port_that_talks_without_end_is_down_and_can_be_closed(noise: bytes) -> None:
    master, slave = os.openpty()
    os.set_blocking(master, False)
    tty.setraw(slave)
    done = threading.Event()

    def talk() -> None:
        while not done.wait(0.001):
            with suppress(BlockingIOError):
                os.write(master, noise * 50)

    talking = threading.Thread(target=talk)
    talking.start()
    gateway = GsmModem(name="stick", port=os.ttyname(slave), timing=brief(), patience=hasty())
    await gateway.start()
    await until(lambda: gateway.health() is Health.DOWN)
    await gateway.close()
    done.set()
    talking.join()
    os.close(master)
    os.close(slave)


async def test_a_prompt_left_behind_by_a_killed_process_is_left(shop: Shop) -> None:
    async with gateway_of(shop) as killed:
        await until(lambda: killed.health() is Health.UP)
    port = os.open(shop.modem.port, os.O_RDWR | os.O_NOCTTY)
    os.write(port, b"AT+CMGS=20\r")
    await until(lambda: shop.modem.commands[-1] == "AT+CMGS=20")
    os.write(port, b"0011000")
    os.close(port)
    async with gateway_of(shop) as gateway:
        await gateway.send(TEXT)
    assert await shop.texts() == [(TEXT.to, TEXT.body)]


async def test_a_cancelled_send_does_not_disturb_the_next(shop: Shop) -> None:
    shop.quirks.after_air = 0.2
    async with gateway_of(shop) as gateway:
        send = asyncio.ensure_future(gateway.send(TEXT))
        waiting = asyncio.ensure_future(gateway.send(replace(TEXT, body="never begun")))
        await until(lambda: len(shop.on_air()) == 1)
        send.cancel()
        waiting.cancel()
        assert (await gateway.send(replace(TEXT, body="the next"))).reference == "2"
    assert [part.body for part in shop.on_air()] == [TEXT.body, "the next"]


async def test_closing_waits_for_the_text_under_way_and_refuses_the_rest(shop: Shop) -> None:
    shop.quirks.after_air = 0.3
    async with gateway_of(shop) as gateway:
        send = asyncio.ensure_future(gateway.send(TEXT))
        waiting = asyncio.ensure_future(failure_of(gateway, replace(TEXT, body="too late")))
        await until(lambda: len(shop.on_air()) == 1)
        await gateway.close()
        assert (await send).reference == "1"
        assert (await waiting).fate is Fate.NOT_SENT


async def test_a_reference_is_enough_even_if_the_modem_dies_before_its_ok(shop: Shop) -> None:
    shop.next_texts("no_reference")
    async with gateway_of(shop) as gateway:
        accepted = await gateway.send(TEXT)
    assert accepted.reference is None
    assert len(shop.on_air()) == 1


# --- odd modems ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quirks", [
    pytest.param({"echo": True}, id="echo"),
    pytest.param({"cmee": False}, id="no numbers for errors"),
    pytest.param({"cpms_values": 1}, id="one memory"),
    pytest.param({"cpms_values": 2}, id="two memories"),
    pytest.param({"cpms_values": 3}, id="three memories"),
    pytest.param({"report_to_memory": True}, id="reports kept in a memory"),
    pytest.param({"garbage": b"\xff\x00\xc3\x28\xfe"}, id="noise that is no UTF-8"),
    pytest.param({"garbage": b"\r\n\xff\xfe\r\n^RSSI:19\r\n"}, id="noise on a line of its own"),
    pytest.param({"unsolicited": "^RSSI:19"}, id="chatter inside every answer"),
    pytest.param({"unsolicited": '+CMTI: "SM",99'}, id="news of texts inside every answer"),
    pytest.param({"unsolicited": "RING"}, id="a call comes in all the time"),
    pytest.param({"answer_delay": 0.02}, id="slow"),
])  # fmt: skip
async def test_an_odd_modem_sends_and_receives_all_the_same(shop: Shop, quirks: dict[str, Any]) -> None:
    for name, value in quirks.items():
        setattr(shop.quirks, name, value)
    await asyncio.to_thread(shop.modem.plug_in)
    async with gateway_of(shop, answer=timedelta(seconds=2)) as gateway:
        assert (await gateway.send(replace(TEXT, body="Hello 😀 " * 20))).reference == "1,2,3"
        shop.modem.deliver(ROOF, "hello?")
        found = await arrivals(gateway, 4, pause=0.5, leaving_out=IncomingCall)
    assert [item.body for item in found if isinstance(item, InboundText)] == ["hello?"]
    assert {item.reference for item in found if isinstance(item, DeliveryReport)} == {"1", "2", "3"}
    assert shop.modem.stored() == 0
    assert await shop.texts() == [(TEXT.to, "Hello 😀 " * 20)]


async def test_the_pin_is_given_when_it_is_asked_for(shop: Shop) -> None:
    shop.quirks.pin = "0042"
    await asyncio.to_thread(shop.modem.plug_in)
    async with gateway_of(shop, pin="0042") as gateway:
        await gateway.send(TEXT)
        assert gateway.health() is Health.UP
    assert shop.modem.commands.count('AT+CPIN="0042"') == 1


@pytest.mark.parametrize(("ours", "tries"), [("1111", 1), (None, 0), ("12;3", 0)])
async def test_a_wrong_pin_is_tried_once_and_no_more(shop: Shop, ours: str | None, tries: int) -> None:
    shop.quirks.pin = "0042"
    await asyncio.to_thread(shop.modem.plug_in)
    async with gateway_of(
        shop, pin=ours, first_retry=timedelta(seconds=0.01), longest_retry=timedelta(seconds=0.01)
    ) as gateway:
        assert (await failure_of(gateway)).fate is Fate.GATEWAY_UNFIT
        asked = shop.modem.commands.count("AT+CPIN?")
        await until(lambda: shop.modem.commands.count("AT+CPIN?") >= asked + 2)
        assert gateway.health() is Health.PAUSED
    assert sum(command.startswith("AT+CPIN=") for command in shop.modem.commands) == tries
    assert shop.modem.pin_tries == 3 - tries


async def test_a_locked_sim_is_not_given_the_pin(shop: Shop) -> None:
    shop.quirks.pin = "0042"
    shop.modem.pin_tries = 0
    await asyncio.to_thread(shop.modem.plug_in)
    async with gateway_of(shop, pin="0042") as gateway:
        failed = await failure_of(gateway)
        assert "PUK" in gateway.trouble
    assert failed.fate is Fate.GATEWAY_UNFIT
    assert "PUK" in str(failed)
    assert 'AT+CPIN="0042"' not in shop.modem.commands


async def test_a_sim_that_is_put_in_later_is_found(shop: Shop) -> None:
    shop.quirks.sim = ""
    async with gateway_of(shop) as gateway:
        await until(lambda: gateway.health() is Health.PAUSED)
        shop.quirks.sim = "READY"
        await until(lambda: gateway.health() is Health.UP)
        assert gateway.trouble == ""


async def test_a_sim_that_fails_while_sending_pauses_the_gateway(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        await until(lambda: gateway.health() is Health.UP)
        shop.quirks.sim = ""
        shop.next_texts("cms:310")
        assert (await failure_of(gateway)).fate is Fate.GATEWAY_UNFIT
        await until(lambda: gateway.health() is Health.PAUSED)


# --- in -----------------------------------------------------------------------------------------------------------


async def test_twenty_texts_at_once_all_come_in_and_leave_the_sim_empty(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:
        for count in range(20):
            shop.modem.deliver(ROOF, f"text {count}")
        found = await arrivals(gateway, 20)
        assert [item.body for item in found if isinstance(item, InboundText)] == [f"text {n}" for n in range(20)]
        assert shop.modem.stored() == 0


async def test_a_burst_larger_than_the_sim_comes_in_as_room_is_made(shop: Shop) -> None:
    shop.quirks.storage = 5
    async with gateway_of(shop) as gateway:
        for count in range(20):
            shop.modem.deliver(ROOF, f"text {count}")
        found = await arrivals(gateway, 20)
        assert [item.body for item in found if isinstance(item, InboundText)] == [f"text {n}" for n in range(20)]


async def test_a_burst_of_thirty_comes_in_over_a_sim_of_twenty_and_leaves_it_empty(shop: Shop) -> None:
    shop.quirks.storage = 20
    for count in range(30):
        shop.modem.deliver(ROOF, f"text {count}")
    async with gateway_of(shop, answer=timedelta(seconds=SOON)) as gateway:
        found = await arrivals(gateway, 30)
        await until(lambda: shop.modem.stored() == 0)
    assert sorted(item.body for item in found if isinstance(item, InboundText)) == sorted(
        f"text {n}" for n in range(30)
    )


async def test_a_picture_message_comes_in_as_a_sentence(shop: Shop) -> None:
    for pdu in binary_pdus("55512", picture_push(ROOF, subject="My roof"), port=2948):
        shop.modem.deliver_pdu(pdu)
    async with gateway_of(shop) as gateway:
        (item,) = await arrivals(gateway, 1)
    assert isinstance(item, InboundText)
    assert (item.sender, item.media) == (ROOF, 1)
    assert shop.modem.stored() == 0


@pytest.mark.parametrize("news", ['^SMMEMFULL: "SM"', '+CIEV: "SMSFULL"', '+QIND: "SMSFULL","SM"', '+CMTI: "SM",99'])
async def test_a_memory_that_is_said_to_be_full_is_read_at_once(shop: Shop, news: str) -> None:
    async with gateway_of(shop, poll_every=timedelta(hours=1)) as gateway:
        items = aiter(gateway.incoming())
        waiting = asyncio.ensure_future(anext(items))
        await until(lambda: shop.modem.commands.count("AT+CMGL=4") >= 2)
        shop.modem.keep("SM", ROOF, "kept")
        shop.modem.say(f"\r\n{news}\r\n".encode())
        async with asyncio.timeout(SOON):
            item = await waiting
        assert isinstance(item, InboundText)


async def test_a_memory_that_fills_up_is_warned_of_once(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.quirks.storage = 10
    async with gateway_of(shop, probe=timedelta(seconds=0.02)) as gateway:  # nobody reads
        await until(lambda: "sim_storage_used" in gateway.vitals())
        for count in range(7):
            shop.modem.deliver(ROOF, f"text {count}")
        await until(lambda: gateway.vitals().get("sim_storage_used") == 7.0)
        shop.modem.deliver(ROOF, "one more")
        await until(lambda: gateway.vitals().get("sim_storage_used") == 8.0)
        assert gateway.vitals()["sim_storage_size"] == 10.0
    assert [record.message for record in caplog.records] == ["the memory for incoming texts is nearly full"]


async def test_texts_come_in_while_texts_go_out(shop: Shop) -> None:
    async with gateway_of(shop) as gateway:

        async def chatter() -> None:
            for count in range(20):
                shop.modem.deliver(ROOF, f"text {count}")
                await gateway.send(replace(TEXT, body=f"answer {count}"))

        found, _ = await asyncio.gather(arrivals(gateway, 40), chatter())
    bodies = [item.body for item in found if isinstance(item, InboundText)]
    assert sorted(bodies) == sorted(f"text {count}" for count in range(20))
    assert sum(isinstance(item, DeliveryReport) for item in found) == 20


@pytest.mark.parametrize("wide", [False, True], ids=["8-bit reference", "16-bit reference"])
@pytest.mark.parametrize("body", ["long " * 80, "länge€ 😀" * 40], ids=["GSM-7", "UCS-2"])
async def test_a_long_text_is_joined_whatever_the_order_of_its_parts(shop: Shop, wide: bool, body: str) -> None:
    async with gateway_of(shop) as gateway:
        shop.modem.deliver(ROOF, body, wide_reference=wide, order=lambda parts: parts[::-1])
        shop.modem.deliver(ROOF, "between")
        found = await arrivals(gateway, 2)
    assert sorted(item.body for item in found if isinstance(item, InboundText)) == sorted([body, "between"])
    assert shop.modem.stored() == 0


@pytest.mark.parametrize("values", [None, 1, 2, 3])
async def test_older_texts_are_read_from_every_memory(shop: Shop, values: int | None) -> None:
    shop.quirks.cpms_values = values
    for memory in ("SM", "ME"):
        shop.modem.keep(memory, ROOF, f"kept in {memory}")
    async with gateway_of(shop) as gateway:
        found = await arrivals(gateway, 2)
    assert sorted(item.body for item in found if isinstance(item, InboundText)) == ["kept in ME", "kept in SM"]
    assert shop.modem.stored() == 0


async def test_a_text_stays_on_the_sim_until_the_next_is_asked_for(shop: Shop) -> None:
    shop.modem.deliver(ROOF, "first")
    shop.modem.deliver(ROOF, "second")
    async with gateway_of(shop) as gateway:
        items = aiter(gateway.incoming())
        await anext(items)
        assert shop.modem.stored() == 2
        await anext(items)
        assert shop.modem.stored() == 1
    assert shop.modem.stored() == 1


async def test_a_text_that_was_not_acknowledged_comes_again_under_the_same_id(shop: Shop) -> None:
    shop.modem.deliver(ROOF, "a long one " * 40)
    async with gateway_of(shop) as killed:
        first = await anext(aiter(killed.incoming()))
    async with gateway_of(shop) as gateway:
        again = await arrivals(gateway, 1)
    assert again == [first]
    assert shop.modem.stored() == 0


async def test_what_came_in_before_a_replug_is_not_deleted_in_another_modems_place(shop: Shop) -> None:
    shop.modem.deliver(ROOF, "first")
    async with gateway_of(shop) as gateway:
        items = aiter(gateway.incoming())
        first = await anext(items)
        await asyncio.to_thread(shop.modem.unplug)
        await asyncio.to_thread(shop.modem.plug_in)
        await until(lambda: sum(command.startswith("AT+CNMI") for command in shop.modem.commands) == 2)
        async with asyncio.timeout(SOON):
            assert await anext(items) == first
    assert shop.modem.stored() == 1


@pytest.mark.parametrize("sender", ["+13125550199", "55512", "Anderson", "MyShopX", "Bank"])
async def test_the_sender_is_told_as_the_network_did(shop: Shop, sender: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    shop.modem.deliver(sender, "hello")
    async with gateway_of(shop) as gateway:
        (item,) = await arrivals(gateway, 1)
    assert isinstance(item, InboundText)
    assert item.sender == sender
    assert before <= item.received_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    "pdu", ["00", "0004", "FF" * 30, "00040B913121555010F900F6620000000000000AFFFFFFFFFFFFFFFFFFFF"]
)
async def test_what_cannot_be_read_is_told_and_does_not_fill_the_sim(shop: Shop, pdu: str) -> None:
    shop.modem.deliver_pdu(pdu)
    shop.modem.deliver(ROOF, "after it")
    async with gateway_of(shop) as gateway:
        found = [item.body for item in await arrivals(gateway, 2) if isinstance(item, InboundText)]
    assert "after it" in found
    assert [body for body in found if body.startswith("(A message ")]
    assert shop.modem.stored() == 0


@pytest.mark.parametrize(("status", "delivered", "final"), [
    pytest.param(0x00, True, True, id="delivered"),
    pytest.param(0x30, False, False, id="still trying"),
    pytest.param(0x46, False, True, id="its time was over"),
    pytest.param(0x62, False, True, id="given up"),
])  # fmt: skip
async def test_a_delivery_report_says_what_became_of_the_text(
    shop: Shop, status: int, delivered: bool, final: bool
) -> None:
    shop.quirks.report_status = status
    async with gateway_of(shop) as gateway:
        accepted = await gateway.send(TEXT)
        (report,) = await arrivals(gateway, 1)
    assert isinstance(report, DeliveryReport)
    assert (report.reference, report.recipient) == (accepted.reference, TEXT.to)
    assert (report.delivered, report.final) == (delivered, final)


async def test_a_report_that_cuts_into_an_answer_is_heard(shop: Shop) -> None:
    pdu = report_pdu(77, TEXT.to, 0)
    shop.quirks.unsolicited = f"+CDS: 25\r\n{pdu}"
    async with gateway_of(shop) as gateway:
        await gateway.send(TEXT)
        found = await arrivals(gateway, 3)
    assert "77" in {report.reference for report in found if isinstance(report, DeliveryReport)}


# --- what the log says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["ok", "cms:38", "silent", "die_at_prompt", "die_after_pdu", "no_prompt", "late:1.5", "error"]
)
async def test_no_fault_of_the_modem_puts_a_traceback_a_number_or_a_text_into_the_log(
    shop: Shop, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shop.next_texts(word)
    shop.modem.deliver(ROOF, "a secret")
    async with gateway_of(shop, submit=SHORT, first_retry=timedelta(seconds=0.01)) as gateway:
        await asyncio.gather(gateway.send(TEXT), return_exceptions=True)
        await arrivals(gateway, 1) if "die" not in word else await until(lambda: gateway.health() is Health.DOWN)
    said = "\n".join(f"{record.message} {vars(record)}" for record in caplog.records)
    assert not any(record.exc_info for record in caplog.records)
    assert not any(secret in said for secret in (TEXT.body, TEXT.to, ROOF, "a secret"))
