"""CDR in MySQL or MariaDB, as FreePBX keeps it: database asteriskcdrdb, table cdr, `calldate` = start."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pymysql
from pymysql.cursors import SSCursor

from textbackd.errors import TextbackdError
from textbackd.pbx.records.address import Address
from textbackd.pbx.records.address import read_address as parts_of
from textbackd.pbx.records.cdr import START, Fields
from textbackd.pbx.records.texts import BLOCK_ROWS, Block, chooser

TIMEOUT: Final = 10  # seconds
PATIENCE: Final = 300  # seconds, where all rows are asked for: without an index the server sorts them first
TABLE: Final = "cdr"
# Rows are chosen by their start, and wanted by their end; a call may last long, and the server's zone is not known.
BEFORE: Final = timedelta(hours=12 + 14)
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # nine years before there was an Asterisk
# `localhost` means the socket to everything else that speaks to MySQL, and FreePBX's user may only come from there.
SOCKETS: Final = ("/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock")
CODES: Final = {
    1044: "The user may not use this database: GRANT SELECT on its table cdr.",
    1045: "User or password is wrong, or the user may not come from here. FreePBX has them in /etc/freepbx.conf.",
    1049: "There is no such database; FreePBX's is asteriskcdrdb.",
    1142: "The user may not read the table: GRANT SELECT on it.",
    1146: "The database has no table cdr; FreePBX's is in asteriskcdrdb.",
    1698: "User or password is wrong, or the user may not come from here. FreePBX has them in /etc/freepbx.conf.",
    2002: "No server answers there. Is MariaDB running?",
    2003: "No server answers there. Is MariaDB running?",
    2013: "The server was lost while it answered. Is it running?",
}


def read_address(source: str) -> Address:
    """Return where the database is: at a socket, if it is on this machine and no port is given. Raises TextbackdError."""
    address = parts_of(source)
    usual = None if address.port_given else _usual_socket(address.host)
    return replace(address, socket=address.socket or usual)


def _usual_socket(host: str) -> str | None:
    if host != "localhost":
        return None
    return next((path for path in SOCKETS if Path(path).is_socket()), None)


def fields(source: str, since: datetime) -> Iterator[Fields | None]:
    """Yield the rows that may have ended since then, newest first. Raises TextbackdError, without the password."""
    with _rows(source, since, "DESC", TIMEOUT) as (names, cursor):
        for row in cursor:
            yield dict(zip(names, map(_text, row), strict=True))


def blocks(source: str, since: datetime) -> Iterator[Block]:
    """Yield the rows that may have ended since then, oldest first. Raises TextbackdError, without the password."""
    with _rows(source, since, "ASC", PATIENCE) as (names, cursor):
        choose = chooser(names)
        while some := cursor.fetchmany(BLOCK_ROWS):
            yield Block([choose([*map(_text, row), ""]) for row in some])


@contextmanager
def _rows(source: str, since: datetime, order: str, patience: int) -> Iterator[tuple[list[str], SSCursor]]:
    """Ask for the rows, and tell their columns."""
    address = read_address(source)
    try:
        with closing(_connect(address, patience)) as connection, closing(connection.cursor()) as cursor:
            start = _start_column(cursor, address)
            cursor.execute(
                f"SELECT * FROM `{TABLE}` WHERE `{start}` >= %s ORDER BY `{start}` {order}",  # noqa: S608  # a name out of the database
                [(max(since, EARLIEST) - BEFORE).replace(tzinfo=None).isoformat(" ", "seconds")],
            )
            yield [column[0].lower() for column in cursor.description], cursor
    except (pymysql.Error, OSError) as error:
        raise TextbackdError(f"{address}: {_complaint(error)}") from error


def _connect(address: Address, patience: int) -> "pymysql.Connection[SSCursor]":
    return pymysql.connect(
        user=address.user,
        password=address.password,
        host=address.host,
        port=address.port,
        database=address.database,
        unix_socket=address.socket,
        charset="utf8mb4",
        connect_timeout=TIMEOUT,
        read_timeout=patience,
        write_timeout=TIMEOUT,
        cursorclass=SSCursor,
    )


def _start_column(cursor: SSCursor, address: Address) -> str:
    cursor.execute(f"SHOW COLUMNS FROM `{TABLE}`")
    columns = {str(row[0]).lower(): str(row[0]) for row in cursor.fetchall()}
    name = next((columns[name] for name in START if name in columns), None)
    if name is None:
        raise TextbackdError(f"{address}: its table cdr has no column calldate or start, so it is not Asterisk's.")
    return name


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _complaint(error: Exception) -> str:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    return f"cannot be read (error {code}). {CODES.get(code, str(error.args[-1] if error.args else error))}"
