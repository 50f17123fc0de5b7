"""What old records tell of a PBX."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.report.shop import DENVER, Rung, all_rows, day, write_csv
from textbackd.setup.seen import Seen, look

CALLS = [
    Rung(day(2, "9:00"), "answered", "+13035550142", "3035550100"),
    Rung(day(2, "9:30"), "no answer", "+13035550143", "3035550100"),
    Rung(day(2, "10:00"), "queue", "+13035550144", "+13035550101"),
    Rung(day(2, "10:30"), "lost", "+13035550145", "+13035550100"),
    Rung(day(2, "11:00"), "menu", "+13035550146"),
    Rung(day(2, "12:00"), "out", "+13035550147"),
]


def seen(tmp_path: Path, calls: list[Rung]) -> Seen:
    path = write_csv(tmp_path / "Master.csv", all_rows(calls))
    return look(str(path), since=datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=1), zone=DENVER, country="US")


def test_trunks_numbers_phones_and_queues_are_told(tmp_path: Path) -> None:
    found = seen(tmp_path, CALLS)
    assert [trunk.name for trunk in found.trunks] == ["PJSIP/trunk"]
    assert found.dids == (("+13035550100", 4), ("+13035550101", 1))
    assert found.phones == ("PJSIP/101", "PJSIP/102")
    assert found.queues == ("sales",)
    assert found.unusual_trunks == ()


def test_a_trunk_whose_context_is_unusual_is_named(tmp_path: Path) -> None:
    rows = [{**row, "dcontext": "my-entrance"} for row in all_rows(CALLS[:4])]
    path = write_csv(tmp_path / "Master.csv", rows)
    found = look(str(path), since=datetime(2026, 1, 1, tzinfo=UTC), zone=DENVER, country="US")
    assert found.unusual_trunks == ("PJSIP/trunk-*",)


def test_no_records_tell_nothing(tmp_path: Path) -> None:
    assert seen(tmp_path, []) == Seen(rows=0)
