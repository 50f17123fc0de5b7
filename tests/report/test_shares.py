"""A file that is cut into shares tells of the same calls as one that is read as a whole: each once, in the same order."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.report.shop import MASTER, all_rows, write_csv, write_with_header
from tests.report.test_leak_month import MONTH
from textbackd.core.leak import Heard
from textbackd.core.trunk import Trunks
from textbackd.pbx.records import csv_file, stream_cdr
from textbackd.report.quick_calls import Office, heard
from textbackd.report.shares import Judged, Share, judge_share, judged, shares
from textbackd.report.stream import Stream

EVER = datetime(1990, 1, 1, tzinfo=UTC)
DENVER = ZoneInfo("America/Denver")
NAMES = frozenset({"PJSIP/trunk"})


def cut(path: Path, size: int) -> list[Share]:
    files = csv_file.files(path, EVER)
    assert files is not None
    return shares(files, Trunks(), NAMES, DENVER, size)


def whole(path: Path) -> list[Heard]:
    stream = Stream(Office(Trunks(), NAMES, DENVER))
    return [heard(call) for calls in stream.calls(stream_cdr(str(path), since=EVER, tz=DENVER)) for call in calls]


def told(parts: list[Judged]) -> list[Heard]:
    return [call for part in parts for call in part.calls]


def rotated(path: Path) -> Path:
    """Write the month in three files, none of them packed."""
    rows = all_rows(MONTH)
    for age, some in enumerate((rows[150:], rows[60:150], rows[:60])):
        file = write_csv(path.with_name(path.name + (f".{age}" if age else "")), some)
        os.utime(file, (1_800_000_000 - age, 1_800_000_000 - age))
    return path


@pytest.mark.parametrize("size", [300, 2_000, 9_000, 30_000])
@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda path: write_csv(path, all_rows(MONTH)), id="with uniqueid"),
        pytest.param(lambda path: write_csv(path, all_rows(MONTH), MASTER), id="without"),
        pytest.param(lambda path: write_with_header(path, all_rows(MONTH)), id="with a header"),
        pytest.param(rotated, id="rotated"),
    ],
)
def test_shares_tell_of_each_call_once_and_in_order(tmp_path: Path, write: Callable[[Path], Path], size: int) -> None:
    path = write(tmp_path / "Master.csv")
    parts = [judge_share(share) for share in cut(path, size)]
    assert len(parts) > 1
    assert told(parts) == whole(path)
    assert (sum(part.rows for part in parts), sum(part.skipped for part in parts)) == (218, 0)
    assert parts[-1].done == 1.0
    began, ended = (datetime(2026, 3, number, hour, tzinfo=DENVER) for number, hour in ((2, 8), (30, 16)))
    assert min(part.span.first for part in parts) == began.timestamp()
    assert 0 <= max(part.span.last for part in parts) - ended.timestamp() < 3600, (
        "the last call is that of half past four"
    )


def test_a_small_file_is_not_cut(tmp_path: Path) -> None:
    assert cut(write_csv(tmp_path / "Master.csv", all_rows(MONTH)), 1 << 24) == []
    assert cut(write_csv(tmp_path / "empty.csv", []), 100) == []


def test_a_file_whose_times_go_back_is_not_cut(tmp_path: Path) -> None:
    rows = all_rows(MONTH)
    assert cut(write_csv(tmp_path / "Master.csv", [*rows[100:], *rows[:100]]), 5_000) == []


def test_a_packed_file_is_not_cut(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "Master.csv", all_rows(MONTH))
    (tmp_path / "Master.csv.1.gz").write_bytes(b"")
    assert csv_file.files(path, EVER) is None


@pytest.mark.slow
def test_processes_of_their_own_tell_the_same(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "Master.csv", all_rows(MONTH))
    assert told(list(judged(cut(path, 9_000)))) == whole(path)
