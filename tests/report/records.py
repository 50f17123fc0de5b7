"""Rows for the tests of reports, and the careful way to judge them, which the quick one has to agree with."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from textbackd.core.find_trunks import Glimpse, find_trunks
from textbackd.core.from_records import QueueEvent, calls_from_records, has_name
from textbackd.core.leak import OUTBOUND
from textbackd.core.merge import merged
from textbackd.core.missed import Circumstances, judge
from textbackd.core.shape import in_words
from textbackd.core.trunk import Trunks
from textbackd.pbx.records import Block
from textbackd.pbx.records.texts import CHANNEL, DCONTEXT, DID, DST, DSTCHANNEL, NAMES, SRC, Texts, row_of
from textbackd.report.quick_calls import Finished, Office
from textbackd.report.stream import Stream

Told = tuple[int, str, int, str, str, str]  # ended, name, began, what was said of it, number, line

UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def row(
    app: str = "Dial",
    to: str = "PJSIP/101-00000002",
    disposition: str = "NO ANSWER",
    *,
    begins: int = 0,
    lasts: int = 10,
    answered: int | None = None,
    base: datetime = NOON,
    **changed: Any,
) -> Texts:
    """Return a row of a caller's channel as a source holds it; times in seconds after noon."""
    start = base + timedelta(seconds=begins)
    end = start + timedelta(seconds=lasts)
    up = answered if answered is not None else (0 if disposition == "ANSWERED" else None)
    fields: dict[str, Any] = dict.fromkeys(NAMES, "") | {
        "uniqueid": "1795435200.1", "linkedid": "1795435200.1", "channel": "PJSIP/trunk-00000001", "dstchannel": to,
        "src": "+12015550100", "clid": '"Ann" <+12015550100>', "dst": "+13035550101", "dcontext": "from-trunk",
        "lastapp": app, "lastdata": "PJSIP/101,30", "start": written(start), "end": written(end),
        "answer": "" if up is None else written(start + timedelta(seconds=up)), "duration": str(lasts),
        "billsec": "0" if up is None else str(lasts - up), "disposition": disposition,
    }  # fmt: skip
    return tuple(str((fields | changed)[name]) for name in NAMES)


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def trunks_of(rows: Iterable[Texts]) -> set[str]:
    glimpses = (Glimpse(r[CHANNEL], r[DSTCHANNEL], r[SRC], r[DST], r[DCONTEXT], r[DID]) for r in rows)
    return {trunk.name for trunk in find_trunks(glimpses, Trunks())}


def carefully(
    rows: Sequence[Texts], events: Sequence[QueueEvent], names: Collection[str], zone: ZoneInfo = UTC_ZONE
) -> list[Told]:
    """Return the calls as `calls_from_records` finds them, all rows at once."""
    read = [found for texts in rows if (found := row_of(texts, zone))]
    calls = calls_from_records(read, events, pbx="", trunks=Trunks(), known_trunks=names, call_backs=True)
    told = []
    for call in merged(calls):
        said = in_words(judge(call, Circumstances()))
        assert call.ended_at is not None
        assert call.started_at is not None
        numbers = (call.did_presented, "") if said == OUTBOUND else (call.caller_presented, call.did_presented)
        name = call.linkedid if has_name(call) else call.channel
        told.append((int(call.ended_at.timestamp()), name, int(call.started_at.timestamp()), said, *numbers))
    return sorted(told)


def quickly(
    rows: Sequence[Texts],
    events: Sequence[QueueEvent],
    names: Collection[str],
    *,
    zone: ZoneInfo = UTC_ZONE,
    at_once: int = 1000,
) -> list[Told]:
    """Return the calls as they stream by, so many rows at once."""
    stream = Stream(Office(Trunks(), names, zone), events)
    return [told(call) for calls in stream.calls(blocks(rows, at_once)) for call in calls]


def told(call: Finished) -> Told:
    return call.ended, call.name, call.began, call.said, call.number, call.line


def blocks(rows: Sequence[Texts], at_once: int) -> Iterator[Block]:
    for place in range(0, len(rows), at_once):
        yield Block(rows[place : place + at_once])
