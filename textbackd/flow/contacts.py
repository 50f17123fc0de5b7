"""Which group of contacts is a caller in?   config/contact_files.py → here → flow/conclude.py

Files are read again when they change. One that has a fault then is told once, with file and line, and what was last read well of it
goes on to count. At the start there is no such thing, so what can be read counts.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textbackd.config import ContactGroup, Settings
from textbackd.config.contact_files import ContactFile, read_contacts
from textbackd.core.phone import E164

log = logging.getLogger(__name__)

NEVER: Final = "never"  # these two groups are not asked what they get: their calls are no business of ours
STAFF: Final = "staff"
LOOK_EVERY: Final = 5.0  # seconds
Stamp = tuple[int, int]  # when a file was changed, and its size


@dataclass(slots=True)
class _Kept:
    stamp: Stamp | None  # None: it was not there
    numbers: frozenset[E164]


class Contacts:
    """The groups under `contacts`, with `policy.never` as part of `never`."""

    def __init__(self, settings: Settings) -> None:
        self._groups: Mapping[str, ContactGroup] = settings.contacts
        self._country = settings.business.country
        self._never = frozenset(settings.policy.never)
        self._files: dict[Path, _Kept] = {}
        self._group_of: dict[E164, str] = {}
        self.refresh()

    def group_of(self, number: E164 | None) -> str | None:
        """Return the name of a caller's group; the first in the order of the file, but `never` and `staff` before all."""
        return self._group_of.get(number) if number else None

    def members(self, group: str) -> frozenset[E164]:
        """Return the numbers in a group."""
        return frozenset(number for number, name in self._group_of.items() if name == group)

    def section(self, group: str) -> ContactGroup | None:
        """Return what the configuration says about a group."""
        return self._groups.get(group)

    def refresh(self) -> bool:
        """Read the files that have changed, which blocks; return whether any had."""
        changed = [path for group in self._groups.values() for path in group.files if self._read(path)]
        if changed or not self._group_of:
            self._group_of = self._sorted()
        return bool(changed)

    async def run(self) -> None:
        """Look for changed files until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if await asyncio.to_thread(self.refresh):
                log.info("contacts were read again", extra={"numbers": len(self._group_of)})

    def _read(self, path: Path) -> bool:
        stamp, kept = _stamp(path), self._files.get(path)
        if kept is not None and kept.stamp == stamp:
            return False
        found = read_contacts(path, self._country)
        _tell(found)
        numbers = kept.numbers if kept is not None and found.faults else found.numbers
        self._files[path] = _Kept(stamp, numbers)
        return True

    def _sorted(self) -> dict[E164, str]:
        group_of = dict.fromkeys(self._never, NEVER)
        order = sorted(self._groups, key=lambda name: (name != NEVER, name != STAFF))  # the rest stays as it is written
        for name in order:
            group = self._groups[name]
            for numbers in (group.numbers, *(self._files[path].numbers for path in group.files)):
                for number in numbers:
                    group_of.setdefault(number, name)
        return group_of


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _tell(found: ContactFile) -> None:
    for fault in found.faults:
        log.warning("a file of contacts has a fault; what was last read well counts", extra={"fault": fault})
