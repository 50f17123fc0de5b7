"""What becomes of a text: every fate, fail-over, pauses, a failing disk. No text goes out twice."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
import sqlite_utils

from tests.flow.gateways import Scripted, now, sending
from tests.hasty import hasty
from tests.store.rows import CALLER, NOON, a_text
from textbackd.core.limits import Limit
from textbackd.core.phone import E164
from textbackd.flow.texts_out import Pace
from textbackd.gateways.base import Accepted, Fate, OutboundText
from textbackd.store import optouts, outbox
from textbackd.store.database import Store, open_database
from textbackd.store.optouts import OptedOutBy

T = TypeVar("T")
LONG = 12.0  # seconds of the loop's clock; the first pause before another try is five


# ---- fates


@pytest.mark.parametrize(
    ("fate", "state", "sends"),
    [
        pytest.param(Fate.NOT_SENT, "accepted", 2, id="proved not sent: tried again"),
        pytest.param(Fate.GATEWAY_UNFIT, "queued", 1, id="the gateway was unfit: it rests first"),
        pytest.param(Fate.REFUSED, "failed", 1, id="refused: never again"),
        pytest.param(Fate.OPTED_OUT, "failed", 1, id="opted out: never again"),
        pytest.param(Fate.UNKNOWN, "unknown", 1, id="unknown: never again by itself"),
    ],
)
@hasty
async def test_what_a_gateway_says_decides_whether_a_text_is_sent_again(
    tmp_path: Path, fate: Fate, state: str, sends: int
) -> None:
    gateway = Scripted("stick", fate)
    async with sending(tmp_path, gateway) as at_work:
        await at_work.put()
        await asyncio.sleep(LONG)
        assert await at_work.states() == [state]
    assert len(gateway.sent) == sends


@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.OPTED_OUT, Fate.UNKNOWN])
@hasty
async def test_what_is_not_proved_unsent_goes_to_no_other_gateway(tmp_path: Path, fate: Fate) -> None:
    first, second = Scripted("stick", fate), Scripted("web")
    async with sending(tmp_path, first, second) as at_work:
        await at_work.put()
        await asyncio.sleep(LONG)
    assert (len(first.sent), len(second.sent)) == (1, 0)


@hasty
async def test_an_accepted_text_is_told_and_keeps_its_reference(tmp_path: Path) -> None:
    async with sending(tmp_path, Scripted("stick")) as at_work:
        text_id = await at_work.put()
        await asyncio.sleep(5)
        row = await at_work.store.run(lambda db: outbox.find(db, text_id))
    assert row is not None
    assert (row["state"], row["reference"], row["attempts"]) == ("accepted", "stick-1", 1)
    assert at_work.told == [("stick", "accepted")]


@hasty
async def test_the_gateway_gets_the_text_as_it_was_written(tmp_path: Path) -> None:
    gateway = Scripted("stick")
    async with sending(tmp_path, gateway) as at_work:
        text_id = await at_work.put(a_text(at=now(), gateways=["stick"], body="Grüße"))
        await asyncio.sleep(5)
    at, text = gateway.sent[0]
    assert (text.id, text.to, text.body, text.sender) == (text_id, CALLER, "Grüße", None)
    assert text.valid_until is not None
    assert text.valid_until > at


# ---- fail-over and pauses


@hasty
async def test_the_next_gateway_takes_over_at_once(tmp_path: Path) -> None:
    first, second = Scripted("stick", Fate.NOT_SENT), Scripted("web")
    async with sending(tmp_path, first, second) as at_work:
        await at_work.put()
        await asyncio.sleep(10)
    assert at_work.told == [("stick", "queued"), ("web", "accepted")]
    assert second.sent[0][0] - first.sent[0][0] < timedelta(seconds=2)


@hasty
async def test_after_the_last_gateway_comes_the_first_after_a_pause(tmp_path: Path) -> None:
    first, second = Scripted("stick", Fate.NOT_SENT, Fate.NOT_SENT), Scripted("web", Fate.NOT_SENT)
    async with sending(tmp_path, first, second) as at_work:
        await at_work.put()
        await asyncio.sleep(LONG)
    assert [gateway for gateway, _ in at_work.told] == ["stick", "web", "stick", "web"]
    assert timedelta(seconds=4) <= first.sent[1][0] - second.sent[0][0] <= timedelta(seconds=8)


@hasty
async def test_pauses_grow_and_a_text_that_nobody_takes_expires(tmp_path: Path) -> None:
    gateway = Scripted("stick", *[Fate.NOT_SENT] * 50)
    async with sending(tmp_path, gateway) as at_work:
        await at_work.put(a_text(at=now(), gateways=["stick"], expires_at=now() + timedelta(seconds=45)))
        await asyncio.sleep(55)
        assert await at_work.states() == ["expired"]
    times = [at for at, _ in gateway.sent]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(times) == 3
    assert pauses == sorted(pauses)
    assert times[-1] - times[0] < timedelta(seconds=45)


@hasty
async def test_a_slow_gateway_holds_up_no_other(tmp_path: Path) -> None:
    class Slow(Scripted):
        async def send(self, text: OutboundText) -> Accepted:
            await asyncio.sleep(500)
            return await super().send(text)

    slow, quick = Slow("slow"), Scripted("quick")
    async with sending(tmp_path, slow, quick) as at_work:
        await at_work.put(a_text(at=now(), gateways=["slow"]))
        await at_work.put(a_text(at=now(), gateways=["quick"]))
        await asyncio.sleep(10)
        assert (len(quick.sent), len(slow.sent)) == (1, 0)


class Starting(Scripted):
    """Needs a while to get ready."""

    is_starting = True


@hasty
async def test_a_text_is_not_handed_to_a_gateway_that_is_not_ready_yet(tmp_path: Path) -> None:
    gateway = Starting("stick")
    async with sending(tmp_path, gateway) as at_work:
        await at_work.put()
        await asyncio.sleep(LONG)
        assert await at_work.states() == ["queued"]
        gateway.is_starting = False
        await asyncio.sleep(LONG)
        assert await at_work.states() == ["accepted"]


# ---- gateways that rest

REST = 60.0  # seconds, see core/breaker.py


@hasty
async def test_a_text_waits_for_its_only_gateway_and_goes_out_after_its_rest(tmp_path: Path) -> None:
    gateway = Scripted("stick", Fate.GATEWAY_UNFIT)
    async with sending(tmp_path, gateway) as at_work:
        await at_work.put()
        await asyncio.sleep(REST + LONG)
        assert await at_work.states() == ["accepted"]
    assert timedelta(seconds=REST - 1) <= gateway.sent[1][0] - gateway.sent[0][0]


@hasty
async def test_texts_go_past_a_gateway_that_rests(tmp_path: Path) -> None:
    first, second = Scripted("stick", Fate.GATEWAY_UNFIT), Scripted("web")
    async with sending(tmp_path, first, second) as at_work:
        for _ in range(3):
            await at_work.put()
            await asyncio.sleep(2)
        assert await at_work.states() == ["accepted"] * 3
        await asyncio.sleep(REST)
        await at_work.put()
        await asyncio.sleep(2)
    assert (len(first.sent), len(second.sent)) == (2, 3)


@hasty
async def test_a_gateway_that_never_answers_makes_an_unknown_of_three_texts_and_not_of_all(tmp_path: Path) -> None:
    first, second = Scripted("stick", *[Fate.UNKNOWN] * 9), Scripted("web")
    async with sending(tmp_path, first, second) as at_work:
        for _ in range(9):
            await at_work.put()
        await asyncio.sleep(LONG)
        assert sorted(await at_work.states()) == ["accepted"] * 6 + ["unknown"] * 3


@hasty
async def test_when_one_gateway_rests_the_other_still_pauses_between_its_tries(tmp_path: Path) -> None:
    first, second = Scripted("stick", Fate.NOT_SENT, Fate.NOT_SENT), Scripted("web", Fate.GATEWAY_UNFIT)
    async with sending(tmp_path, first, second) as at_work:
        await at_work.put()
        await asyncio.sleep(4 * LONG)
        assert await at_work.states() == ["accepted"]
    assert [gateway for gateway, _ in at_work.told] == ["stick", "web", "stick", "stick"]
    assert all(later - earlier >= timedelta(seconds=3) for (earlier, _), (later, _) in pairwise(first.sent))


@hasty
async def test_who_told_the_gateway_stop_is_on_our_list(tmp_path: Path) -> None:
    async with sending(tmp_path, Scripted("stick", Fate.OPTED_OUT)) as at_work:
        await at_work.put()
        await asyncio.sleep(LONG)
        (optout,) = await at_work.store.run(optouts.listing)
        assert (optout.number, optout.by, optout.detail) == (CALLER, OptedOutBy.GATEWAY, "stick")
        await at_work.put()
        await asyncio.sleep(LONG)
        assert await at_work.states() == ["failed", "queued"]


# ---- when not


@hasty
async def test_a_text_is_sent_when_it_is_due_and_not_before(tmp_path: Path) -> None:
    gateway = Scripted("stick")
    async with sending(tmp_path, gateway) as at_work:
        due_at = now() + timedelta(seconds=8)
        await at_work.put(a_text(at=now(), gateways=["stick"], due_at=due_at))
        await asyncio.sleep(LONG)
    assert timedelta(0) <= gateway.sent[0][0] - due_at < timedelta(seconds=2)


@hasty
async def test_who_is_on_the_phone_is_texted_afterwards_and_the_worker_rests_meanwhile(tmp_path: Path) -> None:
    looks, talking = 0, {CALLER}

    def on_the_phone() -> set[E164]:
        nonlocal looks
        looks += 1
        if looks > 1000:
            talking.clear()
        return talking

    gateway = Scripted("stick")
    async with sending(tmp_path, gateway, on_the_phone=on_the_phone) as at_work:
        await at_work.put()
        await asyncio.sleep(LONG)
        assert gateway.sent == []
        talking.clear()
        await asyncio.sleep(10)
    assert len(gateway.sent) == 1
    assert looks < 1000


@hasty
async def test_a_worker_that_is_stopped_finishes_the_text_in_hand_and_takes_no_other(tmp_path: Path) -> None:
    gateway = Scripted("stick", during=lambda: at_work.stop())  # noqa: PLW0108  # is known later
    async with sending(tmp_path, gateway) as at_work:
        await at_work.put()
        await at_work.put()
        await asyncio.sleep(LONG)
        assert sorted(await at_work.states()) == ["accepted", "queued"]


# ---- a failing disk


class Disk(Store):
    """A store whose disk can be full."""

    full = False

    async def run(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        return await super().run(work)


@pytest.mark.parametrize(
    ("fates", "state"),
    [((), "accepted"), ((Fate.UNKNOWN,), "unknown"), ((Fate.REFUSED,), "failed")],
    ids=["accepted", "unknown", "refused"],
)
@hasty
async def test_a_result_that_cannot_be_written_down_is_kept_and_the_text_not_sent_again(
    tmp_path: Path, fates: tuple[Fate, ...], state: str
) -> None:
    disk = Disk(tmp_path / "textbackd.db")
    gateway = Scripted("stick", *fates, during=lambda: setattr(disk, "full", True))
    async with sending(tmp_path, gateway, store=disk) as at_work:
        await at_work.put()
        await asyncio.sleep(LONG)
        assert len(gateway.sent) == 1
        assert _on_disk(tmp_path) == ["submitting"]
        disk.full = False
        await asyncio.sleep(LONG)
        assert await at_work.states() == [state]
    assert len(gateway.sent) == 1


def _on_disk(folder: Path) -> list[str]:
    database = open_database(folder / "textbackd.db")
    states = [text["state"] for text in outbox.listing(database)]
    database.close()
    return states


@hasty
async def test_nothing_is_sent_that_could_not_be_written_down_before(tmp_path: Path) -> None:
    disk, gateway = Disk(tmp_path / "textbackd.db"), Scripted("stick")
    async with sending(tmp_path, gateway, store=disk) as at_work:
        await at_work.put(a_text(at=now(), gateways=["stick"], due_at=now() + timedelta(seconds=5)))
        disk.full = True
        await asyncio.sleep(LONG)
        assert gateway.sent == []
        disk.full = False
        await asyncio.sleep(LONG)
    assert len(gateway.sent) == 1


class Breaking(Scripted):
    """Breaks the store's connection once it has the text."""

    def __init__(self, store: Store) -> None:
        super().__init__("stick")
        self._store = store

    async def send(self, text: OutboundText) -> Accepted:
        accepted = await super().send(text)
        await self._store.run(lambda db: db.conn.close())
        return accepted


@hasty
async def test_a_connection_that_breaks_while_a_text_is_with_the_gateway_never_sends_it_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "textbackd.db")
    gateway = Breaking(store)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(LONG), sending(tmp_path, gateway, store=store) as at_work:
            await at_work.put()
            await asyncio.sleep(2 * LONG)
    assert (len(gateway.sent), _on_disk(tmp_path)) == (1, ["submitting"])


# ---- pace


@pytest.mark.parametrize(
    ("spent", "at", "wait"),
    [
        pytest.param([], 0, 0, id="nothing sent yet"),
        pytest.param([0], 0, 0, id="one of two"),
        pytest.param([0, 1], 1, 59, id="two of two: wait for the first to be a window old"),
        pytest.param([0, 1], 60, 0, id="the window ends on the dot"),
        pytest.param([0, 1, 60], 60, 1, id="the window slides"),
        pytest.param([0, 1], 600, 0, id="long ago"),
        pytest.param([86400, 86401], 0, 60, id="a clock that was set back holds up no longer than a window"),
    ],
)
def test_a_gateway_is_held_to_its_rate(spent: list[int], at: int, wait: int) -> None:
    pace = Pace(Limit(2, timedelta(minutes=1)))
    for second in spent:
        pace.spend(NOON + timedelta(seconds=second))
    assert pace.wait(NOON + timedelta(seconds=at)) == timedelta(seconds=wait)


@hasty
async def test_a_worker_keeps_the_pace_of_its_gateway(tmp_path: Path) -> None:
    gateway = Scripted("stick")
    async with sending(tmp_path, gateway, rate=Limit(2, timedelta(seconds=6))) as at_work:
        for _ in range(6):
            await at_work.put()
        await asyncio.sleep(20)
    times = [at for at, _ in gateway.sent]
    assert len(times) == 6
    assert all(later - earlier >= timedelta(seconds=6) for earlier, later in zip(times, times[2:], strict=False))
