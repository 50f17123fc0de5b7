"""What follows from STOP, START, HELP and what may mean STOP: lists, answers, and who is not answered."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.flow.bringing import Disk, brought, text
from tests.hasty import hasty
from tests.store.rows import CALLER, DAY, NOON, a_text, after, judged
from textbackd.core.phone import E164
from textbackd.core.segments import Encoding, segments
from textbackd.flow.wishes import ANSWER_WITHIN
from textbackd.gateways.base import InboundText, Word
from textbackd.store import asks, journal, optouts, outbox, restoring
from textbackd.store.database import Store
from textbackd.store.optouts import OptedOutBy
from textbackd.store.states import TextOf

STOPPED = "You won't get texts from Anderson Roofing. Reply START to allow."


def said(*bodies: str, **changes: Any) -> list[InboundText]:
    return [text(body, id=f"in-{number}", **changes) for number, body in enumerate(bodies)]


async def test_what_a_text_was_taken_for_is_noted_with_it(tmp_path: Path) -> None:
    async with brought(tmp_path, *said("STOP", "START", "Yes, at 8")) as (store, _):
        noted = await store.run(
            lambda db: [row["keyword"] for row in db.query("SELECT keyword FROM inbox ORDER BY id")]
        )
    assert noted == ["stop", "start", None]


async def kinds(store: Store, state: str = "queued") -> list[str]:
    return await store.run(
        lambda db: [row["kind"] for row in db.query("SELECT kind FROM outbox WHERE state = ? ORDER BY rowid", [state])]
    )


async def is_out(store: Store) -> bool:
    return await store.run(lambda db: optouts.find(db, CALLER)) is not None


async def is_asked(store: Store) -> bool:
    return await store.run(lambda db: asks.since(db, CALLER)) is not None


async def with_a_waiting_text(folder: Path) -> Disk:
    store = Disk(folder / "textbackd.db")
    await store.open()
    await store.run(lambda db: outbox.add(db, a_text(), case_id=None, call_id=None, now=NOON))
    return store


# what was said, one after the other → opted out, waits for a person, what is answered
STORIES: list[tuple[list[str], bool, bool, list[str]]] = [
    (["STOP"], True, False, ["opted_out"]),
    (["stop please"], True, False, ["opted_out"]),
    (["STOP", "STOP"], True, False, ["opted_out"]),
    (["STOP", "START"], False, False, ["opted_in"]),
    (["STOP", "Yes"], False, False, ["opted_in"]),
    (["STOP", "HELP"], True, False, ["opted_out"]),
    (["STOP", "please stop it now"], True, False, ["opted_out"]),
    (["START"], False, False, []),
    (["Yes"], False, False, []),
    (["HELP"], False, False, ["help"]),
    (["HELP", "help!"], False, False, ["help"]),
    (["HELP", "STOP"], True, False, ["opted_out"]),
    (["Can you stop by at 5?"], False, True, []),
    (["stop by at 5", "HELP"], False, True, ["help"]),
    (["stop by at 5", "STOP"], True, False, ["opted_out"]),
    (["stop by at 5", "START"], False, False, ["opted_in"]),
    (["My roof leaks"], False, False, []),
]


@pytest.mark.parametrize(
    ("bodies", "out", "asked", "answers"), STORIES, ids=[" – ".join(story[0]) for story in STORIES]
)
@hasty
async def test_what_a_caller_wishes_is_done(
    tmp_path: Path, bodies: list[str], out: bool, asked: bool, answers: list[str]
) -> None:
    async with brought(tmp_path, *said(*bodies)) as (store, _):
        assert (await is_out(store), await is_asked(store), await kinds(store)) == (out, asked, answers)


@pytest.mark.parametrize(("restored_at", "answers"), [(after(minutes=1), []), (after(minutes=-1), ["opted_out"])])
@hasty
async def test_stop_from_before_a_restore_is_heeded_and_not_confirmed_again(
    tmp_path: Path, restored_at: datetime, answers: list[str]
) -> None:
    store = Disk(tmp_path / "textbackd.db")
    await store.open()
    await store.run(lambda db: restoring.settle(db, restored_at))
    async with brought(tmp_path, text("STOP"), store=store) as (_, _):
        assert (await is_out(store), await kinds(store)) == (True, answers)


@hasty
async def test_stop_cancels_what_waits_and_its_confirmation_passes_its_own_block(tmp_path: Path) -> None:
    async with brought(tmp_path, text("Stop."), store=await with_a_waiting_text(tmp_path)) as (store, _):
        assert await kinds(store, "cancelled") == ["missed"]
        confirmation = await store.run(lambda db: outbox.claim(db, "stick", NOON))
        assert confirmation is not None
        assert (confirmation.body, confirmation.recipient) == (STOPPED, CALLER)
        assert confirmation.expires_at == NOON + ANSWER_WITHIN
        assert await store.run(lambda db: outbox.claim(db, "stick", NOON)) is None
        cut = segments(confirmation.body)
        assert (cut.encoding, cut.count) == (Encoding.GSM7, 1)


@hasty
async def test_what_may_mean_stop_cancels_the_automatic_text_and_lets_a_person_write(tmp_path: Path) -> None:
    async with brought(tmp_path, text("don't text me"), store=await with_a_waiting_text(tmp_path)) as (store, _):
        assert await kinds(store, "cancelled") == ["missed"]
        await store.run(lambda db: outbox.add(db, a_text(), case_id=None, call_id=None, now=NOON))
        await store.run(lambda db: outbox.add_manual(db, a_text(kind=TextOf.MANUAL, body="Hi"), now=NOON))
        claimed = [await store.run(lambda db: outbox.claim(db, "stick", NOON)) for _ in range(2)]
        assert [one and one.body for one in claimed] == ["Hi", None]
        known = await store.run(lambda db: journal.history(db, CALLER, now=NOON, observing=False))
        assert known.asked_to_stop_at == NOON


@hasty
async def test_the_answer_goes_the_way_that_the_question_came(tmp_path: Path) -> None:
    async with brought(tmp_path, text("HELP", recipient="(303) 555-0101")) as (store, _):
        answer = await store.run(lambda db: outbox.claim(db, "stick", NOON))
    assert answer is not None
    assert (answer.gateway, answer.gateways, answer.did) == ("stick", ("stick",), "+13035550101")


@pytest.mark.parametrize("word", Word)
@hasty
async def test_where_the_gateway_has_acted_and_answered_we_keep_silent(tmp_path: Path, word: Word) -> None:
    async with brought(tmp_path, text("whatever", word=word)) as (store, _):
        assert (await is_out(store), await kinds(store)) == (word is Word.STOP, [])


@hasty
async def test_start_does_not_undo_what_a_person_entered(tmp_path: Path) -> None:
    store = Disk(tmp_path / "textbackd.db")
    await store.open()
    await store.run(lambda db: optouts.add(db, CALLER, OptedOutBy.PERSON, "asked", NOON))
    async with brought(tmp_path, *said("START", "Yes"), store=store):
        assert (await is_out(store), await kinds(store)) == (True, [])


@pytest.mark.parametrize(
    ("changes", "out"),
    [
        pytest.param({"sender": "22395"}, False, id="a short code"),
        pytest.param({"sender": "Vodafone"}, False, id="a name"),
        pytest.param({"sender": "+13035550111"}, False, id="a number of the business"),
        pytest.param({"sender": "+13035550112"}, False, id="the gateway's own number"),
        pytest.param({"sender": "+13035550113"}, False, id="a colleague's mobile"),
        pytest.param({"sender": "+13035550101"}, False, id="a number of ours that was seen called"),
        pytest.param({"sender": "+19005550142"}, False, id="a premium number"),
    ],
)
@hasty
async def test_ours_and_who_is_no_person_is_not_answered(tmp_path: Path, changes: dict[str, Any], out: bool) -> None:
    store = Disk(tmp_path / "textbackd.db")
    await store.open()
    await store.run(lambda db: journal.record(db, judged(), None, same_case_within=DAY, now=NOON))
    async with brought(tmp_path, *said("STOP", "HELP", "START", **changes), store=store):
        assert (await is_out(store), await kinds(store)) == (out, [])


@pytest.mark.parametrize(
    ("minutes", "bodies", "answers"),
    [
        pytest.param([0, 20, 40], ["STOP", "START", "STOP"], ["opted_out", "opted_in"], id="one confirmation in a day"),
        pytest.param(
            [0, 1441, 1442], ["STOP", "START", "STOP"], ["opted_out", "opted_in", "opted_out"], id="the next day"
        ),
        pytest.param([0, 1, 2, 3], ["busy", "busy", "busy", "HELP"], [], id="three equal texts mute"),
        pytest.param([0, 1, 3], ["busy", "busy", "HELP"], ["help"], id="two equal texts do not"),
        pytest.param([0, 40, 80, 81], ["busy", "busy", "busy", "HELP"], ["help"], id="nor three in more than an hour"),
        pytest.param([0, 1, 2, 1440], ["busy", "busy", "busy", "HELP"], [], id="mute for a day"),
        pytest.param([0, 1, 2, 1443], ["busy", "busy", "busy", "HELP"], ["help"], id="and no longer"),
    ],
)
@hasty
async def test_a_number_is_answered_so_often(
    tmp_path: Path, minutes: Sequence[int], bodies: list[str], answers: list[str]
) -> None:
    sent: list[str] = []
    for number, (minute, body) in enumerate(zip(minutes, bodies, strict=True)):
        sent += await sent_upon(tmp_path, text(body, id=f"in-{number}"), after(minutes=minute))
    assert sent == answers


async def sent_upon(folder: Path, came: InboundText, now: datetime) -> list[str]:
    """Return the kinds of the texts that go out when one has come in."""
    store, sent = Disk(folder / "textbackd.db"), []
    await store.open()
    async with brought(folder, came, store=store, clock=lambda: now):
        while (due := await store.run(lambda db: outbox.claim(db, "stick", now))) is not None:
            row = await store.run(lambda db, one=due: outbox.find(db, one.id))  # type: ignore[misc]
            await store.run(lambda db, one=due: outbox.accepted(db, one, None, now))  # type: ignore[misc]
            sent.append(row["kind"] if row else "")
    return sent


@hasty
async def test_a_stop_that_is_told_twice_is_one_stop(tmp_path: Path) -> None:
    async with brought(tmp_path, text("STOP"), text("STOP")) as (store, _):
        assert await kinds(store) == ["opted_out"]


@hasty
async def test_a_shop_that_only_observes_opts_out_and_sends_nothing(tmp_path: Path) -> None:
    async with brought(tmp_path, text("STOP"), mode="observe") as (store, _):
        assert (await is_out(store), await kinds(store, "suppressed")) == (True, ["opted_out"])


@hasty
async def test_words_and_answers_are_those_of_the_shop_s_country(tmp_path: Path) -> None:
    business = "{name: Dachdecker Maier, country: DE}"
    stopp = text("Bitte keine SMS mehr", sender="0151 23456789")
    async with brought(tmp_path, stopp, business=business) as (store, _):
        (row,) = await store.run(lambda db: list(db["outbox"].rows))
    assert (row["recipient"], row["body"][:44]) == ("+4915123456789", "Sie bekommen keine SMS mehr von Dachdecker M")


@hasty
async def test_a_line_answers_in_its_own_language_and_knows_its_words(tmp_path: Path) -> None:
    lines = '{french: {dids: ["+13035550101"], language: fr}, main: {dids: ["*"]}}'
    asking = [*said("arrêtez svp", recipient="+13035550101"), text("HELP", id="b", sender="+13035550177")]
    async with brought(tmp_path, *asking, lines=lines) as (store, _):
        bodies = [row["body"] for row in await store.run(lambda db: list(db["outbox"].rows))]
    assert [body[:12] for body in bodies] == ["Vous ne rece", "This is Ande"]


@hasty
async def test_many_numbers_that_ask_at_once_do_not_cost_the_shop_a_fortune(tmp_path: Path) -> None:
    asking = [text("HELP", id=f"in-{n}", sender=E164(f"+1303{5550200 + n}")) for n in range(70)]
    async with brought(tmp_path, *asking) as (store, _):
        assert len(await kinds(store)) == 60
