"""Escalation and alarms reach staff by the ways that they have."""

from collections.abc import Sequence
from pathlib import Path

import sqlite_utils

from tests.flow.telling import ANNA, BEN, Telling, telling
from tests.hasty import hasty
from tests.store.rows import CALLER, DAY, NOON
from textbackd.core.phone import E164
from textbackd.flow.staff.duty import Duty
from textbackd.flow.staff.tells import StaffTells
from textbackd.store import conversations, notices, optouts
from textbackd.store.database import writing
from textbackd.store.optouts import OptedOutBy

WAITS = "Waits 15 min for an answer. “Can you come?”"


def tells(shop: Telling) -> StaffTells:
    return StaffTells(shop.settings, handoff=shop.handoff, duty=Duty(shop.settings, {}))


async def about(shop: Telling, staff: Sequence[str] = ()) -> Sequence[str]:
    """Tell of the one conversation that there is."""

    def work(db: sqlite_utils.Database) -> Sequence[str]:
        found = conversations.find(db, CALLER)
        assert found is not None
        with writing(db):
            return tells(shop).about(db, staff, found, WAITS, None, shop.now)

    return await shop.store.run(work)


@hasty
async def test_a_reminder_says_whom_it_is_about_and_can_be_answered(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(words="Can you come?", name="Jane", hand_on=False)
        assert await about(shop) == ["anna", "ben"]
        assert await shop.texts() == [(number, f"#1 Jane {CALLER}: {WAITS}") for number in (ANNA, BEN)]
        await shop.arrive()
        last = await shop.store.run(lambda db: notices.told_last(db, "anna", NOON - DAY))
        assert [number for number, _ in last] == [CALLER]


@hasty
async def test_only_those_are_told_who_are_named(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(hand_on=False)
        assert await about(shop, ["ben"]) == ["ben"]
        assert [number for number, _ in await shop.texts()] == [BEN]


@hasty
async def test_where_nobody_of_those_can_be_told_all_others_are(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(hand_on=False)
        await shop.store.run(lambda db: optouts.add(db, BEN, OptedOutBy.TEXT, "stick", shop.now))
        assert await about(shop, ["ben"]) == ["anna"]
        assert [number for number, _ in await shop.texts()] == [ANNA]


@hasty
async def test_any_mobile_can_be_paged_but_for_fixed_lines_and_one_that_wrote_stop(tmp_path: Path) -> None:
    stopped, fixed, other = E164("+13035550155"), E164("+498912345678"), E164("+13035550156")

    def work(db: sqlite_utils.Database) -> None:
        found = conversations.find(db, CALLER)
        assert found is not None
        optouts.add(db, stopped, OptedOutBy.TEXT, "stick", NOON)
        with writing(db):
            paged = [
                tells(shop).page(db, it, found, "URGENT. “Water everywhere”", NOON) for it in (stopped, fixed, other)
            ]
            assert paged == [False, False, True]

    async with telling(tmp_path, business="{name: Dach Anders, country: DE}") as shop:
        await shop.happens(hand_on=False)
        await shop.store.run(work)
        call = f"{CALLER}: URGENT. “Water everywhere” Call them: nobody reads an answer to this text."
        assert await shop.texts() == [(other, call)]


@hasty
async def test_what_is_about_no_caller_goes_by_every_way_and_can_not_be_answered(tmp_path: Path) -> None:
    staff = '{anna: {mobile: "+13035550113", sip: "pjsip:anna"}}'

    def work(db: sqlite_utils.Database) -> None:
        with writing(db):
            tells(shop).say(db, ["anna"], "2 callers wait.", shop.now)

    async with telling(tmp_path, staff=staff) as shop:
        await shop.store.run(work)
        assert await shop.texts() == [(ANNA, "2 callers wait.")]
        assert [(row["channel"], row["matter"]) for row in await shop.rows("notices")] == [("sip", "summary")]
        assert await shop.store.run(lambda db: notices.told_last(db, "anna", NOON - DAY)) == []
