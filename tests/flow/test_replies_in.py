"""What a gateway brings in: stored before the gateway may forget it, once, and with what follows from it."""

import asyncio
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.flow.bringing import Disk, brought, text
from tests.hasty import hasty
from tests.store.rows import CALLER, NOON, a_text
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.flow.replies_in import STORE_AGAIN_AFTER
from textbackd.gateways.base import DeliveryReport, IncomingCall, LateAnswer, Word
from textbackd.store import conversations, halts, inbox, journal, optouts, outbox
from textbackd.store.conversations import News
from textbackd.store.database import Store
from textbackd.store.optouts import OptedOutBy
from textbackd.store.states import State

T = TypeVar("T")


def report(**changes: Any) -> DeliveryReport:
    usual = {"reference": "12", "recipient": CALLER, "delivered": True, "final": True, "detail": "told"}
    return DeliveryReport(**{**usual, **changes})


async def rows(store: Store) -> list[dict[str, Any]]:
    return await store.run(lambda db: list(db["inbox"].rows))


async def with_the_gateway(folder: Path, reference: str | None = "12") -> Disk:
    """Return a store with one text that a gateway has, or, without reference, may have."""
    store = Disk(folder / "textbackd.db")
    await store.open()
    await store.run(lambda db: outbox.add(db, a_text(), case_id=None, call_id=None, now=NOON))
    claimed = await store.run(lambda db: outbox.claim(db, "stick", NOON))
    assert claimed is not None
    if reference is not None:
        await store.run(lambda db: outbox.accepted(db, claimed, reference, NOON))
    else:
        await store.run(outbox.mark_cut_off)
    return store


async def states(store: Store) -> list[str]:
    return [row["state"] for row in await store.run(outbox.listing)]


# ---- texts and calls


@hasty
async def test_a_text_is_stored_with_the_number_read_and_the_words_as_they_came(tmp_path: Path) -> None:
    body = "Yes!\n<b>8 o'clock</b> 👍"
    async with brought(tmp_path, text(body, media=1)) as (store, _):
        (row,) = await rows(store)
    assert (row["gateway"], row["kind"], row["number"], row["body"], row["media"]) == ("stick", "text", CALLER, body, 1)


@hasty
@pytest.mark.parametrize(
    ("body", "line", "urgent"),
    [
        pytest.param("Water everywhere!", "{}", True, id="a word that comes with textbackd"),
        pytest.param("Rohrbruch!", "{language: de}", True, id="in the line's language"),
        pytest.param("Rohrbruch!", "{}", False, id="in another"),
        pytest.param("The alarm rings", "{urgent: [alarm]}", True, id="the line's own"),
        pytest.param("Water everywhere!", "{urgent: off}", False, id="none"),
        pytest.param("Yes please", "{}", False, id="an ordinary answer"),
    ],
)
async def test_a_text_that_cannot_wait_marks_its_conversation_until_somebody_answers(
    tmp_path: Path, body: str, line: str, urgent: bool
) -> None:
    async with brought(tmp_path, text(body), text("Are you there?", id="in-2"), lines=f"{{main: {line}}}") as (
        store,
        _,
    ):
        found = await store.run(lambda db: conversations.find(db, CALLER))
        assert found is not None
        assert found.urgent is urgent
        answer = News(number=CALLER, happening=Happening.ANSWERED, at=NOON, staff="anna")
        await store.run(lambda db: conversations.happen(db, answer))
        found = await store.run(lambda db: conversations.find(db, CALLER))
        assert found is not None
        assert not found.urgent


@hasty
async def test_the_same_text_told_twice_is_stored_once(tmp_path: Path) -> None:
    async with brought(tmp_path, text(), text(), text(id="in-2")) as (store, gateway):
        assert [row["reference"] for row in await rows(store)] == ["in-1", "in-2"]
    assert gateway.forgotten == 3


@hasty
async def test_a_name_as_sender_is_kept_as_it_is(tmp_path: Path) -> None:
    async with brought(tmp_path, text(sender="Vodafone")) as (store, _):
        (row,) = await rows(store)
    assert (row["sender"], row["number"]) == ("Vodafone", None)


@hasty
async def test_a_call_to_the_sims_own_number_is_listed(tmp_path: Path) -> None:
    calls = (IncomingCall(id="c-1", caller=CALLER, at=NOON), IncomingCall(id="c-2", caller=None, at=NOON))
    async with brought(tmp_path, *calls) as (store, _):
        assert [(row["kind"], row["number"]) for row in await rows(store)] == [("call", CALLER), ("call", None)]
        assert len(await store.run(lambda db: inbox.of_number(db, CALLER))) == 1
        assert await store.run(inbox.counts) == {("stick", "call"): 2}


@hasty
async def test_a_gateway_forgets_nothing_that_is_not_on_disk(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "textbackd.db")
    await disk.open()
    disk.fails = True
    async with brought(tmp_path, text(), store=disk) as (store, gateway):
        await asyncio.sleep(3 * STORE_AGAIN_AFTER)
        assert gateway.forgotten == 0
        disk.fails = False
        await asyncio.sleep(3 * STORE_AGAIN_AFTER)
        assert (gateway.forgotten, len(await rows(store))) == (1, 1)


# ---- the gateway's own opt-outs


@pytest.mark.parametrize(
    ("words", "is_out"),
    [
        pytest.param([Word.STOP], True, id="STOP"),
        pytest.param([Word.STOP, Word.START], False, id="STOP, and START later"),
        pytest.param([Word.HELP], False, id="HELP"),
        pytest.param([None], False, id="an ordinary text"),
    ],
)
@hasty
async def test_what_the_gateway_took_for_stop_is_ours(tmp_path: Path, words: list[Word | None], is_out: bool) -> None:
    texts = [text(id=f"in-{number}", word=word) for number, word in enumerate(words)]
    async with brought(tmp_path, *texts) as (store, _):
        found = await store.run(lambda db: optouts.find(db, CALLER))
    assert (found is not None) is is_out


@hasty
async def test_a_start_at_the_gateway_does_not_undo_what_a_person_entered(tmp_path: Path) -> None:
    store = Disk(tmp_path / "textbackd.db")
    await store.open()
    await store.run(lambda db: optouts.add(db, CALLER, OptedOutBy.PERSON, "asked", NOON))
    async with brought(tmp_path, text(word=Word.START), store=store):
        assert await store.run(lambda db: optouts.find(db, CALLER)) is not None


# ---- reports


@pytest.mark.parametrize(
    ("told", "state", "out", "unreachable"),
    [
        pytest.param(report(), "delivered", False, "", id="delivered"),
        pytest.param(report(delivered=False, final=False), "accepted", False, "", id="still trying"),
        pytest.param(report(delivered=False), "undelivered", False, "", id="a phone that was off for days"),
        pytest.param(
            report(delivered=False, permanent=True, detail="a landline"),
            "undelivered",
            False,
            "a landline",
            id="a landline",
        ),
        pytest.param(
            report(delivered=False, opted_out=True), "undelivered", True, "", id="the network knows of a STOP"
        ),
    ],
)
@hasty
async def test_a_report_settles_its_text_and_teaches_about_its_number(
    tmp_path: Path, told: DeliveryReport, state: str, out: bool, unreachable: str
) -> None:
    store = await with_the_gateway(tmp_path)
    async with brought(tmp_path, told, store=store):
        assert await states(store) == [state]
        known = await store.run(lambda db: journal.history(db, CALLER, now=NOON, observing=False))
    assert (known.opted_out_at is not None, known.unreachable) == (out, unreachable)


@hasty
async def test_a_late_answer_settles_what_was_unknown(tmp_path: Path) -> None:
    store = await with_the_gateway(tmp_path, None)
    async with brought(tmp_path, LateAnswer(id=None, reference="12"), store=store):
        assert await states(store) == ["accepted"]


@hasty
async def test_when_too_few_texts_arrive_the_brake_is_pulled(tmp_path: Path) -> None:
    store = Disk(tmp_path / "textbackd.db")
    await store.open()
    for number in range(50):
        recipient = E164(f"+1{303 + number}5550142")
        await store.run(
            lambda db, to=recipient: outbox.add(db, a_text(recipient=to), case_id=None, call_id=None, now=NOON)  # type: ignore[misc]
        )
        claimed = await store.run(lambda db: outbox.claim(db, "stick", NOON))
        assert claimed is not None
        await store.run(lambda db, one=claimed, n=number: outbox.accepted(db, one, f"r{n}", NOON))  # type: ignore[misc]
    told = [report(reference=f"r{n}", recipient=None, delivered=n < 19) for n in range(50)]
    async with brought(tmp_path, *told[:49], store=store):
        assert await store.run(lambda db: halts.active(db, NOON)) == []
        store_again = Disk(tmp_path / "textbackd.db")
    await store_again.open()
    async with brought(tmp_path, told[49], store=store_again):
        (brake,) = await store_again.run(lambda db: halts.active(db, NOON))
        assert "only 19 of the last 50 texts arrived" in brake.why
        assert State.UNDELIVERED in await states(store_again)
