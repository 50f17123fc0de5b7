"""What has come is written down, also when the daemon is told to stop."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.flow.office import TRACES, until
from textbackd.cli.options import EMBEDDED
from textbackd.config import loads
from textbackd.core.caps import Caps
from textbackd.core.merge import WITHIN, Merger
from textbackd.core.phone import E164
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.flow.bell import Bell
from textbackd.flow.calls_in import MOST_WAITING, CallsIn, Rules
from textbackd.flow.clock import wall
from textbackd.flow.conclude import Office
from textbackd.flow.guard import Guard
from textbackd.pbx.trace import read_trace
from textbackd.store import journal
from textbackd.store.database import Store

CALLER = E164("+12015550100")


def calls_in(store: Store) -> CallsIn:
    return CallsIn(
        Rules(office=Office(loads(EMBEDDED)), guard=Guard(Caps(), None, observing=False)),
        one_decision=asyncio.Lock(),
        store=store,
        tracker=Tracker("office", Trunks()),
        merger=Merger(WITHIN + timedelta(hours=1), lambda _: True, several_trunks=True),
        clock=wall,
        wake=lambda: None,
        bell=Bell(),
    )


async def test_a_call_that_is_held_for_a_twin_is_written_down_when_the_daemon_stops(tmp_path: Path) -> None:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    calls = calls_in(store)
    calls.take(list(read_trace(TRACES / "direct_noanswer.ami")))
    await calls.wind_up()
    found = await store.run(lambda db: journal.find_calls(db, CALLER, CALLER))
    await store.close()
    assert [call["verdict"] for call in found] == ["missed"]


async def test_events_that_nobody_can_write_down_do_not_fill_the_memory_and_are_a_gap_afterwards(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    calls = calls_in(store)
    ringing = list(read_trace(TRACES / "direct_noanswer.ami"))[:-3]
    calls.take(ringing)
    flood = [ringing[-1]] * 1000
    for _ in range(MOST_WAITING // 1000 + 5):
        calls.take(flood)
    assert calls.waiting <= MOST_WAITING + 1000
    working = asyncio.create_task(calls.run())
    await until(lambda: calls.waiting == 0)
    calls.take(list(read_trace(TRACES / "direct_noanswer.ami"))[-3:])
    await until(lambda: calls.waiting == 0)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await calls.wind_up()
    (call,) = await store.run(lambda db: journal.find_calls(db, CALLER, CALLER))
    await store.close()
    assert call["verdict"] != "answered"
    assert calls.waiting == 0
