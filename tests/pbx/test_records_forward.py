"""Read forward, in blocks, a CDR has the same rows as read backward, one by one; whatever is left out, cut or damaged."""

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces import HERE
from textbackd.core.from_records import CdrRow
from textbackd.errors import TextbackdError
from textbackd.pbx.records import csv_file, read_cdr, read_queue_log, sample_cdr, stream_cdr, stream_queue_log
from textbackd.pbx.records.texts import row_of

ZONE = ZoneInfo("UTC")
EVER = datetime(2000, 1, 1, tzinfo=UTC)


def line(number: int, *, name: str = "Ann", tail: str | None = None) -> str:
    end = f',"179543520{number % 10}.{number}",""' if tail is None else tail
    return (
        f'"","+1201555{number:04}","+13035550101","from-trunk","""{name}"" <+1201555{number:04}>","PJSIP/trunk-{number:08x}",'
        f'"PJSIP/101-{number:08x}","Dial","PJSIP/101,20","2026-11-23 12:00:{number % 60:02}",,"2026-11-23 12:01:{number % 60:02}",60,0,'
        f'"NO ANSWER","DOCUMENTATION"{end}'
    )


HEADER = (
    "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,uniqueid,did,linkedid\r\n"
    '2026-11-23 12:00:00,"""Ann"" <5550100>",5550100,s,ivr,PJSIP/t-1,,BackGround,x,5,5,ANSWERED,1795435200.1,3035550101,1795435200.1\r\n'
)
FILES = {
    "plain": "\n".join(map(line, range(5))) + "\n",
    "one row": line(1) + "\n",
    "no rows": "",
    "windows line ends": "\r\n".join(map(line, range(5))) + "\r\n",
    "a line feed in a name": f"{line(1)}\n{line(2, name='Zoë' + chr(10) + 'Smith')}\n{line(3)}\n",
    "a quote and commas in a name": f"{line(1)}\n{line(2, name='Zoë, Z Smith')}\n{line(3)}\n",
    "a last row that was cut": f"{line(1)}\n{line(2)}",
    "a row that was cut between others": f"{line(1)}\n{line(2)[:80]}\n{line(3)}\n",
    "a row that was cut in a text, and many after it": f"{line(1)}\n{line(2)[:77]}\n"
    + "\n".join(map(line, range(3, 90)))
    + "\n",
    "zeros after a power cut": f"{line(1)}\n" + "\0" * 5000 + f"{line(2)}\n",
    "blank lines": f"\n{line(1)}\n\n\n{line(2)}\n\n",
    "columns that were switched on": f"{line(1, tail='')}\n{line(2)}\n"
    + line(3, tail=',"1795435203.3","","","1795435203.3",7')
    + "\n",
    "only uniqueid, then only userfield": f"{line(1, tail=',1795435201.1'.replace(chr(34) * 2, chr(34)))}\n{line(2, tail=',')}\n",
    "a header": HEADER,
    "a header that comes again": HEADER + HEADER,
    "a header and a row of another length": HEADER + "a,b,c\n",
    "nonsense": 'what is this\n"\n"""\n,,,,\n',
}


def forward(path: Path) -> tuple[list[CdrRow], int]:
    """Return the rows, and how many could not be read."""
    blocks = list(stream_cdr(str(path), since=EVER, tz=ZONE))
    rows = [row_of(texts, ZONE) for block in blocks for texts in block.rows]
    return sorted((row for row in rows if row), key=repr), sum(block.skipped for block in blocks) + rows.count(None)


def backward(path: Path) -> tuple[list[CdrRow], int]:
    rows = read_cdr(str(path), since=EVER, tz=ZONE)
    return sorted(rows, key=repr), rows.skipped


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_a_file_that_begins_with_the_newest_has_the_same_rows_from_its_end(tmp_path: Path, content: str) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(content)
    blocks = list(csv_file.blocks_backwards(path, EVER))
    rows = [row_of(texts, ZONE) for block in blocks for texts in block.rows]
    skipped = sum(block.skipped for block in blocks) + rows.count(None)
    assert (sorted((row for row in rows if row), key=repr), skipped) == backward(path)


def test_an_export_with_rotated_ones_beside_it_is_not_read_from_its_end(tmp_path: Path) -> None:
    for name in ("cdr.csv", "cdr.csv.1"):
        (tmp_path / name).write_text(HEADER)
    with pytest.raises(TextbackdError, match="sort it by calldate"):
        next(csv_file.blocks_backwards(tmp_path / "cdr.csv", EVER))


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
@pytest.mark.parametrize("packed", [False, True], ids=["", "packed"])
def test_a_file_has_the_same_rows_both_ways(tmp_path: Path, content: str, packed: bool) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(b"" if packed else content.encode())
    if packed:
        (tmp_path / "Master.csv.1.gz").write_bytes(gzip.compress(content.encode()))
    assert forward(path) == backward(path) or (packed and content.startswith("calldate"))


@pytest.mark.parametrize("path", sorted(HERE.glob("*/*.cdr.csv")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_recorded_file_has_the_same_rows_both_ways(path: Path) -> None:
    assert forward(path) == backward(path)


def test_a_packed_file_with_a_header_is_understood(tmp_path: Path) -> None:
    (tmp_path / "cdr.csv").write_text(HEADER)
    (tmp_path / "cdr.csv.1.gz").write_bytes(gzip.compress(HEADER.encode()))
    assert len(forward(tmp_path / "cdr.csv")[0]) == 2


def test_a_name_in_latin_1_does_not_spoil_its_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(f"{line(1, name='Zoë')}\n".encode() + f"{line(2, name='Zoë')}\n".encode("latin-1"))
    assert [row.clid for row in forward(path)[0]] == ['"Zoë" <+12015550001>', '"Zoë" <+12015550002>']


def test_the_oldest_rows_come_first(tmp_path: Path) -> None:
    for age, name in enumerate(["Master.csv", "Master.csv.1", "Master.csv.2"]):
        (tmp_path / name).write_text(line(9 - 2 * age - 1) + "\n" + line(9 - 2 * age) + "\n")
        os.utime(tmp_path / name, (1_800_000_000 - age, 1_800_000_000 - age))
    blocks = list(stream_cdr(str(tmp_path / "Master.csv"), since=EVER, tz=ZONE))
    assert [int(texts[4][-1]) for block in blocks for texts in block.rows] == [4, 5, 6, 7, 8, 9]
    assert blocks[-1].done == 1.0
    assert [block.done for block in blocks] == sorted(block.done or 0 for block in blocks)


def test_of_a_damaged_packed_file_the_rows_before_the_damage_are_read(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join(map(line, range(9000))).encode())
    (tmp_path / "Master.csv").write_text("")
    (tmp_path / "Master.csv.1.gz").write_bytes(whole[: len(whole) // 2])
    assert 100 < len(forward(tmp_path / "Master.csv")[0]) < 9000


def test_a_large_file_is_sampled_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    with path.open("w") as file:
        file.writelines(line(number) + "\n" for number in range(9000) for _ in range(4))
    places = [int(block.rows[0][4][-4:]) for block in sample_cdr(str(path), since=EVER, tz=ZONE) if block.rows]
    assert places == sorted(places)
    assert places[0] < 500
    assert places[-1] > 8000


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for source in (str(tmp_path / "no.csv"), str(tmp_path), f"sqlite://{tmp_path / 'no.db'}"):
        with pytest.raises(TextbackdError) as error:
            list(stream_cdr(source, since=EVER, tz=ZONE))
        assert "\n" not in str(error.value)


@given(st.binary(max_size=2000), st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes, with_header: bool) -> None:
    path = tmp_path_factory.mktemp("any") / "Master.csv"
    path.write_bytes((HEADER.encode() if with_header else b"") + content)
    forward(path)


@pytest.mark.parametrize("path", sorted(HERE.glob("*/*.queue_log")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_queue_log_says_the_same_both_ways(path: Path) -> None:
    assert list(stream_queue_log(path, since=EVER)) == list(read_queue_log(path, since=EVER))
