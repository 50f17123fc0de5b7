"""A month of a shop's calls as Asterisk wrote them down: what was told in words becomes rows of a CDR.   here → test_leak_month.py

Each kind of call has the rows that a real Asterisk 22 writes for it (tests/traces/asterisk22/*.cdr.csv).
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

DENVER: Final = ZoneInfo("America/Denver")
PHONE, MOBILE, NOBODY = "PJSIP/101-{}", "PJSIP/trunk-9{}", ""
MASTER: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end",
    "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip


class Leg(NamedTuple):
    """One row: from and to in seconds after the call began."""

    app: str
    data: str
    to: str
    disposition: str
    begins: int
    ends: int
    answered: int | None = None
    dst: str = ""
    context: str = "from-trunk"


KINDS: Final[Mapping[str, Sequence[Leg]]] = {
    "answered": [Leg("Dial", "PJSIP/101,30", PHONE, "ANSWERED", 0, 95, 5)],
    "gave up": [Leg("Dial", "PJSIP/101,30", PHONE, "NO ANSWER", 0, 12)],
    "short": [Leg("Dial", "PJSIP/101,30", PHONE, "NO ANSWER", 0, 2)],
    "no answer": [Leg("Dial", "PJSIP/101,30", PHONE, "NO ANSWER", 0, 30)],
    "busy": [Leg("Dial", "PJSIP/101,30", PHONE, "BUSY", 0, 1)],
    "unreachable": [Leg("Dial", "PJSIP/101,30", PHONE, "FAILED", 0, 1)],
    "voicemail": [
        Leg("Dial", "PJSIP/101,20", PHONE, "NO ANSWER", 0, 20),
        Leg("VoiceMail", "101@default,su", NOBODY, "ANSWERED", 20, 33, 20),
    ],
    "menu": [Leg("BackGround", "welcome", NOBODY, "ANSWERED", 0, 14, 0, "s", "ivr-1")],
    "closed": [Leg("Hangup", "", NOBODY, "ANSWERED", 0, 15, 0)],
    "queue": [Leg("Queue", "sales,t,,,120", PHONE, "NO ANSWER", 0, 25, 0)],
    "mobile": [Leg("Dial", "PJSIP/0711@trunk,30", MOBILE, "ANSWERED", 0, 15, 5)],
    "lost": [
        Leg("Dial", "PJSIP/101,30", PHONE, "ANSWERED", 0, 60, 5),
        Leg("Dial", "PJSIP/102,20", "PJSIP/102-{}", "NO ANSWER", 60, 80),
    ],
    "blacklisted": [Leg("Hangup", "21", NOBODY, "NO ANSWER", 0, 0)],
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One call, in words."""

    at: datetime  # by the clock of Denver
    kind: str  # of KINDS; "out" is a call of the office that was answered, "out, in vain" one that was not
    number: str  # who called, or whom the office called
    line: str = ""


def rows_of(call: Rung, number: int) -> Iterator[dict[str, str]]:
    """Yield the rows of a call."""
    serial = f"{number:07x}"
    name = f"{call.at.replace(tzinfo=DENVER).timestamp():.0f}.{number}"
    if call.kind.startswith("out"):
        answered = call.kind == "out"
        leg = Leg(
            "Dial",
            f"PJSIP/{call.number}@trunk",
            MOBILE,
            "ANSWERED" if answered else "NO ANSWER",
            0,
            40,
            10 if answered else None,
        )
        yield _row(
            leg._replace(dst=call.number, context="from-internal"), call, f"PJSIP/101-0{serial}", "101", serial, name
        )
        return
    for leg in KINDS[call.kind]:
        yield _row(leg, call, f"PJSIP/trunk-0{serial}", call.number, serial, name)


def _row(leg: Leg, call: Rung, channel: str, src: str, serial: str, name: str) -> dict[str, str]:
    answered = leg.answered is not None
    return {
        "accountcode": "", "src": src, "dst": leg.dst or call.line, "dcontext": leg.context, "clid": f'"" <{src}>', "channel": channel,
        "dstchannel": leg.to.format(serial), "lastapp": leg.app, "lastdata": leg.data, "start": _clock(call, leg.begins),
        "answer": _clock(call, leg.answered) if leg.answered is not None else "", "end": _clock(call, leg.ends),
        "duration": str(leg.ends - leg.begins), "billsec": str(leg.ends - (leg.answered or 0)) if answered else "0",
        "disposition": leg.disposition, "amaflags": "DOCUMENTATION", "uniqueid": name, "userfield": "", "peeraccount": "",
        "linkedid": name, "sequence": "0",
    }  # fmt: skip


def _clock(call: Rung, after: int) -> str:
    at = call.at.replace(tzinfo=DENVER).timestamp() + after
    return datetime.fromtimestamp(at, DENVER).strftime("%Y-%m-%d %H:%M:%S")


def all_rows(calls: Iterable[Rung]) -> list[dict[str, str]]:
    """Return the rows of some calls, in the order of their ends."""
    rows = [row for number, call in enumerate(calls) for row in rows_of(call, number)]
    return sorted(rows, key=lambda row: row["end"])


def write_csv(
    path: Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str] = (*MASTER, "uniqueid", "userfield")
) -> Path:
    """Write a Master.csv, whose texts are quoted and whose numbers and empty times are not."""
    with path.open("w", newline="") as file:
        for row in rows:
            file.write(",".join(_quoted(name, row[name]) for name in columns) + "\n")
    return path


def _quoted(name: str, value: str) -> str:
    if name in ("duration", "billsec", "sequence") or (name == "answer" and not value):
        return value
    return '"' + value.replace('"', '""') + '"'


def write_with_header(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Write a table as a person exports it: columns of FreePBX, with a header."""
    names = ["calldate", *(name for name in rows[0] if name not in ("start", "end", "answer"))]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, "calldate": row["start"]} for row in rows)
    return path


def day(number: int, clock: str) -> datetime:
    """Return a moment of March 2026."""
    hours, minutes = clock.split(":")
    return datetime(2026, 3, number, int(hours), int(minutes))  # noqa: DTZ001  # a wall clock


def weekly(
    plan: Iterable[tuple[str, str, str, str, str]], who: Callable[[str, int], str], weeks: Sequence[int]
) -> Iterator[Rung]:
    """Yield the calls of a week's plan (day, time, caller, kind, line) for weeks that begin on these days of March."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    for number, monday in enumerate(weeks):
        for weekday, clock, caller, kind, line in plan:
            yield Rung(day(monday, clock) + timedelta(days=names.index(weekday)), kind, who(caller, number), line)
