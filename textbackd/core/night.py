"""When may a text go to this caller, and until when?  Pure.   core/opening_hours.py, core/caps.py → here → core/decide.py

The night is the caller's, not ours. A number may belong to several time zones; it is night while it is night in any of them, and
what is held goes when all of them are awake. The immediate answer to a call may go at night, if the shop wants it so; what is late
never does, because nobody who rang at nine expects a text at two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from textbackd.core.caps import Full, wait_for_room
from textbackd.core.opening_hours import QuietHours

LATE_AFTER: Final = timedelta(minutes=5)  # past `policy.delay`; a text that comes later than that is no answer any more
HELD_LASTS: Final = timedelta(hours=2)  # after the night; a text that is later still answers nothing
LONGEST_SEARCH: Final = timedelta(days=3)  # zones that are not awake together by then never are


@dataclass(frozen=True, slots=True)
class Night:
    """The quiet hours as they fall on one caller."""

    hours: QuietHours
    zones: tuple[tzinfo, ...]  # every zone in which the number may be; at least one

    def covers(self, at: datetime) -> bool:
        """Return whether it is night at `at`, an aware moment, in any of the zones."""
        return any(self.hours.covers(at, zone) for zone in self.zones)

    def end_after(self, at: datetime) -> datetime | None:
        """Return `at` if it is not night, else the first moment at which it is night in no zone; None if there is none."""
        end = at
        while end - at <= LONGEST_SEARCH:
            later = max(self.hours.end_after(end, zone) for zone in self.zones)
            if later == end:
                return end
            end = later
        return None

    def start_after(self, at: datetime) -> datetime:
        """Return `at` if it is night, else the moment at which the next one begins in any of the zones."""
        day = QuietHours(self.hours.end, self.hours.start)
        return min(day.end_after(at, zone) for zone in self.zones)

    def __str__(self) -> str:
        """Return the zones, as `explain` shows them."""
        names = [str(zone) for zone in self.zones]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """When a text may go."""

    due: datetime
    until: datetime  # after that it does not go any more
    held: bool = False  # it waits for the end of the night, and has to be worded as late


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a text's time depends on, but for the caps."""

    answer_at: datetime  # when the immediate answer is due
    now: datetime
    expires_at: datetime  # of a text that is not held
    night: Night | None  # None: no night, or nobody to be woken
    hold: bool  # hold the immediate answer, too

    def slot(self, full: Sequence[Full]) -> Slot | Full | None:
        """Return when the text may go: the cap that leaves no room for it, or None if the caller's zones are never awake together."""
        due = max(self.answer_at, self.now)
        if self._must_wait(due):
            return self._after_night(due, full)
        room = wait_for_room(full, self.expires_at)
        if isinstance(room, Full):
            return room
        due = max(due, room or due)
        return self._after_night(due, full) if self._must_wait(due) else Slot(due=due, until=self._until(due))

    def _must_wait(self, due: datetime) -> bool:
        if self.night is None or not self.night.covers(due):
            return False
        return self.hold or due > self._late_from

    @property
    def _late_from(self) -> datetime:
        return self.answer_at + LATE_AFTER

    def _until(self, due: datetime) -> datetime:
        """Return the end of a text's life. Tries at the gateways take time, and none of them may be a late text at night."""
        if self.night is None:
            return self.expires_at
        return min(self.expires_at, max(self._late_from, self.night.start_after(due)))

    def _after_night(self, due: datetime, full: Sequence[Full]) -> Slot | Full | None:
        awake = self.night.end_after(due) if self.night else due
        if self.night is None or awake is None:
            return None
        until = min(awake + HELD_LASTS, self.night.start_after(awake))
        room = wait_for_room(full, until)
        return room if isinstance(room, Full) else Slot(due=max(awake, room or awake), until=until, held=True)
