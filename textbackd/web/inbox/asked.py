"""Which part of the inbox does an address ask for?   browser → here → store/conversations.py, and back into every link

Whatever stands in an address was perhaps not written by us: what cannot be read counts as not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from textbackd.store.conversations import Box, Look
from textbackd.store.database import from_text, to_text

LONGEST_WANTED: Final = 100  # characters of a search


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a page of the inbox shows on its left."""

    box: Box | None = None  # None: open ones, or all where something is looked for
    mine: bool = False
    line: str | None = None
    wanted: str = ""
    before: tuple[datetime, int] | None = None

    @property
    def shown(self) -> Box:
        """Return which box that is."""
        return self.box or (Box.ALL if self.wanted else Box.OPEN)

    def look(self, staff: str) -> Look:
        """Return what to ask the store for on behalf of one of the staff."""
        assignee = staff if self.mine else None
        return Look(box=self.shown, assignee=assignee, line=self.line, wanted=self.wanted, before=self.before)

    def query(self, **changes: Any) -> str:
        """Return it as the end of an address, "?box=new&mine=1" or "", with some of it changed."""
        asked = replace(self, **changes)
        parts = {
            "box": asked.box.value if asked.box else "",
            "mine": "1" if asked.mine else "",
            "line": asked.line or "",
            "q": asked.wanted,
            "before": _cursor(asked.before),
        }
        written = urlencode({name: value for name, value in parts.items() if value})
        return f"?{written}" if written else ""


def read(query: Mapping[str, str]) -> Asked:
    """Return what an address asks for."""
    box = query.get("box", "")
    return Asked(
        box=Box(box) if box in list(Box) else None,
        mine=query.get("mine") == "1",
        line=query.get("line") or None,
        wanted=query.get("q", "").strip()[:LONGEST_WANTED],
        before=_before(query.get("before", "")),
    )


def read_back(written: str) -> Asked:
    """Return what `Asked.query` wrote, from the hidden field of a form."""
    return read(dict(parse_qsl(written.removeprefix("?")[:2000])))


def _moment(written: str) -> datetime | None:
    """Return a moment as the store writes it; None for anything else."""
    try:
        return from_text(written)
    except ValueError:
        return None


def _cursor(before: tuple[datetime, int] | None) -> str:
    return f"{to_text(before[0])}_{before[1]}" if before else ""


def _before(written: str) -> tuple[datetime, int] | None:
    at, _, last = written.partition("_")
    parsed = _moment(at)
    is_id = last.isascii() and last.isdigit() and len(last) < 16
    return (parsed, int(last)) if parsed and is_id else None
