"""Call records: what is found in those that a PBX keeps, and who may read them."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.flow.settings import configured
from textbackd.core.find_trunks import Found, Why
from textbackd.core.from_records import CdrRow, Disposition
from textbackd.doctor import access, trunks
from textbackd.doctor.access import Step, letting_in
from textbackd.doctor.findings import Severity
from textbackd.doctor.records import Records, gather, judge

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(**changes: Any) -> CdrRow:
    usual = CdrRow(
        uniqueid="1.1", linkedid="1.1", channel="PJSIP/trunk-00000001", dstchannel="PJSIP/101-00000002", src="+13035550142",
        clid="", dst="+13035550101", dcontext="from-trunk", did="", lastapp="Dial", lastdata="", started_at=NOW - HOUR,
        answered_at=None, ended_at=NOW - HOUR, lasted=timedelta(0), disposition=Disposition.NO_ANSWER, sequence=1,
    )  # fmt: skip
    return replace(usual, **changes)


WELL = Records(pbx="office", source="/var/log/asterisk/cdr-csv/Master.csv", rows=(row(),))
CLOSED = (
    Step(Path("/var/log/asterisk"), "asterisk", 0o750),
    Step(Path("/var/log/asterisk/queue_log"), "asterisk", 0o640),
)


@pytest.mark.parametrize(
    ("changes", "said", "line"),
    [
        pytest.param({}, "", "", id="nothing is wrong"),
        pytest.param({"source": None}, "", "", id="no records, and none to be had"),
        pytest.param(
            {"source": None, "usual": Path("/x/Master.csv")}, "not used", "cdr: /x/Master.csv", id="not configured"
        ),
        pytest.param({"error": "gone.", "rows": ()}, "gone.", "asterisk -rx 'cdr show status'", id="cannot be read"),
        pytest.param(
            {"way": CLOSED}, "may not read the call", "usermod -aG asterisk textbackd", id="not for the service"
        ),
        pytest.param(
            {"queue_log_way": CLOSED}, "may not read queue_log", "usermod -aG asterisk textbackd", id="queue_log"
        ),
        pytest.param({"rows": ()}, "no record of the last 30", "asterisk -rx", id="empty"),
        pytest.param(
            {"rows": (row(ended_at=NOW - 10 * 24 * HOUR),)}, "The last record is of", "asterisk -rx", id="old"
        ),
        pytest.param({"last_seen": NOW + 2 * HOUR}, "calls came in later", "asterisk -rx", id="calls without records"),
        pytest.param({"rows": (row(uniqueid=""),)}, "name no calls", "loguniqueid = yes", id="no uniqueid"),
        pytest.param({"unanswered": False}, "before a phone rang", "unanswered = yes", id="unanswered"),
        pytest.param({"unanswered": True}, "", "", id="unanswered is on"),
    ],
)
def test_records_are_judged(changes: dict[str, Any], said: str, line: str) -> None:
    found = list(judge(replace(WELL, **changes), NOW))
    assert len(found) == (1 if said else 0)
    if said:
        assert said in found[0].what
        assert any(done.startswith(line) for done in found[0].do)


@pytest.mark.parametrize(
    ("steps", "commands"),
    [
        pytest.param(CLOSED, ["usermod -aG asterisk textbackd"], id="a group that may is joined, once"),
        pytest.param(
            (Step(Path("/a"), "adm", 0o700), Step(Path("/a/b"), "asterisk", 0o600)),
            ["chmod g+x /a", "usermod -aG adm textbackd", "chmod g+r /a/b", "usermod -aG asterisk textbackd"],
            id="a group that may not is let in",
        ),
        pytest.param((Step(Path("/a"), "root", 0o640),), ["chgrp textbackd /a"], id="nobody is made a member of root"),
        pytest.param(
            (Step(Path("/a"), "x", 0o711), Step(Path("/a/b"), "x", 0o644)), [], id="what everybody may needs nothing"
        ),
    ],
)
def test_the_service_is_let_in_by_its_groups(steps: tuple[Step, ...], commands: list[str]) -> None:
    assert list(letting_in(list(steps))) == [*commands, "systemctl restart textbackd"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can ask what another user may read")
def test_what_a_user_may_read_is_asked_of_the_kernel() -> None:
    with TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        file = folder / "Master.csv"
        file.touch()
        file.chmod(0o644)
        folder.chmod(0o755)
        assert access.may_read(file, "nobody") is True
        folder.chmod(0o700)
        assert access.may_read(file, "nobody") is False
        assert access.may_read(file, "nobody-of-that-name") is None


def test_records_are_read_as_asterisk_writes_them(tmp_path: Path) -> None:
    csv = tmp_path / "cdr-csv/Master.csv"
    csv.parent.mkdir()
    csv.write_text(
        '"","3035550142","100","from-trunk","""Ann"" <3035550142>","PJSIP/trunk-00000001","PJSIP/101-00000002","Dial","x",'
        '"2026-11-24 10:00:00","","2026-11-24 10:00:20",20,0,"NO ANSWER","DOCUMENTATION"\n'
    )
    (tmp_path / "queue_log").touch()
    (tmp_path / "cdr.conf").write_text("[general]\n;unanswered = yes\n")
    found = gather(
        "office", str(csv), tz=ZoneInfo("UTC"), now=NOW, last_seen=None, etc=tmp_path, user="nobody-of-that-name"
    )
    assert [one.src for one in found.rows] == ["3035550142"]
    assert [one.severity for one in judge(found, NOW)] == [Severity.WARNING, Severity.NOTE]
    assert gather("office", str(tmp_path / "no.csv"), tz=ZoneInfo("UTC"), now=NOW, last_seen=None).error


# ---- trunks


def calls(*channels: str, context: str = "ext-group", did: str = "", dst: str = "100") -> list[CdrRow]:
    """Return thirty records, of callers with different numbers."""
    return [
        row(channel=f"{channels[n % len(channels)]}-{n:08x}", src=f"+1303555{n:04}", dcontext=context, did=did, dst=dst)
        for n in range(30)
    ]


DIDS = '{main: {dids: ["+13035550101"]}}'
CONTEXTS = '{office: {secret: x, trunks: {contexts: ["from-truck*"], channels: ["PJSIP/carrier-*"]}}}'


@pytest.mark.parametrize(
    ("rows", "sections", "said", "line"),
    [
        pytest.param(calls("PJSIP/a", context="from-trunk"), {}, "", "", id="calls in a usual context"),
        pytest.param(
            calls("PJSIP/carrier"), {}, "over PJSIP/carrier (many", 'trunks: {channels: ["PJSIP/carrier-*"]}', id="unknown trunk"
        ),
        pytest.param(
            calls("PJSIP/carrier", did="3035550101"), {}, "come with a DID", 'trunks: {channels: ["PJSIP/carrier-*"]}', id="DIDs"
        ),
        pytest.param([row(channel="PJSIP/101-1")] * 30, {"pbx": CONTEXTS}, "None of the 30", "asterisk -rx", id="no trunk"),
        pytest.param(calls("PJSIP/carrier"), {"pbx": CONTEXTS}, "like from-truck*", "", id="a context that none is like"),
        pytest.param(
            calls("PJSIP/a", context="from-trunk", dst="3035550109"), {"lines": DIDS}, "+13035550109 was called",
            'dids: ["+13035550109"]', id="a number of no line",
        ),
        pytest.param(
            calls("PJSIP/a", context="from-trunk", dst="3035550101"), {"lines": DIDS}, "", "", id="a number of a line"
        ),
        pytest.param(
            [*calls("PJSIP/a", context="from-trunk", dst="3035550101"), row(dst="3035550177"), row(dst="3035550177")],
            {"lines": DIDS}, "", "", id="a mobile to which a call was forwarded",
        ),
        pytest.param(
            calls("PJSIP/a", context="from-trunk", dst="3035550177", did="3035550101"), {"lines": DIDS}, "", "",
            id="the DID counts where the records tell it",
        ),
    ],
)  # fmt: skip
def test_trunks_are_judged_by_the_calls_that_came(
    rows: list[CdrRow], sections: dict[str, str], said: str, line: str
) -> None:
    settings = configured(**sections)
    found = list(trunks.judge(trunks.traffic(settings, "office", rows), settings))
    assert any(said in one.what for one in found) if said else found == []
    if line:
        assert any(done.startswith(line) for one in found for done in one.do)


def test_a_channel_name_that_would_break_the_line_to_write_is_cleaned() -> None:
    settings = configured()
    seen = trunks.Traffic(
        pbx="office",
        rows=30,
        found=[Found('PJSIP/a"]}\n\x1b[2J', Why.CALLERS)],
        contexts=set(),
        dids={},
    )
    (found,) = trunks.judge(seen, settings)
    assert found.do[1] == 'trunks: {channels: ["PJSIP/a]}[2J-*"]}'


@pytest.mark.parametrize(
    ("ends", "last_seen", "told"),
    [
        pytest.param([-3, -2, -1], -4, True, id="three calls that nobody saw"),
        pytest.param([-3, -2], -4, False, id="two may be odd ones"),
        pytest.param([-6, -5, -4], -4, False, id="all were seen"),
        pytest.param([-3, -2, -1], None, False, id="nothing was ever seen: a new shop"),
        pytest.param([-0.01, -0.02, -0.03], -4, False, id="what has just ended"),
    ],
)
def test_calls_that_the_pbx_recorded_and_nobody_saw_are_a_fault(
    ends: list[float], last_seen: float | None, told: bool
) -> None:
    settings = configured()
    rows = [row(uniqueid=f"{n}.1", linkedid=f"{n}.1", ended_at=NOW + end * HOUR) for n, end in enumerate(ends)]
    seen = trunks.traffic(settings, "office", rows)
    found = list(trunks.unseen(seen, None if last_seen is None else NOW + last_seen * HOUR, NOW))
    assert [one.severity for one in found] == ([Severity.FAULT] if told else [])
