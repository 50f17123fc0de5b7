"""What a line's texts look like before anybody gets one.   settings.py, core/compose.py → here → lint, `check`, `send --words`"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from textbackd.config.sections.line import Line
from textbackd.config.settings import Settings
from textbackd.core.compose import Fields, TextKind, compose, text_for
from textbackd.core.segments import Segments, segments
from textbackd.core.timetable import Timetable
from textbackd.core.words import WORDS, Words, when

EXAMPLE_NUMBER: Final = "+13125550123"
EXAMPLE_CALLER: Final = "Anna Anderson"
# From Monday to Wednesday at ten: as long as an opening usually takes in words.
MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
WEDNESDAY: Final = datetime(2024, 1, 3, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One text of a line, to a caller who was never texted before."""

    kind: TextKind  # of a group's text, which is the same for all: missed
    template: str
    body: str
    segments: Segments
    price: Decimal  # of all its segments through the line's first gateway; 0: the price is not written


def previews(settings: Settings, name: str, now: datetime | None) -> list[Preview]:
    """Return the texts of a line as they go out at `now`, an aware moment; those that it does not send are left out.

    Without `now` a next opening is as long as it usually is, for what must not depend on the time of day.
    """
    found = (preview(settings, name, kind, now) for kind in TextKind)
    return [each for each in found if each is not None]


def preview(settings: Settings, name: str, kind: TextKind, now: datetime | None) -> Preview | None:
    """Return the text of a line for a kind of call, None if it sends none."""
    line = settings.lines[name]
    template = text_for(kind, line.texts.worded(), line.language)
    return None if template is None else _shown(settings, name, kind, template, now)


def group_preview(settings: Settings, group: str, now: datetime | None) -> Preview | None:
    """Return the text of a group of contacts as callers of the first line get it, None if it gets none."""
    template = settings.contacts[group].text
    return None if template is None else _shown(settings, next(iter(settings.lines)), TextKind.MISSED, template, now)


def _shown(settings: Settings, name: str, kind: TextKind, template: str, now: datetime | None) -> Preview:
    line = settings.lines[name]
    fields = sample_fields(name, line, settings, now)
    gateway = settings.gateways[line.gateways[0]]
    sender = gateway.sender_for(None)
    other = sender is not None and sender != fields.called_number
    body = compose(template, fields, settings.manner(line), first=kind is not TextKind.AGAIN, other_sender=other)
    cut = segments(body)
    return Preview(kind=kind, template=template, body=body, segments=cut, price=gateway.price * cut.count)


def sample_fields(name: str, line: Line, settings: Settings, now: datetime | None) -> Fields:
    """Return the line's own fields, and a caller and a number as long as they usually are."""
    return Fields(
        business=settings.business.name,
        line=name,
        called_number=next((did for did in line.dids if not did.endswith("*")), EXAMPLE_NUMBER),
        caller_name=EXAMPLE_CALLER,
        opens_next=_opening(settings.timetable(line), now, WORDS[line.language]),
        booking_url=line.booking_url or settings.business.booking_url or "",
        on_call=line.on_call or "",
    )


def _opening(table: Timetable, now: datetime | None, words: Words) -> str:
    """Return when the line opens after it is closed the next time, or is now; "" for a line that never closes, or never opens."""
    if now is None:
        return when(WEDNESDAY, MONDAY, UTC, words)
    closed = table.closed_next(now)
    opens = table.opens_next(closed) if closed is not None else None
    return when(opens, now, table.zone, words) if opens is not None else ""
