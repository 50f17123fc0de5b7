"""A pile-up is told once until half of it is answered; the digest comes once a morning, to those who want it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlite_utils

from tests.flow.noting import NotesWhom, said
from tests.flow.settings import configured
from tests.store.rows import DAY, NOON, a_text, judged
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.flow.staff.alarms import Alarms
from textbackd.store import conversations, journal
from textbackd.store.conversations import News
from textbackd.store.database import Store, writing

CALLERS = [E164(f"+1303555014{number}") for number in range(8)]
# NOON of the tests is 5:00 in Denver on a Monday: these hours begin an hour later.
LINES = '{main: {hours: {mon-fri: "06:00-17:00"}}}'
STAFF = "{anna: {}, boss: {digest: true}}"


@dataclass
class Shop:
    alarms: Alarms
    store: Store
    now: list[datetime]
    seen: int = 0

    async def happens(self, happening: Happening, *callers: E164) -> None:
        """Let something happen in several conversations."""

        def work(db: sqlite_utils.Database) -> None:
            with writing(db):
                for caller in callers:
                    conversations.happen(db, News(number=caller, happening=happening, at=self.now[0], line="main"))

        await self.store.run(work)

    async def after(self, **span: float) -> list[tuple[str, str]]:
        """Let time pass; return (whom, words) of what is told then."""
        self.now[0] += timedelta(**span)
        await self.alarms.look()
        all_said = await self.store.run(said)
        new, self.seen = all_said[self.seen :], len(all_said)
        return [(whom, words) for whom, _, words in new]


@asynccontextmanager
async def opened(folder: Path, **sections: str) -> AsyncIterator[Shop]:
    settings = configured(**{"lines": LINES, "staff": STAFF, "inbox": "{pile_up: 4/1h}", **sections})
    store, now = Store(folder / "textbackd.db"), [NOON]
    await store.open()
    alarms = Alarms(settings, store=store, clock=lambda: now[0], tells=NotesWhom(), wake=lambda: None)
    yield Shop(alarms, store, now)
    await store.close()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(tmp_path, staff="{anna: {}, boss: {}}") as found:
        yield found


async def test_a_pile_up_is_told_to_all_staff_once_and_again_after_half_of_it_was_answered(shop: Shop) -> None:
    await shop.happens(Happening.WROTE, *CALLERS[:4])
    assert await shop.after(hours=1) == []  # it opens
    assert await shop.after(minutes=59) == []
    (told,) = await shop.after(minutes=1)
    assert told[0] == "anna,boss"
    assert told[1].startswith("Anderson Roofing: 4 callers have waited 60 min or longer")
    await shop.happens(Happening.WROTE, *CALLERS[4:])
    assert await shop.after(hours=2) == []  # it only gets worse
    await shop.happens(Happening.ANSWERED, *CALLERS[:5])
    assert await shop.after(minutes=1) == []  # three are left, one too many
    await shop.happens(Happening.WROTE, CALLERS[0])
    assert await shop.after(hours=1) == []  # four again: still the same pile-up
    await shop.happens(Happening.ANSWERED, CALLERS[0], CALLERS[5])
    assert await shop.after(minutes=1) == []
    await shop.happens(Happening.WROTE, *CALLERS[:4])
    assert len(await shop.after(hours=1)) == 1


async def test_three_are_no_pile_up_of_four(shop: Shop) -> None:
    await shop.happens(Happening.WROTE, *CALLERS[:3])
    assert await shop.after(hours=5) == []


async def test_a_restart_does_not_tell_of_the_same_pile_up(tmp_path: Path) -> None:
    for told in (1, 0):
        async with opened(tmp_path, lines="{main: {}}", staff="{anna: {}}") as shop:
            shop.seen = len(await shop.store.run(said))
            await shop.happens(Happening.WROTE, *CALLERS[:4])
            assert len(await shop.after(hours=3)) == told


async def test_the_digest_comes_once_a_morning_to_those_who_want_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        await shop.store.run(
            lambda db: journal.record(db, judged(ended_at=NOON), a_text(), same_case_within=DAY, now=NOON)
        )
        assert await shop.after(minutes=59) == []
        words = "Good morning, Anderson Roofing. Since Fri 17:00: 1 missed call (1 texted). Nobody waits."
        assert await shop.after(minutes=1) == [("boss", words)]
        assert await shop.after(minutes=30) == []
        await shop.happens(Happening.WROTE, CALLERS[0])
        assert await shop.after(hours=23) == []
        ((_, words),) = await shop.after(minutes=30)
        assert words.startswith("Good morning, Anderson Roofing. Since Mon 17:00: nothing new. 1 waits for an answer: ")
        assert "(23 h)" in words


async def test_a_morning_that_was_slept_through_has_no_digest(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        await shop.happens(Happening.WROTE, CALLERS[0])
        assert await shop.after(hours=4) == []


@pytest.mark.parametrize(
    "sections",
    [{"mode": "observe"}, {"staff": "{anna: {}}", "inbox": "{pile_up: off}"}],
    ids=["observing", "not wanted"],
)
async def test_nobody_is_told_who_is_not_to_be(tmp_path: Path, sections: dict[str, str]) -> None:
    async with opened(tmp_path, **sections) as shop:
        await shop.happens(Happening.WROTE, *CALLERS)
        assert [*await shop.after(hours=1), *await shop.after(hours=4)] == []
