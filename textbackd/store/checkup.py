"""How the database is, looked at without changing it, whether or not the daemon runs.   `textbackd doctor`

Opened read-only and never migrated. A database that nobody has open, and that needs no recovery, is opened as immutable: SQLite would
otherwise make the files of its log anew. Of a daemon that was killed it may make the index of the log, which belongs to the owner of the
database also when root looks.   sqlite.org/uri.html, sqlite.org/wal.html
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import sqlite_utils

from textbackd.store import halts, outbox
from textbackd.store.database import moment_of, unusable
from textbackd.store.halts import Halt
from textbackd.store.migrations import MIGRATION_NAMES, MIGRATIONS

SECONDS: Final = 5.0  # that a writer is waited for
LONGEST: Final = 200  # characters of what SQLite says is damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What a look at the database tells."""

    damage: str = ""  # SQLite's words; "": none was found
    pending: tuple[str, ...] = ()  # migrations that the next start makes
    unheard: tuple[str, ...] = ()  # migrations of a newer version
    texts: dict[str, int] = field(default_factory=dict)  # state → how many
    halts: tuple[Halt, ...] = ()
    last_calls: dict[str, datetime] = field(default_factory=dict)  # PBX → the end of its last call from outside


def check_up(path: Path, now: datetime) -> Checkup:
    """Return how the database is. Raises StorageError with one sentence if it cannot be read at all."""
    try:
        with closing(_read_only(path)) as connection:
            return _looked_at(sqlite_utils.Database(connection), now)
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error


def _read_only(path: Path) -> sqlite3.Connection:
    is_open = path.with_name(path.name + "-wal").exists()
    mode = "mode=ro" if is_open else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?{mode}", uri=True, timeout=SECONDS)


def _looked_at(db: sqlite_utils.Database, now: datetime) -> Checkup:
    said = [row[0] for row in db.execute("PRAGMA quick_check(3)").fetchall()]
    damage = "" if said == ["ok"] else "; ".join(map(str, said))[:LONGEST]
    applied = {migration.name for migration in MIGRATIONS.applied(db)}
    pending = tuple(name for name in MIGRATION_NAMES if name not in applied)
    if pending or damage:  # tables may not be there yet, or not be readable
        return Checkup(damage=damage, pending=pending, unheard=tuple(sorted(applied - set(MIGRATION_NAMES))))
    return Checkup(
        unheard=tuple(sorted(applied - set(MIGRATION_NAMES))),
        texts=outbox.counts(db),
        halts=tuple(halts.active(db, now)),
        last_calls=_last_calls(db),
    )


def _last_calls(db: sqlite_utils.Database) -> dict[str, datetime]:
    query = "SELECT pbx, max(ended_at) FROM calls WHERE direction = 'inbound' GROUP BY pbx"
    return {row[0]: moment_of(row[1]) for row in db.execute(query)}
