"""What old records tell of a PBX: its trunks, its numbers, its phones and queues.   pbx/records → core/find_trunks.py → here → cli/setup"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from textbackd.core.find_trunks import Found, Glimpse, Why, find_trunks
from textbackd.core.from_records import OUTSIDE_DIGITS, PHONE
from textbackd.core.phone import read_number
from textbackd.core.trunk import Trunks, trunk_of
from textbackd.pbx.records import sample_cdr
from textbackd.pbx.records.texts import CHANNEL, DCONTEXT, DID, DST, DSTCHANNEL, LASTAPP, LASTDATA, SRC, Texts

MOST_ROWS: Final = 200_000  # that are looked at; a second or two
MOST_NAMES: Final = 1_000  # records may hold anything
USUAL_CSV: Final = Path("var/log/asterisk/cdr-csv/Master.csv")
FREEPBX_DATABASE: Final = "asteriskcdrdb"
_SETTING: Final = re.compile(r"""\$amp_conf\[['"](\w+)['"]\]\s*=\s*(['"])(.*?)\2\s*;""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen, the busiest first."""

    rows: int
    trunks: tuple[Found, ...] = ()
    dids: tuple[
        tuple[str, int], ...
    ] = ()  # a number of ours as E.164 where it can be read so, and how many rows came in on it
    phones: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()

    @property
    def unusual_trunks(self) -> tuple[str, ...]:
        """Return patterns for the trunks that nobody would know by their contexts."""
        return tuple(f"{trunk.name}-*" for trunk in self.trunks if trunk.why not in (Why.CONTEXT, Why.DIALLED))


def look(source: str, *, since: datetime, zone: ZoneInfo, country: str) -> Seen:
    """Return what the records since then tell. Raises TextbackdError for a source that cannot be read."""
    rows = (row for block in sample_cdr(source, since=since, tz=zone) for row in block.rows)
    return seen_in(list(islice(rows, MOST_ROWS)), country)


def seen_in(rows: list[Texts], country: str) -> Seen:
    """Return what some rows tell; numbers are read as dialled in `country`."""
    trunks = find_trunks(_glimpses(rows), Trunks())
    names = {trunk.name for trunk in trunks}
    dids, phones, queues = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        if trunk_of(row[CHANNEL]) in names:
            _count(dids, _did(row, country))
        for channel in (row[CHANNEL], row[DSTCHANNEL]):
            _count(phones, _phone(channel, names))
        if row[LASTAPP] == "Queue":
            _count(queues, row[LASTDATA].partition(",")[0])
    return Seen(
        rows=len(rows),
        trunks=tuple(trunks),
        dids=tuple(dids.most_common()),
        phones=tuple(sorted(phones, key=lambda phone: (len(phone), phone))),
        queues=tuple(queue for queue, _ in queues.most_common()),
    )


def sources(asterisk: Path) -> Iterator[str]:
    """Yield where this box's records may be and can be read, the likeliest first; `asterisk` is the folder of its configuration."""
    freepbx = asterisk.parent / "freepbx.conf"
    try:
        address = freepbx_database(freepbx.read_text("utf-8", "replace"))
    except OSError:
        address = None
    if address is not None:
        yield address
    csv = asterisk.parent.parent / USUAL_CSV
    try:
        with csv.open("rb"):
            yield str(csv)
    except OSError:
        return


def freepbx_database(conf: str) -> str | None:
    """Return where FreePBX keeps its records, as /etc/freepbx.conf tells; None for another database than MySQL."""
    told = {key: value for key, _, value in _SETTING.findall(conf)}
    if not told.get("AMPDBUSER") or told.get("AMPDBENGINE", "mysql") != "mysql":
        return None
    host, database = told.get("AMPDBHOST") or "localhost", told.get("CDRDBNAME") or FREEPBX_DATABASE
    return f"mysql://{told['AMPDBUSER']}:{_escaped(told.get('AMPDBPASS', ''))}@{host}/{database}"


def _escaped(password: str) -> str:
    return password.replace("%", "%25").replace("@", "%40")


def _glimpses(rows: Iterable[Texts]) -> Iterator[Glimpse]:
    for row in rows:
        yield Glimpse(row[CHANNEL], row[DSTCHANNEL], row[SRC], row[DST], row[DCONTEXT], row[DID])


def _did(row: Texts, country: str) -> str:
    """Return the number of ours that a row came in on; "" where it does not tell."""
    number = row[DID] or row[DST]
    if sum(character.isdigit() for character in number) < OUTSIDE_DIGITS:
        return ""
    return read_number(number, country).e164 or ""


def _phone(channel: str, trunks: set[str]) -> str:
    name = trunk_of(channel)
    return name if name not in trunks and PHONE.fullmatch(name) else ""


def _count(seen: Counter[str], name: str) -> None:
    if name and (name in seen or len(seen) < MOST_NAMES):
        seen[name] += 1
