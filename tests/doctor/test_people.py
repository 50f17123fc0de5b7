"""Gateways, staff and the database: facts → findings, and looking at a database without touching it."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flow.settings import configured
from tests.store.rows import NOON, a_text, judged
from textbackd.config import Settings
from textbackd.doctor import database, gateways, staff
from textbackd.doctor.findings import Severity
from textbackd.doctor.gateways import Tried
from textbackd.doctor.service import Running
from textbackd.doctor.staff import People
from textbackd.gateways.base import Lent
from textbackd.store import halts
from textbackd.store.checkup import Checkup, check_up
from textbackd.store.database import StorageError, open_database
from textbackd.store.halts import Halt, HaltKind
from textbackd.store.journal import record

PRICED = configured(gateways='{web: {type: http, url: "http://127.0.0.1:9/", price: 0.01}}').gateways["web"]
FREE = configured(gateways='{web: {type: http, url: "http://127.0.0.1:9/", price: 0}}').gateways["web"]
TRIED = Tried(name="web", section=PRICED, where="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("changes", "said", "line"),
    [
        pytest.param({}, "", "", id="nothing is wrong"),
        pytest.param(
            {"objection": "it does not accept the credentials"}, "would take no text: it does not", "#", id="refused"
        ),
        pytest.param({"state": "paused"}, "waits for a person", "textbackd outbox", id="paused"),
        pytest.param({"state": "down"}, "cannot send", "textbackd outbox", id="down"),
        pytest.param({"state": "unknown"}, "", "", id="before its first text"),
        pytest.param({"is_numbered": False}, "from which number", "number:", id="no number"),
        pytest.param({"section": FREE}, "", "", id="a text that costs nothing"),
        pytest.param({"section": configured().gateways["web"]}, "What a text costs", "price:", id="no price"),
    ],
)
def test_a_gateway_is_judged(changes: dict[str, Any], said: str, line: str) -> None:
    found = list(gateways.judge(replace(TRIED, **changes)))
    assert len(found) == (1 if said else 0)
    if said:
        assert said in found[0].what
        assert any(done.startswith(line) for done in found[0].do)


def test_gateways_are_tried_and_the_daemon_is_believed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        web = f'{{type: http, url: "http://127.0.0.1:{port}/"}}'
        smpp = f"{{type: smpp, host: 127.0.0.1, port: {port}, system_id: a, password: b}}"
        section = f"{{web: {web}, smpp: {smpp}}}"
        found = gateways.gather(configured(gateways=section), running=Running(gateways={"web": "up"}), lent=Lent())
    assert [(one.name, one.objection, one.state) for one in found] == [("web", "", "up"), ("smpp", "", "")]
    found = gateways.gather(configured(gateways=section), running=None, lent=Lent())
    assert ["there is no connection to it" in one.objection for one in found] == [True, True]


# ---- staff

TOLD = "{anna: {mobile: '+13035550113'}}"


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        pytest.param({"staff": TOLD}, [], id="somebody is told"),
        pytest.param({"staff": "{}"}, ["Nobody is told of replies", "Urgent words"], id="nobody is told"),
        pytest.param(
            {
                "staff": "{anna: {mobile: '+13035550113'}, ben: {}}",
                "lines": "{main: {dids: ['*'], staff: [ben], on_call: '+13035550114'}}",
            },
            ["None of those who get the replies of this line (ben)"],
            id="nobody of a line is told",
        ),
        pytest.param(
            {"staff": "{anna: {email: a@example.com}}", "email": "{host: mail.example.com, from: a@example.com}"},
            ["Alarms go to anna"],
            id="alarms go by e-mail only",
        ),
    ],
)
def test_the_staff_is_judged(sections: dict[str, str], said: list[str]) -> None:
    found = list(staff.judge(People(settings=configured(**sections))))
    assert [words in one.what for words, one in zip(said, found, strict=True)] == [True] * len(said)


def mailing(port: int) -> Settings:
    return configured(
        staff="{anna: {email: a@example.com, mobile: '+13035550113'}}",
        email=f"{{host: 127.0.0.1, port: {port}, tls: 'off', from: a@example.com}}",
    )


def test_the_mail_server_is_asked_whether_it_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert staff.gather(mailing(port)).mail_objection == ""
    people = staff.gather(mailing(port))
    assert "no connection" in people.mail_objection
    (found,) = staff.judge(people)
    assert f"nc -vz 127.0.0.1 {port}" in found.do
    assert staff.gather(configured()).mail_at == ""


# ---- the database


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "textbackd.db"
    with closing(open_database(path)) as db:
        record(db, judged(), a_text(), same_case_within=timedelta(0), now=NOON)
        halts.halt(db, HaltKind.PAUSE, line="main", until=None, why="for lunch", now=NOON)
    yield path


def files(folder: Path) -> dict[str, int]:
    """Return when each file was written last, and when one came or went."""
    return {file.name: file.stat().st_mtime_ns for file in (folder, *folder.iterdir())}


def test_a_database_is_looked_at_and_left_as_it_is(path: Path) -> None:
    before = files(path.parent)
    found = check_up(path, NOON)
    assert files(path.parent) == before
    assert (found.damage, found.pending, found.unheard) == ("", (), ())
    assert found.texts == {"queued": 1}
    assert [halt.why for halt in found.halts] == ["for lunch"]
    assert found.last_calls == {"office": NOON}


def test_a_database_that_is_in_use_is_looked_at_with_what_was_just_written(path: Path) -> None:
    with closing(open_database(path)) as db:
        halts.resume(db, line=None, now=NOON)
        assert check_up(path, NOON).halts == ()


@pytest.mark.parametrize("left", [("-wal", "-shm"), ("-wal",)], ids=["killed", "and its index is gone"])
def test_a_database_whose_daemon_was_killed_is_looked_at_with_what_its_log_holds(
    path: Path, tmp_path: Path, left: tuple[str, ...]
) -> None:
    copy = tmp_path / "killed" / "textbackd.db"
    copy.parent.mkdir()
    with closing(open_database(path)) as db:
        halts.resume(db, line=None, now=NOON)
        for suffix in ("", *left):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    before = copy.read_bytes()
    assert check_up(copy, NOON).halts == ()
    assert copy.read_bytes() == before


def test_a_database_that_was_never_brought_up_to_date_is_told_and_not_migrated(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.db"
    path.touch()
    before = files(tmp_path)
    assert check_up(path, NOON).pending[0] == "m001_calls_cases_outbox"
    assert files(tmp_path) == before


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="not a database"):
        check_up(path, NOON)
    (found,) = database.judge(database.gather(path, NOON))
    assert found.severity is Severity.FAULT


def test_damage_is_found(path: Path) -> None:
    with closing(open_database(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    raw[8192:12288] = b"\xff" * 4096
    path.write_bytes(raw)
    found = list(database.judge(database.gather(path, NOON)))
    assert [one.severity for one in found] == [Severity.FAULT]


BRAKE = Halt(HaltKind.BRAKE, None, NOON, None, "three numbers in a row failed")


@pytest.mark.parametrize(
    ("checkup", "said", "line"),
    [
        pytest.param(Checkup(), "", "", id="nothing is wrong"),
        pytest.param(Checkup(damage="page 3 is never used"), "is damaged", "textbackd restore", id="damage"),
        pytest.param(Checkup(unheard=("m099_new",)), "newer textbackd", "textbackd restore", id="newer"),
        pytest.param(Checkup(pending=("m015",)), "next start", "systemctl restart", id="older"),
        pytest.param(Checkup(texts={"unknown": 2}), "2 texts may or may not", "textbackd outbox", id="unknown texts"),
        pytest.param(Checkup(texts={"failed": 2, "delivered": 9}), "", "", id="texts that have ended"),
        pytest.param(Checkup(halts=(BRAKE,)), "The brake has stopped", "textbackd line resume", id="brake"),
        pytest.param(
            Checkup(halts=(replace(BRAKE, kind=HaltKind.PAUSE, line="main"),)), "The line main is paused",
            "textbackd line resume main", id="pause",
        ),
    ],
)  # fmt: skip
def test_what_stands_in_the_database_is_judged(checkup: Checkup, said: str, line: str) -> None:
    found = list(database.judge(database.Database(path=Path("/x/textbackd.db"), checkup=checkup)))
    assert len(found) == (1 if said else 0)
    if said:
        assert said in found[0].what
        assert any(done.startswith(line) for done in found[0].do)
