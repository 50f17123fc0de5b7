"""`textbackd report`: what it prints for people, programs and spreadsheets."""

import csv
import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIG, Shell
from tests.report.fortnight import fill
from textbackd.store.database import open_database

pytestmark = pytest.mark.slow

FORTNIGHT = ("--from", "2026-03-02", "--to", "2026-03-15")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    with closing(open_database(tmp_path / "textbackd.db")) as db:
        fill(db)
    path = tmp_path / "textbackd.yaml"
    path.write_text(CONFIG.format(folder=tmp_path))
    return path


def test_people_read_it_in_eighty_columns(shell: Shell, config: Path) -> None:
    done = shell("report", "--config", config, *FORTNIGHT)
    assert (done.code, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80
    for words in (
        "Mon 2 Mar 2026 to Sun 15 Mar 2026",
        "half within 25 min, 90 % within 14 h 30 min",
        "400 came back: 1 won, 1 lost",
    ):
        assert words in " ".join(done.out.split())
    assert [line.split()[-1] for line in done.out.splitlines() if line.startswith(("Texted", "Won"))] == ["4", "1"]


def test_programs_read_json(shell: Shell, config: Path) -> None:
    done = shell("report", "--config", config, "--json", *FORTNIGHT)
    found = json.loads(done.out)
    assert (found["calls"], found["missed"], found["ended"]["value"]) == (11, 7, 40_000)


def test_a_spreadsheet_is_written_once(shell: Shell, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    assert shell("report", "--config", config, "--csv", file, *FORTNIGHT).code == 0
    rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
    assert (len(rows), rows[1][3]) == (12, "'+13035550142")
    assert file.stat().st_mode & 0o077 == 0
    assert "cannot be written" in shell("report", "--config", config, "--csv", file, *FORTNIGHT).sentence


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--line", "nowhere"), "there is main"),
        (("--week", "--from", "2026-03-01"), "--week and --from or --to: choose one."),
        (("--today", "--week"), "--today and --week: choose one."),
        (("--from", "yesterday"), "is not a day"),
        (("--json", "--csv", "x"), "choose one"),
    ],
)
def test_what_cannot_be_is_told(shell: Shell, config: Path, args: tuple[str, ...], sentence: str) -> None:
    done = shell("report", "--config", config, *args)
    assert done.code == 2
    assert sentence in done.sentence


def test_it_is_this_week_without_a_word(shell: Shell, config: Path) -> None:
    done = shell("report", "--config", config)
    assert done.code == 0
    assert "Calls from outside" in done.out
