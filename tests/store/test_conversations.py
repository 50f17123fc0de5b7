"""What calls and texts do to conversations, as it stands in the tables."""

from typing import Any

import pytest
import sqlite_utils

from tests.store.rows import ANSWERED, CALLER, DAY, NOON, a_text, after, judged
from textbackd.core.conversation import Happening, Turn
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.phone import E164
from textbackd.store import acts, conversations, inbox, journal, optouts, outbox, reports
from textbackd.store.acts import Act, ActKind
from textbackd.store.conversations import Box, Conversation, Look, News
from textbackd.store.database import writing
from textbackd.store.inbox import Came, Incoming
from textbackd.store.journal import Resolution
from textbackd.store.optouts import OptedOutBy
from textbackd.store.reports import Heard
from textbackd.store.states import State, TextOf
from textbackd.store.timeline import Entry, Place, What, timeline

OTHER = E164("+13035550143")


def tell(db: sqlite_utils.Database, happening: Happening, minutes: float = 0, **news: object) -> None:
    with writing(db):
        said = {"number": CALLER, "happening": happening, "at": after(minutes=minutes)} | news
        conversations.happen(db, News(**said))  # type: ignore[arg-type]


def now(db: sqlite_utils.Database, number: E164 = CALLER) -> Conversation:
    found = conversations.find(db, number)
    assert found is not None
    return found


def missed(db: sqlite_utils.Database, linkedid: str = "1.1", **changes: Any) -> None:
    text = a_text() if "decision" not in changes else None
    journal.record(db, judged(linkedid, **changes), text, same_case_within=DAY, now=NOON)


def test_a_missed_call_begins_a_conversation_on_its_line(db: sqlite_utils.Database) -> None:
    missed(db)
    begun = now(db)
    assert (begun.turn, begun.line, begun.did, begun.unread) == (Turn.NEW, "main", judged().did, 1)


def test_the_same_call_seen_again_changes_nothing(db: sqlite_utils.Database) -> None:
    missed(db)
    missed(db)
    assert now(db).unread == 1


def test_who_cannot_be_texted_is_to_be_called(db: sqlite_utils.Database) -> None:
    missed(db, decision=Decision(Action.SKIP, Why.NOT_TEXTABLE, "landline"))
    assert (now(db).turn, now(db).no_text, now(db).waiting_since) == (Turn.OURS, "landline", NOON)
    assert [each.number for each in conversations.listing(db, Look(box=Box.CALLBACK))] == [CALLER]


def test_who_gets_through_is_done_and_nobody_is_made_up(db: sqlite_utils.Database) -> None:
    missed(db)
    journal.resolve(db, CALLER, Resolution.CALLED_AGAIN, after(minutes=1))
    journal.resolve(db, OTHER, Resolution.CALLED_AGAIN, after(minutes=1))
    assert now(db).turn is Turn.DONE
    assert conversations.find(db, OTHER) is None


def test_a_text_that_never_arrived_makes_it_our_turn_to_call(db: sqlite_utils.Database) -> None:
    missed(db)
    sent = outbox.claim(db, "stick", after(seconds=1))
    assert sent is not None
    outbox.accepted(db, sent, "7", after(seconds=2))
    heard = Heard(
        gateway="stick", reference="7", text_id=None, recipient=CALLER, state=State.UNDELIVERED, detail="absent"
    )
    reports.report(db, heard, after(minutes=1))
    assert (now(db).turn, now(db).no_text) == (Turn.OURS, "undelivered")


def test_a_confirmation_that_never_arrived_asks_nobody_to_call(db: sqlite_utils.Database) -> None:
    missed(db)
    with writing(db):
        outbox.add(db, a_text(kind=TextOf.OPTED_OUT), case_id=None, call_id=None, now=NOON)
        optouts.add_within(db, CALLER, OptedOutBy.TEXT, "stick", NOON)
    outbox.expire(db, after(hours=1))
    assert now(db).turn is Turn.NEW


def test_an_answer_that_never_arrived_is_ours_again(db: sqlite_utils.Database) -> None:
    missed(db)
    tell(db, Happening.ANSWERED, 1, staff="anna")
    outbox.add_manual(db, a_text(kind=TextOf.MANUAL, at=after(minutes=1)), now=after(minutes=1))
    outbox.expire(db, after(hours=13))
    assert (now(db).turn, now(db).assignee) == (Turn.OURS, "anna")


def test_a_talk_that_is_found_late_settles_what_was_before_it_only(db: sqlite_utils.Database) -> None:
    missed(db)
    tell(db, Happening.WROTE, 6, words="still leaking")
    talked(db, ended_at=after(minutes=3))
    assert now(db).turn is Turn.OURS
    assert [case["resolution"] for case in db["cases"].rows] == ["called_again"]


def test_a_talk_that_is_found_late_leaves_the_text_for_a_later_miss(db: sqlite_utils.Database) -> None:
    missed(db)
    talked(db, ended_at=after(minutes=-3))
    assert [text["state"] for text in db["outbox"].rows] == ["queued"]
    assert now(db).turn is Turn.NEW


def test_a_miss_that_is_found_after_the_talk_that_settled_it_begins_nothing(db: sqlite_utils.Database) -> None:
    talked(db, ended_at=after(minutes=3))
    missed(db, "1.1", decision=Decision(Action.SKIP, Why.RECENT_TALK))
    assert conversations.find(db, CALLER) is None


def talked(db: sqlite_utils.Database, **changes: Any) -> None:
    judgement, decision = ANSWERED, Decision(Action.SKIP, Why.ANSWERED)
    settles = (CALLER, Resolution.CALLED_AGAIN)
    call = judged("1.9", judgement=judgement, decision=decision, settles=settles, **changes)
    journal.record(db, call, None, same_case_within=DAY, now=after(hours=1))


def test_a_text_that_ran_out_of_time_makes_it_our_turn_to_write(db: sqlite_utils.Database) -> None:
    missed(db)
    outbox.expire(db, after(hours=1))
    assert (now(db).turn, now(db).no_text) == (Turn.OURS, None)


def test_a_number_that_comes_back_after_done_starts_a_new_matter(db: sqlite_utils.Database) -> None:
    missed(db)
    with writing(db):
        conversations.note_outcome(db, CALLER, "won", 120_000)
    tell(db, Happening.PUT_AWAY, 1)
    tell(db, Happening.WROTE, 2, words="one more thing")
    assert (now(db).outcome, now(db).value, now(db).opened_at) == (None, None, after(minutes=2))


def test_an_answer_clears_what_was_unread_and_is_timed_once(db: sqlite_utils.Database) -> None:
    missed(db)
    tell(db, Happening.ANSWERED, 3, staff="anna", words="on my way")
    tell(db, Happening.ANSWERED, 9, staff="anna")
    assert (now(db).unread, now(db).answered_at, now(db).last_words) == (0, after(minutes=3), "on my way")


def test_a_text_from_the_terminal_is_an_answer_where_there_is_a_conversation(db: sqlite_utils.Database) -> None:
    missed(db)
    for number in (CALLER, OTHER):
        outbox.add_manual(db, a_text(recipient=number, kind=TextOf.MANUAL), now=after(minutes=1))
    assert now(db).turn is Turn.THEIRS
    assert conversations.find(db, OTHER) is None


def test_what_is_caught_up_late_does_not_make_a_conversation_older(db: sqlite_utils.Database) -> None:
    tell(db, Happening.WROTE, 10)
    tell(db, Happening.MISSED, 1)
    assert now(db).last_at == after(minutes=10)


def test_the_list_shows_the_newest_word_first_and_goes_on_after_a_page(db: sqlite_utils.Database) -> None:
    numbers = [E164(f"+1303555{n:04}") for n in range(25)]
    for n, number in enumerate(numbers):
        tell(db, Happening.WROTE, n // 2, number=number)  # two in the same moment
    pages, before = [], None
    while page := conversations.listing(db, Look(before=before), limit=4):
        pages += [each.number for each in page]
        before = (page[-1].last_at, page[-1].id)
    assert sorted(pages) == sorted(numbers)
    assert pages[0] in numbers[-2:]


def test_a_conversation_is_found_by_number_name_and_what_was_said(db: sqlite_utils.Database) -> None:
    tell(db, Happening.WROTE, name="Ms 100% O'Brien")
    tell(db, Happening.WROTE, number=OTHER)
    with writing(db):
        acts.add_within(db, Act(at=NOON, kind=ActKind.NOTE, staff="anna", number=CALLER, detail="the blue roof"))

    def found(wanted: str) -> list[E164]:
        return [each.number for each in conversations.listing(db, Look(wanted=wanted))]

    assert found("o'brien") == found("BLUE") == found("100%") == found("(303) 555-0142") == [CALLER]
    assert found("303555014") == [OTHER, CALLER]
    assert found("%") == [CALLER]
    assert found("' OR 1=1 --") == []


def test_the_counts_are_those_of_the_lists(db: sqlite_utils.Database) -> None:
    missed(db)
    tell(db, Happening.WROTE, number=OTHER)
    counted = conversations.counts(db)
    assert counted == {box: len(conversations.listing(db, Look(box=box))) for box in counted}
    assert counted[Box.OPEN] == 2


def test_the_timeline_tells_everything_in_its_order(db: sqlite_utils.Database) -> None:
    missed(db)
    with writing(db):
        acts.add_within(db, Act(at=after(minutes=5), kind=ActKind.NOTE, staff="anna", number=CALLER, detail="x"))
        acts.add_within(db, Act(at=after(minutes=6), kind=ActKind.READ, staff="anna", number=CALLER))
    told = timeline(db, CALLER)
    assert [entry.what for entry in told] == [What.CALL, What.OURS, What.ACT]
    assert [entry.what for entry in timeline(db, CALLER, before=told[2].place)] == [What.CALL, What.OURS]
    assert [entry.what for entry in timeline(db, CALLER, limit=1)] == [What.ACT]
    assert timeline(db, OTHER) == []


def a_text_of_theirs(reference: str) -> Incoming:
    return Incoming(
        gateway="stick",
        reference=reference,
        kind=Came.TEXT,
        sender=CALLER,
        number=CALLER,
        recipient=None,
        body="Hello",
        media=0,
        received_at=NOON,
    )


def page_by_page(db: sqlite_utils.Database, size: int) -> list[Entry]:
    """Return the timeline as somebody reads it who goes on to older pages, by what stands in their addresses."""
    seen: list[Entry] = []
    page = timeline(db, CALLER, limit=size)
    while page:
        seen = page + seen
        page = timeline(db, CALLER, before=Place.read(page[0].place.written()), limit=size)
    return seen


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_no_page_of_the_timeline_loses_what_was_at_the_same_moment(db: sqlite_utils.Database, size: int) -> None:
    for number in range(3):
        missed(db, f"1.{number}")
        inbox.add(db, a_text_of_theirs(f"{number}"), NOON)
        with writing(db):
            outbox.add(db, a_text(), case_id=None, call_id=None, now=NOON)
            acts.add_within(db, Act(at=NOON, kind=ActKind.NOTE, staff="anna", number=CALLER, detail=f"{number}"))
    told = timeline(db, CALLER)
    assert len(told) == 13  # three of each, and the text to the missed call
    assert {entry.at for entry in told} == {NOON}
    assert page_by_page(db, size) == told


@pytest.mark.parametrize("written", ["", "2026-03-02T12:00:00Z", "1-2", "1-2-3-4", "x-0-1", "99999999999999999-0-1"])
def test_what_is_no_place_of_a_timeline_is_read_as_none(written: str) -> None:
    assert Place.read(written) is None


def test_what_nobody_touched_for_long_lapses_unless_it_waits_for_us(db: sqlite_utils.Database) -> None:
    missed(db)
    tell(db, Happening.WROTE, number=OTHER)
    with writing(db):
        assert conversations.lapse(db, after(days=15)) == [CALLER]
    assert (now(db).turn, now(db, OTHER).turn) == (Turn.DONE, Turn.OURS)
