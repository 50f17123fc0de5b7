"""CDR and queue_log are read as Asterisk writes them, whatever is left out, cut or damaged."""

import gzip
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.traces import HERE
from textbackd.core.from_records import CdrRow, Disposition
from textbackd.errors import TextbackdError
from textbackd.pbx.records import CdrRows, read_cdr, read_queue_log, usual_queue_log
from textbackd.pbx.records.cdr import moment
from textbackd.pbx.records.queue_log import event_of

DENVER = ZoneInfo("America/Denver")
UTC_ZONE = ZoneInfo("UTC")
EVER = datetime(2000, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
STORY = HERE / "asterisk22"


def line(second: int = 0, *, caller: str = "+12015550100", tail: str | None = None, zone: ZoneInfo = UTC_ZONE) -> str:
    """Return a row as cdr_csv writes it, of a call that began some seconds after noon and was not answered for 10 s."""
    began = NOON + timedelta(seconds=second)
    start, end = (f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" for at in (began, began + timedelta(seconds=10)))
    named = f',"{int(began.timestamp())}.{second}"' if tail is None else tail
    return (
        f'"","{caller}","+13035550101","from-trunk","""Ann"" <{caller}>","PJSIP/trunk-{second:08x}","PJSIP/101-00000002",'
        f'"Dial","PJSIP/101,20","{start}",,"{end}",10,0,"NO ANSWER","DOCUMENTATION"{tail if tail is not None else named}'
    )


def written(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_text("\n".join(lines) + end)
    return path


def read(path: Path, since: datetime = EVER, tz: ZoneInfo = UTC_ZONE) -> list[CdrRow]:
    return list(read_cdr(str(path), since=since, tz=tz))


def skipped(rows: CdrRows) -> tuple[int, int]:
    """Return how many rows are there and how many were bad."""
    return sum(1 for _ in rows), rows.skipped


# ---- Master.csv


def test_a_row_of_master_csv_is_read_whole() -> None:
    (row,) = read(STORY / "direct_noanswer.cdr.csv")
    assert row == CdrRow(
        uniqueid="1795441576.42", linkedid="", channel="PJSIP/trunk-00000010", dstchannel="PJSIP/101-00000011",
        src="+12015550100", clid='"Ann Smith" <+12015550100>', dst="+13035550101", dcontext="from-trunk", did="",
        lastapp="Dial", lastdata="PJSIP/101,4,tkK", started_at=datetime(2026, 11, 23, 13, 46, 16, tzinfo=UTC),
        answered_at=None, ended_at=datetime(2026, 11, 23, 13, 46, 20, tzinfo=UTC), lasted=timedelta(seconds=4),
        disposition=Disposition.NO_ANSWER, sequence=0,
    )  # fmt: skip


def test_a_name_with_line_feeds_does_not_end_its_row() -> None:
    (row,) = read(STORY / "name_newline.cdr.csv")
    assert (row.src, row.uniqueid) == ("+14805550100", "1795442207.68")
    assert "\n" in row.clid


@pytest.mark.parametrize(
    ("tail", "uniqueid", "linkedid"),
    [
        pytest.param("", "", "", id="nothing switched on"),
        pytest.param(',"1795435200.1"', "1795435200.1", "", id="loguniqueid"),
        pytest.param(',"pbx-1-1795435200.1"', "pbx-1-1795435200.1", "", id="loguniqueid with a system name"),
        pytest.param(',"a note"', "", "", id="loguserfield"),
        pytest.param(',"1795435200.1","a note"', "1795435200.1", "", id="both"),
        pytest.param(',"","1795435200.9",7', "", "1795435200.9", id="newcdrcolumns"),
        pytest.param(
            ',"1795435200.1","","1795435200.9",7', "1795435200.1", "1795435200.9", id="newcdrcolumns, loguniqueid"
        ),
        pytest.param(',"1795435200.1","a note","","1795435200.9",7', "1795435200.1", "1795435200.9", id="all"),
    ],
)
def test_the_number_of_columns_tells_which_ones_were_switched_on(
    tmp_path: Path, tail: str, uniqueid: str, linkedid: str
) -> None:
    (row,) = read(written(tmp_path / "Master.csv", line(tail=tail)))
    assert (row.uniqueid, row.linkedid) == (uniqueid, linkedid)
    assert row.sequence == (7 if linkedid else 0)


def test_a_header_row_names_the_columns_in_any_order(tmp_path: Path) -> None:
    path = written(
        tmp_path / "export.csv",
        "\ufeffcalldate,Channel,dstchannel,DISPOSITION,duration,billsec,src,dst,linkedid,uniqueid,did",
        "2026-11-23 12:00:00,PJSIP/Calls-00000001,PJSIP/101-00000002,8,7,4,07700900123,101,1795435200.1,1795435200.1,0207",
        end="",
    )
    assert skipped(read_cdr(str(path), since=EVER, tz=UTC_ZONE)) == (1, 0)  # the header is no row that cannot be read
    (row,) = read(path)
    assert (row.disposition, row.did, row.ended_at) == (Disposition.ANSWERED, "0207", NOON + timedelta(seconds=7))
    assert row.answered_at == NOON + timedelta(seconds=3)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("nonsense", id="a line of something else"),
        pytest.param('"","+1","2"', id="too few columns"),
        pytest.param(line(5).replace("NO ANSWER", "PERHAPS"), id="an unknown disposition"),
        pytest.param(line(5).replace("2026-11-23 12:00:05", "2026-13-45 12:00:05"), id="a day that does not exist"),
        pytest.param(line(5).replace('"PJSIP/trunk-00000005"', '""'), id="no channel"),
        pytest.param(line(5)[:90], id="cut in a field"),
        pytest.param(line(5)[:42], id="cut between two fields"),
    ],
)
def test_a_bad_row_is_skipped_and_counted_and_its_neighbours_are_read(tmp_path: Path, damage: str) -> None:
    path = written(tmp_path / "Master.csv", line(0), damage, line(20), line(40))
    assert skipped(read_cdr(str(path), since=EVER, tz=UTC_ZONE)) == (3, 1)


@pytest.mark.parametrize("cut", [1, 12, 16, 20, 40, 150])
def test_a_last_row_that_is_being_written_is_left_for_later(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path / "Master.csv", line(0), line(20)[:-cut], end="")
    assert [row.started_at for row in read(path)] == [NOON]


def test_nuls_of_a_power_cut_and_other_encodings_are_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(
        line(0).encode() + b"\n" + b"\0" * 300 + line(20).replace("Ann", "Zoë").encode("latin-1") + b"\r\n"
    )
    assert sorted(row.clid for row in read(path)) == ['"Ann" <+12015550100>', '"Zoë" <+12015550100>']


def test_rotated_files_are_read_when_since_reaches_back_to_them_and_else_not(tmp_path: Path) -> None:
    path = written(tmp_path / "Master.csv", line(3000))
    # The row of the hour after shows that the file was opened, though it was last written before.
    elder = written(tmp_path / "Master.csv.1", line(1500), line(5000))
    packed = tmp_path / "Master.csv.2.gz"
    packed.write_bytes(gzip.compress((line(0) + "\n").encode()))
    written(tmp_path / "Master.csv.bak", line(9))
    for file, second in ((elder, 1600), (packed, 100)):
        os.utime(file, times=((NOON.timestamp() + second),) * 2)
    found = {
        since: {int((row.started_at - NOON).total_seconds()) for row in read(path, _at(since))}
        for since in (0, 1000, 2000)
    }
    assert found == {0: {0, 1500, 3000, 5000}, 1000: {1500, 3000, 5000}, 2000: {3000}}


def test_a_damaged_packed_file_gives_what_is_before_the_damage(tmp_path: Path) -> None:
    path = written(tmp_path / "Master.csv", line(3000))
    whole = gzip.compress(
        "".join(line(second, caller=f"+1{os.urandom(4).hex()}") + "\n" for second in range(500)).encode()
    )
    (tmp_path / "Master.csv.1.gz").write_bytes(whole[: len(whole) // 2])
    assert 10 < len(read(path)) < 501


def _at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def test_only_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    recent = [line(10 * number) for number in range(100, 300)]
    path = written(tmp_path / "Master.csv", *[line(0)] * 199_800, *recent)
    before = _bytes_read()
    rows = read(path, _at(2500))
    cost = _bytes_read() - before
    assert len(rows) == 51
    assert cost < 1_000_000 < path.stat().st_size / 40


def _bytes_read() -> int:
    """Return what this process has read so far, in whatever way."""
    counters = dict(entry.split(": ") for entry in Path("/proc/self/io").read_text().splitlines())
    return int(counters["rchar"])


def test_rows_of_one_call_that_ended_hours_before_it_are_found_though_newer_ones_stand_above_them(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "Master.csv", line(7000), line(0), line(7100))
    assert len(read(path, _at(6000))) == 2
    assert len(read(path, _at(0))) == 3


def test_old_rows_among_the_new_do_not_add_up_to_the_end(tmp_path: Path) -> None:
    path = written(tmp_path / "Master.csv", line(7000), *[line(0)] * 400, line(7100), *[line(1)] * 400)
    assert len(read(path, _at(6000))) == 2


# ---- times


def test_times_are_those_of_the_machine_of_the_pbx(tmp_path: Path) -> None:
    path = written(tmp_path / "Master.csv", line(0, zone=DENVER, tail=""))
    assert read(path, tz=DENVER)[0].started_at == NOON


def test_uniqueids_give_away_that_the_times_are_utc(tmp_path: Path) -> None:
    path = written(tmp_path / "Master.csv", *(line(second) for second in range(0, 100, 10)))
    assert {row.started_at - NOON for row in read(path, tz=DENVER)} == {timedelta(seconds=s) for s in range(0, 100, 10)}


@pytest.mark.parametrize("hour", [7, 8], ids=["the first time", "the second time"])
def test_an_hour_that_the_clocks_repeat_is_told_by_the_uniqueid(hour: int) -> None:
    began = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)  # 1:30 in Denver, twice
    assert moment(datetime.fromisoformat("2026-11-01 01:30:00"), DENVER, began) == began


# ---- SQLite

COLUMNS = (
    "calldate, clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, duration, billsec, disposition, uniqueid, "
    "linkedid, sequence"
)


def sqlite_cdr(path: Path, table: str = "cdr", rename: Callable[[str], str] = str) -> Path:
    """Make a database as cdr_sqlite3_custom does, with one call in it."""
    values = (
        "2026-11-23 12:00:00", '"Zoë" <+12015550100>', "+12015550100", "+13035550101", "from-trunk", "PJSIP/trunk-00000001",
        "PJSIP/101-00000002", "Dial", "PJSIP/101,20", "10", "0", "NO ANSWER", "1795435200.1", "1795435200.1", "3",
    )  # fmt: skip
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"CREATE TABLE {table} (AcctId INTEGER PRIMARY KEY, {rename(COLUMNS)})")
        marks = ",".join("?" * len(values))
        db.execute(f"INSERT INTO {table} ({rename(COLUMNS)}) VALUES ({marks})", values)  # noqa: S608
        db.commit()
    return path


@pytest.mark.parametrize(
    "rename",
    [
        pytest.param(str, id="as in the sample"),
        pytest.param(str.upper, id="in capitals"),
        pytest.param(lambda names: names.replace("calldate", "start"), id="start"),
    ],
)
def test_sqlite_columns_are_found_by_their_names(tmp_path: Path, rename: Callable[[str], str]) -> None:
    path = sqlite_cdr(tmp_path / "master.db", rename=rename)
    (row,) = read_cdr(f"sqlite://{path}", since=EVER, tz=UTC_ZONE)
    assert (row.started_at, row.ended_at, row.linkedid, row.sequence) == (NOON, _at(10), "1795435200.1", 3)
    assert row.clid == '"Zoë" <+12015550100>'


def test_a_table_of_another_name_is_found_by_its_columns_and_nothing_is_written(tmp_path: Path) -> None:
    path = sqlite_cdr(tmp_path / "master.db", table="records")
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert len(list(read_cdr(f"sqlite://{path}", since=EVER, tz=UTC_ZONE))) == 1
        assert [file.name for file in tmp_path.iterdir()] == ["master.db"]
    finally:
        tmp_path.chmod(0o700)


def test_sqlite_is_read_from_the_end(tmp_path: Path) -> None:
    path = sqlite_cdr(tmp_path / "master.db")
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) "
            "INSERT INTO cdr (calldate, clid, channel, dstchannel, disposition, duration) "
            "SELECT '2026-11-20 12:00:00', 'c', 'PJSIP/trunk-1', '', 'NO ANSWER', 1 FROM n"
        )
        db.execute("UPDATE cdr SET AcctId = 100000 WHERE uniqueid IS NOT NULL")
        db.commit()
    before = _bytes_read()
    assert len(list(read_cdr(f"sqlite://{path}", since=NOON, tz=UTC_ZONE))) == 1
    assert _bytes_read() - before < path.stat().st_size / 2


# ---- what is wrong with a source


@pytest.mark.parametrize(
    ("source", "says"),
    [
        pytest.param("{folder}/none.csv", "No such file", id="no file"),
        pytest.param("{folder}", "Is a directory", id="a folder"),
        pytest.param("sqlite://{folder}/none.db", "no such file", id="no database"),
        pytest.param("sqlite://{folder}/text.csv", "not a database", id="no SQLite"),
        pytest.param("sqlite://{folder}/other.db", "no table", id="another database"),
        pytest.param("mysql://u:s3cret@127.0.0.1:9/cdr", "No server answers", id="no server"),
        pytest.param("mysql://u:s3cret@127.0.0.1", "not an address", id="no database named"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_sentence_without_the_password(
    tmp_path: Path, source: str, says: str
) -> None:
    written(tmp_path / "text.csv", line())
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE songs (title)")
    with pytest.raises(TextbackdError) as error:
        list(read_cdr(source.format(folder=tmp_path), since=EVER, tz=UTC_ZONE))
    assert says in str(error.value)
    assert "s3cret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.touch()
    assert skipped(read_cdr(str(path), since=EVER, tz=UTC_ZONE)) == (0, 0)


@pytest.mark.parametrize("digits", [11, 13, 18, 19])
def test_a_row_whose_time_is_no_moment_is_skipped(tmp_path: Path, digits: int) -> None:
    fields = line().split(",")
    start = next(place for place, text in enumerate(fields) if "2026" in text)
    fields[start] = f'"{"1" * digits}"'
    path = written(tmp_path / "Master.csv", line(), ",".join(fields))
    assert skipped(read_cdr(str(path), since=EVER, tz=UTC_ZONE)) == (1, 1)


# ---- queue_log


def test_queue_log_is_told_in_its_order() -> None:
    events = list(read_queue_log(STORY / "queue_abandon.queue_log", since=EVER))
    assert [event.what for event in events] == ["ENTERQUEUE", "RINGCANCELED", "RINGCANCELED", "ABANDON"]
    assert events[0].at == datetime.fromtimestamp(1795441676, UTC)
    assert (events[0].queue, events[0].uniqueid, events[0].details) == (
        "support1",
        "1795441676.164",
        ("", "+12535550100", "1"),
    )


def test_damaged_lines_of_queue_log_are_skipped_and_old_ones_not_told(tmp_path: Path) -> None:
    path = written(
        tmp_path / "queue_log",
        "1795435199|1.1|q|NONE|ABANDON|1|1|2",
        "1795435200|1.2|q|NONE|ENTERQUEUE||+1|1",
        "||||",
        "17954352x0|1.2|q|NONE|ABANDON|1|1|2",
        "\0\0\0",
        "1795435209|1.2|q|NONE|ABA",
    )
    assert [event.what for event in read_queue_log(path, since=NOON)] == ["ENTERQUEUE", "ABA"]


@pytest.mark.parametrize(
    "at",
    [
        pytest.param("171795435200", id="fused with a line that a power cut cut after two digits"),
        pytest.param("1795435200000", id="13 digits are no year of any calendar here"),
        pytest.param("179543520017954352", id="18 digits are more than a clock holds"),
        pytest.param("179543520\N{SUPERSCRIPT TWO}", id="a digit that is no figure"),
        pytest.param("17954", id="cut"),
        pytest.param("100000000", id="years before there was an Asterisk"),
        pytest.param(".", id="no figure at all"),
    ],
)
def test_a_time_that_cannot_be_one_is_damage(at: str) -> None:
    assert event_of(f"{at}|1.1|q|NONE|ABANDON|1|1|2") is None
    assert event_of("1795435200|1.1|q|NONE|ABANDON|1|1|2") is not None


def test_the_queue_log_is_found_beside_the_cdr(tmp_path: Path) -> None:
    (tmp_path / "cdr-csv").mkdir()
    log = written(tmp_path / "queue_log", "")
    assert usual_queue_log(str(tmp_path / "cdr-csv" / "Master.csv")) == log


def test_the_queue_log_of_another_machine_is_not_looked_for_here() -> None:
    assert usual_queue_log("mysql://u:p@localhost/x@db.lan/asteriskcdrdb") is None
