"""After an outage, and under an attack: nothing late, nothing lost, and memory that does not grow."""

import asyncio
import json
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bench.stream import Recording
from tests.faults.process import DaemonProcess
from tests.flow.office import TRACES, Office, running, until
from tests.gateways.sink import HttpSink
from tests.lab.scenarios import AREA_CODES
from tests.store.rows import a_text
from textbackd.core.phone import E164
from textbackd.demo.pbx import DemoPbx
from textbackd.flow.clock import Clock, steady, wall
from textbackd.store import outbox
from textbackd.store.database import open_database

pytestmark = [pytest.mark.faults, pytest.mark.slow]

AT_ONCE = "min_wait: 0s, delay: 0s, caps: off, brake: off"


def number(n: int) -> E164:
    return E164(f"+1303{5550000 + n}")


async def test_after_three_hours_of_outage_only_what_is_still_fresh_goes_out(tmp_path: Path) -> None:
    """500 texts wait; the last ten were for calls of the last minutes."""
    now = wall()
    ages = [timedelta(minutes=180 - 0.35 * n) for n in range(490)] + [timedelta(minutes=n / 2) for n in range(10)]
    db = open_database(tmp_path / "textbackd.db")
    for n, age in enumerate(ages):
        text = a_text(at=now - age, recipient=number(n), gateways=["web"])
        outbox.add(db, text, case_id=None, call_id=None, now=now - age)
    db.close()
    async with HttpSink() as sink:
        web = f'web: {{type: http, url: "{sink.url}", timeout: 2s, rate: 6000/min}}'
        async with running(tmp_path, web, AT_ONCE) as office:
            await until(lambda: _rest(office) and len(office.texts()) == 500, 60)
            states = Counter(text["state"] for text in office.texts())
    fresh = {number(n) for n, age in enumerate(ages) if age < timedelta(minutes=10)}
    assert {json.loads(received.body)["to"] for received in sink.taken} == fresh
    assert len(sink.taken) == len(fresh)
    assert states == {"accepted": len(fresh), "expired": 500 - len(fresh)}


def _rest(office: Office) -> bool:
    """Return whether no text is on its way any more."""
    return not {"queued", "submitting"} & {text["state"] for text in office.texts()}


class SetClock(Clock):
    """The daemon's clock, which a test sets."""

    def __init__(self) -> None:
        self.by = timedelta()
        super().__init__(wall=lambda: wall() + self.by, steady=steady)


@pytest.mark.parametrize(
    "by", [timedelta(hours=1), -timedelta(hours=1), timedelta(days=365), -timedelta(days=365)], ids=str
)
async def test_a_clock_that_is_set_neither_ends_the_waiting_texts_nor_sends_them_twice(
    tmp_path: Path, by: timedelta
) -> None:
    clock = SetClock()
    async with HttpSink() as sink:
        web = f'web: {{type: http, url: "{sink.url}", timeout: 2s, rate: 6000/min}}'
        policy = "min_wait: 0s, delay: 4s, caps: off, brake: off"
        async with running(tmp_path, web, policy, clock=clock) as office:
            await office.play("direct_noanswer", "direct_busy")
            await until(lambda: len(office.texts()) == 2)
            assert [text["state"] for text in office.texts()] == ["queued"] * 2
            clock.by = by
            await until(lambda: [text["state"] for text in office.texts()] == ["accepted"] * 2)
            await _another_call(office)
    assert len(sink.taken) == 3
    assert len({json.loads(received.body)["to"] for received in sink.taken}) == 3


async def _another_call(office: Office) -> None:
    """A call of the new time is decided by the new time: the PBX's clock was set, too."""
    await office.play("queue_abandon")
    await until(lambda: sum(text["state"] == "accepted" for text in office.texts()) == 3)


CALLS = 10_000
IN_A_ROW = 50
AT_A_TIME = 50
MOST_MB = 150
AHEAD = 2_000  # calls that may wait for the daemon: past `MOST_WAITING` events it rightly lets go of what it cannot write down


@pytest.mark.timeout(600)
async def test_ten_thousand_missed_calls_from_forged_numbers_are_recorded_and_the_caps_hold(tmp_path: Path) -> None:
    pbx = DemoPbx()
    await pbx.start()
    async with HttpSink() as sink:
        web = f'web: {{type: http, url: "{sink.url}", timeout: 5s, rate: 6000/min}}'
        daemon = DaemonProcess(tmp_path, pbx.port, web)
        daemon.config.write_text(
            daemon.config.read_text().replace("caps: off, brake: off, ", "").replace(", caps: off, brake: off", "")
        )
        daemon.start()
        await until(lambda: pbx.listeners == 1)
        db = open_database(tmp_path / "textbackd.db")
        for n, wave in enumerate(_attack()):
            await until(lambda n=n: n * AT_A_TIME - db["calls"].count < AHEAD, 300)  # type: ignore[misc]
            pbx.send(wave)
            await asyncio.sleep(0.05)
        await until(lambda: db["calls"].count == CALLS, 300)
        peak = daemon.peak_mb()
        decisions = Counter(row["decision_reason"] for row in db["calls"].rows)
        db.close()
        daemon.stop()
    await pbx.stop()
    texts = Counter(json.loads(received.body)["to"][:8] for received in sink.taken)
    assert sum(decisions.values()) == CALLS
    assert decisions["missed"] <= 60, "more texts than in any hour"
    assert len(sink.taken) <= 10 * 6, "more texts than the minutes of this test allow"
    assert max(texts.values(), default=0) <= 5, "more texts to one range than in any hour"
    assert daemon.log.count("the brake has stopped all automatic texts") == 1, "one alarm"
    assert peak < MOST_MB


def _attack() -> list[bytes]:
    """Return the events of calls that nobody takes, each from another number, the last ones in a row."""
    recording, serial = Recording(TRACES / "direct_noanswer.ami", all_classes=False), iter(range(10**6, 10**9))
    caller = re.compile(rb"\+12015550100")
    waves = []
    for n in range(CALLS):
        frames = [caller.sub(_forged(n), frame) for frame in recording.copy(serial)]
        waves.append(b"\r\n\r\n".join(frames) + b"\r\n\r\n")
    return [b"".join(waves[start : start + AT_A_TIME]) for start in range(0, CALLS, AT_A_TIME)]


def _forged(n: int) -> bytes:
    area = AREA_CODES[n % len(AREA_CODES)].encode() if n < CALLS - IN_A_ROW else b"303"
    return b"+1" + area + b"%07d" % (5550000 + (n // len(AREA_CODES) * 7919 % 100_000 if n < CALLS - IN_A_ROW else n))
