"""Is this the caller of before?  A number as presented, or as dialled → a key.   core/phone.py → here → core/leak.py      Pure.

Reading a number takes 100 µs, and ten years bring a hundred thousand of them. How a number is written follows from how it begins and
how long it is ("10 digits that begin with 303555 are an American number without its 1"), so it is read once for each such beginning,
and the rest is taken over. Beginnings are long enough that a plan's area codes and exchanges stay apart.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from textbackd.core.phone import ReadNumber, read_number

BEGINNING: Final = 7  # characters: a + and a country code with three digits more, or an area code and exchange
MOST_BEGINNINGS: Final = 50_000

Rule = tuple[int, str]  # so many characters are dropped, and these digits put before the rest


@dataclass(slots=True)
class SameCaller:
    """Tells callers apart as they are read in a country."""

    country: str
    read: Callable[[str, str], ReadNumber] = read_number  # or `read_dialled`, for those whom the office called
    _rules: dict[tuple[str, int], Rule | None] = field(default_factory=dict)

    def __call__(self, presented: str) -> int | None:
        """Return who called: the digits of the E.164 number; None for a number that is withheld or none."""
        kind = presented[:BEGINNING], len(presented)
        try:
            rule = self._rules[kind]
        except KeyError:
            return self._learn(kind, presented)
        if rule is None:
            return self._read(presented)
        dropped, added = rule
        rest = presented[dropped:]
        return int(added + rest) if rest.isdecimal() else self._read(presented)

    def _learn(self, kind: tuple[str, int], presented: str) -> int | None:
        if len(self._rules) >= MOST_BEGINNINGS:
            self._rules.clear()
        key = self._read(presented)
        self._rules[kind] = None if key is None else _rule(presented, str(key))
        return key

    def _read(self, presented: str) -> int | None:
        e164 = self.read(presented, self.country).e164
        return None if e164 is None else int(e164[1:])


def _rule(presented: str, digits: str) -> Rule | None:
    """Return how one becomes the other; None if more than its beginning is written differently."""
    for dropped in range(min(BEGINNING, len(presented)) + 1):
        rest = presented[dropped:]
        if rest.isdecimal() and digits.endswith(rest):
            return dropped, digits.removesuffix(rest)
    return None
