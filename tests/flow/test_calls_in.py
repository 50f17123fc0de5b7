"""What has come is written down, also when the daemon is told to stop."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.flow.office import TRACES
from textbackd.cli.options import EMBEDDED
from textbackd.config import loads
from textbackd.core.caps import Caps
from textbackd.core.merge import WITHIN, Merger
from textbackd.core.phone import E164
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.flow.calls_in import CallsIn
from textbackd.flow.clock import wall
from textbackd.flow.conclude import Office
from textbackd.flow.guard import Guard
from textbackd.pbx.trace import read_trace
from textbackd.store import journal
from textbackd.store.database import Store

CALLER = E164("+12015550100")


async def test_a_call_that_is_held_for_a_twin_is_written_down_when_the_daemon_stops(tmp_path: Path) -> None:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    calls = CallsIn(
        office=Office(loads(EMBEDDED)),
        guard=Guard(Caps(), None, observing=False),
        one_decision=asyncio.Lock(),
        store=store,
        tracker=Tracker("office", Trunks()),
        merger=Merger(WITHIN + timedelta(hours=1), lambda _: True, several_trunks=True),
        clock=wall,
        wake=lambda: None,
        observe=False,
    )
    calls.take(list(read_trace(TRACES / "direct_noanswer.ami")))
    await calls.wind_up()
    found = await store.run(lambda db: journal.find_calls(db, CALLER, CALLER))
    await store.close()
    assert [call["verdict"] for call in found] == ["missed"]
