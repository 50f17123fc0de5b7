"""Texts as SIP MESSAGE: the contract on exchanges as Asterisk 16 and 22 write them. On the real ones: tests/lab/test_messages.py."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

import pytest

from tests.gateways.ami_peer import GARBLED, AmiContract, Block, Texting, error, running, started
from tests.gateways.contract import ANSWER, TEXT, Trait, failure_of
from tests.gateways.web_peer import section_from
from textbackd.core.phone import E164
from textbackd.gateways.asterisk_message import TOO_LONG, MessageDialect
from textbackd.gateways.base import Accepted, Fate, InboundText
from textbackd.gateways.web.meaning import Meaning

pytestmark = pytest.mark.slow

NOW: Final = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
SECTION: Final = "type: asterisk_message, endpoint: trunk, domain: sip.example.com"


def dialect(keys: str = "") -> MessageDialect:
    return MessageDialect(section_from(f"{{{SECTION}{keys}}}"))


def hidden(value: str) -> str:
    """Return a value as the dialplan writes it (config/extensions-textbackd.conf)."""
    return base64.b64encode(b"." + value.encode().replace(b")", b"\x01")).decode()


def text_event(sender: str, body: str, number: int) -> Block:
    return {
        "Event": "UserEvent", "Privilege": "user,all", "Channel": "Message/ast_msg_queue", "ChannelState": "6",
        "ChannelStateDesc": "Up", "CallerIDNum": "<unknown>", "Context": "textbackd-messages", "Exten": "+12015550100",
        "Uniqueid": "1795579593.0", "Linkedid": "1795579593.0", "UserEvent": "TextbackdMessage",
        "From": hidden(f'"Ann" <sip:{sender}@carrier.invalid>'), "To": hidden("+12015550100"),
        "Id": hidden(f"call-{number} 1 MESSAGE"), "Body": hidden(body),
    }  # fmt: skip


def read(action: Block) -> tuple[str, str]:
    number = action["To"].removeprefix("pjsip:trunk/sip:").removesuffix("@sip.example.com")
    return number, base64.b64decode(action["Base64Body"]).decode()


MESSAGE: Final = Texting(
    section=f"{{{SECTION}}}",
    action="MessageSend",
    read=read,
    accepted={"Response": "Success", "Message": "Message successfully sent"},
    unfit=error("Permission denied"),
    throttled=error("Message failed to send."),
    text_event=text_event,
    repeats=True,
)


class TestMessage(AmiContract):
    """What every gateway keeps, through a SIP trunk."""

    texting = MESSAGE
    cannot: ClassVar = {
        Trait.REFUSE: "Asterisk tells nobody what the trunk said to a MESSAGE",
        Trait.OPT_OUT: "Asterisk tells nobody what the trunk said to a MESSAGE",
        Trait.REPORT: "SIP MESSAGE has no delivery reports (RFC 3428)",
        Trait.FAILURE_REPORT: "SIP MESSAGE has no delivery reports (RFC 3428)",
        Trait.REFERENCE: "Asterisk tells no id of what it gave to the trunk",
    }


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        pytest.param(error("Permission denied"), Fate.GATEWAY_UNFIT, id="the account may not"),
        pytest.param(error("Message technology not found."), Fate.GATEWAY_UNFIT, id="a module is not loaded"),
        pytest.param(error("Message failed to send."), Fate.NOT_SENT, id="no such endpoint, or no address"),
        pytest.param(error("Failed to parse message: line too long"), Fate.NOT_SENT, id="any other error"),
        pytest.param(GARBLED, Fate.UNKNOWN, id="neither success nor error"),
    ],
)
def test_an_answer_decides_the_fate(answer: Block, fate: Fate) -> None:
    said = dialect().outcome(TEXT, answer)
    assert isinstance(said, Meaning)
    assert said.fate is fate


def test_a_success_is_accepted_without_a_reference() -> None:
    assert dialect().outcome(TEXT, MESSAGE.accepted) == Accepted(reference=None)


@pytest.mark.parametrize(
    ("keys", "to", "sender"),
    [
        pytest.param("", "+13035550126", None, id="without a number of ours the endpoint's from_user stands"),
        pytest.param(', number: "+12015550142"', "+13035550126", "+12015550142", id="the gateway's number"),
        pytest.param(", from: called_did", "+13035550126", "+12015550100", id="the number that was called"),
        pytest.param(
            ", from: called_did, number_format: digits", "13035550126", "12015550100", id="for providers without a plus"
        ),
    ],
)
def test_addresses_are_made_of_number_and_domain(keys: str, to: str, sender: str | None) -> None:
    action = dialect(keys).action(TEXT, now=NOW)
    assert action["To"] == f"pjsip:trunk/sip:{to}@sip.example.com"
    assert action.get("From") == (sender and f"sip:{sender}@sip.example.com")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(replace(TEXT, body="x" * 757), "longer than", id="longer than an action's line may be"),
        pytest.param(replace(TEXT, body="\ud83d"), "half a character", id="half an emoji"),
        pytest.param(replace(TEXT, valid_until=datetime.now(UTC) - timedelta(seconds=1)), "time is over", id="late"),
        pytest.param(replace(TEXT, to=E164("+1\r\nAction: Ping")), "line end", id="another action in the number"),
    ],
)
async def test_what_cannot_be_asked_is_not_sent(text: object, why: str) -> None:
    assert isinstance(text, type(TEXT))
    async with running(MESSAGE) as peer, started(peer) as gateway:
        failed = await failure_of(gateway, text)
        assert failed.fate is Fate.NOT_SENT
        assert why in str(failed)
        assert await peer.texts() == []
        await gateway.send(replace(TEXT, body="x" * 756))


# ---- inwards


def told(event: Block) -> InboundText | None:
    text = dialect().events["UserEvent"](event, NOW)
    assert text is None or isinstance(text, InboundText)
    return text


def test_a_text_is_told_with_both_numbers() -> None:
    assert (text := told(text_event("+13035550126", ANSWER, 1)))
    assert (text.sender, text.recipient, text.body) == ("+13035550126", "+12015550100", ANSWER)
    assert text.received_at == NOW


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        pytest.param("<sip:+13035550126@carrier.example>", "+13035550126", id="an address"),
        pytest.param("<sip:%2B13035550126@carrier.example;user=phone>", "+13035550126", id="an escaped plus"),
        pytest.param("sips:3035550126;npdi=yes@carrier.example", "3035550126", id="parameters of the number"),
        pytest.param("<tel:+13035550126@>", "+13035550126", id="a tel: address as Asterisk 22 writes it"),
        pytest.param('"sip:911@x :) (" <sip:+13035550126@carrier.example>', "+13035550126", id="a forged name"),
        pytest.param("<sip:carrier.example>", "carrier.example", id="nobody at a host"),
        pytest.param("nonsense", "nonsense", id="no address"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_sender_is_the_user_of_the_address(address: str, sender: str) -> None:
    assert (text := told({**text_event("+1", "x", 1), "From": hidden(address)}))
    assert text.sender == sender


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(hidden("Sure :) at 8:30 (or 9:15)"), "Sure :) at 8:30 (or 9:15)", id="brackets that were hidden"),
        pytest.param(hidden(" .dots. "), " .dots. ", id="dots and spaces of their own"),
        pytest.param(hidden(""), TOO_LONG, id="nothing, or too much for Asterisk"),
        pytest.param(base64.b64encode(b".M\xfcller").decode(), "M\ufffdller", id="no UTF-8"),
        pytest.param("@@@", "(unreadable: @@@)", id="no Base64"),
        pytest.param("é", "(unreadable: é)", id="no ASCII"),
    ],
)
def test_a_body_is_told_as_it_was(body: str, expected: str) -> None:
    assert (text := told({**text_event("+1", "", 1), "Body": body}))
    assert text.body == expected


def test_fields_that_are_missing_are_empty() -> None:
    assert (text := told({"UserEvent": "TextbackdMessage"}))
    assert (text.sender, text.recipient, text.body) == ("", None, TOO_LONG)


def test_another_user_event_is_not_ours() -> None:
    assert told({**text_event("+1", "x", 1), "UserEvent": "QueueMemberCallDial"}) is None


@pytest.mark.parametrize(
    ("change", "is_the_same"),
    [
        pytest.param({}, True, id="the same once more"),
        pytest.param({"Id": hidden("call-1 2 MESSAGE")}, False, id="the same words in the next MESSAGE"),
        pytest.param({"Body": hidden("No")}, False, id="other words under a Call-ID that is used again"),
        pytest.param({"Id": hidden(" ")}, False, id="without an id the time tells them apart"),
    ],
)
def test_a_message_that_comes_twice_is_known_by_its_id(change: Block, is_the_same: bool) -> None:
    event = text_event("+13035550126", "Yes", 1)
    read = dialect().events["UserEvent"]
    first, again = read(event, NOW), read({**event, **change}, NOW + timedelta(seconds=40))
    assert isinstance(first, InboundText)
    assert isinstance(again, InboundText)
    assert (first.id == again.id) is is_the_same
