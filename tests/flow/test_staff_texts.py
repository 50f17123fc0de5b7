"""What staff write from their mobiles goes to the caller they mean, once, or comes back with a question."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.flow.bringing import brought, text
from tests.flow.telling import ANNA, BEN, STAFF, Telling, telling
from tests.hasty import hasty
from tests.store.rows import CALLER
from textbackd.core.conversation import Turn
from textbackd.core.phone import E164
from textbackd.flow.staff.mobiles import MOST_ANSWERS, MOST_OF_ONE
from textbackd.flow.staff.orders import LAST_WITHIN, TOLD_WITHIN, StaffOrders
from textbackd.flow.staff.texts import StaffTexts
from textbackd.store import conversations, optouts, outbox
from textbackd.store.inbox import Came, Incoming

OTHER = E164("+13035550177")


class Mobiles:
    """Staff with mobiles in their hands."""

    def __init__(self, shop: Telling) -> None:
        self.shop = shop
        orders = StaffOrders(shop.settings, store=shop.store, desk=shop.desk)
        self.takes = StaffTexts(shop.settings, store=shop.store, orders=orders, clock=lambda: shop.now)
        self._count = 0

    async def write(self, body: str, sender: E164 = ANNA, *, again: bool = False) -> None:
        """Text the shop's number; `again`: the gateway brings the last one once more."""
        self._count += not again
        staff = self.takes.whose(sender)
        assert staff is not None
        came = Incoming(
            gateway="stick", reference=f"in-{self._count}", kind=Came.TEXT, sender=sender, number=sender, recipient=None,
            body=body, media=0, received_at=self.shop.now,
        )  # fmt: skip
        await self.takes.take(came, staff, self.takes.by_text(came, None))

    async def got(self, number: E164 = CALLER) -> list[str]:
        """Return what a caller was texted."""
        return [words for to, words in await self.shop.texts() if to == number]

    async def answer(self, sender: E164 = ANNA) -> str | None:
        """Return what one of the staff was answered last."""
        answers = [words for to, words in await self.shop.texts() if to == sender and words.startswith("textbackd: ")]
        return answers[-1].removeprefix("textbackd: ") if answers else None


@asynccontextmanager
async def mobiles(folder: Path) -> AsyncIterator[Mobiles]:
    """Let a caller, Jane, have written, and both of the staff have been told."""
    async with telling(folder) as shop:
        await shop.happens(words="Can you come?", name="Jane")
        shop.later(minutes=10)
        yield Mobiles(shop)


@hasty
async def test_an_answer_with_a_tag_goes_to_the_caller_and_claims(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write("#1 We come at 3")
        assert await staff.got() == ["We come at 3"]
        assert await staff.answer() is None
        found = await staff.shop.store.run(lambda db: conversations.find(db, CALLER))
        assert found is not None
        assert (found.assignee, found.turn) == ("anna", Turn.THEIRS)


@hasty
async def test_an_answer_without_a_tag_goes_to_whom_they_were_told_of_last(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.shop.happens(words="Me too", number=OTHER)
        staff.shop.later(minutes=3)
        await staff.write("We come at 3")
        assert (await staff.got(), await staff.got(OTHER)) == ([], ["We come at 3"])


@pytest.mark.parametrize(
    ("apart", "later", "is_asked"),
    [
        pytest.param(0, 119, True, id="told of both at once"),
        pytest.param(10, 120, True, id="told of both at once, a while ago"),
        pytest.param(240, 3, True, id="told of the second while they were writing to the first"),
        pytest.param(120, 120, False, id="told of the second long enough after the first, and before they write"),
    ],
)
@hasty
async def test_where_an_answer_may_be_to_either_they_are_asked_whom_they_mean(
    tmp_path: Path, apart: float, later: float, is_asked: bool
) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.shop.happens(words="Again")
        staff.shop.later(seconds=apart)
        await staff.shop.happens(words="Me too", number=OTHER)
        staff.shop.later(seconds=later)
        await staff.write("We come at 3")
        assert (await staff.got(), await staff.got(OTHER)) == ([], [] if is_asked else ["We come at 3"])
        asked = f"Is this for #2 {OTHER} or #1 Jane? Send it again with the tag in front."
        assert await staff.answer() == (asked if is_asked else None)


@hasty
async def test_what_has_not_reached_them_is_not_what_they_answer(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.shop.happens(words="Me too", number=OTHER, arrives=False)
        staff.shop.later(minutes=5)
        await staff.write("We come at 3")
        assert (await staff.got(), await staff.got(OTHER)) == (["We come at 3"], [])


@hasty
async def test_long_after_they_were_told_a_tag_is_needed(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        staff.shop.later(seconds=LAST_WITHIN.total_seconds())
        await staff.write("We come at 3")
        assert await staff.got() == []
        assert "Start with the tag" in (await staff.answer() or "")
        await staff.write("#1 We come at 3")
        assert await staff.got() == ["We come at 3"]


@pytest.mark.parametrize("tag", ["#2", "#999999999", "#0"])
@hasty
async def test_a_mistyped_tag_goes_to_nobody(tmp_path: Path, tag: str) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.shop.happens(words="Not for Ben", number=OTHER)
        await staff.shop.desk.assign(OTHER, "anna", "anna")
        await staff.shop.store.run(
            lambda db: db.execute("DELETE FROM notices WHERE staff = 'ben' AND number = ?", [OTHER])
        )
        await staff.write(f"{tag} We come at 3", BEN)
        assert (await staff.got(), await staff.got(OTHER)) == ([], [])
        assert await staff.answer(BEN) == f"You were not told of {tag} lately. Look at the tag, or answer in the inbox."


@hasty
async def test_a_tag_of_last_week_is_too_old(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        staff.shop.later(seconds=TOLD_WITHIN.total_seconds())
        await staff.write("#1 We come at 3")
        assert await staff.got() == []


@hasty
async def test_the_second_answer_of_two_colleagues_waits_until_they_insist(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write("#1 We come at 3")
        await staff.write("#1 I can come at 4", BEN)
        assert await staff.got() == ["We come at 3"]
        assert await staff.answer(BEN) == "Anna has answered #1 already. To write to them as well: #1! and your words"
        await staff.write("#1! I can come at 4", BEN)
        assert await staff.got() == ["We come at 3", "I can come at 4"]


@hasty
async def test_of_two_answers_at_the_same_moment_one_waits_too(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await asyncio.gather(staff.write("#1 We come at 3"), staff.write("#1 I can come at 4", BEN))
        assert len(await staff.got()) == 1
        assert "has answered #1 already" in "".join([str(await staff.answer(who)) for who in (ANNA, BEN)])


@hasty
async def test_when_the_caller_wrote_again_a_colleague_may_answer(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write("#1 We come at 3")
        await staff.shop.happens(words="And the chimney?")
        await staff.write("#1 Yes", BEN)
        assert await staff.got() == ["We come at 3", "Yes"]


@pytest.mark.parametrize(
    ("order", "answer", "act"),
    [
        pytest.param("#1 done", "#1 is done.", "put_away", id="done"),
        pytest.param("#1 call", f"#1 is yours. Call {CALLER}", "claimed", id="call"),
        pytest.param(
            "#1 note gate 4711", "Noted in #1 for colleagues. The caller does not see it.", "note", id="a note"
        ),
    ],
)
@hasty
async def test_short_orders_are_done_and_confirmed(tmp_path: Path, order: str, answer: str, act: str) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write(order)
        assert await staff.answer() == answer
        assert await staff.got() == []
        assert [(row["kind"], row["staff"]) for row in await staff.shop.rows("acts")] == [(act, "anna")]


@hasty
async def test_a_text_that_the_gateway_brings_twice_is_answered_once(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write("#1 We come at 3")
        await staff.write("#1 We come at 3", again=True)
        assert await staff.got() == ["We come at 3"]


@hasty
async def test_a_note_that_the_gateway_brings_twice_is_one_note(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write("#1 note gate 4711")
        await staff.write("#1 note gate 4711", again=True)
        assert len(await staff.shop.rows("acts")) == 1


@hasty
async def test_a_crash_before_it_is_stored_brings_it_again_and_texts_the_caller_once(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write("#1 We come at 3")
        await staff.shop.store.run(lambda db: db.execute("DELETE FROM inbox"))
        await staff.write("#1 We come at 3", again=True)
        assert await staff.got() == ["We come at 3"]
        assert len(await staff.shop.rows("inbox")) == 1


@hasty
async def test_what_they_wrote_is_stored_with_the_caller_it_is_about(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write("#1 We come at 3")
        (row,) = await staff.shop.rows("inbox")
        assert (row["number"], row["body"], row["about"]) == (ANNA, "#1 We come at 3", CALLER)
        assert [row["number"] for row in await staff.shop.rows("conversations")] == [CALLER]


@hasty
async def test_a_mobile_that_answers_by_itself_goes_round_in_no_circle(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        for _ in range(20):
            await staff.shop.happens(words="I am on holiday.")
            await staff.write("I am driving.")
            staff.shop.later(minutes=2)
        assert len(await staff.got()) == 2
        assert len([words for to, words in await staff.shop.texts() if to == ANNA]) <= MOST_OF_ONE + MOST_ANSWERS


@hasty
async def test_what_the_desk_refuses_comes_back_in_a_sentence(tmp_path: Path) -> None:
    async with mobiles(tmp_path) as staff:
        await staff.write("#1")
        assert await staff.answer() == "The text is empty."


# ---- through a gateway


@pytest.mark.parametrize(
    ("sender", "body", "is_order", "is_out"),
    [
        pytest.param(ANNA, "#1 done", True, False, id="an order of one of the staff"),
        pytest.param(CALLER, "#1 done", False, False, id="the same words of a caller are none"),
        pytest.param(ANNA, "STOP", False, True, id="STOP of one of the staff is heeded"),
        pytest.param(ANNA, "#1 stop", True, False, id="STOP behind a tag is said to the caller"),
        pytest.param(ANNA, "Please don't text me", True, False, id="what may mean STOP is said to a caller"),
    ],
)
@hasty
async def test_only_texts_of_staff_are_orders(
    tmp_path: Path, sender: E164, body: str, is_order: bool, is_out: bool
) -> None:
    async with brought(tmp_path, text(body, sender=sender), staff=STAFF) as (store, _):
        sent = [row["text"] for row in await store.run(outbox.listing) if row["to"] == ANNA]
        assert any(words.startswith("textbackd: ") for words in sent) is is_order  # nobody was told of #1
        assert (await store.run(lambda db: optouts.find(db, sender)) is not None) is is_out
        known = [row["number"] for row in await store.run(lambda db: list(db["conversations"].rows))]
        assert known == ([CALLER] if sender == CALLER else [])
        assert await store.run(lambda db: list(db["asks"].rows)) == []
