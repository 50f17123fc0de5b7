"""CDR in a real PostgreSQL, with the table of Asterisk's own example; a password never shows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.pbx.postgres import Postgres, postgres
from textbackd.core.from_records import CdrRow, Disposition
from textbackd.errors import TextbackdError
from textbackd.pbx.records import read_cdr, stream_cdr
from textbackd.pbx.records.texts import row_of

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
DENVER = ZoneInfo("America/Denver")
PASSWORD = "s3cret/p@ss:word#%?"
# The columns of cdr_pgsql's example, and of newer ones those that matter.
TABLE = """CREATE TABLE cdr (
    accountcode varchar(20), src varchar(80), dst varchar(80), dcontext varchar(80), clid varchar(80), channel varchar(80),
    dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), {times}, duration int, billsec int,
    disposition varchar(45), amaflags varchar(45), uniqueid varchar(150), userfield varchar(256), linkedid varchar(150), sequence int)"""
PLAIN = TABLE.format(times='"start" timestamp, answer timestamp, "end" timestamp')
ZONED = TABLE.format(times="calldate timestamp with time zone")
COLUMNS = "src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, duration, billsec, disposition, uniqueid, linkedid, sequence"
VALUES = (
    "'+12015550100', '+13035550101', 'from-trunk', '\"Zoë\" <+12015550100>', 'PJSIP/trunk-00000001', 'PJSIP/101-00000002', 'Dial', "
    "'PJSIP/101,20', 12, 9, 'ANSWERED', '1795435198.7', '1795435198.7', 42"
)

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        running.run(
            f"CREATE USER reader PASSWORD '{PASSWORD}'",
            *(f"CREATE DATABASE {name}" for name in ("plain", "zoned", "empty", "secret")),
        )
        for name, table in (("plain", PLAIN), ("zoned", ZONED), ("secret", PLAIN)):
            grant = () if name == "secret" else ("GRANT SELECT ON cdr TO reader",)
            running.run(table, *grant, database=name)
        yield running


def source(server: Postgres, database: str = "plain", password: str = PASSWORD) -> str:
    return f"postgresql://reader:{password}@127.0.0.1:{server.port}/{database}"


def expected() -> CdrRow:
    return CdrRow(
        uniqueid="1795435198.7", linkedid="1795435198.7", channel="PJSIP/trunk-00000001", dstchannel="PJSIP/101-00000002",
        src="+12015550100", clid='"Zoë" <+12015550100>', dst="+13035550101", dcontext="from-trunk", did="", lastapp="Dial",
        lastdata="PJSIP/101,20", started_at=NOON - timedelta(seconds=2), answered_at=NOON + timedelta(seconds=1),
        ended_at=NOON + timedelta(seconds=10), lasted=timedelta(seconds=12), disposition=Disposition.ANSWERED, sequence=42,
    )  # fmt: skip


def test_rows_are_read_since_a_moment_and_forward(server: Postgres) -> None:
    times = "'2026-11-23 04:59:58.7', '2026-11-23 05:00:01', '2026-11-23 05:00:10'"  # by Denver's clock
    old = "'2026-11-20 04:59:58', NULL, '2026-11-20 04:59:59'"
    insert = f'INSERT INTO cdr ("start", answer, "end", {COLUMNS}) VALUES '  # noqa: S608  # our own words
    server.run("TRUNCATE cdr", f"{insert} ({times}, {VALUES}), ({old}, {VALUES})", database="plain")
    assert list(read_cdr(source(server), since=NOON, tz=DENVER)) == [expected()]
    texts = [
        texts for block in stream_cdr(source(server), since=NOON - timedelta(days=9), tz=DENVER) for texts in block.rows
    ]
    assert [row_of(row, DENVER) for row in texts][1] == expected()
    assert len(texts) == 2


def test_a_column_with_a_zone_is_read_by_the_clock_of_the_pbx(server: Postgres) -> None:
    server.run(
        "TRUNCATE cdr",
        f"INSERT INTO cdr (calldate, {COLUMNS}) VALUES ('2026-11-23 11:59:58+00', {VALUES})",  # noqa: S608
        database="zoned",
    )
    assert list(read_cdr(source(server, "zoned"), since=NOON, tz=DENVER)) == [expected()]


def test_many_rows_come_in_blocks_in_the_order_of_their_starts(server: Postgres) -> None:
    insert = (
        f"INSERT INTO cdr (\"start\", {COLUMNS}) SELECT timestamp '2026-11-23' + n * interval '1 second', {VALUES} "
    )
    server.run("TRUNCATE cdr", insert + "FROM generate_series(5000, 1, -1) n", database="plain")
    blocks = list(stream_cdr(source(server), since=datetime.min.replace(tzinfo=UTC), tz=DENVER))
    starts = [texts[11] for block in blocks for texts in block.rows]
    assert len(blocks) > 1
    assert starts == sorted(starts)
    assert len(set(starts)) == 5000


@pytest.mark.parametrize(
    ("database", "password", "says"),
    [
        pytest.param("plain", "wr0ng", "password is wrong", id="wrong password"),
        pytest.param("empty", PASSWORD, "no table cdr", id="no table"),
        pytest.param("secret", PASSWORD, "may", id="no right"),
        pytest.param("nowhere", PASSWORD, "no such database", id="no database"),
    ],
)
def test_what_is_wrong_is_one_sentence_without_the_password(
    server: Postgres, database: str, password: str, says: str
) -> None:
    with pytest.raises(TextbackdError) as error:
        list(read_cdr(source(server, database, password), since=NOON, tz=DENVER))
    assert says in str(error.value)
    assert password not in str(error.value)
    assert "\n" not in str(error.value)


def test_where_no_server_is_it_is_said(server: Postgres) -> None:
    with pytest.raises(TextbackdError, match="Is PostgreSQL running"):
        list(read_cdr("postgresql://a:b@127.0.0.1:1/asteriskcdrdb", since=NOON, tz=DENVER))
