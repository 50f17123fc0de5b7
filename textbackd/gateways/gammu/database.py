"""One conversation with gammu-smsd's database, SQLite or MariaDB.   gammu/tables.py → here → file or server

Each conversation has a connection of its own, in whatever thread it runs, and short time-outs. What goes wrong is told as
`FaultError`, with what that proves.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import pymysql
from pymysql.cursors import DictCursor

from textbackd.gateways.base import Fate

Row = Mapping[str, Any]
TIMEOUT: Final = timedelta(seconds=10)
_TABLES: Final = "the tables are not there; gammu's documentation has them in sqlite.sql and mysql.sql"
_RIGHTS: Final = "the user may not write the tables"
_NO_SERVER: Final = "no database server answers there"
_NOT_OURS: Final = (
    "textbackd must be able to write the file and its folder; put its user into the group that owns them, and give that "
    "group the rights (chmod g+rw on the file, g+rwx on the folder)"
)
# What MariaDB's errors mean for a person; what is not here is told with its number, and may pass by itself.
UNFIT: Final[Mapping[int, str]] = {
    1044: "the user may not use this database", 1045: "user or password is wrong", 1049: "there is no such database",
    1054: "the tables are another version of gammu-smsd's", 1142: _RIGHTS, 1143: _RIGHTS, 1146: _TABLES,
    1290: "the server is read-only", 1698: "user or password is wrong",
}  # fmt: skip
GONE: Final[Mapping[int, str]] = {2002: _NO_SERVER, 2003: _NO_SERVER, 2006: _NO_SERVER, 2013: _NO_SERVER}


class FaultError(Exception):
    """The database cannot be used; `fate` is NOT_SENT for what may pass, GATEWAY_UNFIT for what a person must mend."""

    def __init__(self, words: str, fate: Fate) -> None:
        super().__init__(words)
        self.fate = fate


@dataclass(frozen=True, slots=True)
class Done:
    """What a statement did."""

    rows: Sequence[Row]
    changed: int
    new_id: int


Run = Callable[[str, Sequence[Any]], Done]


class Database(Protocol):
    """A place with gammu-smsd's tables."""

    ago: str  # SQL for "so many seconds ago" in the clock of the column UpdatedInDB, with one parameter

    def conversation(self) -> Any:
        """Return a context with a `Run`; what was done in it is committed at its end. Raises FaultError."""


class Sqlite:
    """A file, as libdbi's sqlite3 driver uses it."""

    ago = "datetime('now', '-' || ? || ' seconds')"

    def __init__(self, path: Path, *, timeout: timedelta = TIMEOUT) -> None:
        self._path, self._timeout = path, timeout

    @contextmanager
    def conversation(self) -> Iterator[Run]:
        """See Database."""
        try:
            with closing(self._connection()) as connection:
                yield lambda sql, values: _done(connection.execute(sql, values))
                connection.commit()
        except sqlite3.Error as exc:
            raise self._fault(exc) from exc

    def _connection(self) -> sqlite3.Connection:
        # Opened for writing but never made: an empty file in its place would be worse than none.
        address = f"{self._path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=self._timeout.total_seconds(), isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            # The lock for writing is taken at once: it cannot be lost half-way to the other writer.
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _fault(self, exc: sqlite3.Error) -> FaultError:
        said = str(exc)
        if "no such table" in said or "no such column" in said or "no column named" in said:
            return FaultError(f"{self._path}: {_TABLES}", Fate.GATEWAY_UNFIT)
        folder = self._path.parent
        if folder.is_dir() and not self._path.exists():
            return FaultError(f"{self._path} is not there", Fate.NOT_SENT)
        # SQLite writes its journal into the folder.
        if not (_may(self._path, os.R_OK | os.W_OK) and _may(folder, os.W_OK | os.X_OK)):
            return FaultError(f"{self._path}: {_NOT_OURS}", Fate.GATEWAY_UNFIT)
        if "not a database" in said:
            return FaultError(f"{self._path} is no SQLite database", Fate.GATEWAY_UNFIT)
        return FaultError(f"{self._path}: {said}", Fate.NOT_SENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a MariaDB server is, and as whom."""

    host: str
    port: int
    socket: str | None
    user: str
    password: str
    database: str

    def __repr__(self) -> str:
        return f"{self.user}@{self.host}/{self.database}"


class MySql:
    """A MariaDB or MySQL server."""

    ago = "NOW() - INTERVAL ? SECOND"

    def __init__(self, server: Server, *, timeout: timedelta = TIMEOUT) -> None:
        self._server, self._timeout = server, timeout

    @contextmanager
    def conversation(self) -> Iterator[Run]:
        """See Database. Gammu's own script makes MyISAM tables, which keep each statement and know no commit."""
        try:
            with closing(self._connection()) as connection, closing(connection.cursor()) as cursor:

                def run(sql: str, values: Sequence[Any]) -> Done:
                    changed = cursor.execute(sql.replace("%", "%%").replace("?", "%s"), values)
                    return Done(cursor.fetchall() if cursor.description else (), changed, cursor.lastrowid)

                yield run
                connection.commit()
        except (pymysql.Error, OSError) as exc:
            raise self._fault(exc) from exc

    def _connection(self) -> "pymysql.Connection[DictCursor]":
        server, seconds = self._server, max(1, round(self._timeout.total_seconds()))
        return pymysql.connect(
            host=server.host, port=server.port, unix_socket=server.socket, user=server.user, password=server.password,
            database=server.database, charset="utf8mb4", cursorclass=DictCursor,
            connect_timeout=seconds, read_timeout=seconds, write_timeout=seconds,
        )  # fmt: skip

    def _fault(self, exc: Exception) -> FaultError:
        code = exc.args[0] if exc.args and isinstance(exc.args[0], int) else 0
        if code in UNFIT:
            return FaultError(f"{self._server}: {UNFIT[code]} (error {code})", Fate.GATEWAY_UNFIT)
        words = GONE.get(code, "the database failed")
        return FaultError(f"{self._server}: {words} (error {code})", Fate.NOT_SENT)


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=True)


def _done(cursor: sqlite3.Cursor) -> Done:
    return Done([dict(row) for row in cursor.fetchall()], cursor.rowcount, cursor.lastrowid or 0)
