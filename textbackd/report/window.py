"""Which rows are one call, when they stream by and nobody can hold them all?   pbx/records → here → report/quick_calls.py     Pure.

Rows belong together by linkedid, else by uniqueid, else by the channel's name as long as the pauses are short (`LONGEST_PAUSE`); so
says core/from_records.py, too. There are two generations: a row makes its call young. When the window's time is over, the calls that
are still old have had no row for as long, and are over.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Final

from textbackd.core.from_records import CdrRow, chains
from textbackd.pbx.records.texts import CHANNEL, LINKEDID, UNIQUEID, Texts, row_of

Group = list[Texts]
LOCAL: Final = "Local/"


class Window:
    """Holds rows until no other row of their call can come."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._young: dict[str, Group] = {}
        self._old: dict[str, Group] = {}
        self._nameless_young: dict[str, Group] = {}
        self._nameless_old: dict[str, Group] = {}
        self._far_young: dict[str, Group] = {}
        self._far_old: dict[str, Group] = {}
        self.has_names = True  # every row had a uniqueid

    @property
    def held(self) -> int:
        """Return how many rows are held."""
        groups = (self._young, self._old, self._nameless_young, self._nameless_old)
        return sum(len(group) for some in groups for group in some.values())

    def add(self, rows: Iterable[Texts]) -> None:
        """Take rows in the order in which they were written."""
        young, old = self._young, self._old
        for row in rows:
            name = row[LINKEDID] or row[UNIQUEID]
            if (group := young.get(name)) is not None:
                group.append(row)
            elif (group := old.pop(name, None)) is not None:
                young[name] = group
                group.append(row)
            elif name:
                self._begin(name, row)
            else:
                self._nameless_young.setdefault(row[CHANNEL], []).append(row)
                if row[CHANNEL].startswith(LOCAL):
                    self._far_young.setdefault(row[CHANNEL], []).append(row)
        self.has_names = self.has_names and not self._nameless_young

    def far_rows(self, channel: str) -> Sequence[Texts]:
        """Return the rows of a Local channel that no linkedid ties to its call."""
        return self._far_young.get(channel) or self._far_old.get(channel) or ()

    def turn(self) -> Iterator[Group]:
        """Yield the calls that are over, and make the young ones old."""
        over, self._old, self._young = self._old, self._young, {}
        nameless = list(self._nameless_over())
        yield from over.values()
        yield from nameless
        self._far_old, self._far_young = self._far_young, {}

    def _begin(self, name: str, row: Texts) -> None:
        group = self._young[name] = [row]
        if row[CHANNEL].startswith(LOCAL) and not row[LINKEDID]:
            self._far_young[row[CHANNEL]] = group

    def _nameless_over(self) -> Iterator[Group]:
        """Yield the old calls without a name; one that goes on among the young is kept."""
        old, young = self._nameless_old, self._nameless_young
        for channel in old.keys() & young.keys():
            first_young = young[channel][0]
            finished: list[Group] = []
            goes_on: list[Group] = []
            for chain in split(old.pop(channel) + young[channel], self._zone):
                (goes_on if goes_on or first_young in chain else finished).append(chain)
            yield from finished
            young[channel] = [row for chain in goes_on for row in chain]
        yield from old.values()
        self._nameless_old, self._nameless_young = young, {}


def split(rows: Sequence[Texts], zone: tzinfo) -> list[Group]:
    """Return the calls in the rows of one channel's name; what is damaged stays with the first."""
    read = [(row_of(row, zone), row) for row in rows]
    texts = {id(row): text for row, text in read if row}
    whole: list[CdrRow] = [row for row, _ in read if row]
    found = [[texts[id(row)] for row in chain] for chain in chains(whole)] or [[]]
    found[0] += [text for row, text in read if row is None]
    return found
