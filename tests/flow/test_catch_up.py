"""Calls of a time when nobody watched are found in the records, each once, and nothing is lost when the records are late."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from textbackd.core.call import Call, Direction
from textbackd.core.from_records import has_name
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.trunk import Trunks
from textbackd.flow.catch_up import CatchUp, Records

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
FIRST, SECOND = "1795436000.1", "1795436000.2"
SEEN = Judgement(Verdict.MISSED, Reason.NO_ANSWER)


class Time:
    """A clock that only moves when told, and wakes who sleeps by it."""

    def __init__(self) -> None:
        self.now = NOON
        self.ahead = timedelta(0)  # of the true time
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def clock(self) -> datetime:
        return self.now + self.ahead

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + timedelta(seconds=seconds), woken))
        await woken

    async def passes(self, seconds: float) -> None:
        """Let time pass; all that is due in it is done when this returns."""
        until = self.now + timedelta(seconds=seconds)
        await _quiet()
        while due := [entry for entry in self._sleepers if entry[0] <= until]:
            entry = min(due, key=lambda entry: entry[0])
            self._sleepers.remove(entry)
            self.now = max(self.now, entry[0])
            if not entry[1].done():
                entry[1].set_result(None)
            await _quiet()
        self.now = until


async def _quiet() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


class AtOnce(ThreadPoolExecutor):
    """Runs what is for another thread here and now, so that a test knows when it is done."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # it is the caller's, as in a thread
            future.set_exception(error)
        return future


@dataclass
class Notebook:
    """A ledger in memory."""

    watched: datetime | None = NOON
    names: Collection[str] = ()
    known: set[str] = field(default_factory=set)
    broken: int = 0  # how often the disk fails

    async def watched_until(self) -> datetime | None:
        self._breaks()
        return self.watched

    async def trunks(self) -> Collection[str]:
        return self.names

    async def note(self, watched_until: datetime, trunks: Collection[str]) -> None:
        self._breaks()
        self.watched, self.names = watched_until, trunks

    async def is_settled(self, call: Call) -> bool:
        self._breaks()
        return call.linkedid in self.known

    def _breaks(self) -> None:
        if self.broken:
            self.broken -= 1
            raise sqlite3.OperationalError("disk I/O error")


@dataclass
class Shop:
    """One PBX's records, the catch-up that reads them, and the calls that it handed on."""

    folder: Path
    ledger: Notebook = field(default_factory=Notebook)
    time: Time = field(default_factory=Time)
    connected: bool = True
    calls: list[Call] = field(default_factory=list)

    @property
    def cdr(self) -> Path:
        return self.folder / "Master.csv"

    @property
    def queue_log(self) -> Path:
        return self.folder / "queue_log"

    def write(self, *rows: str) -> None:
        with self.cdr.open("a") as file:
            file.writelines(row + "\n" for row in rows)

    async def take(self, call: Call) -> None:
        self.calls.append(call)
        self.ledger.known.add(call.linkedid)

    def callers(self) -> list[str]:
        return [call.caller_presented for call in self.calls]

    def catch_up(self) -> CatchUp:
        queue_log = self.queue_log if self.queue_log.exists() else None
        return CatchUp(
            "office",
            records=Records(str(self.cdr), queue_log, ZoneInfo("UTC")),
            trunks=Trunks(),
            ledger=self.ledger,
            finished=self.take,
            is_watching=lambda: self.connected,
            clock=self.time.clock,
            sleep=self.time.sleep,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CatchUp]:
        asyncio.get_running_loop().set_default_executor(AtOnce())
        catch_up = self.catch_up()
        task = asyncio.create_task(catch_up.run())
        await _quiet()
        try:
            yield catch_up
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that was watched until noon, and it is an hour later."""
    opened = Shop(tmp_path)
    opened.cdr.touch()
    opened.time.now = NOON + timedelta(hours=1)
    return opened


def row(
    minute: float, caller: str = "+12015550100", *, answered: bool = False, trunk: str = "trunk", **changed: str
) -> str:
    """Return a row of a call that began some minutes after noon and lasted 20 s."""
    began = NOON + timedelta(minutes=minute)
    ended = began + timedelta(seconds=20)
    facts = {
        "context": "from-trunk", "to": "PJSIP/101-00000002", "app": "Dial",
        "uniqueid": f"{int(began.timestamp())}.{int(minute * 10)}",
    } | changed  # fmt: skip
    times = f'"{began:%F %T}","{f"{began:%F %T}" if answered else ""}","{ended:%F %T}",20,{20 if answered else 0}'
    return (
        f'"","{caller}","+13035550101","{facts["context"]}","<{caller}>","PJSIP/{trunk}-{int(minute * 10):08x}","{facts["to"]}",'
        f'"{facts["app"]}","PJSIP/101,20",{times},"{"ANSWERED" if answered else "NO ANSWER"}","DOCUMENTATION","{facts["uniqueid"]}"'
    )


async def test_a_call_of_the_gap_is_handed_on_once_and_soon(shop: Shop) -> None:
    shop.write(row(30))
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(7)
        assert shop.callers() == ["+12015550100"]
        await shop.time.passes(3600)
    assert len(shop.calls) == 1


async def test_a_line_that_comes_and_goes_does_not_delay_what_it_hides(shop: Shop) -> None:
    async with shop.running() as catch_up:
        for _ in range(200):
            catch_up.connection_opened()
            await shop.time.passes(1)
        shop.write(row(63.2))
        await shop.time.passes(20)
        catch_up.connection_opened()
        await shop.time.passes(15)
        assert shop.callers() == ["+12015550100"]


@pytest.mark.parametrize(
    ("minute", "found"),
    [
        pytest.param(-10, False, id="ended before the gap"),
        pytest.param(-0.1, True, id="began before the gap and ended in it"),
        pytest.param(59, True, id="just before the connection was back"),
        pytest.param(60.5, False, id="began after the connection was back"),
    ],
)
async def test_only_what_nobody_watched_is_taken_from_the_records(shop: Shop, minute: float, found: bool) -> None:
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(100)
        shop.write(row(minute))
        await shop.time.passes(300)
    assert len(shop.calls) == int(found)


async def test_a_clock_that_was_ahead_and_is_set_back_hides_no_call(shop: Shop) -> None:
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        shop.time.ahead = timedelta(hours=2)
        await shop.time.passes(400)
        shop.time.ahead = timedelta(0)
        shop.connected = False
        shop.write(row(70))
        await shop.time.passes(400)
        catch_up.connection_opened()
        await shop.time.passes(30)
    assert shop.callers() == ["+12015550100"]


async def test_nor_after_a_restart(shop: Shop) -> None:
    shop.ledger.watched = shop.time.now + timedelta(hours=2)
    shop.write(row(30))
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(30)
    assert shop.callers() == ["+12015550100"]


async def test_a_clock_that_is_set_back_meanwhile_delays_no_look(shop: Shop) -> None:
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(6)
        shop.time.ahead = -timedelta(hours=1)
        shop.write(row(30))
        await shop.time.passes(40)
    assert shop.callers() == ["+12015550100"]


async def test_what_the_database_knows_is_not_handed_on(shop: Shop) -> None:
    shop.write(row(30, uniqueid="1795437000.1"), row(31, uniqueid="1795437060.2", caller="+12025550100"))
    shop.ledger.known = {"1795437000.1"}
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(400)
    assert shop.callers() == ["+12025550100"]


@pytest.mark.parametrize("late", [20, 250], ids=["some seconds", "a whole batch"])
async def test_rows_that_asterisk_writes_late_are_found(shop: Shop, late: int) -> None:
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(late)
        shop.write(row(30))
        await shop.time.passes(303 - late)
    assert len(shop.calls) == 1


async def test_a_call_whose_rows_are_still_being_written_is_not_judged_yet(shop: Shop) -> None:
    shop.write(row(30, uniqueid=FIRST))
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(6)
        shop.write(row(30.5, uniqueid=FIRST, answered=True))
        await shop.time.passes(10)
        assert shop.calls == []
        await shop.time.passes(30)
    assert [bool(call.talks) for call in shop.calls] == [True]


async def test_a_talk_that_ended_before_the_gap_still_counts_for_a_call_that_ended_in_it(shop: Shop) -> None:
    shop.write(row(-1, answered=True, uniqueid=FIRST), row(1, uniqueid=FIRST))
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(10)
    assert [bool(call.talks) for call in shop.calls] == [True]


async def test_who_got_through_in_the_gap_comes_before_their_own_try(shop: Shop) -> None:
    shop.write(row(30), row(31, "+12025550100"), row(32, answered=True))
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(10)
    assert [(call.caller_presented, bool(call.talks)) for call in shop.calls] == [
        ("+12015550100", True),
        ("+12015550100", False),
        ("+12025550100", False),
    ]


async def test_who_was_called_back_in_the_gap_is_known_before_they_are_missed(shop: Shop) -> None:
    back = row(32, "102", answered=True, trunk="102", context="from-internal", to="PJSIP/trunk-00000077")
    shop.write(row(30), back.replace("+13035550101", "+12015550100"))
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(10)
    assert [(call.direction, call.did_presented) for call in shop.calls] == [
        (Direction.OUTBOUND, "+12015550100"),
        (Direction.INBOUND, "+13035550101"),
    ]


async def test_before_the_very_first_connection_there_is_no_gap(shop: Shop) -> None:
    shop.write(row(30))
    shop.ledger.watched = None
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(400)
    assert shop.calls == []
    assert shop.ledger.watched is not None


async def test_a_lost_connection_is_a_gap_that_begins_when_it_was_last_sure(shop: Shop) -> None:
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(600)
        shop.connected = False
        await shop.time.passes(600)
        shop.write(row(65), row(71, "+12025550100"), row(79, "+12035550100"))
        shop.connected = True
        catch_up.connection_opened()
        await shop.time.passes(10)
    assert shop.callers() == ["+12025550100", "+12035550100"]


async def test_what_was_watched_is_noted_but_not_beyond_a_gap_that_is_not_filled(shop: Shop) -> None:
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(60)
        assert shop.ledger.watched == NOON
        await shop.time.passes(300)
        shop.connected = False
        before = shop.ledger.watched
        assert before is not None
        assert before > NOON + timedelta(minutes=65)
        await shop.time.passes(300)
    assert shop.ledger.watched == before


async def test_records_that_cannot_be_read_are_complained_of_once_and_tried_until_they_can(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.cdr.unlink()
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        with caplog.at_level(logging.WARNING):
            await shop.time.passes(3600)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert shop.ledger.watched == NOON
        shop.write(row(30))
        await shop.time.passes(310)
    assert len(shop.calls) == 1


async def test_a_database_that_fails_for_a_moment_loses_nothing(shop: Shop) -> None:
    shop.write(row(30))
    shop.ledger.broken = 3
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(60)
        shop.ledger.broken = 2
        await shop.time.passes(400)
    assert len(shop.calls) == 1
    assert shop.ledger.watched != NOON


async def test_a_call_of_which_too_little_was_seen_is_looked_up(shop: Shop) -> None:
    async with shop.running() as catch_up:
        await shop.time.passes(600)
        shop.write(row(69, uniqueid=FIRST))
        unexplained = await _first_call(shop.folder, row(69, uniqueid=FIRST))
        catch_up.met(unexplained, Judgement(Verdict.UNCERTAIN, Reason.NOT_SEEN))
        await shop.time.passes(10)
    assert [call.linkedid for call in shop.calls] == [FIRST]


async def test_a_trunk_that_was_met_alive_is_known_in_the_records(shop: Shop) -> None:
    in_menu = row(30, context="ivr-1", to="", app="WaitExten", answered=True, uniqueid=FIRST)
    alive = await _first_call(shop.folder, row(10))
    async with shop.running() as catch_up:
        catch_up.met(alive, SEEN)
        shop.write(in_menu)
        catch_up.connection_opened()
        await shop.time.passes(20)
    assert [call.linkedid for call in shop.calls] == [FIRST]
    assert shop.ledger.names == ["PJSIP/trunk"]


async def _first_call(folder: Path, written: str) -> Call:
    """Return the call that a row tells of."""
    other = Shop(folder / "other")
    other.folder.mkdir()
    other.write(written)
    other.time.now = NOON + timedelta(hours=2)
    async with other.running() as catch_up:
        catch_up.connection_opened()
        await other.time.passes(10)
    return other.calls[0]


async def test_a_call_that_came_over_two_trunks_is_handed_on_once(shop: Shop) -> None:
    shop.write(row(30, uniqueid=FIRST), row(30.1, uniqueid=SECOND, trunk="backup"))
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(400)
    assert [(call.linkedid, call.merged) for call in shop.calls] == [(FIRST, (SECOND,))]


async def test_records_without_ids_give_each_call_one_name_however_often_they_are_read(shop: Shop) -> None:
    shop.write(row(30).rpartition(",")[0])
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(400)
    assert [has_name(call) for call in shop.calls] == [False]


async def test_who_gave_up_in_a_queue_without_a_row_is_found_when_no_row_can_come_any_more(shop: Shop) -> None:
    at = int((NOON + timedelta(minutes=30)).timestamp())
    shop.queue_log.write_text(f"{at}|{at}.7|q|NONE|ENTERQUEUE||+12015550100|1\n{at + 9}|{at}.7|q|NONE|ABANDON|1|1|9\n")
    async with shop.running() as catch_up:
        catch_up.connection_opened()
        await shop.time.passes(299)
        assert shop.calls == []
        await shop.time.passes(4)
    assert shop.callers() == ["+12015550100"]
