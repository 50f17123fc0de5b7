"""Do the configured trunks and DIDs fit the calls that came?  Pure.   records.py → here (core/find_trunks.py) → examination.py"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from textbackd.config import Settings
from textbackd.config.sections.pbx import Pbx
from textbackd.core.find_trunks import Found, Glimpse, Why, find_trunks
from textbackd.core.from_records import CdrRow
from textbackd.core.phone import E164, read_number
from textbackd.core.trunk import Trunks, trunk_of
from textbackd.doctor.findings import Finding, fault, note, warning

FEW: Final = 20  # rows; fewer say little about what never happens
INWARD: Final = (Why.DID, Why.CALLERS)
_GAVE_AWAY: Final = {
    Why.DID: "its calls come with a DID",
    Why.CALLERS: "many different numbers call over it",
}
MOST_NAMED: Final = 5
LAG: Final = timedelta(minutes=10)
MANY_UNSEEN: Final = 3
OFTEN: Final = 3  # calls; a number that is ours is called more often


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the records of one PBX say about calls from outside."""

    pbx: str
    rows: int
    found: Sequence[Found]
    contexts: Collection[str]  # that any channel was in
    dids: Mapping[E164, int]  # that were called from outside, and how often
    ends: Sequence[datetime] = ()  # of its calls from outside, each once


def traffic(settings: Settings, name: str, rows: Sequence[CdrRow]) -> Traffic:
    """Return what some rows say."""
    pbx = settings.pbx[name]
    trunks = Trunks(contexts=pbx.trunks.contexts, channels=pbx.trunks.channels)
    found = find_trunks((_glimpse(row) for row in rows), trunks)
    names = {trunk.name for trunk in found}
    outside = [row for row in rows if trunk_of(row.channel) in names]
    tells_did = any(row.did for row in rows)  # FreePBX; else the last extension is the best that there is
    numbers = (_number(row.did if tells_did else row.dst, settings) for row in outside)
    return Traffic(
        pbx=name,
        rows=len(rows),
        found=found,
        contexts={row.dcontext for row in rows},
        dids=Counter(number for number in numbers if number is not None),
        ends=sorted({row.ended_at for row in outside if _is_root(row)}),
    )


def _is_root(row: CdrRow) -> bool:
    return row.linkedid in ("", row.uniqueid)


def _glimpse(row: CdrRow) -> Glimpse:
    return Glimpse(row.channel, row.dstchannel, row.src, row.dst, row.dcontext, row.did)


def _number(text: str, settings: Settings) -> E164 | None:
    return read_number(text, settings.business.country).e164 if text else None


def judge(seen: Traffic, settings: Settings) -> Iterator[Finding]:
    """Yield where the configuration does not fit the records of one PBX."""
    subject = f"pbx.{seen.pbx}.trunks"
    known = [trunk for trunk in seen.found if trunk.why in (Why.TOLD, Why.CONTEXT)]
    unknown = [trunk for trunk in seen.found if trunk.why in INWARD]
    for trunk in unknown:
        what = (
            f"Calls come in over {_shown(trunk.name)} ({_GAVE_AWAY[trunk.why]}), and `trunks` does not say so: "
            "nobody who is missed there gets a text."
        )
        yield fault(
            subject, what, f"# textbackd.yaml, pbx.{seen.pbx}:", f'trunks: {{channels: ["{_shown(trunk.name)}-*"]}}'
        )
    if not known and not unknown and seen.rows >= FEW:
        what = (
            f"None of the {seen.rows:,} records is of a call over a trunk that `trunks` names. How the PBX names them:"
        )
        yield fault(subject, what, "asterisk -rx 'core show channels concise'      # during a call from outside")
    if seen.rows >= FEW and known:
        yield from _unmatched(seen, settings.pbx[seen.pbx], settings, subject)
        yield from _dids(seen, settings)


def unseen(seen: Traffic, last_seen: datetime | None, now: datetime) -> Iterator[Finding]:
    """Yield that calls came of which the running daemon knows nothing. What has just ended may still be on its way to it."""
    if last_seen is None:
        return
    missed = [end for end in seen.ends if last_seen + LAG < end < now - LAG]
    if len(missed) >= MANY_UNSEEN:
        since = missed[0].astimezone().strftime("%d %b %H:%M")
        what = (
            f"The PBX has recorded {len(missed)} calls from outside since {since}, and textbackd has seen none of them. Either its "
            "account does not read `call`, or they come over a trunk that is not named."
        )
        yield fault(
            f"pbx.{seen.pbx}", what, "asterisk -rx 'manager show user textbackd'", "journalctl -u textbackd -n 50"
        )


def _unmatched(seen: Traffic, pbx: Pbx, settings: Settings, subject: str) -> Iterator[Finding]:
    """Yield patterns that a person wrote and that nothing ever matched."""
    if ("pbx", seen.pbx, "trunks", "channels") in settings.origin.lines:
        for pattern in pbx.trunks.channels:
            only = Trunks(contexts=(), channels=(pattern,))
            if not any(only.has(f"{trunk.name}-0", "") for trunk in seen.found):
                yield note(subject, f"No record is of a channel like {pattern}: a slip of the pen?")
    if ("pbx", seen.pbx, "trunks", "contexts") in settings.origin.lines and all(t.why is Why.TOLD for t in seen.found):
        for pattern in pbx.trunks.contexts:
            only = Trunks(contexts=(pattern,), channels=())
            if not any(only.has("", context) for context in seen.contexts):
                yield note(subject, f"No record is of a context like {pattern}: a slip of the pen?")


def _dids(seen: Traffic, settings: Settings) -> Iterator[Finding]:
    if not seen.dids:
        return
    for name, line in settings.lines.items():
        silent = [did for did in line.dids if not did.endswith("*") and did not in seen.dids]
        if silent and not any(did.endswith("*") for did in line.dids):
            what = (
                f"Nobody has called {', '.join(silent[:MOST_NAMED])} lately, as far as the records tell. "
                "If somebody has, the trunk sends the number in another form:"
            )
            yield note(f"lines.{name}.dids", what, "textbackd explain CALLER      # says which number was called")
    # A call that the PBX has forwarded to a number outside may end in a record that has this one.
    strays = sorted(did for did, times in seen.dids.items() if times >= OFTEN and not _is_ours(did, settings))
    if strays:
        what = f"{', '.join(strays[:MOST_NAMED])} was called, and belongs to no line: whoever is missed there gets no text."
        yield warning("lines", what, "# textbackd.yaml, lines, the line that answers there:", f'dids: ["{strays[0]}"]')


def _is_ours(did: E164, settings: Settings) -> bool:
    patterns = (pattern for line in settings.lines.values() for pattern in line.dids)
    ignored = (number for pbx in settings.pbx.values() for number in pbx.ignore.dids)
    is_claimed = any(did.startswith(pattern[:-1]) if pattern.endswith("*") else did == pattern for pattern in patterns)
    return is_claimed or did in ignored or did in settings.own_numbers()


def _shown(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable() and letter not in "\"'\\")[:60]
