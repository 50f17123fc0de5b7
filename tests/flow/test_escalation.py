"""Nobody is left waiting: who is told when, which phone rings, and what a restart, a closed shop and a busy line change."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from tests.flow.dialling import ANSWERED, NOBODY, DiallingPbx, dialling
from tests.flow.noting import STOPPED, NotesWhom, said
from tests.flow.office import until
from tests.flow.settings import configured
from tests.store.rows import CALLER, NOON
from textbackd.config import Settings
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.flow.bell import Bell
from textbackd.flow.staff.escalation import Escalation
from textbackd.store import acts, conversations
from textbackd.store.acts import ActKind
from textbackd.store.conversations import News
from textbackd.store.database import Store, writing

OTHER = E164("+13035550143")
# NOON of the tests is 5:00 in Denver, so these hours begin an hour later.
HOURS = 'hours: {mon-fri: "06:00-17:00"}'
CHAIN = "reply: {escalate: {boss: {after: 30m, tell: boss}, bell: {after: 45m, ring: PJSIP/101}}}"
STAFF = '{anna: {phone: PJSIP/101}, boss: {}, oncall: {mobile: "+13035550113"}}'


def shop(line: str = CHAIN, mode: str = "live") -> Settings:
    return configured(
        mode=mode, lines=f"{{main: {{{line}}}}}", staff=STAFF, pbx="{office: {secret: none, dial: {rings_for: 20s}}}"
    )


@dataclass
class Shop:
    escalation: Escalation
    store: Store
    pbx: DiallingPbx
    now: list[datetime]
    on_the_phone: set[E164]
    woken: list[None]
    build: Callable[[], Escalation]
    told_until: list[int] = field(default_factory=lambda: [0])

    async def happens(self, happening: Happening, number: E164 = CALLER, **more: Any) -> None:
        news = News(number=number, happening=happening, at=self.now[0], line="main", **more)
        await self.store.run(lambda db: _written(db, news))

    async def after(self, minutes: int) -> list[tuple[str, str]]:
        """Let so many minutes go by in one go; return (whom, words) of what is told then."""
        self.now[0] += timedelta(minutes=minutes)
        await self.escalation.look()
        return [(whom, words) for whom, _, words in await self.told()]

    async def told(self) -> list[tuple[str, str, str]]:
        """Return what was told since the last time."""
        all_told = await self.store.run(said)
        news, self.told_until[0] = all_told[self.told_until[0] :], len(all_told)
        return news

    async def deeds(self) -> list[str]:
        rows = await self.store.run(acts.listing)
        return [row["detail"] for row in reversed(rows) if row["kind"] == ActKind.ESCALATED]


def _written(db: sqlite_utils.Database, news: News) -> None:
    with writing(db):
        conversations.happen(db, news)


@asynccontextmanager
async def opened(tmp_path: Path, settings: Settings, tells: NotesWhom | None = None) -> AsyncIterator[Shop]:
    store, now, busy, woken = Store(tmp_path / "textbackd.db"), [NOON], set[E164](), list[None]()
    await store.open()
    async with dialling(settings) as (pbx, ring_back):

        def build() -> Escalation:
            return Escalation(
                settings,
                store=store,
                clock=lambda: now[0],
                bell=Bell(),
                tells=tells or NotesWhom(),
                ring_back=ring_back,
                on_the_phone=lambda: busy,
                wake=lambda: woken.append(None),
            )

        yield Shop(build(), store, pbx, now, busy, woken, build)
    await store.close()


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(tmp_path, shop()) as found:
        yield found


async def test_the_steps_of_the_chain_are_taken_one_after_the_other_each_once(chain: Shop) -> None:
    await chain.happens(Happening.WROTE, words="Can you come?")
    assert await chain.after(14) == []
    assert await chain.after(1) == [("anna", "Waits 15 min for an answer. “Can you come?”")]
    assert await chain.after(14) == []
    assert await chain.after(1) == [("boss", "Waits 30 min for an answer. “Can you come?”")]
    assert await chain.after(15) == []
    await until(lambda: [call["Channel"] for call in chain.pbx.calls] == ["PJSIP/101"])
    assert await chain.after(600) == []
    assert len(chain.pbx.calls) == 1
    assert chain.woken == [None] * 3


async def test_a_restart_neither_forgets_a_step_nor_repeats_one(chain: Shop) -> None:
    await chain.happens(Happening.WROTE)
    assert len(await chain.after(15)) == 1
    chain.escalation = chain.build()
    assert await chain.after(0) == []
    assert [whom for whom, _ in await chain.after(20)] == ["boss"]


async def test_an_answer_ends_the_wait_and_the_next_word_begins_another(chain: Shop) -> None:
    await chain.happens(Happening.WROTE)
    await chain.after(15)
    await chain.happens(Happening.ANSWERED, staff="anna")
    assert await chain.after(60) == []
    await chain.happens(Happening.WROTE)
    assert await chain.after(14) == []
    assert [whom for whom, _ in await chain.after(1)] == ["anna"]


async def test_a_further_word_does_not_set_the_clock_back(chain: Shop) -> None:
    await chain.happens(Happening.WROTE)
    await chain.after(14)
    await chain.happens(Happening.WROTE)
    assert len(await chain.after(1)) == 1


async def test_who_was_told_stands_in_the_conversation(chain: Shop) -> None:
    await chain.happens(Happening.WROTE)
    await chain.after(15)
    await chain.after(15)
    assert await chain.deeds() == ["anna", "boss"]


async def test_nothing_is_done_about_a_caller_who_is_on_the_phone_with_us(chain: Shop) -> None:
    await chain.happens(Happening.WROTE)
    chain.on_the_phone.add(CALLER)
    assert await chain.after(15) == []
    chain.on_the_phone.clear()
    assert len(await chain.after(1)) == 1


async def test_who_was_only_missed_waits_for_no_person_and_wakes_nobody(chain: Shop) -> None:
    await chain.happens(Happening.MISSED)
    assert await chain.after(600) == []


async def test_observing_does_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, shop(mode="observe")) as found:
        await found.happens(Happening.WROTE)
        assert await found.after(600) == []
        assert found.pbx.calls == []


async def test_closed_hours_do_not_count_unless_it_is_urgent(tmp_path: Path) -> None:
    async with opened(tmp_path, shop(HOURS)) as found:
        await found.happens(Happening.WROTE)
        assert await found.after(60) == []  # it opens
        assert len(await found.after(15)) == 1


@pytest.mark.parametrize(
    ("on_call", "whom"),
    [
        pytest.param("", "anna", id="nobody named: who gets the replies"),
        pytest.param(', on_call: "+13035550113"', "oncall", id="one of the staff, by every way that they have"),
        pytest.param(', on_call: "+13035550177"', "+13035550177", id="some other mobile"),
        pytest.param(f', on_call: "{STOPPED}"', "anna", id="a mobile that wants no texts: who gets the replies"),
    ],
)
async def test_an_urgent_text_at_night_wakes_whoever_is_on_call_at_once(
    tmp_path: Path, on_call: str, whom: str
) -> None:
    async with opened(tmp_path, shop(HOURS + on_call)) as found:
        await found.happens(Happening.WROTE, words="Water everywhere", urgent=True)
        assert await found.after(0) == [(whom, "URGENT. “Water everywhere”")]
        assert await found.after(14) == []
        assert [name for name, _ in await found.after(1)] == ["anna"]


# ---- phones


async def test_a_phone_that_rings_in_vain_is_told_to_whoever_is_next(tmp_path: Path) -> None:
    line = "reply: {within: off, escalate: {bell: {after: 5m, ring: PJSIP/101}, boss: {after: 10m, tell: boss}}}"
    async with opened(tmp_path, shop(line)) as found:
        await found.happens(Happening.WROTE)
        await found.after(5)
        await until(lambda: len(found.pbx.calls) == 1)
        found.pbx.pick_up(found.pbx.calls[0], NOBODY)
        await until(lambda: _has(found, "PJSIP/101: nobody came"))
        assert await found.after(5) == [("boss", "Waits 10 min for an answer. PJSIP/101 rang: nobody came.")]


async def test_a_phone_that_cannot_ring_is_told_as_well(tmp_path: Path) -> None:
    line = "reply: {within: off, escalate: {bell: {after: 5m, ring: PJSIP/101}}}"
    async with opened(tmp_path, shop(line)) as found:
        found.pbx.answers.append({"Response": "Error", "Message": "Permission denied"})
        await found.happens(Happening.WROTE)
        await found.after(5)
        await until(lambda: _has(found, "PJSIP/101: cannot be rung"))


async def test_a_phone_is_never_rung_for_two_callers_at_once(tmp_path: Path) -> None:
    line = "reply: {within: off, escalate: {bell: {after: 5m, ring: PJSIP/101}}}"
    async with opened(tmp_path, shop(line)) as found:
        await found.happens(Happening.WROTE, CALLER, name="Jane")
        await found.happens(Happening.WROTE, OTHER, name="Zoe")
        await found.after(5)
        await until(lambda: len(found.pbx.calls) == 1)
        await found.after(1)
        assert ["Jane" in call["CallerID"] for call in found.pbx.calls] == [True]
        found.pbx.pick_up(found.pbx.calls[0], ANSWERED)
        await until(lambda: _has(found, "PJSIP/101: picked up"))
        await found.after(0)
        await until(lambda: len(found.pbx.calls) == 2)
        assert "Zoe" in found.pbx.calls[1]["CallerID"]


class TellsSlowly(NotesWhom):
    """Telling takes until `go`, in the middle of the transaction."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def about(self, *args: Any) -> Sequence[str]:
        self.begun.set()
        assert self.go.wait(60)
        return super().about(*args)


async def test_a_reload_in_the_middle_of_a_look_rings_the_phone_once(tmp_path: Path) -> None:
    tells = TellsSlowly()
    async with opened(tmp_path, shop(), tells) as found:
        await found.happens(Happening.WROTE)
        found.now[0] += timedelta(minutes=45)
        task, following = asyncio.create_task(found.escalation.run()), found.build()
        await until(tells.begun.is_set)
        following.take_over(found.escalation)
        task.cancel()
        await asyncio.wait({task})
        tells.go.set()
        await until(lambda: len(found.pbx.calls) == 1)
        await following.look()
        found.pbx.pick_up(found.pbx.calls[0], NOBODY)
        await until(lambda: _has(found, "PJSIP/101: nobody came"))
        assert len(found.pbx.calls) == 1


async def _has(found: Shop, detail: str) -> bool:
    return detail in await found.deeds()


async def test_it_runs_by_itself_and_the_bell_wakes_it(tmp_path: Path) -> None:
    async with opened(tmp_path, shop(HOURS)) as found:
        task = asyncio.create_task(found.escalation.run())
        await found.happens(Happening.WROTE, urgent=True)
        await until(lambda: _told_something(found), seconds=60)
        task.cancel()
        await asyncio.wait({task})


async def _told_something(found: Shop) -> bool:
    return bool(await found.told())
