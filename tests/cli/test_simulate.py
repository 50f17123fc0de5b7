"""`textbackd simulate`: a Monday worked out by hand, and what is said where there is nothing to tell."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cli.conftest import Shell
from tests.report.shop import all_rows, write_csv
from tests.report.test_leak_month import MONTH

pytestmark = pytest.mark.slow

DENVER = ZoneInfo("America/Denver")
HEADER = [
    "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "uniqueid", "linkedid",
]  # fmt: skip
CONFIG = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver, numbers: ["+13035550111"]}}
pbx: {{office: {{secret: "${{AMI_SECRET}}"}}}}
lines: {{main: {{texts: {{missed: "Sorry we missed you, {{business}}", late: "Sorry we missed you last night, {{business}}"}}}}}}
gateways: {{web: {{type: http, url: "http://127.0.0.1:9/", price: 0.01}}}}
contacts: {{suppliers: {{numbers: ["+13035550107"]}}}}
policy: {{night: hold, brake: {brake}, caps: {{number: off, prefix: off, did: off, spend: off, all: [2/1h]}}}}
storage: "{folder}/textbackd.db"
"""


@dataclass(frozen=True)
class Row:
    """One call as Asterisk writes it, in the clock of Denver."""

    began: str  # "02 09:00:00", in March 2026
    caller: str
    lasts: int = 30  # seconds; a phone rings for thirty, then the PBX ends the call
    answered: bool = False
    calls: str = ""  # the office calls this number; else the caller calls us

    def written(self, number: int) -> list[str]:
        start = datetime.fromisoformat(f"2026-03-{self.began}").replace(tzinfo=DENVER)
        end = start + timedelta(seconds=self.lasts)
        trunk, phone, name = f"PJSIP/trunk-{number:08x}", f"PJSIP/101-{number:08x}", f"{start.timestamp():.0f}.{number}"
        out = bool(self.calls)
        return [
            "101" if out else self.caller, self.calls or "+13035550101", "from-internal" if out else "from-trunk",
            f'"" <{self.caller}>', *((phone, trunk) if out else (trunk, phone)), "Dial", "PJSIP/101,30",
            _clock(start), _clock(start) if self.answered else "", _clock(end), str(self.lasts),
            str(self.lasts if self.answered else 0), "ANSWERED" if self.answered else "NO ANSWER", name, name,
        ]  # fmt: skip


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


ANN, BOB, CAT, DAN, EVE, FAY, GUS, HAL = (f"+1303555014{n}" for n in range(8))
MONDAY = (
    Row("02 09:00:00", ANN),  # texted at 09:00:35
    Row("02 09:10:00", BOB),  # texted at 09:10:35
    Row("02 09:20:00", CAT),  # the cap: two within the hour, and room only at 10:00:35, when it has expired
    Row("02 10:30:00", ANN),  # had one within 24 hours
    Row("02 11:00:00", DAN, answered=True),
    Row("02 11:05:00", DAN),  # talked with somebody five minutes ago
    Row("02 12:00:00", EVE),  # due at 12:00:35, when the next call is under way …
    Row("02 12:00:32", EVE, lasts=150, answered=True),  # … and is answered: cancelled
    Row("02 13:00:00", FAY, lasts=2),  # hung up before `min_wait`
    Row("02 14:00:00", "+13035550107"),  # a supplier
    Row("02 15:00:00", "+447400123456"),  # foreign
    Row("02 16:00:00", "anonymous"),  # withheld
    Row("02 16:30:00", "+13035550111"),  # one of our own: does not count
    Row("02 22:00:00", GUS),  # held, and texted on Tuesday at 08:00
    Row("02 23:00:00", HAL),  # held …
    Row("03 07:30:00", "", answered=True, calls=HAL),  # … and called back before: cancelled
)


def write(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(row.written(number) for number, row in enumerate(rows))
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(CONFIG.format(brake="off", folder=tmp_path))
    return path


def told(shell: Shell, config: Path, rows: Sequence[Row], since: str = "2026-03-01") -> dict[str, Any]:
    source = write(config.parent / "cdr.csv", rows)
    done = shell("simulate", "--cdr", source, "--since", since, "--json", "--config", config)
    assert (done.code, done.err) == (0, "")
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_a_monday_comes_out_as_worked_out_by_hand(shell: Shell, config: Path) -> None:
    assert told(shell, config, MONDAY) == {
        "since": "2026-03-01T07:00:00+00:00",
        "first": "2026-03-02T16:00:30+00:00",
        "last": "2026-03-03T06:00:30+00:00",
        "calls": 14,
        "verdicts": {"answered": 2, "ignored": 1, "missed": 12},
        "missed_by_reason": {"no_answer": 11, "short": 1},
        "missed_by_decision": {
            "cap": 1, "cooldown": 1, "group": 1, "held": 2, "missed": 3, "not_textable": 2, "recent_talk": 1, "short": 1,
        },
        "texts": {"sent": 3, "held": 1, "cancelled": 2, "expired": 0},
        "callers": 3,
        "segments": 3,
        "cost": 0.03,
        "brake": 0,
        "rows_skipped": 0,
    }  # fmt: skip


def test_people_read_it_in_eighty_columns(shell: Shell, config: Path) -> None:
    source = write(config.parent / "cdr.csv", MONDAY)
    out = shell("simulate", "--cdr", source, "--since", "2026-03-01", "--config", config).out
    assert max(map(len, out.splitlines())) <= 80
    for line in (
        "Calls from Mon 02 Mar 2026 to Mon 02 Mar 2026, decided by this configuration",
        "Calls from outside                  14",
        "Texts                                3  to 3 callers",
        "        1  of them held over the night, and sent in the morning",
        "        2  more not needed: the caller got through or was called back first",
        "Missed calls without a text          7",
        "        1  a cap is full (`policy.caps`).",
        "Cost                              0.03",
    ):
        assert line in out.splitlines()


def test_only_calls_since_then_count(shell: Shell, config: Path) -> None:
    found = told(shell, config, [Row("02 09:00:00", ANN), Row("05 09:00:00", BOB)], since="2026-03-04")
    assert (found["calls"], found["callers"]) == (1, 1)


def test_the_brake_is_told_and_silent(shell: Shell, config: Path) -> None:
    config.write_text(CONFIG.format(brake="{consecutive_numbers: 3/10m}", folder=config.parent).replace("2/1h", "9/1h"))
    rows = [Row(f"02 09:0{n}:00", f"+1303555014{n}") for n in range(4)] + [Row("02 10:30:00", "+17205550199")]
    found = told(shell, config, rows)
    assert (found["brake"], found["missed_by_decision"]) == (1, {"missed": 3, "brake": 2})


def test_nothing_to_tell_is_a_sentence(shell: Shell, config: Path) -> None:
    source = write(config.parent / "cdr.csv", [])
    done = shell("simulate", "--cdr", source, "--config", config)
    assert done.code == 0
    assert done.out.startswith("No call from outside since ")
    assert "--since 365d" in done.out


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        pytest.param(["--cdr", "/nowhere/Master.csv"], 1, "cannot be read", id="no file"),
        pytest.param(["--cdr", "x.csv", "--since", "yesterday"], 2, "write a day as 2026-03-01", id="no time"),
        pytest.param(
            ["--cdr", "x.csv", "--since", "0001-01-01"], 2, "Write a year from 2000 on", id="the first day of all"
        ),
        pytest.param(["--cdr", "x.csv", "--pbx", "branch"], 2, "the configuration has only office", id="no such PBX"),
        pytest.param([], 2, "--cdr", id="no source"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(shell: Shell, config: Path, args: list[str], code: int, words: str) -> None:
    done = shell("simulate", *args, "--config", config)
    assert done.code == code
    assert words in done.sentence


def test_nothing_is_written(shell: Shell, config: Path) -> None:
    told(shell, config, MONDAY)
    assert not (config.parent / "textbackd.db").exists()


def test_what_is_no_file_of_records_is_said_to_be_unreadable(shell: Shell, config: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A shop\nNothing\n")
    done = shell("simulate", "--cdr", tmp_path / "README.md", "--config", config)
    assert done.out.endswith("2 records could not be read and were left out.\n")


def test_calls_are_counted_as_the_leak_counts_them(shell: Shell, config: Path) -> None:
    config.write_text(CONFIG.format(brake="off", folder=config.parent))
    source = write_csv(config.parent / "Master.csv", all_rows(MONTH))
    leak = json.loads(shell("leak", "--cdr", source, "--json", "--config", config).out)
    asked = ("simulate", "--cdr", source, "--since", "2026-01-01", "--config", config)
    found = json.loads(shell(*asked, "--json").out)
    assert found["verdicts"]["ignored"]
    assert (found["calls"], found["verdicts"]["missed"]) == (leak["calls"], leak["missed"])
    told = " ".join(shell(*asked).out.split())
    assert f"Calls from outside {leak['calls']} Answered {leak['answered']} " in told
    assert f"{leak['lost_after_answer']} of them let go of again" in told
    assert f"Not counted {found['verdicts']['ignored']} " in told
