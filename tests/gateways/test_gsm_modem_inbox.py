"""Which texts are in a listing of the SIM: whole, joined, still waiting for a part, or told without it."""

from itertools import permutations

import pytest

from textbackd.demo.modem_air import binary_pdus, deliver_pdus, picture_push, report_pdu
from textbackd.gateways.base import DeliveryReport, InboundText
from textbackd.gateways.modem.inbox import MISSING, PATIENCE, PICTURE, Inbox
from textbackd.gateways.modem.link import StoredPdu
from textbackd.gateways.modem.pdu import UNREADABLE

ROOF = "+13125550199"
PARTS = deliver_pdus(ROOF, "a" * 153 + "b" * 153 + "c" * 10, reference=7)


def listing(*pdus: str) -> list[StoredPdu]:
    return [StoredPdu("SM", place, pdu, 1) for place, pdu in enumerate(pdus, start=1)]


def bodies(inbox: Inbox, *pdus: str, at: float = 0.0) -> list[str]:
    return [one.item.body for one in inbox.arrived(listing(*pdus), at=at) if isinstance(one.item, InboundText)]


@pytest.mark.parametrize("order", list(permutations(PARTS)))
def test_parts_are_joined_in_their_order_wherever_they_are_stored(order: tuple[str, ...]) -> None:
    (arrived,) = Inbox().arrived(listing(*order), at=0.0)
    assert isinstance(arrived.item, InboundText)
    assert arrived.item.body == "a" * 153 + "b" * 153 + "c" * 10
    assert len(arrived.stored) == 3
    again = Inbox().arrived(listing(*PARTS), at=0.0)
    assert [one.item for one in again] == [arrived.item]


def test_an_incomplete_text_waits_and_is_then_told_with_a_gap() -> None:
    inbox, patience = Inbox(), PATIENCE.total_seconds()
    assert bodies(inbox, PARTS[0], PARTS[2], at=100.0) == []
    assert bodies(inbox, PARTS[0], PARTS[2], at=100.0 + patience) == []
    assert bodies(inbox, PARTS[0], PARTS[2], at=101.0 + patience) == ["a" * 153 + MISSING + "c" * 10]


def test_the_wait_begins_anew_with_the_next_text_of_the_same_reference() -> None:
    inbox, patience = Inbox(), PATIENCE.total_seconds()
    assert bodies(inbox, PARTS[0], at=0.0) == []
    assert bodies(inbox, *PARTS, at=1.0) == ["a" * 153 + "b" * 153 + "c" * 10]
    assert bodies(inbox, at=2.0) == []
    assert bodies(inbox, PARTS[1], at=patience + 1) == []


def test_a_part_that_came_twice_is_in_the_text_once_and_deleted_with_it() -> None:
    (arrived,) = Inbox().arrived(listing(PARTS[0], *PARTS), at=0.0)
    assert isinstance(arrived.item, InboundText)
    assert arrived.item.body == "a" * 153 + "b" * 153 + "c" * 10
    assert len(arrived.stored) == 4


def test_equal_references_of_different_senders_are_different_texts() -> None:
    other = deliver_pdus("+13125550198", "x" * 200, reference=7)
    assert bodies(Inbox(), PARTS[0], *other, PARTS[1]) == ["x" * 200]


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_picture_message_in_parts_is_told_once_as_from_whom_it_is(order: tuple[int, ...]) -> None:
    pdus = binary_pdus("55512", picture_push(ROOF, subject="My roof"), port=2948)
    assert len(pdus) == 2
    (arrived,) = Inbox().arrived(listing(*[pdus[at] for at in order]), at=0.0)
    assert isinstance(arrived.item, InboundText)
    assert (arrived.item.sender, arrived.item.media, len(arrived.stored)) == (ROOF, 1, 2)
    assert arrived.item.body == "(A picture message about “My roof”. Pictures cannot be shown here: ask what is in it.)"


@pytest.mark.parametrize(("octets", "port"), [
    pytest.param(picture_push(None, short_type=True), 2948, id="a picture message of a withheld number"),
    pytest.param(b"\x01\x02\x03", 2948, id="a push without sense"),
    pytest.param(b"\x00\x06\x01\xae\x02\x05", 2948, id="a push of something else"),
    pytest.param(picture_push(ROOF), 5505, id="for another application"),
    pytest.param(b"", 5505, id="empty"),
    pytest.param(bytes(range(256)) * 2, 16000, id="in parts"),
])  # fmt: skip
def test_a_binary_message_is_told_as_from_its_sender_without_its_octets(octets: bytes, port: int) -> None:
    (arrived,) = Inbox().arrived(listing(*binary_pdus("55512", octets, port=port)), at=0.0)
    assert isinstance(arrived.item, InboundText)
    assert arrived.item.sender == "55512"
    assert arrived.item.body in (UNREADABLE, PICTURE.format(""))


def test_a_binary_message_whose_other_parts_never_come_is_told_all_the_same() -> None:
    inbox, pdus = Inbox(), binary_pdus("55512", picture_push(ROOF) * 3, port=2948)
    assert bodies(inbox, *pdus[1:], at=0.0) == []
    assert bodies(inbox, *pdus[1:], at=PATIENCE.total_seconds() + 1) == [UNREADABLE]


def test_a_message_that_the_network_brings_twice_is_the_same_message() -> None:
    first, again = Inbox().arrived(listing(*deliver_pdus(ROOF, "hello", reference=1) * 2), at=0.0)
    assert isinstance(first.item, InboundText)
    assert isinstance(again.item, InboundText)
    assert first.item.id == again.item.id
    assert first.stored != again.stored


@pytest.mark.parametrize(("status", "permanent"), [
    (0x00, False), (0x21, False), (0x41, True), (0x42, False), (0x43, True), (0x45, True), (0x46, False), (0x49, False), (0x63, False),
])  # fmt: skip
def test_only_a_report_on_the_number_itself_is_permanent(status: int, permanent: bool) -> None:
    (arrived,) = Inbox().arrived(listing(report_pdu(42, ROOF, status)), at=0.0)
    assert isinstance(arrived.item, DeliveryReport)
    assert arrived.item.permanent is permanent


@pytest.mark.parametrize(("status", "words"), [
    (0x00, "delivered (0x00)"), (0x01, "forwarded, the service centre cannot confirm (0x01)"),
    (0x21, "still trying (0x21)"), (0x46, "its time was over (0x46)"), (0x5F, "given up (0x5f)"),
    (0x65, "given up for now (0x65)"), (0xFF, "given up for now (0xff)"),
])  # fmt: skip
def test_a_report_says_what_happened_in_words(status: int, words: str) -> None:
    (arrived,) = Inbox().arrived(listing(report_pdu(42, ROOF, status)), at=0.0)
    assert isinstance(arrived.item, DeliveryReport)
    assert (arrived.item.reference, arrived.item.recipient, arrived.item.detail) == ("42", ROOF, words)
