"""A desk phone rings and is connected with a caller: what Asterisk is asked, and what never gets there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flow.dialling import ANSWERED, BUSY, DENIED, NO_PHONE, NOBODY, DiallingPbx, dialling
from tests.flow.office import until
from tests.flow.settings import configured
from tests.hasty import hasty
from tests.store.rows import CALLER, DAY, NOON, a_text, judged
from textbackd.config import Settings
from textbackd.core.phone import E164, as_dialled
from textbackd.flow.bell import Bell
from textbackd.flow.desk import Desk, Refused
from textbackd.flow.staff.ring_back import CannotRing, RingBack
from textbackd.pbx.control import Picked
from textbackd.store import acts, conversations, journal
from textbackd.store.database import Store

STAFF = '{anna: {mobile: "+13035550113", phone: PJSIP/101}, ben: {}}'


def shop(dial: str = "{context: from-internal}") -> Settings:
    return configured(pbx=f"{{office: {{secret: none, dial: {dial}}}}}", staff=STAFF)


@dataclass
class Front:
    desk: Desk
    pbx: DiallingPbx
    store: Store

    async def assignee(self) -> str | None:
        found = await self.store.run(lambda db: conversations.find(db, CALLER))
        return found.assignee if found else None


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    await store.run(lambda db: journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON))
    async with dialling(shop()) as (pbx, ring_back):
        desk = Desk(shop(), store=store, clock=lambda: NOON, bell=Bell(), wake=lambda: None, ring_back=ring_back)
        yield Front(desk, pbx, store)
    await store.close()


async def test_a_click_rings_the_own_desk_phone_which_then_dials_the_caller(front: Front) -> None:
    await front.desk.call_back(CALLER, "anna")
    asked = {key: front.pbx.calls[0][key] for key in ("Channel", "Context", "Exten", "CallerID", "Async", "Timeout")}
    assert asked == {
        "Channel": "PJSIP/101", "Context": "from-internal", "Exten": "13035550142", "CallerID": f'"{CALLER}" <101>',
        "Async": "true", "Timeout": "25000",
    }  # fmt: skip


async def test_calling_back_claims_the_conversation_and_stands_in_it(front: Front) -> None:
    await front.desk.call_back(CALLER, "anna")
    done = [(row["kind"], row["detail"]) for row in reversed(await front.store.run(acts.listing))]
    assert await front.assignee() == "anna"
    assert done == [("claimed", ""), ("called_back", "PJSIP/101")]


async def test_whose_the_conversation_is_stays_so_when_a_colleague_calls(front: Front) -> None:
    await front.desk.assign(CALLER, "ben", "ben")
    await front.desk.call_back(CALLER, "anna")
    assert await front.assignee() == "ben"


async def test_a_second_click_while_it_rings_rings_nothing(front: Front) -> None:
    await front.desk.call_back(CALLER, "anna")
    with pytest.raises(Refused, match="ringing already"):
        await front.desk.call_back(CALLER, "anna")
    front.pbx.pick_up(front.pbx.calls[0], NOBODY)
    await until(lambda: _can_again(front))
    assert len(front.pbx.calls) == 2


async def _can_again(front: Front) -> bool:
    try:
        await front.desk.call_back(CALLER, "anna")
    except Refused:
        return False
    return True


async def test_two_clicks_at_once_ring_once(front: Front) -> None:
    both = await asyncio.gather(*(front.desk.call_back(CALLER, "anna") for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in both if each] == [Refused]
    assert len(front.pbx.calls) == 1


async def test_a_phone_that_was_refused_can_be_rung_again(front: Front) -> None:
    front.pbx.answers.append(DENIED)
    with pytest.raises(Refused):
        await front.desk.call_back(CALLER, "anna")
    await front.desk.call_back(CALLER, "anna")
    assert len(front.pbx.calls) == 1


async def test_only_who_has_a_desk_phone_is_offered_to_call_back(front: Front) -> None:
    assert [front.desk.can_call_back(staff) for staff in ("anna", "ben", "nobody")] == [True, False, False]


@pytest.mark.parametrize(
    ("number", "staff", "why"),
    [
        pytest.param(CALLER, "ben", "No desk phone is known for ben", id="no phone"),
        pytest.param(E164("+13035550199"), "anna", "no conversation", id="a number that never called"),
    ],
)
async def test_what_cannot_be_dialled_is_refused_with_a_sentence(
    front: Front, number: E164, staff: str, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        await front.desk.call_back(number, staff)
    assert front.pbx.calls == []


async def test_a_missing_right_is_told_with_the_word_to_add(front: Front) -> None:
    front.pbx.answers.append(DENIED)
    with pytest.raises(Refused, match="Add `originate` to `write`"):
        await front.desk.call_back(CALLER, "anna")
    assert await front.store.run(acts.listing) == []


async def test_without_the_setting_nothing_is_ever_dialled() -> None:
    settings = configured(staff=STAFF)
    ring_back = RingBack(settings)
    assert ring_back.phone_of("anna") is None
    with pytest.raises(CannotRing, match="not set up"):
        await ring_back.connect(CALLER, "anna")
    with pytest.raises(CannotRing, match="not set up"):
        await ring_back.wake(CALLER, "Jane", "PJSIP/101")


async def test_before_there_is_a_connection_nothing_rings() -> None:
    with pytest.raises(CannotRing, match=r"pbx\.office: not connected"):
        await RingBack(shop()).connect(CALLER, "anna")


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("+19005550123", id="a premium number"),
        pytest.param("911", id="an emergency number"),
        pytest.param("+1303555014\r\nAction: Originate", id="another action"),
        pytest.param("+13035550142,System(id)", id="another application"),
        pytest.param("+１３０３５５５０１４２", id="digits that are none to Asterisk"),
        pytest.param("", id="nothing"),
    ],
)
async def test_what_is_no_ordinary_number_never_reaches_the_pbx(number: str) -> None:
    async with dialling(shop()) as (pbx, ring_back):
        for ring in (ring_back.connect(E164(number), "anna"), ring_back.wake(E164(number), "Jane", "PJSIP/101")):
            with pytest.raises(CannotRing, match="no ordinary phone number"):
                await ring
    assert [action for action in pbx.actions if action["Action"] == "Originate"] == []
    assert pbx.calls == []


@pytest.mark.parametrize(
    ("dial", "dialled"),
    [
        pytest.param("{number_format: national}", "13035550142", id="as people dial"),
        pytest.param("{number_format: e164}", "+13035550142", id="with the plus"),
        pytest.param("{number_format: digits, prefix: '9'}", "913035550142", id="after a 9 for a line"),
    ],
)
async def test_a_number_is_dialled_as_the_shop_s_route_wants_it(dial: str, dialled: str) -> None:
    async with dialling(shop(dial)) as (pbx, ring_back):
        await ring_back.connect(CALLER, "anna")
    assert pbx.calls[0]["Exten"] == dialled


@pytest.mark.parametrize(
    ("number", "country", "pressed"),
    [
        ("+13035550142", "US", "13035550142"),
        ("+4930123456", "DE", "030123456"),
        ("+13035550142", "DE", "0013035550142"),
        ("+4930123456", "US", "0114930123456"),
        ("+390612345678", "IT", "0612345678"),
    ],
)
def test_a_number_is_pressed_as_people_of_the_country_do(number: str, country: str, pressed: str) -> None:
    assert as_dialled(E164(number), country) == pressed


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Jane O'Neill", "Jane O Neill", id="a name"),
        pytest.param('Bob" <911>\r\nAction: X', "Bob 911 Action X", id="what would end the quotes and the line"),
        pytest.param("${SHELL(id)},x=y", "SHELL id x y", id="what would be run"),
        pytest.param("Зоя Müller", "Зоя Müller", id="letters of the world"),
        pytest.param("\u202eevil\u0000" + "x" * 500, ("evil " + "x" * 500)[:30], id="marks, and a novel"),
        pytest.param("😀 !", str(CALLER), id="nothing that can be read: the number"),
    ],
)
async def test_a_phone_that_is_woken_shows_who_waits_and_gets_letters_only(name: str, shown: str) -> None:
    async with dialling(shop("{context: from-internal, number_format: e164}")) as (pbx, ring_back):
        await ring_back.wake(CALLER, name, "PJSIP/101")
    assert pbx.calls[0]["CallerID"] == f'"textbackd: {shown} waits" <101>'
    assert pbx.calls[0]["Context"] == "textbackd-wake"
    assert pbx.calls[0]["Variable"] == f"TEXTBACKD_CONTEXT=from-internal,TEXTBACKD_NUMBER={CALLER}"


@pytest.mark.parametrize(
    ("reason", "picked"),
    [
        (ANSWERED, Picked.UP),
        (NOBODY, Picked.NOBODY),
        (BUSY, Picked.BUSY),
        (NO_PHONE, Picked.REFUSED),
        ("77", Picked.REFUSED),
    ],
)
async def test_what_became_of_a_phone_is_told(reason: str, picked: Picked) -> None:
    async with dialling(shop()) as (pbx, ring_back):
        told = await ring_back.wake(CALLER, "Jane", "PJSIP/101")
        other = await ring_back.wake(CALLER, "Jane", "PJSIP/102")
        pbx.pick_up(pbx.calls[1], reason)
        assert await asyncio.wait_for(other, 20) is picked
        assert not told.done()


@hasty
async def test_a_phone_of_which_nothing_is_heard_ends_as_unknown() -> None:
    async with dialling(shop("{rings_for: 0s}")) as (_, ring_back):
        told = await ring_back.wake(CALLER, "Jane", "PJSIP/101")
        assert await asyncio.wait_for(told, 60) is Picked.UNKNOWN
