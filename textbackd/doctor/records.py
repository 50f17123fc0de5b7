"""Are the PBX's call records there, readable, new and complete enough to catch up with?   pbx/records → here → examination.py

What Asterisk writes and when: docs/AMI.md, "Not connected, restarted"; configs/samples/cdr.conf.sample.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from textbackd.config.service_user import SERVICE_USER
from textbackd.core.from_records import CdrRow
from textbackd.doctor import access
from textbackd.doctor.access import Step
from textbackd.doctor.findings import Finding, fault, note, warning
from textbackd.errors import TextbackdError
from textbackd.pbx.records import read_cdr, usual_queue_log

LOOK_BACK: Final = timedelta(days=30)
MOST_ROWS: Final = 20_000  # enough for a month of a busy shop
OLD: Final = timedelta(days=4)  # a long weekend has no calls
LAG: Final = timedelta(hours=1)  # a row comes when the call ends
RELOAD: Final = "asterisk -rx 'module reload cdr'"
_UNANSWERED: Final = re.compile(r"^\s*unanswered\s*=\s*(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is known of the records of one PBX."""

    pbx: str
    source: str | None  # as people may see it; None: none is named
    usual: Path | None = None  # where Asterisk puts it, if it is there and none is named
    error: str = ""  # why it cannot be read, a sentence
    way: Sequence[Step] = ()  # to the file, if the service's user may not read it
    rows: Sequence[CdrRow] = field(default=(), repr=False)  # the newest, newest first
    last_seen: datetime | None = None  # the end of the last call that we saw by ourselves
    unanswered: bool | None = None  # cdr.conf writes calls that nobody took and that never rang; None: not known
    queue_log_way: Sequence[Step] = ()  # to the queue_log, if the service's user may not read it

    @property
    def subject(self) -> str:
        """Where the finding belongs."""
        return f"pbx.{self.pbx}.cdr"


# ---- judged


def judge(records: Records, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the records of one PBX."""
    if records.source is None:
        yield from _unnamed(records)
        return
    if records.error:
        yield fault(records.subject, records.error, "asterisk -rx 'cdr show status'")
    if records.way:
        what = (
            "The service's user may not read the call records, so calls missed during an outage are not caught up with."
        )
        yield fault(records.subject, what, *access.letting_in(list(records.way)))
    if not records.error:
        yield from _age(records, now)
        yield from _completeness(records)
    if records.queue_log_way:
        what = "The service's user may not read queue_log, so callers lost in a queue during an outage are not caught up with."
        yield warning(records.subject, what, *access.letting_in(list(records.queue_log_way)))


def _unnamed(records: Records) -> Iterator[Finding]:
    if records.usual is not None:
        what = "Asterisk keeps call records that are not used: calls missed during an outage could be caught up with."
        yield note(records.subject, what, f"# textbackd.yaml, pbx.{records.pbx}:", f"cdr: {records.usual}")


def _age(records: Records, now: datetime) -> Iterator[Finding]:
    newest = max((row.ended_at for row in records.rows), default=None)
    if newest is None:
        days = LOOK_BACK.days
        yield warning(records.subject, f"There is no record of the last {days} days.", "asterisk -rx 'cdr show status'")
    elif records.last_seen is not None and records.last_seen - newest > LAG:
        what = f"The last record is of {_day(newest)}, but calls came in later: Asterisk does not write them there any more."
        yield warning(records.subject, what, "asterisk -rx 'cdr show status'")
    elif now - newest > OLD:
        what = f"The last record is of {_day(newest)}. If there were calls since, Asterisk does not write them there any more."
        yield warning(records.subject, what, "asterisk -rx 'cdr show status'")


def _completeness(records: Records) -> Iterator[Finding]:
    if records.rows and not any(row.uniqueid for row in records.rows):
        what = "The records name no calls, so after an outage they are matched by caller and time alone."
        yield warning(records.subject, what, "# /etc/asterisk/cdr.conf, section [csv]:", "loguniqueid = yes", RELOAD)
    if records.unanswered is False:
        what = "Calls that ended before a phone rang leave no record, so those of an outage are never known."
        yield note(records.subject, what, "# /etc/asterisk/cdr.conf, section [general]:", "unanswered = yes", RELOAD)


def _day(moment: datetime) -> str:
    return moment.astimezone().strftime("%d %b %H:%M")


# ---- gathered


def gather(
    pbx: str,
    source: str | None,
    *,
    tz: ZoneInfo,
    now: datetime,
    last_seen: datetime | None,
    etc: Path = Path("/etc/asterisk"),
    usual: Path = Path("/var/log/asterisk/cdr-csv/Master.csv"),
    user: str = SERVICE_USER,
) -> Records:
    """Read the newest rows and look who else may. Reads only; `source` may hold a password, what is returned does not."""
    if source is None:
        return Records(pbx=pbx, source=None, usual=usual if usual.is_file() else None)
    file = _file(source)
    rows, error = _rows(source, tz=tz, now=now)
    log = usual_queue_log(source)
    return Records(
        pbx=pbx,
        source=str(file or source.partition("://")[0]),
        error=error,
        way=_closed_way(file, user) if file and file.exists() else (),
        rows=rows,
        last_seen=last_seen,
        unanswered=_unanswered(etc / "cdr.conf") if file else None,
        queue_log_way=_closed_way(log, user) if log else (),
    )


def _file(source: str) -> Path | None:
    if "://" not in source:
        return Path(source)
    return Path(source.removeprefix("sqlite://")) if source.startswith("sqlite://") else None


def _rows(source: str, *, tz: ZoneInfo, now: datetime) -> tuple[Sequence[CdrRow], str]:
    try:
        return tuple(islice(read_cdr(source, since=now - LOOK_BACK, tz=tz), MOST_ROWS)), ""
    except TextbackdError as exc:
        return (), str(exc)


def _closed_way(path: Path, user: str) -> Sequence[Step]:
    return access.way_to(path) if access.may_read(path, user) is False else ()


def _unanswered(path: Path) -> bool | None:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = _UNANSWERED.search(text)
    return found is not None and found[1].casefold() in ("yes", "true", "on", "1", "y", "t")
