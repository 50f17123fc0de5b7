"""Unknown texts: whoever may know is asked, and nothing goes out twice for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.flow.gateways import Scripted, Sending, now, sending
from tests.hasty import hasty
from tests.store.rows import a_text
from textbackd.flow.unknowns import Unknowns
from textbackd.gateways.base import Accepted, Fate, OutboundText
from textbackd.store import outbox

LONG = 12.0  # seconds of the loop's clock


class Listing(Scripted):
    """Has a list in which a text appears after the so-manieth look."""

    def __init__(self, name: str, *fates: Fate, appears_at: int) -> None:
        super().__init__(name, *fates)
        self.looks: list[datetime] = []
        self._appears_at = appears_at

    async def find(self, text: OutboundText, *, since: datetime) -> Accepted | None:
        assert since < now()
        self.looks.append(now())
        return Accepted(reference=f"found-{text.to}") if len(self.looks) >= self._appears_at else None


class Knowing(Scripted):
    """Recognises a text by its id."""

    knows_ids: Literal[True] = True


@asynccontextmanager
async def settling(folder: Path, gateway: Scripted, *others: Scripted, account: str = "") -> AsyncIterator[Sending]:
    """Run workers and, beside them, what settles unknown texts."""
    clock = partial(now, asyncio.get_running_loop())
    async with sending(folder, gateway, *others) as at_work:
        unknowns = Unknowns(gateway, store=at_work.store, clock=clock, wake=lambda: None, account=account)
        task = asyncio.create_task(unknowns.run())
        try:
            yield at_work
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def row(at_work: Sending) -> dict[str, Any]:
    (found,) = await at_work.store.run(outbox.listing)
    return found


@hasty
async def test_a_text_that_is_in_the_gateways_list_was_accepted(tmp_path: Path) -> None:
    gateway = Listing("web", Fate.UNKNOWN, appears_at=2)
    async with settling(tmp_path, gateway) as at_work:
        await at_work.put()
        await asyncio.sleep(40)
        found = await row(at_work)
    assert (found["state"], found["reference"].startswith("found-")) == ("accepted", True)
    assert len(gateway.sent) == 1
    assert len(gateway.looks) == 2


@hasty
async def test_a_text_that_is_in_no_list_stays_unknown_however_often_it_is_looked_for(tmp_path: Path) -> None:
    gateway = Listing("web", Fate.UNKNOWN, appears_at=99)
    async with settling(tmp_path, gateway) as at_work:
        await at_work.put()
        await asyncio.sleep(200)
        assert (await row(at_work))["state"] == "unknown"
    assert (len(gateway.sent), len(gateway.looks)) == (1, 3)


@hasty
async def test_a_gateway_that_knows_our_id_is_given_the_text_again(tmp_path: Path) -> None:
    gateway, other = Knowing("phone", Fate.UNKNOWN, Fate.NOT_SENT), Scripted("web")
    async with settling(tmp_path, gateway, other) as at_work:
        await at_work.put(a_text(at=now(), gateways=["phone", "web"]))
        await asyncio.sleep(60)
        assert (await row(at_work))["state"] == "accepted"
    assert len({text.id for _, text in gateway.sent}) == 1
    assert len(gateway.sent) == 3
    assert other.sent == [], "what may have gone out through one gateway never goes to another"


@hasty
@pytest.mark.parametrize("gateway", [Knowing("web", Fate.UNKNOWN), Listing("web", Fate.UNKNOWN, appears_at=1)])
async def test_another_gateway_that_has_got_the_name_is_not_asked(tmp_path: Path, gateway: Knowing | Listing) -> None:
    async with settling(tmp_path, gateway, account="another") as at_work:
        await at_work.put()
        await asyncio.sleep(60)
        assert (await row(at_work))["state"] == "unknown"
    assert len(gateway.sent) == 1


@hasty
async def test_a_text_whose_time_is_over_is_not_given_again(tmp_path: Path) -> None:
    gateway = Knowing("phone", Fate.UNKNOWN)
    async with settling(tmp_path, gateway) as at_work:
        await at_work.put(a_text(at=now(), gateways=["phone"], expires_at=now() + timedelta(seconds=3)))
        await asyncio.sleep(LONG)
        assert (await row(at_work))["state"] == "unknown"
    assert len(gateway.sent) == 1


def test_a_gateway_that_can_tell_nothing_is_not_asked() -> None:
    assert not Unknowns.can_settle(Scripted("stick"))
    assert Unknowns.can_settle(Knowing("phone"))
    assert Unknowns.can_settle(Listing("web", appears_at=1))
