"""CDR in SQLite, as cdr_sqlite3_custom writes it: the columns are what the shop's configuration names them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from textbackd.errors import TextbackdError
from textbackd.pbx.records.cdr import START, Fields
from textbackd.pbx.records.texts import BLOCK_ROWS, Block, chooser

USUAL_TABLE: Final = "cdr"
NEEDED: Final = frozenset({"channel", "dstchannel", "disposition"})
BUSY_TIMEOUT: Final = 5.0  # seconds; Asterisk writes in between


def fields(path: Path) -> Iterator[Fields | None]:
    """Yield the rows, newest first. Raises TextbackdError for a file that is no such database."""
    with _opened(path) as (database, table):
        rows = database.execute(f'SELECT * FROM "{table}" ORDER BY rowid DESC')  # noqa: S608  # a name out of the database itself
        names = [column[0].lower() for column in rows.description]
        for row in rows:
            yield {name: "" if value is None else str(value) for name, value in zip(names, row, strict=True)}


def blocks(path: Path) -> Iterator[Block]:
    """Yield the rows, oldest first. Raises TextbackdError for a file that is no such database."""
    with _opened(path) as (database, table):
        (last,) = database.execute(f'SELECT max(rowid) FROM "{table}"').fetchone()  # noqa: S608
        rows = database.execute(f'SELECT *, rowid FROM "{table}" ORDER BY rowid')  # noqa: S608
        choose = chooser([column[0].lower() for column in rows.description[:-1]])
        while some := rows.fetchmany(BLOCK_ROWS):
            texts = [choose([*("" if v is None else str(v) for v in row[:-1]), ""]) for row in some]
            yield Block(texts, done=some[-1][-1] / last)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[sqlite3.Connection, str]]:
    """Open the database and find its table."""
    try:
        if not path.is_file():
            raise TextbackdError(f"sqlite://{path}: there is no such file. Check the path in cdr_sqlite3_custom.conf.")
        address = f"file:{quote(str(path))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT)) as database:
            database.text_factory = lambda text: text.decode("utf-8", "replace")
            yield database, _the_table(database, path)
    except (sqlite3.Error, OSError) as error:
        raise TextbackdError(
            f"sqlite://{path}: cannot be read ({error}). Check that it is the CDR database and that the user that runs "
            "textbackd may read it."
        ) from error


def _the_table(database: sqlite3.Connection, path: Path) -> str:
    table = _table(database)
    if table is None:
        raise TextbackdError(
            f"sqlite://{path}: has no table with the columns channel, dstchannel, disposition and calldate or start. "
            "See cdr_sqlite3_custom.conf."
        )
    return table


def _table(database: sqlite3.Connection) -> str | None:
    """Return the table `cdr`, or whichever has its columns."""
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    fitting = [table for table in tables if '"' not in table and _fits(database, table)]
    return next((table for table in fitting if table.lower() == USUAL_TABLE), fitting[0] if fitting else None)


def _fits(database: sqlite3.Connection, table: str) -> bool:
    columns = {row[1].lower() for row in database.execute(f'PRAGMA table_info("{table}")')}
    return columns >= NEEDED and bool(columns & set(START))
