"""`textbackd explain`, `outbox` and `send` on a database made with the store."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlite_utils

from tests.cli.conftest import CONFIG, Shell
from tests.core.calls import a_call, talked
from tests.store.rows import ANSWERED, CALLER, DAY, NOON, a_text, after, judged
from textbackd.core.call import Moment
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.phone import E164, NotTextable
from textbackd.store import journal, optouts, outbox
from textbackd.store.database import only_one, open_database
from textbackd.store.journal import record
from textbackd.store.optouts import OptedOutBy
from textbackd.store.states import TextOf

pytestmark = pytest.mark.slow

WAY = (
    Moment(NOON, "arrived", "+13035550101"),
    Moment(NOON, "rang", "PJSIP/101-0000002a"),
    Moment(NOON, "ended_by_pbx"),
)
FIELDS = [
    "id", "case", "to", "text", "state", "gateway", "attempts", "created_at", "submitted_at", "accepted_at", "reference",
]  # fmt: skip


@pytest.fixture
def db(config: Path) -> Iterator[sqlite_utils.Database]:
    """A database in which one call was missed and texted, and an earlier one answered."""
    database = open_database(config.parent / "textbackd.db")
    before = judged("1.0", ended_at=after(hours=-30), judgement=ANSWERED, decision=Decision(Action.SKIP, Why.ANSWERED))
    record(database, before, None, same_case_within=DAY, now=NOON)
    missed = judged("1.1", call=a_call(linkedid="1.1", way=WAY))
    record(database, missed, a_text(gateways=["web"]), same_case_within=DAY, now=NOON)
    text = outbox.claim(database, "web", after(seconds=5))
    assert text is not None
    outbox.accepted(database, text, "id-7", after(seconds=6))
    yield database
    database.close()


# ---- explain


@pytest.mark.parametrize("wanted", ["1.1", CALLER, "(303) 555-0142"], ids=["a call", "a number", "as one dials it"])
def test_a_call_is_explained_from_its_arrival_to_its_text(
    shell: Shell, config: Path, db: sqlite_utils.Database, wanted: str
) -> None:
    done = shell("explain", "--config", config, wanted)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Monday 02 March 2026, 05:00:00: +13035550142 called +13035550101   (call 1.1)")
    for said in ("phone 101 rang", "the PBX ended the call", "nobody picked up (no_answer)", "[text: missed]"):
        assert said in done.out
    assert "“Sorry we missed your call”\n  It was taken by the gateway (web, id-7)." in done.out


def test_a_text_is_explained_with_its_call_its_rule_and_every_attempt(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    out = shell("explain", "--config", config, "1.1").out
    assert "It answers the call 1.1, which ended 02 Mar 05:00:00 MST; rule missed; due 05:00:00, 1 SMS." in out
    assert "Attempt 1: 05:00:05 through web, accepted." in out


def test_what_was_written_beside_the_answers_and_the_opt_out_are_told(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    optouts.add(db, CALLER, OptedOutBy.TEXT, "web", NOON)
    confirmation = a_text(kind=TextOf.OPTED_OUT, body="You won't\x1b[2J", gateways=["web"], at=after(hours=1))
    outbox.add_manual(db, confirmation, now=after(hours=1))
    out = shell("explain", "--config", config, CALLER).out
    assert "02 Mar 06:00  to their STOP we answered “You won't[2J” (queued)" in out
    assert f"{CALLER} wants no texts since 02 Mar 2026, told us STOP by web." in out


def test_a_number_that_never_called_and_is_on_a_list_is_no_unknown_one(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    optouts.add(db, E164("+13035550177"), OptedOutBy.PERSON, "at the counter", NOON)
    done = shell("explain", "+13035550177", "--config", config)
    assert (done.code, done.out) == (
        0, "+13035550177 wants no texts since 02 Mar 2026, entered here (at the counter).\n",
    )  # fmt: skip


def test_only_the_newest_call_of_a_number_is_explained_unless_all_are_asked_for(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    newest, everything = (shell("explain", *flags, "--config", config, CALLER).out for flags in ([], ["--all"]))
    assert ("(call 1.0)" in newest, "1 earlier: textbackd explain --all" in newest) == (False, True)
    assert ("(call 1.0)" in everything, "earlier" in everything) == (True, False)


def test_a_skip_is_explained_with_its_why(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    skip = Decision(Action.SKIP, Why.NOT_TEXTABLE, "landline")
    call = judged("2.1", caller=None, not_textable=NotTextable.LANDLINE, decision=skip, call=a_call(talks=(talked(),)))
    record(db, judged("2.1", decision=skip, not_textable=call.not_textable), None, same_case_within=DAY, now=NOON)
    assert "it is a landline.   [skip: not_textable]" in shell("explain", "--config", config, "2.1").out


def test_who_was_missed_three_times_is_to_be_called_back_until_somebody_has(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    for number in (2, 3):
        skip = Decision(Action.SKIP, Why.COOLDOWN)
        call = judged(f"3.{number}", ended_at=after(minutes=number), decision=skip)
        record(db, call, None, same_case_within=DAY, now=NOON)
    assert "was missed 3 times in a row without getting through." in shell("explain", "--config", config, "3.3").out
    journal.resolve(db, CALLER, journal.Resolution.CALLED_BACK, after(minutes=4))
    assert "in a row" not in shell("explain", "--config", config, "3.3").out


def test_what_a_caller_presents_does_not_reach_the_terminal_as_it_is(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    way = (Moment(None, "rang", "PJSIP/\x1b[2J-1"), Moment(None, "dial_{x}", "a\x07"))
    call = a_call(linkedid="3.1", caller_presented="a\x1b[2Jb", did_presented="\x07s", way=way)
    record(db, judged("3.1", call=call, caller=None, did=None), None, same_case_within=DAY, now=NOON)
    done = shell("explain", "--config", config, "3.1")
    assert (done.code, done.err) == (0, "")
    assert all(line.isprintable() for line in done.out.splitlines())


@pytest.mark.parametrize("wanted", ["9.9", "+13035550177", "", b"\xff", "'; DROP TABLE calls"])
def test_an_unknown_call_is_a_sentence(
    shell: Shell, config: Path, db: sqlite_utils.Database, wanted: str | bytes
) -> None:
    done = shell("explain", "--config", config, wanted)
    assert (done.code, done.out) == (1, "")
    assert "No call by or named" in done.sentence


# ---- outbox


def test_the_outbox_as_json_has_the_fields_of_the_design_in_its_order(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    (text,) = [json.loads(line) for line in shell("outbox", "--json", "--config", config).out.splitlines()]
    assert list(text) == FIELDS
    assert text == text | {
        "to": CALLER,
        "text": "Sorry we missed your call",
        "state": "accepted",
        "gateway": "web",
        "attempts": 1,
        "reference": "id-7",
        "created_at": "2026-03-02T12:00:00.000000Z",
        "accepted_at": "2026-03-02T12:00:06.000000Z",
    }


def test_the_outbox_in_lines_is_in_the_shop_s_time(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    out = shell("outbox", "--config", config).out
    assert out.startswith("02 Mar 05:00:00  +13035550142     accepted   web")


def test_the_newest_comes_last_and_only_so_many(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    for number in range(3):
        at = NOON + timedelta(minutes=number + 1)
        outbox.add_manual(db, a_text(body=f"text {number}", at=at), now=at)
    out = shell("outbox", "--json", "--limit", "2", "--config", config).out
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["text 1", "text 2"]


def test_an_empty_outbox_says_so_in_words_and_nothing_in_json(shell: Shell, config: Path) -> None:
    open_database(config.parent / "textbackd.db").close()
    assert shell("outbox", "--config", config).out == "No texts yet.\n"
    assert shell("outbox", "--json", "--config", config).out == ""


@pytest.mark.parametrize(
    "command",
    [
        "outbox", "explain 1.1", "optout", "optout remove +13035550142", "never", "never remove +13035550142", "line", "line resume",
        "leads", "report", "export +13035550142", "forget +13035550142", "staff", "staff list", "staff password anna",
        "staff disable anna", "staff sessions anna", "staff token list", "staff token add anna --for crm", "staff token revoke 1",
    ],
)  # fmt: skip
def test_without_a_database_there_is_nothing_to_tell_and_none_is_made(shell: Shell, config: Path, command: str) -> None:
    done = shell(*command.split(), "--config", config)
    assert done.code == 1
    assert "there is no database yet" in done.sentence
    assert list(config.parent.glob("textbackd.db*")) == []


@pytest.mark.parametrize("command", [["outbox"], ["explain", "1.1"]])
def test_a_file_that_is_no_database_is_a_sentence(shell: Shell, config: Path, command: list[str]) -> None:
    (config.parent / "textbackd.db").write_bytes(b"no database" * 500)
    done = shell(*command, "--config", config)
    assert done.code == 1
    assert "cannot be used as database" in done.sentence


# ---- send


@pytest.mark.parametrize(
    ("args", "gateways", "words"),
    [
        pytest.param(["On our way."], ["web", "stick"], "On our way.", id="what a person writes"),
        pytest.param(["--words", "main", "missed"], ["web", "stick"], "Sorry we missed your call", id="of one line"),
        pytest.param(["--words", "sales", "busy"], ["stick"], "Perdone que no le", id="of another, by its own gateway"),
        pytest.param(["--words", "sales", "again", "--gateway", "web"], ["web"], "Lo sentimos, otra vez", id="by this one"),
    ],
)  # fmt: skip
def test_the_shop_s_own_phone_gets_each_text_of_a_line_through_the_line_s_gateways(
    shell: Shell, config: Path, args: list[str], gateways: list[str], words: str
) -> None:
    two = CONFIG.format(folder=config.parent)
    two = two.replace("lines: {", "lines: {sales: {dids: ['+13035550102'], language: es, gateways: [stick]}, ")
    two = two.replace("gateways: {web", "staff: {anna: {mobile: '+13035550142'}}\ngateways: {web")
    config.write_text(two.replace('9/"}}', '9/"}, stick: {type: gsm_modem, port: /dev/null}}'))
    handle = only_one(config.parent / "textbackd.db")  # as if the daemon ran
    shell("send", "+13035550142", *args, "--wait", "0", "--config", config)
    os.close(handle)
    with closing(open_database(config.parent / "textbackd.db")) as database:
        (text,) = database["outbox"].rows
    assert (json.loads(text["gateways"]), text["recipient"], text["kind"]) == (gateways, CALLER, "manual")
    assert text["body"].startswith(words)


def test_without_a_daemon_nothing_is_sent_and_nothing_queued(shell: Shell, config: Path) -> None:
    done = shell("send", "--config", config, "+13035550142", "hello")
    assert done.code == 1
    assert "textbackd is not running, so nothing was sent" in done.sentence
    assert list(config.parent.glob("textbackd.db*")) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(["911", "hello"], "is not a number that can be texted", id="a short code"),
        pytest.param(["Anna", "hello"], "is not a number that can be texted", id="a name"),
        pytest.param(["+13035550142", "  "], "The text is empty", id="no text"),
        pytest.param(
            ["--gateway", "stick", "+13035550142", "x"], "the configuration has only web", id="no such gateway"
        ),
        pytest.param(["+13035550142"], "TEXT", id="no text at all"),
        pytest.param(["+13035550142", "x", "--words", "main", "missed"], "Write the TEXT, or which words", id="both"),
        pytest.param(
            ["+13035550142", "--words", "sales", "missed"], "the configuration has only main", id="no such line"
        ),
        pytest.param(
            ["+13035550142", "--words", "main", "open"], "the kinds of text are missed, busy", id="no such kind"
        ),
    ],
)
def test_what_cannot_be_sent_is_wrong_usage(shell: Shell, config: Path, args: list[str], said: str) -> None:
    done = shell("send", "--config", config, *args)
    assert done.code == 2
    assert said in done.sentence
