"""What is wrong is told once, to those who want to know, and once more when it is over."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlite_utils

from tests.flow.bringing import Disk
from tests.flow.gateways import Scripted
from tests.flow.noting import NotesWhom, said
from tests.flow.office import running, until
from tests.flow.settings import configured
from tests.gateways.sink import HttpSink
from tests.store.rows import ANSWERED, DAY, MISSED, NOON, a_text, judged
from textbackd.core.trouble import About, Trouble
from textbackd.flow.staff.watch import Watch
from textbackd.gateways.base import Health
from textbackd.store import halts, journal, outbox, steps
from textbackd.store.database import writing
from textbackd.store.halts import HaltKind
from textbackd.store.states import State

# NOON of the tests is 5:00 in Denver on a Monday: these hours begin an hour later.
LINES = '{main: {hours: {mon-fri: "06:00-17:00"}}}'
STAFF = "{anna: {}, boss: {alarms: true}}"
OPEN = NOON + timedelta(hours=1)


class Modem(Scripted):
    """A gateway whose state a test sets; nobody sends with it."""

    state, trouble, used = Health.UP, "", 0.0

    def health(self) -> Health:
        return self.state

    def vitals(self) -> Mapping[str, float]:
        return {"sim_storage_used": self.used, "sim_storage_size": 20}

    def told(self) -> Mapping[str, str]:
        return {}


@dataclass
class Shop:
    store: Disk
    now: datetime
    modem: Modem
    pbx: dict[str, str] = field(default_factory=lambda: {"office": "connected"})
    at_once: list[tuple[str, str]] = field(default_factory=list)
    nobody_reached: bool = False
    seen: int = 0

    def watch(self, **sections: str) -> None:
        """Begin to watch, as a daemon does that starts."""
        self._watch = Watch(
            configured(**{"lines": LINES, "staff": STAFF, **sections}),
            store=self.store,
            clock=lambda: self.now,
            tells=NotesWhom(),
            at_once=self._tell_at_once,
            pbx_states=lambda: self.pbx,
            gateways={"stick": self.modem},
            wake=lambda: None,
        )

    async def _tell_at_once(self, staff: Sequence[str], words: str) -> bool:
        self.at_once.append((",".join(staff), words))
        return not self.nobody_reached

    @property
    def active(self) -> frozenset[About]:
        return self._watch.active

    async def after(self, **span: float) -> list[tuple[str, str]]:
        """Let time pass; return (whom, words) of what is told then."""
        self.now += timedelta(**span)
        await self._watch.look()
        all_said = await self.store.run(said)
        new, self.seen = all_said[self.seen :], len(all_said)
        return [(whom, words) for whom, _, words in new]

    async def called(self, linkedid: str, line: str = "main") -> None:
        """Let a call come in that is answered."""
        call = judged(linkedid, judgement=ANSWERED, ended_at=self.now, line=line)
        await self.store.run(lambda db: journal.record(db, call, None, same_case_within=DAY, now=self.now))


@asynccontextmanager
async def opened(folder: Path, **sections: str) -> AsyncIterator[Shop]:
    store = Disk(folder / "textbackd.db")
    await store.open()
    shop = Shop(store, OPEN, Modem("stick"))
    shop.watch(**sections)
    yield shop
    await store.close()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(tmp_path) as found:
        assert await found.after(seconds=0) == []  # all is well
        yield found


async def test_a_gateway_that_stays_down_is_told_once_with_what_it_said_and_once_when_it_is_well(shop: Shop) -> None:
    shop.modem.state, shop.modem.trouble = Health.DOWN, "it asks for its\nPIN"
    assert await shop.after(seconds=30) == []
    assert await shop.after(minutes=4) == []
    ((whom, words),) = await shop.after(minutes=1)
    assert whom == "boss"
    assert words.startswith(
        "Anderson Roofing: the gateway stick sends no texts since Mon 06:00 (it asks for its PIN). Look at the modem"
    )
    assert shop.active == {About(Trouble.GATEWAY_DOWN, "stick")}
    assert await shop.after(hours=1) == []
    shop.modem.state = Health.UP
    assert await shop.after(seconds=30) == []
    assert shop.active == frozenset()
    assert await shop.after(minutes=2) == [
        ("boss", "Anderson Roofing: the gateway stick is well again since Mon 07:06.")
    ]
    assert await shop.after(hours=1) == []


async def test_a_gateway_that_explains_nothing_is_told_with_its_last_failure(shop: Shop) -> None:
    def fail(db: sqlite_utils.Database) -> None:
        journal.record(db, judged(), a_text(at=shop.now), same_case_within=DAY, now=shop.now)
        text = outbox.claim(db, "stick", shop.now)
        assert text is not None
        outbox.put_back(
            db, text, gateway="web", due_at=shop.now, outcome="gateway_unfit", code="38",
            explanation="The SIM has no credit.", now=shop.now,
        )  # fmt: skip

    await shop.store.run(fail)
    shop.modem.state = Health.PAUSED
    assert await shop.after(seconds=1) == []
    ((_, words),) = await shop.after(minutes=5)
    assert "(The SIM has no credit)" in words


@pytest.mark.parametrize(("state", "why"), [("away", "nothing answers there"), ("refused", "it refuses the login")])
async def test_a_pbx_that_cannot_be_listened_to_is_told(shop: Shop, state: str, why: str) -> None:
    shop.pbx["office"] = state
    assert await shop.after(seconds=1) == []
    ((_, words),) = await shop.after(minutes=2)
    assert words.startswith(
        f"Anderson Roofing: the PBX office cannot be listened to since Mon 06:00 ({why}), so nobody"
    )
    shop.pbx["office"] = "connected"
    assert await shop.after(minutes=1) == []
    ((_, words),) = await shop.after(minutes=2)
    assert "the PBX office is back since Mon 06:03" in words


async def test_no_calls_in_the_opening_hours_are_told_until_one_comes_in(shop: Shop) -> None:
    assert await shop.after(hours=2, minutes=59) == []
    ((_, words),) = await shop.after(minutes=1)
    assert words.startswith("Anderson Roofing: no call has come in for 3 h of opening time. Call your own number")
    shop.pbx["office"] = "away"
    await shop.after(seconds=30)
    shop.pbx["office"] = "connected"
    assert await shop.after(minutes=1) == []  # that the PBX was away for a moment is no call
    shop.watch()  # nor is a restart
    assert [*await shop.after(seconds=1), *await shop.after(minutes=10)] == []
    await shop.called("9.1")
    assert await shop.after(minutes=1) == []
    assert await shop.after(minutes=2) == [("boss", "Anderson Roofing: calls come in again.")]
    assert await shop.after(hours=2) == []


async def test_a_line_may_be_watched_by_itself(tmp_path: Path) -> None:
    hours = '{mon-fri: "06:00-17:00"}'
    lines = (
        f'{{main: {{dids: ["*"], hours: {hours}}}, second: {{dids: ["+13035550102"], hours: {hours}, no_calls: 2h}}}}'
    )
    async with opened(tmp_path, lines=lines) as shop:
        await shop.after(seconds=0)
        await shop.called("1.6")  # on the line main
        assert await shop.after(hours=1, minutes=59) == []
        await shop.called("1.7")
        ((_, words),) = await shop.after(minutes=1)
        assert words.startswith("Anderson Roofing: no call has come in on the line second for 2 h of opening time.")
        assert shop.active == {About(Trouble.NO_CALLS, "second")}
        assert await shop.after(minutes=1) == []
        await shop.called("1.8", line="second")
        assert await shop.after(minutes=1) == []
        assert await shop.after(minutes=2) == [("boss", "Anderson Roofing: calls come in again on the line second.")]


async def test_nobody_misses_calls_at_night(shop: Shop) -> None:
    await shop.after(hours=2)  # 8:00
    for number in range(10):
        await shop.called(f"8.{number}")
        assert await shop.after(minutes=54) == []  # 17:00
    assert await shop.after(hours=13) == []  # 6:00
    assert await shop.after(hours=2) == []


async def test_what_can_wait_is_told_in_the_morning_and_what_is_over_by_then_never(shop: Shop) -> None:
    shop.now += timedelta(hours=11, minutes=1)  # 17:01
    await shop.called("1.2")
    shop.modem.state, shop.pbx["office"] = Health.DOWN, "away"
    assert [*await shop.after(seconds=1), *await shop.after(hours=1)] == []
    assert {about.trouble for about in shop.active} == {
        Trouble.GATEWAY_DOWN,
        Trouble.PBX_AWAY,
    }  # /metrics tells at once
    shop.pbx["office"] = "connected"
    assert await shop.after(hours=11, minutes=57) == []
    ((_, words),) = await shop.after(minutes=2)  # 6:00
    assert "the gateway stick sends no texts since Mon 17:01" in words


async def test_what_the_shop_wants_to_be_woken_for_is_told_at_night(tmp_path: Path) -> None:
    async with opened(tmp_path, alarms="{at_night: [pbx_away]}") as shop:
        await shop.after(hours=-1)
        shop.pbx["office"] = "away"
        assert await shop.after(seconds=1) == []
        assert len(await shop.after(minutes=2)) == 1


async def test_a_brake_is_told_with_its_reason_and_not_that_a_person_released_it(shop: Shop) -> None:
    why = "only 3 of the last 50 texts arrived"
    await shop.store.run(lambda db: halts.halt(db, HaltKind.BRAKE, line=None, until=None, why=why, now=shop.now))
    ((_, words),) = await shop.after(seconds=30)
    assert f"the brake has stopped all automatic texts since Mon 06:00 ({why}). Look at" in words
    await shop.store.run(lambda db: halts.resume(db, line=None, now=shop.now))
    assert [*await shop.after(minutes=1), *await shop.after(minutes=5)] == []
    await shop.store.run(lambda db: halts.halt(db, HaltKind.BRAKE, line=None, until=None, why=why, now=shop.now))
    assert len(await shop.after(seconds=30)) == 1


async def test_texts_of_which_nobody_knows_are_told_after_an_hour_and_let_be_after_a_day(shop: Shop) -> None:
    def lose(db: sqlite_utils.Database) -> None:
        journal.record(db, judged(ended_at=shop.now), a_text(at=shop.now), same_case_within=DAY, now=shop.now)
        text = outbox.claim(db, "stick", shop.now)
        assert text is not None
        outbox.ended(db, text, State.UNKNOWN, outcome="unknown", code=None, explanation="No answer.", now=shop.now)

    await shop.store.run(lose)
    assert await shop.after(minutes=59) == []
    ((_, words),) = await shop.after(minutes=1)
    assert words.startswith("Anderson Roofing: it is not known whether 1 text went out. `textbackd outbox` shows them")
    await shop.called("1.3")
    await shop.after(days=1)
    assert About(Trouble.UNKNOWN_TEXTS) not in shop.active


async def test_a_full_sim_is_told(shop: Shop) -> None:
    shop.modem.used = 17
    assert await shop.after(minutes=1) == []
    shop.modem.used = 18
    ((_, words),) = await shop.after(minutes=1)
    assert "the SIM or modem of stick is nearly full (18 of 20 messages): soon no text comes in." in words


async def test_that_people_answer_fewer_calls_is_told_when_a_week_is_over(shop: Shop) -> None:
    def ring(db: sqlite_utils.Database) -> None:
        for week in range(8, 0, -1):
            at = NOON - timedelta(weeks=week, days=-1)
            for number in range(50):
                is_answered = number < (40 if week > 4 else 30)
                call = judged(f"{week}.{number}", judgement=ANSWERED if is_answered else MISSED, ended_at=at)
                journal.record(db, call, None, same_case_within=DAY, now=at)

    await shop.store.run(ring)
    shop.now += timedelta(hours=1)
    await shop.called("1.5")
    assert await shop.after(minutes=1) == []  # a look at whole weeks is enough once a week
    shop.watch()
    ((whom, words),) = await shop.after(seconds=30)
    assert (whom, words) == (
        "boss",
        "Anderson Roofing: people answer fewer calls: 60 % (120 of 200) in the last four weeks, 80 % (160 of 200) before."
        " A text is no substitute for somebody who picks up; the page Reports shows the hours.",
    )
    assert await shop.after(minutes=10) == []


async def test_a_database_that_cannot_be_written_is_told_at_once_until_somebody_is_reached(shop: Shop) -> None:
    await shop.store.run(lambda db: db.execute("PRAGMA query_only = ON"))
    shop.nobody_reached = True
    await shop.after(seconds=1)
    assert shop.at_once == []
    await shop.after(seconds=30)
    shop.nobody_reached = False
    await shop.after(seconds=30)
    await shop.after(seconds=30)
    words = "Anderson Roofing: the database cannot be written since Mon 06:00: nobody is texted. Look at the disk (`df -h`, `dmesg`)."
    assert shop.at_once == [("boss", words)] * 2
    await shop.store.run(lambda db: db.execute("PRAGMA query_only = OFF"))
    assert await shop.after(seconds=30) == []
    assert await shop.after(minutes=2) == [("boss", "Anderson Roofing: the database is written again since Mon 06:02.")]


async def test_a_restart_tells_nothing_again(shop: Shop) -> None:
    shop.modem.state = Health.DOWN
    await shop.after(seconds=1)
    assert len(await shop.after(minutes=6)) == 1
    shop.modem.state = Health.UNKNOWN
    shop.watch()
    assert [*await shop.after(seconds=1), *await shop.after(minutes=10)] == []  # it was not tried yet
    shop.modem.state = Health.DOWN
    assert [*await shop.after(seconds=1), *await shop.after(minutes=10)] == []
    shop.modem.state = Health.UP
    assert [words[-22:] for _, words in [*await shop.after(seconds=1), *await shop.after(minutes=2)]] == [
        "again since Mon 06:26."
    ]


async def test_what_was_told_of_a_gateway_that_is_gone_is_forgotten(shop: Shop) -> None:
    def tell(db: sqlite_utils.Database) -> None:
        with writing(db):
            steps.tell_once(db, About(Trouble.GATEWAY_DOWN, "old").key, NOON)
            steps.tell_once(db, "digest", NOON)

    await shop.store.run(tell)
    assert await shop.after(minutes=3) == []
    assert [row["what"] for row in await shop.store.run(lambda db: list(db["told"].rows))] == ["digest"]


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        pytest.param({"staff": "{anna: {}, ben: {}}"}, ["anna"], id="the first of the staff if nobody wants to be"),
        pytest.param({"staff": "{anna: {alarms: true}, ben: {alarms: true}}"}, ["anna,ben"], id="all who want to be"),
        pytest.param({"mode": "observe"}, [], id="nobody while we observe"),
        pytest.param({"alarms": "{gateway_down: off}"}, [], id="nobody of what is off"),
    ],
)
async def test_who_is_told(tmp_path: Path, sections: dict[str, str], told: list[str]) -> None:
    async with opened(tmp_path, **sections) as shop:
        shop.modem.state = Health.DOWN
        await shop.after(seconds=1)
        assert [whom for whom, _ in await shop.after(minutes=5)] == told


async def test_a_running_daemon_texts_what_is_wrong(tmp_path: Path) -> None:
    async with HttpSink() as sink:
        gateway = f'web: {{type: http, url: "{sink.url}", timeout: 2s}}'
        away = ", branch: {host: 127.0.0.1, port: 1, secret: x}"  # nothing listens there
        sections = 'alarms: {pbx_away: 0s}\nstaff: {anna: {mobile: "+12015550199"}}'
        async with running(tmp_path, gateway, "quiet_hours: off", more_pbx=away, sections=sections) as office:
            await until(lambda: [text["state"] for text in office.texts()] == ["accepted"])
    (told,) = (json.loads(request.body) for request in sink.requests)
    assert told["to"] == "+12015550199"
    assert "the PBX branch cannot be listened to" in told["text"]


async def test_what_was_told_is_not_told_again_while_the_database_cannot_be_read(shop: Shop) -> None:
    shop.pbx["office"] = "away"
    await shop.after(seconds=30)
    assert len(await shop.after(minutes=3)) == 1
    shop.store.is_unreadable = True
    shop.watch()  # a daemon that was started again
    assert [await shop.after(minutes=2) for _ in range(3)] == [[], [], []]
    shop.store.is_unreadable = False
    assert await shop.after(seconds=30) == []
    shop.pbx["office"] = "connected"
    assert await shop.after(seconds=30) == []
    assert len(await shop.after(minutes=2)) == 1
