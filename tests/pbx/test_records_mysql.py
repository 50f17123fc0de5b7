"""CDR in a real MariaDB, as FreePBX keeps it; a password never shows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from tests.pbx.mariadb import MariaDb, mariadb
from textbackd.core.from_records import CdrRow, Disposition
from textbackd.errors import TextbackdError
from textbackd.pbx.records import read_cdr, stream_cdr
from textbackd.pbx.records.mysql import read_address
from textbackd.pbx.records.texts import row_of

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
PASSWORD = "s3cret/p@ss:word#%?"
# FreePBX 16, framework/installlib/SQL/asteriskcdrdb: the columns that matter here, and some that do not.
FREEPBX = """CREATE TABLE freepbx.cdr (
    calldate datetime NOT NULL DEFAULT '0000-00-00 00:00:00', clid varchar(80) NOT NULL DEFAULT '',
    src varchar(80) NOT NULL DEFAULT '', dst varchar(80) NOT NULL DEFAULT '', dcontext varchar(80) NOT NULL DEFAULT '',
    channel varchar(80) NOT NULL DEFAULT '', dstchannel varchar(80) NOT NULL DEFAULT '',
    lastapp varchar(80) NOT NULL DEFAULT '', lastdata varchar(80) NOT NULL DEFAULT '', duration int NOT NULL DEFAULT 0,
    billsec int NOT NULL DEFAULT 0, disposition varchar(45) NOT NULL DEFAULT '', uniqueid varchar(32) NOT NULL DEFAULT '',
    did varchar(50) NOT NULL DEFAULT '', cnum varchar(80) NOT NULL DEFAULT '', linkedid varchar(32) NOT NULL DEFAULT '',
    sequence int NOT NULL DEFAULT 0) DEFAULT CHARSET=utf8mb4"""
OLD = """CREATE TABLE old.cdr (
    CallDate timestamp NULL, Channel varchar(80), DstChannel varchar(80), Disposition int, Duration bigint, BillSec decimal(8,0),
    UniqueId varchar(32), Src varchar(80))"""


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with mariadb() as running:
        running.run(
            "CREATE DATABASE freepbx", "CREATE DATABASE old", "CREATE DATABASE empty", "CREATE DATABASE secret",
            "SET sql_mode = ''", FREEPBX, OLD, "CREATE TABLE secret.cdr (calldate datetime)",
            f"CREATE USER reader@localhost IDENTIFIED BY '{PASSWORD}'",
            f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            *(f"GRANT SELECT ON {name}.* TO reader@{host}" for name in ("freepbx", "old", "empty")
              for host in ("localhost", "'127.0.0.1'")),
        )  # fmt: skip
        yield running


pytestmark = pytest.mark.lab


def source(server: MariaDb, database: str = "freepbx", password: str = PASSWORD) -> str:
    return f"mysql://reader:{password}@127.0.0.1:{server.port}/{database}"


def read(address: str, since: datetime = NOON) -> list[CdrRow]:
    return list(read_cdr(address, since=since, tz=ZONE))


def test_rows_of_freepbx_are_read_since_a_moment(server: MariaDb) -> None:
    server.run(
        "TRUNCATE freepbx.cdr",
        "INSERT INTO freepbx.cdr VALUES ('2026-11-23 11:59:58', '\"Zoë 📞\" <0770>', '0770', '101', 'ext-local', "
        "'PJSIP/Calls-00000001', 'PJSIP/101-00000002', 'Dial', 'PJSIP/101,20', 12, 9, 'ANSWERED', '1795435198.7', '0207', "
        "'0770', '1795435198.7', 42)",
        "INSERT INTO freepbx.cdr (calldate, channel, disposition, duration) VALUES ('2026-11-23 11:00:00', 'a', 'BUSY', 5)",
        "INSERT INTO freepbx.cdr (channel, disposition) VALUES ('without a date', 'BUSY')",
    )
    assert read(source(server)) == [
        CdrRow(
            uniqueid="1795435198.7", linkedid="1795435198.7", channel="PJSIP/Calls-00000001", dstchannel="PJSIP/101-00000002",
            src="0770", clid='"Zoë 📞" <0770>', dst="101", dcontext="ext-local", did="0207", lastapp="Dial",
            lastdata="PJSIP/101,20", started_at=NOON - timedelta(seconds=2), answered_at=NOON + timedelta(seconds=1),
            ended_at=NOON + timedelta(seconds=10), lasted=timedelta(seconds=12), disposition=Disposition.ANSWERED, sequence=42,
        )
    ]  # fmt: skip


def test_numeric_dispositions_and_missing_columns_are_understood(server: MariaDb) -> None:
    codes = {0: "NO ANSWER", 2: "FAILED", 4: "BUSY", 8: "ANSWERED", 16: "CONGESTION"}
    insert = "INSERT INTO old.cdr VALUES ('2026-11-23 12:00:{0:02}', 'a', 'b', {0}, 1, 1, '1.{0}', '1')"
    server.run("TRUNCATE old.cdr", *(insert.format(code) for code in codes))
    rows = read(source(server, "old"))
    assert {row.started_at.second: row.disposition.value for row in rows} == codes
    assert {(row.linkedid, row.did, row.sequence) for row in rows} == {("", "", 0)}


def test_all_rows_come_in_blocks_in_the_order_of_their_starts(server: MariaDb) -> None:
    server.run(
        "TRUNCATE freepbx.cdr",
        "INSERT INTO freepbx.cdr (calldate, channel, disposition, duration) "
        "SELECT TIMESTAMPADD(SECOND, -seq, '2026-11-23 12:00:00'), 'PJSIP/a-1', 'BUSY', 5 FROM freepbx.seq_1_to_5000",
    )
    blocks = list(stream_cdr(source(server), since=datetime.min.replace(tzinfo=UTC), tz=ZONE))
    starts = [row.started_at for block in blocks for texts in block.rows if (row := row_of(texts, ZONE))]
    assert len(blocks) > 1
    assert starts == sorted(starts)
    assert len(set(starts)) == 5000


def test_localhost_is_the_socket(server: MariaDb) -> None:
    address = f"mysql://reader:{quote(PASSWORD, safe='')}@localhost/old?socket={server.socket}"
    assert isinstance(read(address), list)


@pytest.mark.parametrize(
    ("database", "password", "says"),
    [
        pytest.param("freepbx", "wr0ng", "User or password is wrong", id="wrong password"),
        pytest.param("empty", PASSWORD, "no table cdr", id="no table"),
        pytest.param("secret", PASSWORD, "may not", id="no right"),
    ],
)
def test_what_is_wrong_is_one_sentence_without_the_password(
    server: MariaDb, database: str, password: str, says: str
) -> None:
    with pytest.raises(TextbackdError) as error:
        read(source(server, database, password))
    assert says in str(error.value)
    assert password not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("mysql://u:p@ss/w:rd@db.lan:3307/asteriskcdrdb", id="as it is"),
        pytest.param("mysql://u:p%40ss%2Fw%3Ard@db.lan:3307/asteriskcdrdb", id="encoded"),
    ],
)
def test_a_password_may_hold_any_character_and_is_not_shown(written: str) -> None:
    address = read_address(written)
    assert (address.user, address.password, address.host, address.port) == ("u", "p@ss/w:rd", "db.lan", 3307)
    assert "p@ss" not in f"{address} {address!r}"
