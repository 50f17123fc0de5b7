"""A busy shop for a day, and everything that goes wrong in it.   traces, demo/pbx.py, gateways/sink.py → here → test_soak.py

The daemon is the real one, in this process and by fast time. Its PBX plays recorded calls and writes call records beside them; its
gateway is an HTTP sink that fails in many ways. What each caller met is written down as the truth, to which what the daemon did is
compared in the end.
"""

import asyncio
import gc
import json
import logging
import os
import re
import resource
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from random import Random
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from tests.bench.stream import Recording
from tests.flow.office import TRACES
from tests.gateways.sink import Answer, Fault, HttpSink, Received
from tests.soak.fast_time import FastClock
from textbackd.config import loads, resolve_secrets
from textbackd.daemon import Daemon
from textbackd.demo.pbx import DemoPbx
from textbackd.store.database import open_database

HOUR: Final = 3600.0
CONFIG: Final = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{host: 127.0.0.1, port: {ami}, secret: demo, cdr: "{folder}/Master.csv"}}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{web: {{type: http, url: "{url}", timeout: 60s, rate: 60/min}}}}
policy: {{min_wait: 0s, quiet_hours: off, caps: off, brake: off}}
web: {{listen: "127.0.0.1:0"}}
storage: "{folder}/textbackd.db"
"""
DENVER: Final = ZoneInfo("America/Denver")
# story → what the PBX writes of it, and whether the caller was answered
STORIES: Final = {
    "direct_noanswer": ("NO ANSWER", False),
    "direct_busy": ("BUSY", False),
    "direct_caller_hangup": ("NO ANSWER", False),
    "direct_answered": ("ANSWERED", True),
}
RINGS: Final = 12.0  # seconds of a call
AGAIN: Final = 0.2  # of the callers, who have called before
AGAIN_WITHIN: Final = 12 * 3600.0  # seconds; who calls again after the cooldown of a day is rightly texted again
# Why a missed caller may have had no text. Everything else is a loss.
NAMED: Final = frozenset({
    "cooldown", "recent_talk", "uncertain", "expired", "text unknown", "text expired", "text cancelled",
})  # fmt: skip
# The gateway has the text and does not say so: whoever tries again doubles it.
TAKES: Final = (Fault.RST_AFTER_BODY, Fault.NO_ANSWER)
FORGOTTEN: Final = Received(method="", target="", headers={}, body=b"")
AREAS: Final = ("303", "312", "206", "415", "512", "617", "702", "813")


@dataclass(slots=True)
class Sample:
    """How large the process is at one moment."""

    memory_mb: float
    descriptors: int
    threads: int
    tasks: int


@dataclass(slots=True)
class Truth:
    """What happened at the PBX."""

    missed: Counter[str] = field(default_factory=Counter)  # by caller
    answered: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Outcome:
    """What came of a day."""

    calls: int
    missed_callers: int
    texted: int
    named: Counter[str]  # why a missed caller has no text
    lost: list[str]
    doubled: list[str]
    wrongly: list[str]  # texted, though they were always answered
    faults: Counter[str]
    samples: list[Sample]
    at_the_end: Counter[str]  # tasks, by what they do

    def __str__(self) -> str:
        reasons = ", ".join(f"{number} {why}" for why, number in self.named.most_common()) or "none"
        first, last = self.settled
        return "\n".join([
            f"{self.calls} calls, {self.missed_callers} callers missed: {self.texted} texted once, without a text {reasons}",
            f"lost {len(self.lost)}, doubled {len(self.doubled)}, texted though answered {len(self.wrongly)}",
            "faults: " + ", ".join(f"{number} {what}" for what, number in sorted(self.faults.items())),
            *(
                f"{name}: {getattr(first, name):.1f} → {getattr(last, name):.1f}"
                for name in ("memory_mb", "descriptors", "threads", "tasks")
            ),
            "tasks at the end: " + ", ".join(f"{number} {what}" for what, number in self.at_the_end.most_common(6)),
            *self.lost, *self.wrongly,
        ])  # fmt: skip

    @property
    def settled(self) -> tuple[Sample, Sample]:
        """Return the process after its warm-up, and in the end: medians of the second and the last quarter."""
        quarter = max(len(self.samples) // 4, 1)
        return _middle(self.samples[quarter : 2 * quarter] or self.samples), _middle(self.samples[-quarter:])


def _middle(samples: list[Sample]) -> Sample:
    return Sample(*(median(getattr(each, name) for each in samples) for name in Sample.__dataclass_fields__))


class Shop:
    """The shop with its two ends."""

    def __init__(self, folder: Path, clock: FastClock, seed: int) -> None:
        self.folder, self.clock, self.dice = folder, clock, Random(seed)
        self.pbx, self.truth, self.faults = DemoPbx(), Truth(), Counter[str]()
        self.sink = HttpSink(delay=8.0, usual=self._usual)
        self.taken: Counter[str] = Counter()  # texts that are on the air, by number
        self.samples: list[Sample] = []
        self.at_the_end: Counter[str] = Counter()
        self._recordings = {name: Recording(TRACES / f"{name}.ami", all_classes=False) for name in STORIES}
        self._serial, self._numbers = iter(range(10**6, 10**9)), count()
        self._callers: list[tuple[float, str]] = []  # since when they call, of the loop's clock
        self._rows: list[str] = []  # of the call records, while the disk takes nothing

    # ---- calls

    async def call(self) -> None:
        """Let somebody call, and write down what became of it."""
        name = self.dice.choices(list(STORIES), (4, 2, 2, 3))[0]
        disposition, answered = STORIES[name]
        caller, began = self._caller(), self.clock()
        frames = [
            re.sub(rb"\+1[0-9]{3}5550100", caller.encode(), frame)
            for frame in self._recordings[name].copy(self._serial)
        ]
        for frame in frames:
            self.pbx.send(frame + b"\r\n\r\n")
            await asyncio.sleep(RINGS / len(frames))
        (self.truth.answered if answered else self.truth.missed)[caller] += 1
        found = re.search(rb"\r\nLinkedid: ([0-9.]+)", b"\r\n".join(frames))
        assert found is not None
        self._record(caller, began, disposition, found[1].decode())

    def _caller(self) -> str:
        now = asyncio.get_running_loop().time()
        recent = [caller for since, caller in self._callers if now - since < AGAIN_WITHIN]
        if recent and self.dice.random() < AGAIN:
            return self.dice.choice(recent)
        number = next(self._numbers)
        # Far from each other, so that they are no numbers in a row.
        caller = f"+1{AREAS[number % len(AREAS)]}{5_550_000 + number * 37 % 100_000}"
        self._callers.append((now, caller))
        return caller

    def _record(self, caller: str, began: datetime, disposition: str, uniqueid: str) -> None:
        start, end = (f"{at.astimezone(DENVER):%F %T}" for at in (began, self.clock()))
        answered = start if disposition == "ANSWERED" else ""
        self._rows.append(
            f'"","{caller}","+13035550101","from-trunk","<{caller}>","PJSIP/trunk-00000010","PJSIP/101-00000011","Dial",'
            f'"PJSIP/101,20","{start}","{answered}","{end}",12,{6 if answered else 0},"{disposition}","DOCUMENTATION","{uniqueid}"\n'
        )
        with suppress(OSError), (self.folder / "Master.csv").open("a") as file:
            file.write("".join(self._rows))
            file.flush()
            self._rows.clear()

    # ---- what goes wrong

    def _usual(self, _: Received) -> Answer:
        """Answer as a gateway does that has its moments."""
        status = self.dice.choices([200, 500, 503, 429, 401], (90, 3, 2, 4, 1))[0]
        if status != 200:
            self.faults[f"answers {status}"] += 1
        return Answer(status)

    async def go_wrong(self, every: float, seconds: float) -> None:
        """Let one thing after the other go wrong, and be right again, each as often as the others."""
        deeds: list[Callable[[], Awaitable[None]]] = [
            self._gateway_hurts, self._away, self._disk, self._cut, self._gateway_away, self._half_open, self._clock_is_set,
        ]  # fmt: skip
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        for deed in cycle(deeds):
            await asyncio.sleep(self.dice.expovariate(1 / every))
            if loop.time() > until:
                return
            await deed()

    async def _cut(self) -> None:
        self.faults["connection cut"] += 1
        self.pbx.drop()

    async def _away(self) -> None:
        self.faults["AMI away for 4 min"] += 1
        await self.pbx.stop()
        await asyncio.sleep(240)
        await self.pbx.start(self.pbx.port)

    async def _half_open(self) -> None:
        self.faults["line half open"] += 1
        self.pbx.silent = True
        await asyncio.sleep(30)
        self.pbx.silent = False

    async def _gateway_hurts(self) -> None:
        for kind in (*TAKES, self.dice.choice([fault for fault in Fault if fault is not Fault.ENDLESS])):
            self.faults[f"gateway {kind.value}"] += 1
            self.sink.script(kind)

    async def _gateway_away(self) -> None:
        self.faults["gateway away for 3 min"] += 1
        await self.sink.close()
        await asyncio.sleep(180)
        await self.sink.open()

    async def _disk(self) -> None:
        """Let every write fail for a while, as a full or dying disk does."""
        self.faults["disk fails for 45 s"] += 1
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            await asyncio.sleep(45)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    async def _clock_is_set(self) -> None:
        """Somebody sets the clock by an hour, and notices."""
        self.faults["clock set and set back"] += 1
        self.clock.by += timedelta(hours=1)
        await asyncio.sleep(20)
        self.clock.by -= timedelta(hours=1)

    # ---- what is measured

    def measure(self) -> None:
        """Take a sample of the process."""
        self._forget_own()
        gc.collect()
        coroutines = (task.get_coro() for task in asyncio.all_tasks())
        self.at_the_end = Counter(str(getattr(coroutine, "__qualname__", "?")) for coroutine in coroutines)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.samples.append(
            Sample(
                memory_mb=pages * resource.getpagesize() / 1e6,
                descriptors=len(os.listdir("/proc/self/fd")),  # noqa: PTH208
                threads=threading.active_count(),
                tasks=len(asyncio.all_tasks()),
            )
        )

    def _forget_own(self) -> None:
        """Keep of what the two ends remember only the counts, so that it is the daemon's memory that is measured."""
        self.pbx.actions.clear()
        self.taken.update(str(json.loads(received.body)["to"]) for received in self.sink.taken)
        self.sink.taken.clear()
        self.sink.requests[:] = [FORGOTTEN] * len(self.sink.requests)  # their number is the reference of the next

    def outcome(self) -> Outcome:
        """Compare what the daemon did with the truth."""
        self._forget_own()
        taken = self.taken
        states, whys = self._written_down()
        named: Counter[str] = Counter()
        lost = []
        for caller in set(self.truth.missed) - set(taken):
            reasons = {f"text {state}" for state in states.get(caller, ())} or whys.get(caller, set())
            if reasons & NAMED and "text accepted" not in reasons:
                named[min(reasons & NAMED)] += 1
            else:
                lost.append(self._story(caller))
        return Outcome(
            calls=self.truth.missed.total() + self.truth.answered.total(),
            missed_callers=len(self.truth.missed),
            texted=sum(copies == 1 for caller, copies in taken.items() if caller in self.truth.missed),
            named=named,
            lost=lost,
            doubled=[caller for caller, copies in taken.items() if copies > 1],
            wrongly=[self._story(caller) for caller in sorted(set(taken) - set(self.truth.missed))],
            faults=self.faults,
            samples=self.samples,
            at_the_end=self.at_the_end,
        )

    def _story(self, caller: str) -> str:
        """Return what the daemon has of a caller."""
        query = (
            "SELECT linkedid, started_at, ended_at, verdict, reason, decision_reason, decision_detail, way FROM calls"
            " WHERE caller = ? ORDER BY id"
        )
        with closing(open_database(self.folder / "textbackd.db")) as db:
            calls = [" ".join(map(str, row)) for row in db.execute(query, [caller])]
            texts = [f"text {row[0]}" for row in db.execute("SELECT state FROM outbox WHERE recipient = ?", [caller])]
        met = f"missed {self.truth.missed[caller]}, answered {self.truth.answered[caller]}"
        return f"{caller} ({met}): {'; '.join(calls + texts) or 'nothing is known'}"

    def _written_down(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """Return of each number the states of its texts, and why its missed calls got none."""
        states: dict[str, set[str]] = {}
        whys: dict[str, set[str]] = {}
        with closing(open_database(self.folder / "textbackd.db")) as db:
            for recipient, state in db.execute("SELECT recipient, state FROM outbox"):
                states.setdefault(recipient, set()).add(state)
            for caller, why in db.execute("SELECT caller, decision_reason FROM calls WHERE decision = 'skip'"):
                whys.setdefault(caller, set()).add(why)
        return states, whys


@asynccontextmanager
async def opened(folder: Path, clock: FastClock, seed: int) -> AsyncIterator[Shop]:
    """Run a shop until the block ends."""
    shop = Shop(folder, clock, seed)
    (folder / "Master.csv").touch()
    await shop.pbx.start()
    async with shop.sink:
        settings = loads(CONFIG.format(ami=shop.pbx.port, url=shop.sink.url, folder=folder), folder / "textbackd.yaml")
        stop = asyncio.Event()
        task = asyncio.create_task(Daemon(resolve_secrets(settings), clock=clock).run(stop))
        await shop.pbx.logged_in.wait()
        try:
            yield shop
        finally:
            stop.set()
            await task
            await shop.pbx.stop()


async def day(folder: Path, clock: FastClock, *, hours: float, every: float, faults: float, seed: int) -> Outcome:
    """Let a shop work for so many hours with a call every so many seconds and so many faults an hour; return what came of it."""
    with _quiet(logging.getLogger("textbackd")):
        return await _day(folder, clock, hours=hours, every=every, faults=faults, seed=seed)


@contextmanager
def _quiet(log: logging.Logger) -> Iterator[None]:
    """Hear nothing of the daemon, which complains all day, as it should; other tests want to hear it."""
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


async def _day(folder: Path, clock: FastClock, *, hours: float, every: float, faults: float, seed: int) -> Outcome:
    async with opened(folder, clock, seed) as shop:
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        at_work = {loop.create_task(_again(shop.call, every, shop.dice, hours * HOUR))}
        at_work.add(loop.create_task(shop.go_wrong(HOUR / faults, hours * HOUR)))
        while loop.time() - began < hours * HOUR:
            await asyncio.sleep(min(300.0, hours * HOUR / 12))
            shop.measure()
        await asyncio.gather(*at_work)
        # The call records are looked into for the last time five minutes after a gap, and a text lives for ten.
        await asyncio.sleep(900)
        shop.measure()
    return shop.outcome()


async def _again(work: Callable[[], Awaitable[None]], every: float, dice: Random, seconds: float) -> None:
    """Begin a piece of work again and again, at times that nobody foresees, one beside the other; wait for the last."""
    loop, running = asyncio.get_running_loop(), set[asyncio.Future[None]]()
    until = loop.time() + seconds
    while loop.time() < until:
        await asyncio.sleep(dice.expovariate(1 / every))
        task = asyncio.ensure_future(work())
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
