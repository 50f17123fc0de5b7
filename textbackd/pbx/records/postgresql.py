"""CDR in PostgreSQL, as cdr_pgsql or cdr_adaptive_odbc writes it: table cdr, `calldate` or `start` = start.

Columns are what the shop's table has (Asterisk's contrib/realtime/postgresql/cdr.sql). A column with a zone is read in the PBX's.
The driver is the extra `postgresql`: pg8000, which needs no library of the system.
"""

import importlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from textbackd.errors import TextbackdError
from textbackd.pbx.records.address import Address, read_address
from textbackd.pbx.records.cdr import ANSWER, END, START, Fields
from textbackd.pbx.records.texts import BLOCK_ROWS, Block, chooser

TIMEOUT: Final = 10  # seconds
PATIENCE: Final = 300  # seconds, where all rows are asked for: without an index the server sorts them first
TABLE: Final = "cdr"
BEFORE: Final = timedelta(hours=12 + 14)  # rows are chosen by their start and wanted by their end; see mysql.py
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # nine years before there was an Asterisk
# SQLSTATE, PostgreSQL's documentation, appendix A.
CODES: Final = {
    "28P01": "User or password is wrong.",
    "28000": "The user may not connect from here: see pg_hba.conf.",
    "3D000": "There is no such database.",
    "42P01": "The database has no table cdr.",
    "42501": "The user may not read the table: GRANT SELECT ON cdr.",
}
TIMES: Final = frozenset({*START, *ANSWER, *END})

Run = Any  # pg8000's Connection; the driver may not be there


def fields(source: str, since: datetime, tz: ZoneInfo) -> Iterator[Fields | None]:
    """Yield the rows that may have ended since then, newest first. Raises TextbackdError, without the password."""
    for names, rows in _rows(source, since, tz, "DESC", TIMEOUT):
        yield from (dict(zip(names, row, strict=True)) for row in rows)


def blocks(source: str, since: datetime, tz: ZoneInfo) -> Iterator[Block]:
    """Yield the rows that may have ended since then, oldest first. Raises TextbackdError, without the password."""
    for names, rows in _rows(source, since, tz, "ASC", PATIENCE):
        choose = chooser(names)
        yield Block([choose([*row, ""]) for row in rows])


def _rows(
    source: str, since: datetime, tz: ZoneInfo, order: str, patience: int
) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield the columns' names and some rows, as texts, again and again."""
    address, native = read_address(source), _driver()
    errors = (native.DatabaseError, native.InterfaceError, OSError)
    try:
        with closing(_connect(native, address, patience)) as connection:
            columns, start = _columns(connection, address)
            connection.run(f"SET TIME ZONE '{tz.key}'")
            connection.run("BEGIN READ ONLY")
            # A cursor of the server: the driver holds all rows of a plain SELECT.
            connection.run(
                f"DECLARE rows NO SCROLL CURSOR FOR SELECT {_texts(columns)} FROM {TABLE} "  # noqa: S608  # names out of the database
                f'WHERE "{start}" >= CAST(:since AS timestamp) ORDER BY "{start}" {order}',
                since=(max(since, EARLIEST) - BEFORE).replace(tzinfo=None).isoformat(" ", "seconds"),
            )
            while rows := connection.run(f"FETCH {BLOCK_ROWS} FROM rows"):
                yield [name.lower() for name in columns], [["" if v is None else v for v in row] for row in rows]
    except errors as error:
        raise TextbackdError(f"{address}: {_complaint(error)}") from error


def _driver() -> Any:
    try:
        return importlib.import_module("pg8000.native")
    except ImportError as error:
        raise TextbackdError(
            "postgresql://…: its driver is not installed. Run `.venv/bin/pip install pg8000`, or write the table to a CSV file."
        ) from error


def _connect(native: Any, address: Address, patience: int) -> Run:
    return native.Connection(
        address.user,
        password=address.password,
        host=address.host,
        port=address.port,
        database=address.database,
        unix_sock=address.socket,
        timeout=patience,
    )


def _columns(connection: Run, address: Address) -> tuple[dict[str, str], str]:
    """Return the columns of the table with their types, and which of them is the start."""
    found = connection.run(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_name = :name AND table_schema = ANY (current_schemas(false)) ORDER BY ordinal_position",
        name=TABLE,
    )
    columns = {str(name): str(kind) for name, kind in found if '"' not in name}
    start = next((name for wanted in START for name in columns if name.lower() == wanted), None)
    if start is None:
        raise TextbackdError(f"{address}: it has no table cdr with a column calldate or start that the user may read.")
    return columns, start


def _texts(columns: dict[str, str]) -> str:
    return ", ".join(_text(name, kind) for name, kind in columns.items())


def _text(name: str, kind: str) -> str:
    if name.lower() in TIMES and kind.startswith("timestamp"):
        # What has a zone becomes the wall clock of the session's.
        return f"CAST(date_trunc('second', CAST(\"{name}\" AS timestamp)) AS text)"
    return f'CAST("{name}" AS text)'


def _complaint(error: Exception) -> str:
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    code = str(told.get("C", ""))
    if isinstance(error, OSError) or not code:
        return "No server answers there. Is PostgreSQL running?"
    return f"cannot be read (error {code}). {CODES.get(code, str(told.get('M', '')))}".rstrip()
