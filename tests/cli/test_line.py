"""`line`, `optout` and `outbox again`: what a person may do beside the running daemon."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlite_utils

from tests.cli.conftest import Shell
from tests.store.rows import CALLER, NOON, a_text, judged
from textbackd.store import asks, halts, inbox, optouts, outbox
from textbackd.store.database import open_database, writing
from textbackd.store.halts import HaltKind
from textbackd.store.inbox import Came, Incoming
from textbackd.store.journal import record
from textbackd.store.states import State


@pytest.fixture
def db(config: Path) -> Iterator[sqlite_utils.Database]:
    with closing(open_database(config.parent / "textbackd.db")) as database:
        yield database


def states(db: sqlite_utils.Database) -> list[str]:
    return [text["state"] for text in outbox.listing(db)]


# ---- line


def test_a_pause_says_how_to_end_it_cancels_what_waits_and_is_told(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    record(db, judged(), a_text(), same_case_within=NOON - NOON, now=NOON)
    assert shell("line", "--config", config).out == "The line main texts.\n"
    done = shell("line", "pause", "--config", config)
    paused, cancelled = done.out.splitlines()
    assert paused == "Every line is paused until `textbackd line resume`: nobody is texted."
    assert cancelled == "Cancelled: 1 that waited."
    assert states(db) == ["cancelled"]
    assert shell("line", "--config", config).out.startswith("Every line is paused since ")
    assert shell("line", "resume", "--config", config).out == "Every line texts again.\n"
    assert shell("line", "resume", "--config", config).out == "No line was paused.\n"


def test_a_line_may_be_paused_for_a_while(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    done = shell("line", "pause", "main", "--for", "2h", "--why", "for lunch", "--config", config)
    assert done.out.startswith("The line main is paused until ")
    (pause,) = halts.active(db, datetime.now(UTC))
    assert (pause.line, pause.why, pause.until is not None) == ("main", "for lunch", True)
    assert "The line main is paused" in shell("line", "--config", config).out


def test_a_shorter_pause_leaves_a_longer_one_and_says_how_long_that_holds(shell: Shell, config: Path) -> None:
    shell("line", "pause", "main", "--config", config)
    done = shell("line", "pause", "main", "--for", "1h", "--config", config)
    assert done.out == "The line main is paused until `textbackd line resume`: nobody is texted.\n"


def test_resuming_releases_the_brake(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    halts.halt(db, HaltKind.BRAKE, line=None, until=None, why="3 calls came from numbers in a row", now=NOON)
    said = shell("line", "--config", config).out
    assert "3 calls came from numbers in a row. Release it: textbackd line resume" in said
    shell("line", "resume", "--config", config)
    assert halts.active(db, NOON) == []


@pytest.mark.parametrize("args", [["pause", "nobody"], ["resume", "nobody"]])
def test_a_line_that_is_not_there_is_wrong_usage(shell: Shell, config: Path, args: list[str]) -> None:
    done = shell("line", *args, "--config", config)
    assert done.code == 2
    assert "There is no line 'nobody'. The configuration has main." in done.sentence


@pytest.mark.parametrize("span", ["soon", "0s", "-1h", "2"])
def test_a_span_that_is_none_is_wrong_usage(shell: Shell, config: Path, span: str) -> None:
    done = shell("line", "pause", "--for", span, "--config", config)
    assert done.code == 2
    assert "--for" in done.sentence


def test_the_configuration_may_be_named_before_or_after_the_word(shell: Shell, config: Path) -> None:
    assert shell("line", "--config", config, "pause").code == 0
    assert "paused" in shell("line", "--config", config).out


# ---- optout


def test_a_number_is_added_listed_and_taken_off(shell: Shell, config: Path) -> None:
    assert shell("optout", "--config", config).sentence.endswith("starts for the first time.\n")
    assert shell("optout", "add", "(303) 555-0142", "--config", config).out == f"{CALLER} gets no texts any more.\n"
    assert shell("optout", "add", CALLER, "--config", config).out == f"{CALLER} had opted out already.\n"
    assert shell("optout", "--config", config).out.endswith(", entered here\n")
    assert shell("optout", "remove", CALLER, "--config", config).out == f"{CALLER} may be texted again.\n"
    assert shell("optout", "remove", CALLER, "--config", config).out == f"{CALLER} had not opted out.\n"
    assert shell("optout", "--config", config).out == "Nobody has opted out.\n"


def test_what_is_no_number_cannot_opt_out(shell: Shell, config: Path) -> None:
    done = shell("optout", "add", "Anna", "--config", config)
    assert done.code == 2
    assert "'Anna' is not a phone number" in done.sentence


def test_who_may_want_no_texts_is_listed_until_a_person_has_decided(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    wrote(db, "stop by\x1b[2J at 5")
    listed = shell("optout", "--config", config).out
    assert f"{CALLER}     since 02 Mar 2026, wants to be asked: “stop by[2J at 5”" in listed
    assert "textbackd optout remove NUMBER" in listed
    assert shell("optout", "remove", CALLER, "--config", config).out == f"{CALLER} may be texted again.\n"
    wrote(db, "please don't text me")
    shell("optout", "add", CALLER, "--config", config)
    assert "wants to be asked" not in shell("optout", "--config", config).out
    assert asks.listing(db) == []


def wrote(db: sqlite_utils.Database, body: str) -> None:
    """Let the caller write something that a person has to read."""
    came = Incoming(
        gateway="web", reference=body, kind=Came.TEXT, sender=CALLER, number=CALLER, recipient=None, body=body, media=0,
        received_at=NOON,
    )  # fmt: skip
    with writing(db):
        inbox_id = inbox.add_within(db, came, NOON)
        assert inbox_id is not None
        asks.add_within(db, CALLER, inbox_id, NOON)


# ---- outbox again


def test_a_text_to_a_number_that_wants_to_be_asked_is_not_queued_again(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    text_id = unknown(db)
    wrote(db, "please don't text me")
    done = shell("outbox", "again", text_id[:8], "--config", config)
    assert (done.code, states(db)) == (1, [State.UNKNOWN])
    assert f"{CALLER} may want no texts" in done.sentence


def unknown(db: sqlite_utils.Database) -> str:
    text_id = outbox.add_manual(db, a_text(gateways=["web"]), now=NOON)
    outbox.claim(db, "web", NOON)
    outbox.mark_cut_off(db)
    return text_id


def test_an_unknown_text_is_listed_with_the_command_that_sends_it_again(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    text_id = unknown(db)
    said = shell("outbox", "--config", config).out
    assert f"Once more: textbackd outbox again {text_id[:8]}" in said
    assert "What is unknown may have gone out already" in said
    assert (
        shell("outbox", "again", text_id[:8], "--config", config).out == f"The text to {CALLER} is queued once more.\n"
    )
    assert states(db) == ["queued"]


def test_only_a_text_that_is_over_is_sent_again(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    text_id = unknown(db)
    db.execute("UPDATE outbox SET state = ?", [State.DELIVERED.value])
    done = shell("outbox", "again", text_id, "--config", config)
    assert done.code == 1
    assert "was delivered; there is nothing to send again" in done.sentence


def test_who_has_opted_out_is_not_texted_again(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    text_id = unknown(db)
    optouts.add(db, CALLER, optouts.OptedOutBy.PERSON, "", NOON)
    done = shell("outbox", "again", text_id, "--config", config)
    assert done.code == 1
    assert f"textbackd optout remove {CALLER}" in done.sentence


@pytest.mark.parametrize(("start", "said"), [("zz", "No text has an id"), ("", "Several texts have an id")])
def test_an_id_must_mean_one_text(shell: Shell, config: Path, db: sqlite_utils.Database, start: str, said: str) -> None:
    unknown(db)
    unknown(db)
    done = shell("outbox", "again", start, "--config", config)
    assert done.code == 1
    assert said in done.sentence
