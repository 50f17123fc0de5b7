"""gammu-smsd's tables: what we write, read and take back.   gateways/gammu_smsd.py → here → gammu/database.py

Sources: gammu-smsd-tables(7) and gammu-smsd-sql(7), schema version 17, and what gammu-smsd 1.42 was seen to ask for. Its clock
in these tables is the machine's local time where the schema's defaults are UTC (SQLite), so a text with default times would wait
for hours west of Greenwich: every time is written here, as one that is long past. It takes a text by moving SendingTimeOut
into the future in one statement, and asks whether it was the one who did; a row whose SendingTimeOut is ours was never touched.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from textbackd.core.segments import Encoding, segments
from textbackd.gateways.base import DeliveryReport, InboundText, OutboundText
from textbackd.gateways.gammu.database import Database, Row, Run
from textbackd.gateways.long_texts import LongTexts, Part, mended, part_header, part_of
from textbackd.gateways.modem.pdu import validity
from textbackd.gateways.modem.verdicts import CMS, report_words

OURS: Final = "textbackd"
UNTOUCHED: Final = "2000-01-01 00:00:00"
UNFINISHED: Final = "textbackd, not finished"  # a SenderID that no daemon has: nobody takes a text that lacks its parts
CODINGS: Final = {Encoding.GSM7: "Default_No_Compression", Encoding.UCS2: "Unicode_No_Compression"}
USSD: Final = 127
SEEN_WITHIN: Final = timedelta(minutes=5)  # it writes to `phones` every StatusFrequency seconds, 60 by default
LOOK_BACK: Final = timedelta(days=2)
UNREADABLE: Final = "(A message without readable text, for example a picture message.)"


@dataclass(frozen=True, slots=True)
class Status:
    """What a row of sentitems says."""

    words: str
    delivered: bool
    final: bool


# SendingError and Error are the end: the daemon has tried MaxRetries times and has taken the text out of its outbox.
STATUSES: Final[Mapping[str, Status]] = MappingProxyType({
    "SendingOK": Status("sent, no report yet", delivered=False, final=False),
    "SendingOKNoReport": Status("sent without asking for a report", delivered=False, final=False),
    "SendingError": Status("the modem could not send it", delivered=False, final=True),
    "DeliveryOK": Status("delivered", delivered=True, final=True),
    "DeliveryFailed": Status("not delivered", delivered=False, final=True),
    "DeliveryPending": Status("still trying", delivered=False, final=False),
    "DeliveryUnknown": Status("the network does not say what became of it", delivered=False, final=True),
    "Error": Status("gammu-smsd could not handle it", delivered=False, final=True),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Received:
    """A text that came in, and its rows."""

    text: InboundText
    rows: tuple[int, ...]


# --- outwards -----------------------------------------------------------------------------------------------------


def creator(text: OutboundText) -> str:
    """Return what stands in CreatorID, from the outbox to the sent items: our id and until when the text may go out."""
    until = 0 if text.valid_until is None else int(text.valid_until.timestamp())
    return f"{OURS} {text.id} {until}"


def rows_of(run: Run, text_id: str) -> list[str]:
    """Return the reference of every part of a text that gammu has or has had, none if it never had it."""
    like = f"{OURS} {text_id} %"
    where = "WHERE CreatorID LIKE ? AND SenderID <> ?"
    for query in (f"SELECT ID, CreatorID FROM outbox {where}", f"SELECT ID, CreatorID FROM sentitems {where}"):  # noqa: S608
        for row in run(query, (like, UNFINISHED)).rows:
            if _our_id(row["CreatorID"]) == text_id:
                return _references(row["ID"], _count(run, int(row["ID"])))
    return []


def prepare(run: Run, text: OutboundText, *, reference: int, report: bool, now: datetime) -> tuple[int, int]:
    """Write a text where no daemon takes it yet; return its ID and the number of its parts."""
    cut = segments(text.body)
    relative = -1 if text.valid_until is None else validity(text.valid_until - now)
    bodies = [_hex(part) for part in cut.parts]
    headers = [part_header(reference, cut.count, at).hex().upper() for at in range(1, cut.count + 1)]
    headers = headers if cut.count > 1 else [""]
    coding = CODINGS[cut.encoding]
    number = run(
        "INSERT INTO outbox (SendingDateTime, SendingTimeOut, SendBefore, SendAfter, Text, TextDecoded, DestinationNumber,"
        " Coding, UDH, MultiPart, RelativeValidity, SenderID, DeliveryReport, CreatorID)"
        " VALUES (?, ?, '23:59:59', '00:00:00', ?, '', ?, ?, ?, ?, ?, ?, ?, ?)",
        (UNTOUCHED, UNTOUCHED, bodies[0], text.to, coding, headers[0], "true" if cut.count > 1 else "false", relative,
         UNFINISHED, "yes" if report else "no", creator(text)),
    ).new_id  # fmt: skip
    for at, (body, header) in enumerate(zip(bodies[1:], headers[1:], strict=True), start=2):
        run(
            "INSERT INTO outbox_multipart (ID, SequencePosition, Text, TextDecoded, Coding, UDH) VALUES (?, ?, ?, '', ?, ?)",
            (number, at, body, coding, header),
        )
    return number, cut.count


def hand_over(run: Run, number: int, phone: str) -> None:
    """Let the daemons see a prepared text: the one statement after which it is theirs."""
    run("UPDATE outbox SET SenderID = ? WHERE ID = ?", (phone, number))


def sweep(run: Run) -> None:
    """Strike out what was being prepared when we were cut off; no daemon has seen it."""
    for row in run("SELECT ID FROM outbox WHERE SenderID = ?", (UNFINISHED,)).rows:
        run("DELETE FROM outbox_multipart WHERE ID = ?", (row["ID"],))
        run("DELETE FROM outbox WHERE ID = ?", (row["ID"],))


def take_back(run: Run, now: datetime) -> list[DeliveryReport]:
    """Take out of the outbox what no daemon has touched and whose time is over; it is proved that none of it was sent."""
    reports = []
    for row in run("SELECT ID, CreatorID, DestinationNumber FROM outbox WHERE CreatorID LIKE ?", (f"{OURS} %",)).rows:
        until = int(str(row["CreatorID"]).rpartition(" ")[2] or 0)
        if 0 < until <= now.timestamp() and _struck(run, int(row["ID"])):
            reports.append(_taken_back(row))
    return reports


def _struck(run: Run, number: int) -> bool:
    # The daemon's claim and this are one statement each: exactly one of them finds the row untouched.
    taken = run("DELETE FROM outbox WHERE ID = ? AND SendingTimeOut = ? AND Retries = 0", (number, UNTOUCHED)).changed
    if taken:
        run("DELETE FROM outbox_multipart WHERE ID = ?", (number,))
    return bool(taken)


def _taken_back(row: Row) -> DeliveryReport:
    return DeliveryReport(
        reference=f"{row['ID']}.1",
        recipient=row["DestinationNumber"],
        delivered=False,
        final=True,
        detail="taken back: its time was over before gammu-smsd sent it",
        id=_our_id(row["CreatorID"]),
    )


# --- what became of it --------------------------------------------------------------------------------------------


def is_seen(database: Database, run: Run, phone: str) -> bool:
    """Return whether a daemon that sends has written to the database lately."""
    fresh = f"SELECT 1 FROM phones WHERE Send = 'yes' AND (? = '' OR ID = ?) AND UpdatedInDB >= {database.ago}"  # noqa: S608
    return bool(run(fresh, (phone, phone, int(SEEN_WITHIN.total_seconds()))).rows)


def sent(database: Database, run: Run) -> dict[str, tuple[str, DeliveryReport]]:
    """Return the state of each part of our texts that changed lately, by its reference, and what to tell of it."""
    columns = "ID, SequencePosition, Status, StatusError, StatusCode, DestinationNumber, CreatorID"
    lately = f"CreatorID LIKE ? AND UpdatedInDB >= {database.ago}"
    query = f"SELECT {columns} FROM sentitems WHERE {lately} ORDER BY UpdatedInDB, ID, SequencePosition"  # noqa: S608
    rows = run(query, (f"{OURS} %", int(LOOK_BACK.total_seconds()))).rows
    reports = [_report(row) for row in rows]
    return {str(report.reference): (report.detail, report) for report in reports}


def _report(row: Row) -> DeliveryReport:
    status = STATUSES.get(str(row["Status"]), Status(str(row["Status"]), delivered=False, final=False))
    return DeliveryReport(
        reference=f"{row['ID']}.{row['SequencePosition']}",
        recipient=row["DestinationNumber"],
        delivered=status.delivered,
        final=status.final,
        detail=_detail(status, int(row["StatusError"]), int(row["StatusCode"])),
        id=_our_id(row["CreatorID"]),
    )


def _detail(status: Status, tp_status: int, code: int) -> str:
    if tp_status >= 0:
        return f"{status.words}: {report_words(tp_status)}"
    if code > 0:
        known = CMS.get(code)
        return f"{status.words}: CMS {code}{f', {known.words}' if known else ''}"
    return status.words


def _count(run: Run, number: int) -> int:
    parts = run("SELECT COUNT(*) AS n FROM outbox_multipart WHERE ID = ?", (number,)).rows[0]["n"]
    gone = run("SELECT COUNT(*) AS n FROM sentitems WHERE ID = ?", (number,)).rows[0]["n"]
    return max(int(parts) + 1, int(gone))


def _references(number: Any, count: int) -> list[str]:
    return [f"{number}.{at}" for at in range(1, count + 1)]


def _our_id(written: Any) -> str | None:
    found = re.fullmatch(rf"{OURS} (.*) \d+", str(written))
    return found[1] if found else None


# --- inwards ------------------------------------------------------------------------------------------------------


def received(run: Run, long_texts: LongTexts[Row], phone: str, *, at: float) -> list[Received]:
    """Return what came in and is not marked, long texts whole; `at` is the monotonic clock in seconds."""
    rows = run(
        "SELECT ID, ReceivingDateTime, Text, SenderNumber, Coding, UDH, RecipientID FROM inbox"
        " WHERE Processed = 'false' AND Class <> ? AND (? = '' OR RecipientID = ?) ORDER BY ID",
        (USSD, phone, phone),
    ).rows
    whole = [_received(row["SenderNumber"], mended(_body(row)), (row,)) for row in rows if _part(row) is None]
    parts = [part for row in rows if (part := _part(row))]
    long = [_received(text.sender, text.body, text.kept) for text in long_texts.told(parts, at=at)]
    return sorted([*whole, *long], key=lambda one: one.rows[0])


def mark(run: Run, rows: Iterable[int]) -> None:
    """Mark rows of the inbox as processed, which is how gammu's documentation says that a program has them."""
    for number in rows:
        run("UPDATE inbox SET Processed = 'true' WHERE ID = ?", (number,))


def _received(sender: str, body: str, rows: tuple[Row, ...]) -> Received:
    # Not the row's number: it begins at 1 again when somebody makes the tables anew. The time is the network's.
    raw = "\n".join(f"{row['ReceivingDateTime']} {row['SenderNumber']} {row['UDH']} {row['Text']}" for row in rows)
    text = InboundText(
        id=hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()[:32],
        sender=sender,
        recipient=None,
        body=body,
        received_at=_time(rows[0]["ReceivingDateTime"]),
    )
    return Received(text, tuple(int(row["ID"]) for row in rows))


def _part(row: Row) -> Part[Row] | None:
    found = part_of(_octets(row["UDH"]))
    if found is None or found[1] == 1:
        return None
    reference, total, number = found
    return Part(sender=row["SenderNumber"], reference=reference, total=total, number=number, body=_body(row), kept=row)


def _body(row: Row) -> str:
    # Text, not TextDecoded: a table of three-octet UTF-8 has lost the emoji there.
    if row["Coding"] not in CODINGS.values():
        return UNREADABLE
    octets = _octets(row["Text"])
    return octets[: len(octets) & ~1].decode("utf-16-be", "surrogatepass")


def _octets(written: Any) -> bytes:
    try:
        return bytes.fromhex(str(written or ""))
    except ValueError:
        return b""


def _time(written: Any) -> datetime:
    """Return a time of the daemon's as UTC: it is the machine's local one. What cannot be read, or is to come, is now."""
    now = datetime.now(UTC)
    try:
        found = written if isinstance(written, datetime) else datetime.fromisoformat(str(written))
        return min(now, found.astimezone(UTC))
    except (ValueError, OverflowError, OSError):
        return now


def _hex(body: str) -> str:
    return body.encode("utf-16-be", "replace").hex().upper()
