"""The never-list that people of the shop keep: what it does to waiting texts, and what is left of it when a number is forgotten."""

import pytest
import sqlite_utils

from tests.store.rows import CALLER, DAY, NOON, a_text, after, judged
from textbackd.core.phone import E164
from textbackd.store import journal, never, outbox
from textbackd.store.database import writing
from textbackd.store.dossier import dossier, is_known
from textbackd.store.never import Never
from textbackd.store.retention import forget
from textbackd.store.states import State, TextOf

OTHER = E164("+13035550177")


def test_a_number_is_on_the_list_once_from_its_first_day_and_until_it_is_taken_off(db: sqlite_utils.Database) -> None:
    assert never.find(db, CALLER) is None
    assert never.add(db, CALLER, "anna", "sells adverts", NOON)
    assert not never.add(db, CALLER, "", "again", after(days=1)), "it is there already"
    assert never.listing(db) == [Never(CALLER, NOON, "anna", "sells adverts")] == [never.find(db, CALLER)]
    assert never.find(db, OTHER) is None
    assert never.remove(db, CALLER)
    assert not never.remove(db, CALLER)
    assert never.listing(db) == []


@pytest.mark.parametrize(
    ("kind", "recipient", "state"),
    [
        pytest.param(TextOf.MISSED, CALLER, State.CANCELLED, id="the answer to its call"),
        pytest.param(TextOf.MANUAL, CALLER, State.QUEUED, id="but not what a person wrote to it"),
        pytest.param(TextOf.MISSED, OTHER, State.QUEUED, id="nor the answer to another's"),
    ],
)
def test_what_waits_to_go_out_by_itself_is_cancelled(
    db: sqlite_utils.Database, kind: TextOf, recipient: E164, state: State
) -> None:
    with writing(db):
        outbox.add(db, a_text(kind=kind, recipient=recipient), case_id=None, call_id=None, now=NOON)
    never.add(db, CALLER, "", "", NOON)
    assert [row["state"] for row in outbox.listing(db)] == [state]


@pytest.mark.parametrize("kind", [TextOf.MISSED, TextOf.MANUAL])
def test_a_text_that_is_queued_at_the_same_moment_goes_out_only_if_a_person_wrote_it(
    db: sqlite_utils.Database, kind: TextOf
) -> None:
    never.add(db, CALLER, "", "", NOON)
    with writing(db):
        outbox.add(db, a_text(kind=kind), case_id=None, call_id=None, now=NOON)
    assert (outbox.claim(db, "stick", NOON) is None) is (kind is TextOf.MISSED)


def forgotten(db: sqlite_utils.Database) -> None:
    """Put the caller on the list and forget the number."""
    journal.record(db, judged(), None, same_case_within=DAY, now=NOON)
    never.add(db, CALLER, "anna", "Jane sells adverts", NOON)
    assert forget(db, CALLER)


def test_a_forgotten_number_stays_on_the_list_and_is_recognised(db: sqlite_utils.Database) -> None:
    forgotten(db)
    assert never.find(db, CALLER) == Never(None, NOON, "anna", "")
    assert [one.number for one in never.listing(db)] == [None]
    assert not never.add(db, CALLER, "", "", NOON)
    with writing(db):
        outbox.add(db, a_text(), case_id=None, call_id=None, now=NOON)
    assert outbox.claim(db, "stick", NOON) is None


def test_a_forgotten_number_can_be_taken_off_the_list(db: sqlite_utils.Database) -> None:
    forgotten(db)
    assert never.remove(db, CALLER)
    assert never.find(db, CALLER) is None


def test_the_list_is_part_of_what_is_kept_about_a_number(db: sqlite_utils.Database) -> None:
    never.add(db, CALLER, "anna", "sells adverts", NOON)
    (entry,) = dossier(db, CALLER)["never"]
    assert (entry["number"], entry["by"], entry["detail"]) == (CALLER, "anna", "sells adverts")
    assert is_known(dossier(db, CALLER))
    assert not is_known(dossier(db, OTHER))
