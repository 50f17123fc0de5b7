"""What Asterisk wrote down of its calls: CDR in a file or database, and queue_log.   files → here → core/from_records.py, report/

One file per kind of record; `cdr.py` makes rows of what they hold. Everything here blocks, so call it from a thread.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from textbackd.pbx.records import csv_file, sqlite
from textbackd.pbx.records.cdr import CdrRows
from textbackd.pbx.records.queue_log import read_queue_log, stream_queue_log
from textbackd.pbx.records.texts import Block

__all__ = [
    "Block",
    "CdrRows",
    "read_cdr",
    "read_queue_log",
    "sample_cdr",
    "stream_cdr",
    "stream_queue_log",
    "usual_queue_log",
]

POSTGRES: Final = "postgresql://"
HERE: Final = re.compile(r"@(localhost|127\.0\.0\.1|\[::1\])?(:\d+)?/[^@]*$")
PLACES: Final = 24  # of a sample, all over the files
USUAL_QUEUE_LOG: Final = Path("/var/log/asterisk/queue_log")


def read_cdr(source: str, *, since: datetime, tz: ZoneInfo) -> CdrRows:
    """Return the rows that ended at or after `since`, in no particular order; bad ones are skipped and counted in `skipped`.

    `source` is the path of a CSV file, `sqlite:///path`, `mysql://user:password@host/database` or `postgresql://…`. `since` is
    aware. Asterisk writes local times: `tz` is the zone of its machine, unless the uniqueids show that the times are UTC
    (`usegmtime`). Iterating raises TextbackdError, one sentence without the password, for a source that cannot be read.
    """
    if source.startswith("mysql://"):
        from textbackd.pbx.records import mysql  # noqa: PLC0415  # most shops have no MySQL, and its import is slow

        return CdrRows(mysql.fields(source, since), since=since, tz=tz, bounded=True)
    if source.startswith(POSTGRES):
        from textbackd.pbx.records import postgresql  # noqa: PLC0415  # an extra, which few need

        return CdrRows(postgresql.fields(source, since, tz), since=since, tz=tz, bounded=True)
    if source.startswith("sqlite://"):
        return CdrRows(sqlite.fields(Path(source.removeprefix("sqlite://"))), since=since, tz=tz)
    return CdrRows(csv_file.fields(Path(source), since), since=since, tz=tz)


def stream_cdr(source: str, *, since: datetime, tz: ZoneInfo) -> Iterator[Block]:
    """Yield the rows of a source as texts in blocks, oldest first, for whoever reads all of them; some before `since` may be among them.

    Raises TextbackdError as above.
    """
    if source.startswith("mysql://"):
        from textbackd.pbx.records import mysql  # noqa: PLC0415

        return mysql.blocks(source, since)
    if source.startswith(POSTGRES):
        from textbackd.pbx.records import postgresql  # noqa: PLC0415

        return postgresql.blocks(source, since, tz)
    if source.startswith("sqlite://"):
        return sqlite.blocks(Path(source.removeprefix("sqlite://")))
    return csv_file.blocks(Path(source), since)


def sample_cdr(source: str, *, since: datetime, tz: ZoneInfo) -> Iterator[Block]:
    """Yield rows from all over a source: of large files some, of a database all. Raises TextbackdError."""
    if "://" in source:
        return stream_cdr(source, since=since, tz=tz)
    return csv_file.sampled(Path(source), since, places=PLACES)


def usual_queue_log(source: str) -> Path | None:
    """Return the queue_log that belongs to a CDR, if it is where Asterisk puts it; None if it is not there, or on another machine."""
    if "://" not in source:
        path = Path(source).parent.parent / "queue_log"
    elif source.startswith("sqlite://") or HERE.search(source):
        path = USUAL_QUEUE_LOG
    else:
        return None
    return path if path.is_file() else None
