"""How the daemon is: what /healthz and /metrics ask.   daemon → here → web/health.py, web/metrics.py"""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlite_utils

from textbackd.core.conversation import Turn
from textbackd.core.decide import ALERT_AT
from textbackd.core.limits import MILLIONTHS
from textbackd.daemon.common import Common
from textbackd.daemon.gateways import Gateways
from textbackd.daemon.pbxs import Pbxs
from textbackd.daemon.risen import Measured, Risen
from textbackd.flow.staff.watch import Watch
from textbackd.store import conversations, halts, inbox, journal, notices, optouts, outbox, steps
from textbackd.store.conversations import Box
from textbackd.store.halts import HaltKind
from textbackd.web.metrics import (
    FIRST_ANSWER_BUCKETS,
    HANGUP_TO_ACCEPTED_BUCKETS,
    Family,
    Snapshot,
    families,
)

TURNS: Final = (Turn.NEW, Turn.OURS, Turn.THEIRS)


class Vitals:
    """Looks at the daemon at the moment when it is asked."""

    def __init__(
        self, common: Common, pbxs: Pbxs, gateways: Gateways, watch: Watch, counters: "Counters", since: datetime
    ) -> None:
        """`since`: when the configuration was read."""
        self._common, self._pbxs, self._gateways, self._watch = common, pbxs, gateways, watch
        self._risen = counters  # of the whole life of the daemon
        self._since = since

    async def database_ok(self) -> str:
        """Return "ok" while the database commits."""
        return "ok" if await self._common.store.is_writable() else "cannot be written"

    def pbx_states(self) -> Mapping[str, str]:
        """Return how each PBX is."""
        return self._pbxs.states()

    def gateway_states(self) -> Mapping[str, str]:
        """Return how each gateway is."""
        return self._gateways.states()

    async def texting(self) -> str:
        """Return "on", "paused" by a person for all lines, or "brake"."""
        active = await self._common.store.run(lambda db: halts.active(db, self._common.clock()))
        whole = [halt.kind for halt in active if halt.line is None]
        return "brake" if HaltKind.BRAKE in whole else "paused" if whole else "on"

    async def begin(self) -> None:
        """Let the counters begin at nothing, before anything new is counted. Raises sqlite3.Error."""
        await self._common.store.run(lambda db: self._risen.since(db, self._common.clock()))

    async def measure(self) -> list[Family]:
        """Return the numbers of this moment. However many calls there are, no call waits for it."""
        read, now = self._common.store.read, self._common.clock()
        counted = await read(lambda db: self._risen.since(db, now))
        measured, path = self._gateways.measured(), self._common.settings.storage
        snapshot = replace(
            await read(lambda db: _standing(db, counted, now)),
            pbx=self.pbx_states(),
            gateways=self.gateway_states(),
            texting=await self.texting(),
            vitals={name: gateway.vitals() for name, gateway in measured.items()},
            told={name: gateway.told() for name, gateway in measured.items()},
            alarms={(about.trouble.value, about.of): is_wrong for about, is_wrong in self._watch.alarms().items()},
            waiting_events=self._pbxs.waiting_events(),
            database_bytes=sum(file.stat().st_size for file in (path, Path(f"{path}-wal")) if file.exists()),
            configured_at=self._since,
            disk_free_bytes=shutil.disk_usage(path.parent).free,
        )
        return families(snapshot)


class Counters:
    """What only rises."""

    def __init__(self) -> None:
        self._hangup_to_accepted = Measured(HANGUP_TO_ACCEPTED_BUCKETS, outbox.seconds_to_accepted)
        self._first_answer = Measured(FIRST_ANSWER_BUCKETS, conversations.seconds_to_answer)
        self._calls, self._decisions, self._incoming = (Risen[tuple[str, str]]() for _ in range(3))
        self._missed_again, self._segments, self._cost = (Risen[str]() for _ in range(3))

    def since(self, db: sqlite_utils.Database, now: datetime) -> Snapshot:
        """Return by how much everything has risen since the first time."""
        counted = _counted(db)
        return replace(
            counted,
            calls=self._calls.by(counted.calls),
            decisions=self._decisions.by(counted.decisions),
            incoming=self._incoming.by(counted.incoming),
            missed_again=self._missed_again.by({"": counted.missed_again})[""],
            segments=self._segments.by(counted.segments),
            cost=self._cost.by(counted.cost),
            hangup_to_accepted=self._hangup_to_accepted.by(db, now),
            first_answer=self._first_answer.by(db, now),
        )


def _counted(db: sqlite_utils.Database) -> Snapshot:
    """Return what the database holds of that which is counted."""
    calls, spent = journal.counts(db), outbox.spent_by_line(db)
    return Snapshot(
        calls=_total(((verdict, reason), n) for verdict, reason, _, _, n in calls),
        decisions=_total(((decision, why), n) for _, _, decision, why, n in calls),
        incoming=inbox.counts(db),
        missed_again=journal.count_missed_again(db, ALERT_AT),
        segments={line: segments for line, (segments, _) in spent.items()},
        cost={line: cost / MILLIONTHS for line, (_, cost) in spent.items()},
    )


def _standing(db: sqlite_utils.Database, counted: Snapshot, now: datetime) -> Snapshot:
    """Return how things stand, beside what was counted."""
    texts, boxes = outbox.counts(db), conversations.counts(db)
    waiting, longest = conversations.longest_wait(db, now)
    return replace(
        counted,
        texts=texts,
        outbox_length=texts.get("queued", 0),
        notices=notices.counts(db),
        turns={turn.value: boxes[Box(turn.value)] for turn in TURNS},
        callbacks=boxes[Box.CALLBACK],
        waiting=waiting,
        longest_wait=longest,
        steps=steps.counts(db),
        optouts=optouts.count(db),
    )


def _total(counted: Iterable[tuple[tuple[str, str], int]]) -> dict[tuple[str, str], int]:
    totals: Counter[tuple[str, str]] = Counter()
    for key, number in counted:
        totals[key] += number
    return dict(totals)
