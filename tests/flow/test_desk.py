"""What the staff can do with a conversation, and what that does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flow.settings import configured
from tests.store.rows import CALLER, DAY, NOON, a_text, judged
from textbackd.core.conversation import Turn
from textbackd.core.phone import E164
from textbackd.flow.bell import Bell
from textbackd.flow.desk import Desk, Refused, SentAlready
from textbackd.store import accounts, acts, conversations, journal, never, outbox
from textbackd.store.accounts import Role
from textbackd.store.conversations import Conversation
from textbackd.store.database import Store

KEY = "0" * 32


@dataclass
class Shop:
    desk: Desk
    store: Store
    woken: list[None]

    async def conversation(self, number: E164 = CALLER) -> Conversation:
        found = await self.store.run(lambda db: conversations.find(db, number))
        assert found is not None
        return found

    async def texts(self) -> list[tuple[str, str]]:
        rows = await self.store.run(lambda db: list(db["outbox"].rows_where(order_by="created_at")))
        return [(row["kind"], row["state"]) for row in rows]

    async def deeds(self) -> list[tuple[Any, ...]]:
        rows = await self.store.run(acts.listing)
        return [(row["kind"], row["staff"], row["detail"]) for row in reversed(rows)]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    store, woken = Store(tmp_path / "textbackd.db"), list[None]()
    await store.open()
    settings = configured(staff="{anna: {name: Anna}, ben: {name: Ben}}")
    desk = Desk(settings, store=store, clock=lambda: NOON, bell=Bell(), wake=lambda: woken.append(None))
    await store.run(lambda db: journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON))
    yield Shop(desk, store, woken)
    await store.close()


async def test_the_first_answer_claims_and_stops_the_machine(shop: Shop) -> None:
    await shop.desk.reply(CALLER, " We can come at 3 ", "anna")
    after = await shop.conversation()
    assert (after.turn, after.assignee, after.last_words) == (Turn.THEIRS, "anna", "We can come at 3")
    assert sorted(await shop.texts()) == [("manual", "queued"), ("missed", "cancelled")]
    assert [deed[:2] for deed in await shop.deeds()] == [("claimed", "anna"), ("replied", "anna")]
    assert shop.woken == [None]


async def test_a_form_that_is_sent_twice_sends_one_text(shop: Shop) -> None:
    both = await asyncio.gather(*(shop.desk.reply(CALLER, "We can come at 3", "anna", key=KEY) for _ in range(2)))
    assert both == [KEY, KEY]
    assert await shop.texts() == [("missed", "cancelled"), ("manual", "queued")]


@pytest.mark.parametrize(
    ("number", "body", "why"),
    [
        pytest.param(CALLER, " \n", "empty", id="nothing"),
        pytest.param(CALLER, "x" * 2000, "longer", id="a novel"),
        pytest.param(E164("+13035550111"), "hi", "ours", id="our own number"),
        pytest.param(E164("+19005550123"), "hi", "cannot be texted", id="a premium number"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_a_sentence(shop: Shop, number: E164, body: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        await shop.desk.reply(number, body, "anna")
    assert ("manual", "queued") not in await shop.texts()


async def test_nobody_is_texted_after_stop_until_they_say_otherwise(shop: Shop) -> None:
    await shop.desk.opt_out(CALLER, "anna")
    assert (await shop.conversation()).no_text == "opted_out"
    with pytest.raises(Refused, match="STOP"):
        await shop.desk.reply(CALLER, "but", "ben")
    await shop.desk.opt_in(CALLER, "anna")
    await shop.desk.reply(CALLER, "welcome back", "ben")
    assert (await shop.conversation()).no_text is None


async def test_a_conversation_is_given_only_to_somebody_who_is_there(shop: Shop) -> None:
    await shop.store.run(lambda db: accounts.add(db, "eve", Role.STAFF, "hash", NOON))
    await shop.store.run(lambda db: accounts.add(db, "mallory", Role.STAFF, "hash", NOON))
    await shop.store.run(lambda db: accounts.disable(db, "mallory", NOON))
    for to in ("ben", "eve"):
        await shop.desk.assign(CALLER, to, "anna")
        assert (await shop.conversation()).assignee == to
    for to in ("mallory", "nobody", "Ben", "EVE", ""):
        with pytest.raises(Refused, match="None of the staff is called that"):
            await shop.desk.assign(CALLER, to, "anna")
    assert (await shop.conversation()).assignee == "eve"
    await shop.desk.assign(CALLER, None, "anna")
    assert (await shop.conversation()).assignee is None
    given = [detail for kind, _, detail in await shop.deeds() if kind == "assigned"]
    assert given == ["ben", "eve", ""]


async def test_everything_that_is_done_is_written_down_with_who_did_it(shop: Shop) -> None:
    desk = shop.desk
    await desk.look(CALLER, "anna")
    await desk.look(CALLER, "anna")
    await desk.assign(CALLER, "ben", "anna")
    await desk.assign(CALLER, "ben", "ben")
    await desk.note(CALLER, "blue roof", "ben")
    await desk.rename(CALLER, "Jane\nDoe", "ben")
    await desk.won(CALLER, 120_000, "ben")
    await desk.take_up(CALLER, "anna")
    await desk.lost(CALLER, "ben")
    assert await shop.deeds() == [
        ("read", "anna", ""),
        ("assigned", "anna", "ben"),
        ("claimed", "ben", ""),
        ("note", "ben", "blue roof"),
        ("renamed", "ben", "Jane Doe"),
        ("won", "ben", "120000"),
        ("taken_up", "anna", ""),
        ("lost", "ben", ""),
    ]
    assert ((await shop.conversation()).turn, (await shop.conversation()).outcome) == (Turn.DONE, "lost")


async def test_a_number_without_conversation_has_nothing_to_put_away(shop: Shop) -> None:
    with pytest.raises(Refused, match="no conversation"):
        await shop.desk.put_away(E164("+13035550199"), "anna")
    assert await shop.deeds() == []


async def test_the_bell_rings_for_what_is_done_and_each_listener_hears_it_once(shop: Shop) -> None:
    with shop.desk.bell.listening() as one, shop.desk.bell.listening() as other:
        await shop.desk.note(CALLER, "a", "anna")
        await shop.desk.note(CALLER, "b", "anna")
        shop.desk.bell.ring(None)
        for listener in (one, other):
            rings = listener.rings()
            assert [await anext(rings), await anext(rings)] == [CALLER, None]
            await rings.aclose()


async def test_an_answer_of_somebody_who_only_observes_is_not_sent(tmp_path: Path) -> None:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    desk = Desk(configured(mode="observe"), store=store, clock=lambda: NOON, bell=Bell(), wake=lambda: None)
    text_id = await desk.reply(CALLER, "hello", "anna")
    row = await store.run(lambda db: outbox.find(db, text_id))
    await store.close()
    assert row is not None
    assert row["state"] == "suppressed"


async def test_a_key_stands_for_one_text_and_other_words_under_it_are_refused(shop: Shop) -> None:
    assert [await shop.desk.reply(CALLER, "We can come at 3", "anna", key=KEY) for _ in range(2)] == [KEY, KEY]
    with pytest.raises(SentAlready):
        await shop.desk.reply(CALLER, "Or at 4?", "anna", key=KEY)
    with pytest.raises(SentAlready):
        await shop.desk.reply(E164("+13035550143"), "We can come at 3", "anna", key=KEY)
    assert sum(kind == "manual" for kind, _ in await shop.texts()) == 1


async def test_who_is_never_heeded_again_is_on_the_list_and_gets_nothing_that_waits(shop: Shop) -> None:
    await shop.desk.never(CALLER, "anna")
    assert await shop.store.run(lambda db: [(one.number, one.by) for one in never.listing(db)]) == [(CALLER, "anna")]
    assert ((await shop.conversation()).turn, await shop.texts()) == (Turn.DONE, [("missed", "cancelled")])
    assert [deed[:2] for deed in await shop.deeds()] == [("never", "anna")]
