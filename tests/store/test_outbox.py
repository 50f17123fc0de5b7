"""The outbox: who may take a text, what every outcome makes of it, and what a crash leaves."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from tests.store.rows import CALLER, DAY, NOON, a_text, after, judged
from textbackd.core.phone import E164
from textbackd.store import halts, leads, outbox
from textbackd.store.database import open_database, writing
from textbackd.store.halts import HaltKind
from textbackd.store.journal import record
from textbackd.store.leads import NewLead
from textbackd.store.outbox import DueText, NewText
from textbackd.store.states import State, TextOf


def put(db: sqlite_utils.Database, text: NewText | None = None) -> str:
    return outbox.add(db, text or a_text(), case_id=None, call_id=None, now=NOON)


def claimed(db: sqlite_utils.Database, gateway: str = "stick", at: datetime = NOON) -> DueText:
    text = outbox.claim(db, gateway, at)
    assert text is not None
    return text


def row(db: sqlite_utils.Database, text_id: str) -> dict[str, Any]:
    found = outbox.find(db, text_id)
    assert found is not None
    return found


def attempts(db: sqlite_utils.Database) -> list[tuple[str, str | None, str | None]]:
    return [(a["gateway"], a["outcome"], a["code"]) for a in db["attempts"].rows]


# ---- claiming


def test_a_claimed_text_says_all_that_a_gateway_needs_and_is_written_down_as_being_sent(
    db: sqlite_utils.Database,
) -> None:
    text_id = put(db)
    text = claimed(db, at=after(seconds=1))
    assert (text.id, text.recipient, text.body, text.gateways) == (
        (text_id, CALLER, "Sorry we missed your call", ("stick", "web"))
    )
    assert (text.attempt, text.expires_at, text.hung_up_at) == (1, after(minutes=10), NOON)
    assert (row(db, text_id)["state"], row(db, text_id)["attempts"], attempts(db)) == (
        "submitting",
        1,
        [("stick", None, None)],
    )


@pytest.mark.parametrize(
    ("change", "at", "taken"),
    [
        pytest.param({}, NOON, True, id="due on the dot"),
        pytest.param({"due_at": after(seconds=1)}, NOON, False, id="not due yet"),
        pytest.param({}, after(minutes=9, seconds=59), True, id="a second before its end"),
        pytest.param({}, after(minutes=10), False, id="its time is over"),
        pytest.param({"gateways": ["web"]}, NOON, False, id="another gateway's"),
        pytest.param({"state": State.SUPPRESSED}, NOON, False, id="suppressed"),
    ],
)
def test_only_what_is_due_is_taken(
    db: sqlite_utils.Database, change: dict[str, Any], at: datetime, taken: bool
) -> None:
    put(db, a_text(**change))
    assert (outbox.claim(db, "stick", at) is not None) is taken


def test_the_text_that_waits_longest_goes_first(db: sqlite_utils.Database) -> None:
    late, early = put(db, a_text(due_at=after(seconds=2))), put(db, a_text(due_at=after(seconds=1)))
    assert [claimed(db, at=after(seconds=5)).id for _ in range(2)] == [early, late]


@pytest.mark.parametrize(
    ("kind", "on_the_phone", "taken"),
    [
        pytest.param(TextOf.MISSED, [CALLER], False, id="an automatic text waits for the talk to end"),
        pytest.param(TextOf.MISSED, [E164("+13035550177")], True, id="somebody else is on the phone"),
        pytest.param(TextOf.MANUAL, [CALLER], True, id="a person's text waits for nobody"),
    ],
)
def test_who_is_on_the_phone_gets_no_automatic_text(
    db: sqlite_utils.Database, kind: TextOf, on_the_phone: list[E164], taken: bool
) -> None:
    put(db, a_text(kind=kind))
    assert (outbox.claim(db, "stick", NOON, on_the_phone) is not None) is taken


def _claim_all(path: Path) -> list[str]:
    database, taken = open_database(path), []
    while (text := outbox.claim(database, "stick", NOON)) is not None:
        taken.append(text.id)
    database.close()
    return taken


def test_two_who_claim_at_once_never_get_the_same_text(db: sqlite_utils.Database, tmp_path: Path) -> None:
    texts = sorted(put(db) for _ in range(40))
    with ThreadPoolExecutor(4) as threads:
        taken = [text for ids in threads.map(_claim_all, [tmp_path / "textbackd.db"] * 4) for text in ids]
    assert sorted(taken) == texts


# ---- outcomes


def test_an_accepted_text_keeps_the_gateway_s_reference_and_is_never_taken_again(db: sqlite_utils.Database) -> None:
    text_id = put(db)
    outbox.accepted(db, claimed(db), "12,13", after(seconds=2))
    found = row(db, text_id)
    assert (found["state"], found["reference"], found["gateway"]) == ("accepted", "12,13", "stick")
    assert attempts(db) == [("stick", "accepted", None)]
    assert outbox.claim(db, "stick", after(seconds=3)) is None


@pytest.mark.parametrize("state", [State.FAILED, State.UNKNOWN])
def test_an_ended_text_says_why_and_is_never_taken_again(db: sqlite_utils.Database, state: State) -> None:
    text_id = put(db)
    outbox.ended(db, claimed(db), state, outcome="refused", code="CMS 38", explanation="no such number", now=NOON)
    assert (row(db, text_id)["state"], row(db, text_id)["explanation"]) == (state.value, "no such number")
    assert attempts(db) == [("stick", "refused", "CMS 38")]
    assert outbox.claim(db, "stick", after(seconds=3)) is None


def test_a_text_that_was_put_back_is_another_gateway_s_and_not_before_its_time(db: sqlite_utils.Database) -> None:
    put(db)
    outbox.put_back(
        db,
        claimed(db),
        gateway="web",
        due_at=after(seconds=5),
        outcome="not_sent",
        code=None,
        explanation="x",
        now=NOON,
    )
    assert outbox.claim(db, "stick", after(seconds=9)) is None
    assert outbox.claim(db, "web", after(seconds=4)) is None
    assert claimed(db, "web", after(seconds=5)).attempt == 2
    assert attempts(db) == [("stick", "not_sent", None), ("web", None, None)]


def test_what_was_being_sent_when_the_process_died_is_unknown_and_never_sent_again(db: sqlite_utils.Database) -> None:
    cut_off, waiting = put(db), put(db, a_text(due_at=after(seconds=1)))
    claimed(db)
    assert outbox.mark_cut_off(db) == {"stick"}
    assert (row(db, cut_off)["state"], row(db, waiting)["state"]) == ("unknown", "queued")
    assert claimed(db, at=after(seconds=1)).id == waiting
    assert "may or may not have gone out" in row(db, cut_off)["explanation"]


@pytest.mark.parametrize(
    ("at", "expired"), [(after(minutes=9, seconds=59), False), (after(minutes=10), True)], ids=["in time", "on the dot"]
)
def test_a_text_that_nobody_took_in_time_expires(db: sqlite_utils.Database, at: datetime, expired: bool) -> None:
    text_id = put(db)
    assert outbox.expire(db, at) == [text_id] * expired
    assert row(db, text_id)["state"] == ("expired" if expired else "queued")


def test_a_text_that_is_being_sent_does_not_expire(db: sqlite_utils.Database) -> None:
    put(db)
    claimed(db)
    assert outbox.expire(db, after(hours=1)) == []


def test_an_expired_text_keeps_what_its_last_attempt_said(db: sqlite_utils.Database) -> None:
    text_id = put(db)
    outbox.put_back(
        db, claimed(db), gateway="stick", due_at=NOON, outcome="not_sent", code=None, explanation="no signal", now=NOON
    )
    outbox.expire(db, after(hours=1))
    assert row(db, text_id)["explanation"] == "no signal"


# ---- what the worker and the pages ask


def test_the_next_moment_is_that_of_the_next_queued_text_of_this_gateway(db: sqlite_utils.Database) -> None:
    assert outbox.next_moment(db, "stick") is None
    put(db, a_text(due_at=after(seconds=9)))
    put(db, a_text(due_at=after(seconds=5)))
    put(db, a_text(due_at=NOON, gateways=["web"]))
    assert outbox.next_moment(db, "stick") == after(seconds=5)


def test_texts_of_a_gateway_that_is_gone_go_to_the_first_that_there_is(db: sqlite_utils.Database) -> None:
    put(db)
    stays = put(db, a_text(gateways=["web"]))
    assert outbox.adopt_orphans(db, ["web", "spare"]) == 1
    taken = [claimed(db, "web") for _ in range(2)]
    assert {text.gateways for text in taken} == {("web", "spare"), ("web",)}
    assert row(db, stays)["gateways"] == '["web"]'


# ---- what may lie with a gateway already


def doubtful(db: sqlite_utils.Database) -> str:
    """Queue a text again for the account that may have it."""
    text_id = put(db)
    text = outbox.claim(db, "stick", NOON, account="first")
    assert text is not None
    outbox.ended(db, text, State.UNKNOWN, outcome="unknown", code=None, explanation="no answer", now=NOON)
    assert outbox.repeat(db, text_id, "stick", NOON, "first")
    return text_id


@pytest.mark.parametrize(
    ("account", "gets_it"), [pytest.param("first", True, id="the same"), pytest.param("second", False, id="another")]
)
def test_what_may_lie_with_one_account_is_given_to_no_other(
    db: sqlite_utils.Database, account: str, gets_it: bool
) -> None:
    doubtful(db)
    assert (outbox.claim(db, "stick", NOON, account=account) is not None) is gets_it


@pytest.mark.parametrize(
    "over",
    [
        pytest.param(lambda db: outbox.adopt_orphans(db, ["web"]), id="its gateway is gone"),
        pytest.param(lambda db: outbox.expire(db, NOON + DAY), id="its time is over"),
        pytest.param(lambda db: outbox.suppress_waiting(db, "stick"), id="nothing is sent any more"),
        pytest.param(lambda db: outbox.cancel_automatic(db, CALLER, "called back", NOON), id="the caller got through"),
        pytest.param(lambda db: outbox.cancel_waiting_within(db, None, "paused"), id="texting is paused"),
    ],
)
def test_what_may_lie_with_a_gateway_is_never_said_not_to_have_gone_out(
    db: sqlite_utils.Database, over: Callable[[sqlite_utils.Database], object]
) -> None:
    text_id = doubtful(db)
    over(db)
    assert row(db, text_id)["state"] == "unknown"


def test_a_person_may_send_it_through_any(db: sqlite_utils.Database) -> None:
    text_id = doubtful(db)
    outbox.expire(db, NOON + DAY)
    assert outbox.try_again(db, text_id, NOON, NOON + DAY)
    assert outbox.claim(db, "stick", NOON, account="second") is not None


def test_of_unknown_texts_only_their_own_account_is_asked(db: sqlite_utils.Database) -> None:
    text = outbox.claim(db, "stick", NOON, account="first") if put(db) else None
    assert text is not None
    outbox.ended(db, text, State.UNKNOWN, outcome="unknown", code=None, explanation="no answer", now=NOON)
    found = {account: len(outbox.unknown_at(db, "stick", NOON - DAY, account)) for account in ("first", "second")}
    assert found == {"first": 1, "second": 0}


# ---- while nobody is to be texted


def of_call(db: sqlite_utils.Database) -> None:
    record(db, judged(line="main"), a_text(), same_case_within=DAY, now=NOON)


def of_form(db: sqlite_utils.Database) -> None:
    lead = NewLead(source="website", line="main", at=NOON, number=CALLER, phone=CALLER, name="", words="")
    with writing(db):
        leads.add_within(db, lead, None, None, put(db))


@pytest.mark.parametrize("text", [of_call, of_form])
@pytest.mark.parametrize(
    ("line", "until", "waits"),
    [
        pytest.param(None, None, True, id="all are paused"),
        pytest.param("main", None, True, id="its line is"),
        pytest.param("other", None, False, id="another line is"),
        pytest.param("main", NOON, False, id="it was, until now"),
    ],
)
def test_a_text_that_comes_back_waits_while_its_line_is_paused(
    db: sqlite_utils.Database,
    text: Callable[[sqlite_utils.Database], None],
    line: str | None,
    until: datetime | None,
    waits: bool,
) -> None:
    text(db)
    halts.halt(db, HaltKind.PAUSE, line=line, until=until, why="holiday", now=NOON - DAY)
    assert (outbox.claim(db, "stick", NOON) is None) is waits


@pytest.mark.parametrize("text", [of_call, of_form])
@pytest.mark.parametrize(("line", "count"), [(None, 1), ("main", 1), ("other", 0)])
def test_a_pause_cancels_what_waits_of_its_line(
    db: sqlite_utils.Database, text: Callable[[sqlite_utils.Database], None], line: str | None, count: int
) -> None:
    text(db)
    with writing(db):
        assert outbox.cancel_waiting_within(db, line, "holiday") == count


def test_the_list_ends_with_the_newest_and_holds_only_so_many(db: sqlite_utils.Database) -> None:
    ids = [put(db) for _ in range(3)]
    assert [text["id"] for text in outbox.listing(db, 2)] == ids[1:]


def test_texts_are_found_by_their_call_and_by_their_case(db: sqlite_utils.Database) -> None:
    done = record(db, judged(), a_text(), same_case_within=DAY, now=NOON)
    assert done.case_id is not None
    found = outbox.of_call(db, done.call_id), outbox.of_case(db, done.case_id)
    assert [text and text["id"] for text in found] == [done.text_id] * 2
    assert outbox.of_call(db, 99) is None
    assert outbox.find(db, "nothing") is None


def test_texts_are_counted_by_state(db: sqlite_utils.Database) -> None:
    for _ in range(3):
        put(db)
    outbox.accepted(db, claimed(db), None, NOON)
    assert outbox.counts(db) == {"queued": 2, "accepted": 1}


def test_the_time_to_the_gateway_s_word_counts_from_the_hang_up(db: sqlite_utils.Database) -> None:
    put(db)
    put(db, a_text(kind=TextOf.MANUAL, hung_up_at=None))
    for _ in range(2):
        outbox.accepted(db, claimed(db, at=after(seconds=5)), None, after(seconds=6))
    assert outbox.seconds_to_accepted(db, NOON, after(hours=1)) == [pytest.approx(6, abs=0.01)]
    assert outbox.seconds_to_accepted(db, after(hours=1), after(hours=2)) == []
    assert outbox.seconds_to_accepted(db, NOON, NOON) == []


def test_a_text_of_another_alphabet_comes_back_as_it_was(db: sqlite_utils.Database) -> None:
    put(db, a_text(body="Grüße 💥\n“x”", expires_at=NOON + timedelta(days=1)))
    assert claimed(db).body == "Grüße 💥\n“x”"
