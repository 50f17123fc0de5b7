"""A clock that is set: time goes on, and waiting texts keep the life that they had."""

import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.store.rows import NOON, a_text
from textbackd.flow.clock import BOOT_VARIABLE, Clock, boot, steady, wall
from textbackd.flow.upkeep import ClockWatch
from textbackd.store import outbox, pulse
from textbackd.store.database import Store
from textbackd.store.pulse import Beat

UNIT = Path(__file__).parents[2] / "systemd/textbackd.service"
HOUR, YEAR = timedelta(hours=1), timedelta(days=365)


class Clocks:
    """A wall clock that can be set, beside a steady one."""

    def __init__(self) -> None:
        self.at, self.ticks = NOON, 1000.0

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ticks += seconds

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.at, steady=lambda: self.ticks)


JUMPS = [HOUR, -HOUR, YEAR, -YEAR]


def test_time_goes_on_while_nobody_sets_the_clock() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.passes(3600)
    assert (clock(), clock.jump) == (NOON + HOUR, None)


@pytest.mark.parametrize("drift", [29, -29])
def test_small_corrections_are_followed_at_once(drift: float) -> None:
    clocks = Clocks()
    clock = clocks.clock()
    for _ in range(10):
        clocks.passes(60)
        clocks.at += timedelta(seconds=drift)
        assert (clock(), clock.jump) == (clocks.at, None)


@pytest.mark.parametrize("by", JUMPS)
def test_a_clock_that_is_set_is_followed_only_when_told_to(by: timedelta) -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.passes(60)
    clocks.at += by
    clocks.passes(60)
    assert (clock(), clock.jump) == (NOON + timedelta(minutes=2), by)
    clock.follow()
    assert (clock(), clock.jump) == (clocks.at, None)


def test_the_machines_clocks_can_be_read() -> None:
    assert abs(Clock()() - datetime.now(UTC)) < HOUR
    assert steady() > 0
    assert len(boot()) == 32


def test_the_service_is_told_its_boot_in_the_words_of_systemd_and_means_the_same() -> None:
    program = "from textbackd.flow.clock import boot; print(boot())"
    told = {BOOT_VARIABLE: str(uuid.UUID(boot()))}
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | told, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == boot()
    assert f"Environment={BOOT_VARIABLE}=%b" in UNIT.read_text()


# ---- waiting texts


async def opened(folder: Path) -> Store:
    store = Store(folder / "textbackd.db")
    await store.open()
    return store


async def put(store: Store) -> None:
    await store.run(lambda db: outbox.add_manual(db, a_text(at=wall()), now=wall()))


async def life(store: Store, now: datetime) -> timedelta:
    """Return how long the waiting text may still wait."""
    row = (await store.run(lambda db: db.execute("SELECT expires_at FROM outbox").fetchone()))[0]
    return datetime.fromisoformat(row) - now


@pytest.mark.parametrize("by", JUMPS)
async def test_after_a_restart_of_the_daemon_waiting_texts_keep_their_life(tmp_path: Path, by: timedelta) -> None:
    store = await opened(tmp_path)
    await put(store)
    # The last daemon lived a minute ago by the steady clock; by the wall clock, which was set since then, a minute and `by`.
    await store.run(lambda db: pulse.beat(db, Beat(wall() - by - timedelta(minutes=1), boot(), steady() - 60)))
    before = await life(store, wall())
    await ClockWatch(store, Clock()).settle()
    assert abs(await life(store, wall()) - (before + by)) < timedelta(seconds=30)
    await store.close()


async def test_a_restart_without_a_jump_moves_nothing(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await put(store)
    await store.run(lambda db: pulse.beat(db, Beat(wall() - timedelta(minutes=1), boot(), steady() - 60)))
    before = await life(store, NOON)
    await ClockWatch(store, Clock()).settle()
    assert await life(store, NOON) == before
    await store.close()


@pytest.mark.parametrize("by", JUMPS)
async def test_texts_from_before_a_start_of_the_machine_get_no_new_life(tmp_path: Path, by: timedelta) -> None:
    store = await opened(tmp_path)
    await put(store)
    await store.run(lambda db: pulse.beat(db, Beat(wall(), "another boot", 5.0)))
    watch = ClockWatch(store, Clock())
    before = await life(store, NOON)
    await watch.settle()
    assert await store.run(lambda db: outbox.shift(db, by, watch.since)) == 0
    assert await life(store, NOON) == before
    await store.close()


@pytest.mark.parametrize("by", JUMPS)
async def test_what_is_held_over_the_night_goes_in_the_morning_whatever_the_clock_was_set_to(
    tmp_path: Path, by: timedelta
) -> None:
    store = await opened(tmp_path)
    await store.run(lambda db: outbox.add_manual(db, a_text(at=wall(), held=True), now=wall()))
    assert await store.run(lambda db: outbox.shift(db, by, None)) == 0
    await store.close()
