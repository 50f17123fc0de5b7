"""Parts of long texts ↔ whole texts. Pure.   smpp and gammu_smsd → here

Parts come in any order, some twice, some never. What stays alone is told as it is after `PATIENCE`, for half a text is better
than none. Whoever calls keeps the parts, durably, until the whole text is stored.
Source: 3GPP TS 23.040 §9.2.3.24.1 (the concatenation element of a user data header).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar

PATIENCE: Final = timedelta(minutes=10)
MISSING: Final = "[…]"

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[Kept]):
    """One radio text that belongs to a long one."""

    sender: str
    reference: int  # the sender's, 8 or 16 bit
    total: int
    number: int  # from 1
    body: str  # UTF-16 surrogates as they came: a phone may cut an emoji at a part boundary
    kept: Kept  # what the caller knows it by


@dataclass(frozen=True, slots=True, kw_only=True)
class LongText(Generic[Kept]):
    """What can be told of a long text: all of it, or what came in time."""

    sender: str
    body: str
    kept: tuple[Kept, ...]  # of every part, a repeated one too


class LongTexts(Generic[Kept]):
    """Finds the texts that are complete among the parts at hand, and remembers since when the others wait."""

    def __init__(self) -> None:
        self._waiting_since: dict[tuple[str, int, int], float] = {}

    def told(self, parts: Iterable[Part[Kept]], *, at: float) -> list[LongText[Kept]]:
        """Return what is complete or has waited long enough; `parts` are all that are kept, `at` is monotonic seconds."""
        groups: dict[tuple[str, int, int], list[Part[Kept]]] = {}
        for part in parts:
            groups.setdefault((part.sender, part.reference, part.total), []).append(part)
        self._waiting_since = {key: self._waiting_since.get(key, at) for key in groups}
        return [_joined(group) for key, group in groups.items() if _whole(group) or self._overdue(key, at)]

    def _overdue(self, key: tuple[str, int, int], at: float) -> bool:
        return at - self._waiting_since[key] > PATIENCE.total_seconds()


def part_header(reference: int, total: int, number: int) -> bytes:
    """Return the user data header of a part: 5 octets, element 0 with an 8-bit reference."""
    return bytes([5, 0, 3, reference, total, number])


def part_of(header: bytes) -> tuple[int, int, int] | None:
    """Return reference, total and number from a header with its length, with an 8-bit (0x00) or 16-bit (0x08) reference."""
    at = 1
    while at + 2 <= len(header):
        kind, size = header[at], header[at + 1]
        data = header[at + 2 : at + 2 + size]
        at += 2 + size
        # A total of zero or a number out of range: the whole element is to be ignored.
        if kind in (0x00, 0x08) and len(data) == (3 if kind == 0 else 4) and 1 <= data[-1] <= data[-2]:
            return int.from_bytes(data[:-2], "big"), data[-2], data[-1]
    return None


def mended(body: str) -> str:
    """Return `body` with the two halves of an emoji that was cut made one character, and lone halves as `�`."""
    return body.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def _whole(group: list[Part[Kept]]) -> bool:
    return len({part.number for part in group}) == group[0].total


def _joined(group: list[Part[Kept]]) -> LongText[Kept]:
    bodies = {part.number: part.body for part in reversed(group)}  # of a repeated part the first counts
    body = "".join(bodies.get(number, MISSING) for number in range(1, group[0].total + 1))
    return LongText(sender=group[0].sender, body=mended(body), kept=tuple(part.kept for part in group))
