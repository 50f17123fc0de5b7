"""Which channels lead outside?  Found in old records, where nobody has told.   pbx/records → here → core/from_records.py    Pure.

In this order: a caller in one of the usual contexts for calls from outside; a caller with a DID, which only an inbound route sets
(FreePBX); a channel that is not named after an extension and brings many different numbers, for a phone always shows its own; a
channel that is not named after an extension and over which phones reach many different numbers.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from textbackd.core.from_records import OUTSIDE_DIGITS, PHONE
from textbackd.core.picture import NO_PERSON
from textbackd.core.trunk import Trunks, trunk_of

MANY: Final = 3  # different numbers over one channel; a phone shows one, or two where its owner changed it
MOST_PHONES: Final = 1_000
MOST_NAMES: Final = 10_000  # that are looked at; names come from outside, and the memory stays bounded


class Why(StrEnum):
    """What gave a trunk away."""

    TOLD = "told"  # a pattern that was given
    CONTEXT = "context"
    DID = "did"
    CALLERS = "callers"
    DIALLED = "dialled"


class Glimpse(NamedTuple):
    """What a row tells about trunks."""

    channel: str
    dstchannel: str
    src: str
    dst: str
    dcontext: str
    did: str


@dataclass(slots=True)
class _Seen:
    """What was seen of one channel name."""

    rows: int = 0
    context: str = ""  # a usual one in which it came in
    told: bool = False
    did: bool = False
    callers: set[str] = field(default_factory=set)
    dialled: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by the name of who dialled


@dataclass(frozen=True, slots=True)
class Found:
    """One trunk."""

    name: str  # as `trunk_of` gives it
    why: Why
    context: str = ""  # where its calls come in, if that is a usual one


def find_trunks(rows: Iterable[Glimpse], trunks: Trunks, *, guess: bool = True) -> list[Found]:
    """Return the trunks that some rows give away, by name. With `guess` off only the patterns in `trunks` count."""
    seen: dict[str, _Seen] = defaultdict(_Seen)
    for row in rows:
        if len(seen) < MOST_NAMES:
            _look(row, seen, trunks)
    found = {name: Found(name, why, one.context) for name, one in seen.items() if (why := _why(name, one, guess))}
    # Who is reached over many numbers, but only by callers from outside, is a phone with many DIDs.
    outward = [name for name, one in seen.items() if guess and name not in found and _is_way_out(name, one, found)]
    return sorted([*found.values(), *(Found(name, Why.DIALLED) for name in outward)], key=lambda trunk: trunk.name)


def _look(row: Glimpse, seen: dict[str, _Seen], trunks: Trunks) -> None:
    if not row.channel.startswith(NO_PERSON):
        caller = seen[trunk_of(row.channel)]
        caller.rows += 1
        caller.did = caller.did or bool(row.did)
        if trunks.has("", row.dcontext):
            caller.context = row.dcontext
        caller.told = caller.told or trunks.has(row.channel, "")
        _note(caller.callers, row.src)
    if row.dstchannel and not row.dstchannel.startswith(NO_PERSON):
        other = seen[trunk_of(row.dstchannel)]
        other.told = other.told or trunks.has(row.dstchannel, "")
        if not row.channel.startswith(NO_PERSON) and len(other.dialled) < MOST_PHONES:
            _note(other.dialled[trunk_of(row.channel)], row.dst)


def _note(numbers: set[str], number: str) -> None:
    if len(numbers) < MANY and sum(character.isdigit() for character in number) >= OUTSIDE_DIGITS:
        numbers.add(number)


def _why(name: str, seen: _Seen, guess: bool) -> Why | None:
    if seen.told:
        return Why.TOLD
    if seen.context:
        return Why.CONTEXT
    if not guess or PHONE.fullmatch(name):
        return None
    if seen.did:
        return Why.DID
    return Why.CALLERS if len(seen.callers) >= MANY else None


def _is_way_out(name: str, seen: _Seen, trunks: Collection[str]) -> bool:
    numbers = {number for by, dialled in seen.dialled.items() if by not in trunks for number in dialled}
    return not PHONE.fullmatch(name) and len(numbers) >= MANY
