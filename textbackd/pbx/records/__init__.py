"""What Asterisk wrote down of its calls: CDR in a CSV file, SQLite or MySQL, and queue_log.   files → here → core/from_records.py

One file per kind of record; `cdr.py` makes rows of what they hold. Everything here blocks, so call it from a thread.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from textbackd.pbx.records import csv_file, sqlite
from textbackd.pbx.records.cdr import CdrRows
from textbackd.pbx.records.queue_log import read_queue_log

__all__ = ["CdrRows", "read_cdr", "read_queue_log", "usual_queue_log"]

HERE: Final = re.compile(r"@(localhost|127\.0\.0\.1|\[::1\])?(:\d+)?/[^@]*$")
USUAL_QUEUE_LOG: Final = Path("/var/log/asterisk/queue_log")


def read_cdr(source: str, *, since: datetime, tz: ZoneInfo) -> CdrRows:
    """Return the rows that ended at or after `since`, in no particular order; bad ones are skipped and counted in `skipped`.

    `source` is the path of a CSV file, `sqlite:///path` or `mysql://user:password@host/database`. `since` is aware. Asterisk
    writes local times: `tz` is the zone of its machine, unless the uniqueids show that the times are UTC (`usegmtime`). Iterating
    raises TextbackdError, one sentence without the password, for a source that cannot be read.
    """
    if source.startswith("mysql://"):
        from textbackd.pbx.records import mysql  # noqa: PLC0415  # most shops have no MySQL, and its import is slow

        return CdrRows(mysql.fields(source, since), since=since, tz=tz, bounded=True)
    if source.startswith("sqlite://"):
        return CdrRows(sqlite.fields(Path(source.removeprefix("sqlite://"))), since=since, tz=tz)
    return CdrRows(csv_file.fields(Path(source), since), since=since, tz=tz)


def usual_queue_log(source: str) -> Path | None:
    """Return the queue_log that belongs to a CDR, if it is where Asterisk puts it; None if it is not there, or on another machine."""
    if "://" not in source:
        path = Path(source).parent.parent / "queue_log"
    elif source.startswith("sqlite://") or HERE.search(source):
        path = USUAL_QUEUE_LOG
    else:
        return None
    return path if path.is_file() else None
