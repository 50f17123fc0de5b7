"""A notice is told until the other side has it, for a day, whatever breaks in between."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flow.bringing import Disk
from tests.flow.gateways import now
from tests.hasty import hasty, until
from tests.store.rows import CALLER
from textbackd.flow.staff.notices_out import RETRY_AFTER, Teller
from textbackd.handoff.base import Message, NotTold
from textbackd.store import notices
from textbackd.store.database import Store, writing
from textbackd.store.notices import NewNotice, Way

HERE, GONE = NotTold("It is busy."), NotTold("It is gone.", permanent=True)


class Listening:
    """A channel that ends its first messages as told, and takes the rest."""

    def __init__(self, *fates: NotTold | None) -> None:
        self.told: list[tuple[datetime, Message]] = []
        self._fates = deque(fates)
        self.closed = False

    async def tell(self, message: Message) -> None:
        self.told.append((now(), message))
        fate = self._fates.popleft() if self._fates else None
        if fate is not None:
            raise fate

    async def close(self) -> None:
        self.closed = True


class Hanging(Listening):
    """A channel that never comes back."""

    async def tell(self, message: Message) -> None:
        await super().tell(message)
        await asyncio.Event().wait()


async def put(store: Store, way: Way = Way.EMAIL, keeps: timedelta = timedelta(hours=24)) -> None:
    at = now()
    notice = NewNotice(
        number=CALLER, matter="wrote", staff="anna", way=way, target="anna@example.com",
        payload={"title": "t", "words": "w", "text": "x"}, expires_at=at + keeps,
    )  # fmt: skip

    def work(db: Any) -> None:
        with writing(db):
            notices.add_within(db, notice, at)

    await store.run(work)


@asynccontextmanager
async def telling(folder: Path, channel: Listening, way: Way = Way.EMAIL) -> AsyncIterator[Store]:
    """Run a teller until the block ends."""
    store = Store(folder / "textbackd.db")
    await store.open()
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(Teller(way, channel, store=store, clock=lambda: now(loop)).run())
    try:
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()
        assert channel.closed


async def states(store: Store) -> list[tuple[str, int, str]]:
    rows = await store.run(lambda db: list(db["notices"].rows))
    return [(row["state"], row["attempts"], row["detail"]) for row in rows]


@hasty
async def test_what_is_told_is_told_once(tmp_path: Path) -> None:
    channel = Listening()
    async with telling(tmp_path, channel) as store:
        await put(store)
        await asyncio.sleep(3600)
        assert await states(store) == [("sent", 1, "")]
    ((_, message),) = channel.told
    assert (message.staff, message.target, message.title, message.words) == ("anna", "anna@example.com", "t", "w")


@hasty
async def test_what_does_not_get_there_is_tried_again_after_pauses_that_grow(tmp_path: Path) -> None:
    channel = Listening(*[HERE] * 4)
    async with telling(tmp_path, channel) as store:
        await put(store)
        await asyncio.sleep(3600)
        assert await states(store) == [("sent", 5, "")]
    pauses = [later - earlier for (earlier, _), (later, _) in zip(channel.told, channel.told[1:], strict=False)]
    assert all(pause >= 0.8 * least for pause, least in zip(pauses, RETRY_AFTER, strict=False))
    assert len({message.key for _, message in channel.told}) == 1


@hasty
async def test_when_its_time_is_over_it_is_given_up(tmp_path: Path) -> None:
    channel = Listening(*[HERE] * 1000)
    async with telling(tmp_path, channel) as store:
        await put(store, keeps=timedelta(hours=1))
        await asyncio.sleep(3500)
        assert [state for state, _, _ in await states(store)] == ["queued"]
        await asyncio.sleep(200)
        (last,) = await states(store)
        assert (last[0], last[2]) == ("failed", "nobody took it in time")
    assert len(channel.told) < 10


@hasty
async def test_what_will_never_be_taken_is_given_up_at_once_and_the_next_is_told(tmp_path: Path) -> None:
    channel = Listening(GONE)
    async with telling(tmp_path, channel) as store:
        await put(store)
        await put(store)
        await asyncio.sleep(60)
        assert await states(store) == [("failed", 1, "It is gone."), ("sent", 1, "")]


@hasty
async def test_a_channel_that_hangs_is_let_go_and_tried_again(tmp_path: Path) -> None:
    channel = Hanging()
    async with telling(tmp_path, channel) as store:
        await put(store)
        await asyncio.sleep(300)
        (state,) = await states(store)
        assert (state[0], state[2]) == ("queued", "it took too long.")
    assert len(channel.told) > 1


@hasty
async def test_what_was_being_told_at_a_crash_is_told_again(tmp_path: Path) -> None:
    hanging, listening = Hanging(), Listening()
    async with telling(tmp_path, hanging) as store:
        await put(store)
        await until(lambda: len(hanging.told) > 0)
    async with telling(tmp_path, listening) as store:
        await asyncio.sleep(10)
        assert [state for state, _, _ in await states(store)] == ["sent"]
    assert listening.told[0][1].key == hanging.told[0][1].key


@pytest.mark.parametrize(
    ("way", "words", "event"),
    [
        pytest.param(Way.SIP, "x", {}, id="a desk phone gets the short words"),
        pytest.param(Way.SERVICE, "w", {}, id="a service all of them"),
        pytest.param(Way.HOOK, "", {"title": "t", "words": "w", "text": "x"}, id="a program the event"),
    ],
)
@hasty
async def test_each_way_gets_what_it_can_show(tmp_path: Path, way: Way, words: str, event: dict[str, str]) -> None:
    channel = Listening()
    async with telling(tmp_path, channel, way) as store:
        await put(store, way)
        await put(store, Way.EMAIL)
        await asyncio.sleep(60)
        assert [state for state, _, _ in await states(store)] == ["sent", "queued"]
    ((_, message),) = channel.told
    assert (message.words, message.event) == (words, event)


@hasty
async def test_what_was_told_is_not_told_again_because_the_disk_does_not_take_it(tmp_path: Path) -> None:
    channel, store = Listening(), Disk(tmp_path / "textbackd.db")
    await store.open()
    await put(store)
    loop = asyncio.get_running_loop()
    teller = asyncio.create_task(Teller(Way.EMAIL, Failing(channel, store), store=store, clock=lambda: now(loop)).run())
    await asyncio.sleep(600)
    store.fails = False
    await asyncio.sleep(60)
    assert await states(store) == [("sent", 1, "")]
    assert len(channel.told) == 1
    teller.cancel()
    await asyncio.gather(teller, return_exceptions=True)
    await store.close()


class Failing:
    """A channel that takes what it is told, at which moment the disk fails."""

    def __init__(self, channel: Listening, disk: Disk) -> None:
        self._channel, self._disk = channel, disk

    async def tell(self, message: Message) -> None:
        await self._channel.tell(message)
        self._disk.fails = True

    async def close(self) -> None:
        await self._channel.close()
