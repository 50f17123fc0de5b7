"""Modems that Asterisk drives: the contract on exchanges as the drivers' sources write them, their errors, reports and escapes."""

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

import pytest

from tests.gateways.ami_peer import GARBLED, AmiContract, Block, Texting, error, running, started
from tests.gateways.contract import ANSWER, TEXT, Trait, failure_of, next_of
from textbackd.config.gateways import AsteriskDongle
from textbackd.core.phone import E164
from textbackd.errors import TextbackdError
from textbackd.gateways.asterisk.gateway import LONGEST_LINE, MOST_WAITING
from textbackd.gateways.asterisk_dongle import DongleDialect, build
from textbackd.gateways.base import Accepted, DeliveryReport, Fate, Health, InboundText, Lent
from textbackd.gateways.web.meaning import Meaning

pytestmark = pytest.mark.slow

NOW: Final = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
DIALECT: Final = DongleDialect(AsteriskDongle(type="asterisk_dongle", device="dongle0"))
REPORT: Final = {
    "Event": "DongleReport", "Privilege": "call,all", "Device": "dongle0", "Payload": "text-1", "SCTS": "",
    "DT": "", "Success": "1", "Type": "0", "Report": "",
}  # fmt: skip


def unescaped(message: str) -> str:
    """Undo the C escapes as Asterisk does (ast_unescape_c): what follows a backslash and is no letter of its own stands for itself."""
    letters = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
    characters = iter(message)
    return "".join(
        letters.get(after, after) if one == "\\" and (after := next(characters, "\\")) else one for one in characters
    )


def text_event(sender: str, body: str, _: int) -> Block:
    message = base64.b64encode(body.encode()).decode()
    return {
        "Event": "DongleNewSMSBase64", "Privilege": "call,all", "Device": "dongle0", "From": sender, "Message": message
    }  # fmt: skip


def report_event(payload: str, delivered: bool) -> Block:
    # A part that the phone rejected has TP-Status 0x42, which the driver writes in decimal.
    told = {"Success": "1", "Report": "000,"} if delivered else {"Success": "0", "Report": "066,"}
    return {**REPORT, "Payload": payload, "Type": "1", "SCTS": "2026-11-23 17:00:05 +00:00", **told}


DONGLE: Final = Texting(
    section="{type: asterisk_dongle, device: dongle0}",
    action="DongleSendSMS",
    read=lambda action: (action["Number"], unescaped(action["Message"])),
    accepted={"Response": "Success", "Message": "[dongle0] SMS queued for send"},
    refused=error("[dongle0] Invalid phone number"),
    unfit=error("Permission denied"),
    throttled=error("[dongle0] Queue error"),
    text_event=text_event,
    report_event=report_event,
)
QUECTEL: Final = Texting(
    section="{type: asterisk_dongle, driver: quectel, device: quectel0, pbx: office}",
    action="QuectelSendSMS",
    read=DONGLE.read,
    accepted={"Response": "Success", "Message": "[quectel0] SMS queued for send"},
    refused=error("[quectel0] Invalid phone number"),
    unfit=error("Invalid/unknown command: QuectelSendSMS. Use Action: ListCommands to show available commands."),
    throttled=error("[quectel0] Device disconnected"),
    text_event=lambda sender, body, number: {
        **text_event(sender, body, number), "Event": "QuectelNewSMSBase64", "Device": "quectel0"
    },
    report_event=lambda payload, delivered: {
        **report_event(payload, delivered), "Event": "QuectelReport", "Device": "quectel0"
    },
)  # fmt: skip


class TestDongle(AmiContract):
    """What every gateway keeps, through chan_dongle."""

    texting = DONGLE
    cannot: ClassVar = {Trait.OPT_OUT: "a network knows of no opt-outs"}


class TestQuectel(AmiContract):
    """The same, through chan_quectel."""

    texting = QUECTEL
    cannot: ClassVar = TestDongle.cannot


# ---- what the driver answers


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        pytest.param(error("Permission denied"), Fate.GATEWAY_UNFIT, id="the account may not"),
        pytest.param(error("Invalid/unknown command: DongleSendSMS."), Fate.GATEWAY_UNFIT, id="no such driver"),
        pytest.param(error("[dongle0] Invalid phone number"), Fate.REFUSED, id="a number that is none"),
        pytest.param(error("[dongle0] Device not found"), Fate.NOT_SENT, id="a device that is not configured"),
        pytest.param(error("[dongle0] Device disconnected"), Fate.NOT_SENT, id="a modem that is unplugged"),
        pytest.param(error("[dongle0] Device disabled"), Fate.NOT_SENT, id="a modem that is switched off"),
        pytest.param(error("[dongle0] Queue error"), Fate.NOT_SENT, id="a queue that failed"),
        pytest.param(error("[dongle0] SMSDB error"), Fate.NOT_SENT, id="any other error"),
        pytest.param(error(""), Fate.NOT_SENT, id="an error without words"),
        pytest.param(GARBLED, Fate.UNKNOWN, id="neither success nor error"),
        pytest.param({}, Fate.UNKNOWN, id="nothing at all"),
    ],
)
def test_an_answer_decides_the_fate(answer: Block, fate: Fate) -> None:
    said = DIALECT.outcome(TEXT, answer)
    assert isinstance(said, Meaning)
    assert said.fate is fate


@pytest.mark.parametrize(
    ("body", "parts"), [("x" * 160, 1), ("x" * 161, 2), ("ы" * 70, 1), ("ы" * 71, 2)], ids=lambda value: str(value)[:3]
)
def test_a_queued_text_is_accepted_under_our_id_as_so_many_parts(body: str, parts: int) -> None:
    answer = {"Response": "Success", "Message": "[dongle0] SMS queued for send"}
    assert DIALECT.outcome(replace(TEXT, body=body), answer) == Accepted(reference="text-1", parts=parts)


@pytest.mark.parametrize(
    ("answer", "health"),
    [
        (error("Permission denied"), Health.PAUSED),
        (error("[dongle0] Device disconnected"), Health.DOWN),
        (error("[dongle0] Invalid phone number"), Health.UP),
    ],
    ids=str,
)
async def test_health_follows_the_answer(answer: Block, health: Health) -> None:
    async with running(replace(DONGLE, accepted=answer)) as peer, started(peer) as gateway:
        await failure_of(gateway)
        assert gateway.health() is health


async def test_the_modems_state_is_the_health() -> None:
    async with running(DONGLE) as peer, started(peer) as gateway:
        for device, status, health in (
            ("dongle1", "Disconnect", Health.UNKNOWN),
            ("dongle0", "Disconnect", Health.DOWN),
            ("dongle0", "Used", Health.DOWN),
            ("dongle0", "Initialize", Health.UP),
        ):
            peer.pbx.tell({"Event": "DongleStatus", "Device": device, "Status": status})
            peer.pbx.tell(text_event(TEXT.to, "then", 0))
            await next_of(gateway, InboundText)
            assert gateway.health() is health


# ---- what is asked of it


@pytest.mark.parametrize(
    "body",
    [
        "two\nlines\r\nand a third",
        "C:\\new\\table \\\\ \\",
        "Action: Originate\r\n\r\nAction: Command",
        "Zoë – “ok” 😀",
    ],
)
async def test_a_text_with_line_ends_and_backslashes_arrives_as_it_is_and_as_one_action(body: str) -> None:
    async with running(DONGLE) as peer, started(peer) as gateway:
        await gateway.send(replace(TEXT, body=body))
        assert await peer.texts() == [(TEXT.to, body)]
        actions = [action["Action"] for action in peer.pbx.actions]
        assert set(actions) <= {"Login", "Ping", "CoreShowChannels", "DongleSendSMS"}
        assert actions.count("DongleSendSMS") == 1


@pytest.mark.parametrize(
    ("left", "validity"),
    [(timedelta(minutes=10), "10"), (timedelta(seconds=61), "2"), (timedelta(seconds=1), "1"), (None, None)],
)
def test_the_time_that_is_left_is_told_in_whole_minutes(left: timedelta | None, validity: str | None) -> None:
    text = replace(TEXT, valid_until=NOW + left if left else None)
    assert DIALECT.action(text, now=NOW).get("Validity") == validity


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(replace(TEXT, body="x" * LONGEST_LINE), "longer than", id="longer than a line may be"),
        pytest.param(replace(TEXT, body="\ud83d"), "half a character", id="half an emoji"),
        pytest.param(replace(TEXT, body="a\0b"), "line end", id="an end of string"),
        pytest.param(replace(TEXT, to=E164("+1\r\nAction: Ping")), "line end", id="another action in the number"),
        pytest.param(replace(TEXT, valid_until=NOW), "time is over", id="a text whose time is over"),
    ],
)
async def test_what_cannot_be_asked_is_not_sent(text: object, why: str) -> None:
    assert isinstance(text, type(TEXT))
    async with running(DONGLE) as peer, started(peer) as gateway:
        failed = await failure_of(gateway, text)
        assert failed.fate is Fate.NOT_SENT
        assert why in str(failed)
        assert await peer.texts() == []


async def test_a_line_that_drops_after_the_action_makes_the_fate_unknown() -> None:
    async with running(DONGLE) as peer, started(peer) as gateway:
        await peer.swallow()
        failed, _ = await asyncio.gather(failure_of(gateway), peer.pbx.drop_after("DongleSendSMS"))
        assert failed.fate is Fate.UNKNOWN
        assert gateway.health() is Health.DOWN
        assert await peer.texts() == [(TEXT.to, TEXT.body)]


# ---- inwards


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({"Type": "0", "Success": "1"}, (False, False, "the network took it from the modem"), id="taken"),
        pytest.param({"Type": "0", "Success": "0"}, (False, True, "the modem could not send it"), id="not taken"),
        pytest.param({"Type": "1", "Success": "1", "Report": "000,"}, (True, True, "delivered (0x00)"), id="delivered"),
        pytest.param(
            {"Type": "1", "Success": "0", "Report": "000,066,066,"},
            (False, True, "delivered (0x00), rejected by the phone (0x42)"),
            id="a part was rejected",
        ),
        pytest.param({"Type": "1", "Success": "1", "Report": "999,x,²,"}, (True, True, "delivered"), id="odd statuses"),
        pytest.param({"Type": "1", "Success": "0"}, (False, True, "not delivered"), id="without statuses"),
    ],
)
def test_a_report_tells_what_became_of_a_text(told: Block, expected: tuple[bool, bool, str]) -> None:
    report = DIALECT.events["DongleReport"]({**REPORT, **told}, NOW)
    assert isinstance(report, DeliveryReport)
    assert (report.delivered, report.final, report.detail) == expected
    assert (report.reference, report.id) == ("text-1", "text-1")


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"Type": "2", "Success": "0"}, id="the driver waited in vain"),
        pytest.param({"Type": "9"}, id="a type that is not known"),
        pytest.param({"Payload": ""}, id="somebody else's text"),
    ],
)
def test_a_report_that_proves_nothing_about_a_text_of_ours_is_passed_over(told: Block) -> None:
    assert DIALECT.events["DongleReport"]({**REPORT, **told}, NOW) is None
    assert DIALECT.events["DongleReport"]({}, NOW) is None


def test_a_text_at_another_modem_is_not_ours() -> None:
    read = DIALECT.events["DongleNewSMSBase64"]
    assert read({**text_event(TEXT.to, ANSWER, 1), "Device": "dongle1"}, NOW) is None


@pytest.mark.parametrize(
    ("message", "body"),
    [
        pytest.param("@@@", "(A text that could not be read: @@@)", id="no Base64"),
        pytest.param("é", "(A text that could not be read: é)", id="no ASCII"),
        pytest.param("/w==", "\ufffd", id="no UTF-8"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_text_that_cannot_be_read_is_told_as_it_is(message: str, body: str) -> None:
    event = {**text_event(TEXT.to, "", 1), "Message": message}
    text = DIALECT.events["DongleNewSMSBase64"](event, NOW)
    assert isinstance(text, InboundText)
    assert text.body == body


def test_the_same_words_again_are_another_text() -> None:
    read, event = DIALECT.events["DongleNewSMSBase64"], text_event(TEXT.to, "Yes", 1)
    first, second = read(event, NOW), read(event, NOW + timedelta(microseconds=1))
    assert isinstance(first, InboundText)
    assert isinstance(second, InboundText)
    assert first.id != second.id


async def test_what_was_told_and_not_stored_is_told_again() -> None:
    async with running(DONGLE) as peer, started(peer) as gateway:
        await peer.deliver(TEXT.to, ANSWER)
        first = await anext(gateway.incoming())
        assert await anext(gateway.incoming()) == first
        await next_of(gateway, InboundText)
        await peer.deliver(TEXT.to, "another")
        assert (await next_of(gateway, InboundText)).body == "another"


async def test_more_than_can_wait_is_lost_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    async with running(DONGLE) as peer, started(peer) as gateway:
        for number in range(MOST_WAITING + 2):
            await peer.deliver(TEXT.to, f"text {number}")
        await gateway.send(TEXT)  # its answer comes after them
        assert len(gateway._waiting) == MOST_WAITING
    assert len([record for record in caplog.records if "one is lost" in record.getMessage()]) == 2


# ---- building


@pytest.mark.parametrize("pbx", [None, "office"])
def test_a_section_without_its_pbx_is_a_sentence(pbx: str | None) -> None:
    section = AsteriskDongle(type="asterisk_dongle", device="dongle0", pbx=pbx)
    with pytest.raises(TextbackdError, match=r"gateways\.stick\.pbx"):
        build("stick", section, Lent())
