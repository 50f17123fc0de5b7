"""What speaks against texting at this moment: a pause, the brake, full caps.   store/halts, store/tally → here → flow/calls_in

The brake is pulled here. It stops every automatic text until a person has looked; calls go on being recorded and decided.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlite_utils

from textbackd.config import Brake
from textbackd.config.sections.policy import Caps as CapsSection
from textbackd.core.brake import run_through, too_few_arrive
from textbackd.core.caps import Caps, Full, Scope
from textbackd.core.decide import Standing
from textbackd.core.phone import E164
from textbackd.store import halts, restored, tally
from textbackd.store.halts import Halt, HaltKind
from textbackd.store.tally import Wanted

log = logging.getLogger(__name__)

RELEASE: Final = "Look at `textbackd outbox` and the calls, then release it with `textbackd line resume`."
# Caps that only an attack or a very bad day fills; the others do their everyday work in silence.
ALARMING: Final = frozenset({Scope.ALL, Scope.SPEND})


class Guard:
    """Knows the limits of `policy`. Its methods take a database and are for the store's thread."""

    def __init__(self, caps: Caps, brake: Brake | None, *, observing: bool) -> None:
        self._caps, self._brake, self._observing = caps, brake, observing
        self._told: frozenset[str] = frozenset()  # caps that are full and were told

    def standing(
        self, db: sqlite_utils.Database, line: str | None, caller: E164, wanted: Wanted, now: datetime
    ) -> Standing:
        """Return what speaks against a text to a caller who was just missed."""
        self._brake_on_a_row(db, caller, now)
        active = halts.active(db, now)
        full = tally.full_caps(db, self._caps, wanted, now, observing=self._observing)
        self._tell_full(full)
        return Standing(paused=_paused(active, line), brake=_braked(active), full=full, restored_at=restored.moment(db))

    def _brake_on_a_row(self, db: sqlite_utils.Database, caller: E164, now: datetime) -> None:
        limit = self._brake.consecutive_numbers if self._brake else None
        if limit is None:
            return
        in_a_row = run_through(caller, tally.callers_in_reach(db, caller, limit, now, halts.last_brake_ended(db)))
        if in_a_row >= limit.count:
            self._pull(db, f"{in_a_row} calls came from numbers in a row, the last one {caller}", now)

    def check_deliveries(self, db: sqlite_utils.Database, now: datetime) -> None:
        """Pull the brake if too few of the last texts have arrived."""
        share = self._brake.delivered_below if self._brake else None
        if share is None:
            return
        fates = tally.fates(db, share.of, halts.last_brake_ended(db))
        if too_few_arrive(fates, share):
            self._pull(db, f"only {fates.delivered} of the last {fates.known} texts arrived", now)

    def _pull(self, db: sqlite_utils.Database, why: str, now: datetime) -> None:
        if halts.halt(db, HaltKind.BRAKE, line=None, until=None, why=why, now=now):
            log.error(
                "the brake has stopped all automatic texts", extra={"why": _without_number(why), "advice": RELEASE}
            )

    def _tell_full(self, full: Sequence[Full]) -> None:
        """Log once that a cap of all texts is full, and again only after it had room."""
        now_full = frozenset(f"{cap.scope} {cap.cap}" for cap in full if cap.scope in ALARMING)
        for cap in sorted(now_full - self._told):
            log.warning("a cap is full: texts wait or are not sent", extra={"cap": cap})
        self._told = now_full


def caps_of(section: CapsSection | None) -> Caps:
    """Return the caps of the configuration; none for `caps: off`."""
    if section is None:
        return Caps()
    return Caps(number=section.number, prefix=section.prefix, did=section.did, all=section.all, spend=section.spend)


def _paused(active: Sequence[Halt], line: str | None) -> str:
    return next((halt.why for halt in active if halt.kind is HaltKind.PAUSE and halt.line in (None, line)), "")


def _braked(active: Sequence[Halt]) -> str:
    return next((halt.why for halt in active if halt.kind is HaltKind.BRAKE), "")


def _without_number(why: str) -> str:
    # The database may hold the number, a log may not.
    return why.partition(", the last one")[0]
