"""What may get into a bundle: our own words and small numbers.   core, store → here → settings.py, database.py, log.py, metrics.py

An allow-list, as in pbx/anonymise.py: a word gets out only because it is one of ours, so that what nobody has thought of stays in.
Names that the shop gives (lines, gateways, staff) become `line1`, `gateway2`, `staff1`.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from textbackd.config import Settings
from textbackd.core.call import Direction
from textbackd.core.conversation import Turn
from textbackd.core.decide import Action, Why
from textbackd.core.missed import Reason, Verdict
from textbackd.core.phone import NotTextable
from textbackd.core.trouble import Trouble
from textbackd.core.way import STEPS
from textbackd.gateways.base import Fate, Health
from textbackd.pbx.client import PbxState
from textbackd.store.acts import ActKind
from textbackd.store.halts import HaltKind
from textbackd.store.inbox import Came
from textbackd.store.journal import Resolution
from textbackd.store.notices import Way
from textbackd.store.states import State, TextOf

_ENUMS: Final[tuple[type[StrEnum], ...]] = (
    Direction, Action, Why, Reason, Verdict, NotTextable, Trouble, Fate, Health, PbxState, ActKind, Turn, HaltKind, Came,
    Resolution, Way, State, TextOf,
)  # fmt: skip
VOCABULARY: Final = frozenset(
    [word.value for kind in _ENUMS for word in kind] + [*STEPS, "sent", "tell", "ring", "page", "+Inf", "won", "lost"]
)
OTHER: Final = "other"
_NUMBER: Final = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,6})?")  # too short for anybody's phone
_LABELLED: Final = ("pbx", "lines", "gateways", "staff", "contacts", "hooks_out", "leads", "bookings")


def known(word: object) -> str:
    """Return a word of ours or a small number as it is, anything else as `other`."""
    text = "" if word is None else str(word)
    return text if text in VOCABULARY or not text or _NUMBER.fullmatch(text) else OTHER


class Labels:
    """What stands for the names that the shop gave."""

    def __init__(self, settings: Settings | None, first: str = "pbx") -> None:
        """`first`: of two sections that have the same name in them, this one is meant."""
        self._settings, self._first = settings, first
        self._labels = dict(_labels(settings)) if settings is not None else {}

    def about(self, key: str) -> "Labels":
        """Return the same for a key that names entries of the section which is called like it."""
        return Labels(self._settings, key) if key in _LABELLED else self

    def of(self, name: str) -> str:
        """Return what stands for a name."""
        found = (self._labels.get((place, name)) for place in (self._first, *_LABELLED))
        return next((label for label in found if label is not None), OTHER)

    def is_name(self, name: str) -> bool:
        """Return whether the shop calls anything so."""
        return self.of(name) != OTHER


def _labels(settings: Settings) -> Iterator[tuple[tuple[str, str], str]]:
    for section in _LABELLED:
        entries: Mapping[str, object] = getattr(settings, section)
        for number, name in enumerate(entries, 1):
            yield (section, name), f"{section.rstrip('s')}{number}"
