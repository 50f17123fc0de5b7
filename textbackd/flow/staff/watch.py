"""Sees that something is wrong, and has somebody told: once, and once more when it is over.

PBXs, gateways, store → here (core/trouble.py decides, report/troubles.py says it) → flow/staff/tells.py.   What is told is noted in the
transaction that writes who is told, so that a restart repeats nothing. Where the database itself is what fails, it is told at once
by whatever needs none (flow/staff/at_once.py). `mode: observe` tells nobody; the log says it in any case.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.trouble import PREFIX, About, Course, Step, Trouble, is_somebody_there, step, went_on, without_calls
from textbackd.flow.staff.live_answers import LiveAnswers
from textbackd.flow.staff.tells import Tells
from textbackd.gateways.base import Explains, Gateway, Health, Measured
from textbackd.report import troubles
from textbackd.report.troubles import Said
from textbackd.store import halts, journal, outbox, steps
from textbackd.store.database import Store, writing
from textbackd.store.halts import HaltKind

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 30.0  # seconds
NEARLY_FULL: Final = 0.9  # of a modem's memory for incoming texts, as in gateways/gsm_modem.py
UNKNOWN_FOR: Final = timedelta(days=1)  # a text of which nobody has said anything by then is left as it is
CONNECTED: Final = "connected"
PBX_SAYS: Final = {"refused": "it refuses the login", "away": "nothing answers there"}
WRONG: Final = frozenset({Health.DOWN, Health.PAUSED})
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the database knows."""

    told: Mapping[str, datetime] = field(default_factory=dict)  # key of what somebody knows of → when they were told
    last_calls: Mapping[str, datetime | None] = field(default_factory=dict)  # by line; "": on any
    unknown: int = 0  # texts that may or may not have gone out
    brake: halts.Halt | None = None
    fewer_answered: str = ""  # by how much; "": it did not change
    said: Mapping[str, str] = field(default_factory=dict)  # gateway → what it said when it took no text


class Watch:
    """Looks twice a minute."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Callable[[], datetime],
        tells: Tells,
        at_once: Callable[[Sequence[str], str], Awaitable[bool]],
        pbx_states: Callable[[], Mapping[str, str]],
        gateways: Mapping[str, Gateway],
        wake: Callable[[], None],
    ) -> None:
        """`at_once` tells some of the staff without the database, and returns whether that reached anybody."""
        self._settings, self._store, self._clock, self._tells, self._wake = settings, store, clock, tells, wake
        self._at_once, self._pbx_states, self._gateways = at_once, pbx_states, gateways
        self._lines = {name: settings.timetable(line) for name, line in settings.lines.items()}
        limits = {"": settings.alarms.no_calls, **{name: line.no_calls for name, line in settings.lines.items()}}
        self._silent_for = {line: limit for line, limit in limits.items() if limit is not None}
        self._live_answers = LiveAnswers(settings, store)
        self._courses: dict[About, Course] = {}
        self._told: dict[str, datetime] = {}  # what somebody knows of, as the database said last
        self._told_at_once: set[About] = set()
        self.active: frozenset[About] = frozenset()  # what has lasted for too long

    def take_over(self, before: "Watch") -> None:
        """Go on with what another has seen of that which is still there: what is wrong has been so since then."""
        known = {"", *self._settings.pbx, *self._gateways, *self._lines}
        self._courses = {about: course for about, course in before._courses.items() if about.of in known}
        self._told_at_once = {about for about in before._told_at_once if about.of in known}
        self._told, self.active = dict(before._told), frozenset(about for about in before.active if about.of in known)

    def alarms(self) -> Mapping[About, bool]:
        """Return of everything that may be wrong whether it has been for too long."""
        return {about: about in self.active for about in self._courses}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """See how everything is, and tell what is to be told now."""
        now = self._clock()
        facts = await self._asked(now)
        if facts is not None:
            self._told = dict(facts.told)
        is_writable = await self._store.is_writable()
        for about, seen in self._seen(facts, is_writable, now):
            self._courses[about] = went_on(self._courses.get(about), seen)
        self._log_changes(now)
        await self._forget_gone()
        if self._settings.mode != "observe":
            for about, course in self._courses.items():
                await self._follow(about, course, now)

    # ---- what is seen

    async def _asked(self, now: datetime) -> Facts | None:
        """Return what the database tells; None if it cannot be asked, which says nothing of what it would tell."""
        try:
            fallen = await self._live_answers.fallen(now)
            return replace(await self._store.run(lambda db: self._facts(db, now)), fewer_answered=fallen)
        except sqlite3.Error:
            return None

    def _facts(self, db: sqlite_utils.Database, now: datetime) -> Facts:
        since = now - (self._settings.alarms.unknown_texts or timedelta(0))
        brakes = [halt for halt in halts.active(db, now) if halt.kind is HaltKind.BRAKE]
        return Facts(
            told=steps.told(db, PREFIX),
            last_calls={line: journal.last_inbound(db, line or None) for line in self._silent_for},
            unknown=outbox.count_unknown(db, now - UNKNOWN_FOR, since),
            brake=brakes[0] if brakes else None,
            said={name: outbox.last_failure(db, name) for name in self._gateways},
        )

    def _seen(self, facts: Facts | None, is_writable: bool, now: datetime) -> Iterator[tuple[About, Course]]:
        yield About(Trouble.DATABASE), Course(is_wrong=not is_writable, since=now)
        yield About(Trouble.DISK), Course(is_wrong=self._store.is_tight, since=now)
        for pbx, state in self._pbx_states().items():
            yield (
                About(Trouble.PBX_AWAY, pbx),
                Course(is_wrong=state != CONNECTED, since=now, why=PBX_SAYS.get(state, "")),
            )
        for name, gateway in self._gateways.items():
            yield from self._seen_of(gateway, facts.said.get(name, "") if facts else "", now)
        if is_writable and facts is not None:
            yield from self._seen_in(facts, now)

    def _seen_of(self, gateway: Gateway, said: str, now: datetime) -> Iterator[tuple[About, Course]]:
        """Yield how a gateway is. One that was not tried since the start may be either: nothing is said of it."""
        if (health := gateway.health()) is not Health.UNKNOWN:
            known = gateway.trouble if isinstance(gateway, Explains) else ""
            yield (
                About(Trouble.GATEWAY_DOWN, gateway.name),
                Course(is_wrong=health in WRONG, since=now, why=known or said),
            )
        if isinstance(gateway, Measured) and (size := gateway.vitals().get("sim_storage_size")):
            used = gateway.vitals().get("sim_storage_used", 0)
            why = f"{used:.0f} of {size:.0f} messages"
            yield About(Trouble.SIM_FULL, gateway.name), Course(is_wrong=used >= NEARLY_FULL * size, since=now, why=why)

    def _seen_in(self, facts: Facts, now: datetime) -> Iterator[tuple[About, Course]]:
        brake = facts.brake
        yield (
            About(Trouble.BRAKE),
            Course(is_wrong=brake is not None, since=brake.since if brake else now, why=brake.why if brake else ""),
        )
        fallen = facts.fewer_answered
        yield About(Trouble.FEWER_ANSWERED), Course(is_wrong=fallen != "", since=now, why=fallen)
        texts = f"{facts.unknown} text{'' if facts.unknown == 1 else 's'}"
        yield About(Trouble.UNKNOWN_TEXTS), Course(is_wrong=facts.unknown > 0, since=now, why=texts)
        yield from self._silences(facts, now)

    def _silences(self, facts: Facts, now: datetime) -> Iterator[tuple[About, Course]]:
        """Yield whether calls have stayed away for too long; nothing where nobody can know, since a PBX is not listened to."""
        pbxs = [course for about, course in self._courses.items() if about.trouble is Trouble.PBX_AWAY]
        if not pbxs or any(course.is_wrong for course in pbxs):
            return
        listened = max(course.since for course in pbxs)
        for line, limit in self._silent_for.items():
            about, last = About(Trouble.NO_CALLS, line), facts.last_calls.get(line) or _LONG_AGO
            lines = [self._lines[line]] if line else list(self._lines.values())
            told = facts.told.get(about.key)
            silent = last <= told if told is not None else without_calls(max(last, listened), lines, now) >= limit
            yield about, Course(is_wrong=silent, since=now)

    # ---- what is told

    def _log_changes(self, now: datetime) -> None:
        active = frozenset(about for about, course in self._courses.items() if self._lasts(about, course, now))
        for about in active - self.active:
            log.error("something is wrong", extra={"trouble": about.trouble.value, "of": about.of})
        for about in self.active - active:
            log.warning("it is over", extra={"trouble": about.trouble.value, "of": about.of})
        self.active = active

    def _lasts(self, about: About, course: Course, now: datetime) -> bool:
        patience = self._settings.alarms.patience(about.trouble)
        return course.is_wrong and patience is not None and now - course.since >= patience

    async def _forget_gone(self) -> None:
        """Let go of what was told of a PBX, a gateway or a line that is not in the configuration any more."""
        ours = {
            About(trouble, of).key
            for trouble in Trouble
            for of in ("", *self._settings.pbx, *self._gateways, *self._lines)
        }
        if gone := [key for key in self._told if key not in ours]:
            with suppress(sqlite3.Error):  # the next look comes soon
                await self._store.run(lambda db: _forget(db, gone))

    async def _follow(self, about: About, course: Course, now: datetime) -> None:
        patience = self._settings.alarms.patience(about.trouble)
        if patience is None:
            return
        what = step(
            course,
            is_told=about.key in self._told or about in self._told_at_once,
            patience=patience,
            may_tell=self._may_tell(about, now),
            now=now,
        )
        if what is not None:
            await self._tell(about, self._words(about, course, what), what, now)

    def _may_tell(self, about: About, now: datetime) -> bool:
        can_wait = about.trouble not in self._settings.alarms.at_night
        return not can_wait or is_somebody_there(self._lines.values(), self._settings.policy.quiet_hours, now)

    def _words(self, about: About, course: Course, what: Step) -> str | None:
        business, limit = self._settings.business, self._silent_for.get(about.of, timedelta(0))
        said = Said(about=about, since=course.since, why=course.why, no_calls=limit)
        words = troubles.begun if what is Step.TELL else troubles.over
        return words(business.name, said, business.timezone)

    async def _tell(self, about: About, words: str | None, what: Step, now: datetime) -> None:
        try:
            await self._store.run(lambda db: self._write(db, about, words, what, now))
        except sqlite3.Error:
            if what is Step.TELL and words is not None and await self._at_once(self._whom(), words):
                self._told_at_once.add(about)
            return
        self._told_at_once.discard(about)
        if what is Step.TELL:
            self._told[about.key] = now
        else:
            self._told.pop(about.key, None)
        self._wake()

    def _write(self, db: sqlite_utils.Database, about: About, words: str | None, what: Step, now: datetime) -> None:
        with writing(db):
            if what is Step.TELL:
                steps.tell_once(db, about.key, now)
            else:
                steps.is_over(db, about.key)
            if words is not None:
                self._tells.say(db, self._whom(), words, now)

    def _whom(self) -> list[str]:
        """Return who is told: whoever wants to be, else the first of the staff."""
        staff = self._settings.staff
        return [key for key, person in staff.items() if person.alarms] or list(staff)[:1]


def _forget(db: sqlite_utils.Database, gone: Sequence[str]) -> None:
    with writing(db):
        for key in gone:
            steps.is_over(db, key)
