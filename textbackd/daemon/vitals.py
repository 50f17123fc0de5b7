"""How the daemon is: what /healthz and /metrics ask.   daemon → here → web/health.py, web/metrics.py"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from textbackd.core.decide import ALERT_AT
from textbackd.daemon.common import Common
from textbackd.daemon.gateways import Gateways
from textbackd.daemon.pbxs import Pbxs
from textbackd.store import halts, inbox, journal, notices, outbox
from textbackd.store.halts import HaltKind
from textbackd.web.metrics import HANGUP_TO_ACCEPTED_BUCKETS, Family, Histogram, Snapshot, families

MEASURED_SINCE: Final = timedelta(days=30)


class Vitals:
    """Looks at the daemon at the moment when it is asked."""

    def __init__(self, common: Common, pbxs: Pbxs, gateways: Gateways) -> None:
        self._common, self._pbxs, self._gateways = common, pbxs, gateways

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

    async def measure(self) -> list[Family]:
        """Return the numbers of this moment."""
        run, now = self._common.store.run, self._common.clock()
        calls = await run(journal.counts)
        texts = await run(outbox.counts)
        measured = self._gateways.measured()
        snapshot = Snapshot(
            calls=_total(((verdict, reason), n) for verdict, reason, _, _, n in calls),
            decisions=_total(((decision, why), n) for _, _, decision, why, n in calls),
            texts=texts,
            outbox_length=texts.get("queued", 0),
            hangup_to_accepted=_histogram(await run(lambda db: outbox.seconds_to_accepted(db, now - MEASURED_SINCE))),
            pbx=self.pbx_states(),
            gateways=self.gateway_states(),
            incoming=await run(inbox.counts),
            notices=await run(notices.counts),
            missed_again=await run(lambda db: journal.count_missed_again(db, ALERT_AT)),
            texting=await self.texting(),
            vitals={name: gateway.vitals() for name, gateway in measured.items()},
            told={name: gateway.told() for name, gateway in measured.items()},
        )
        return families(snapshot)


def _histogram(seconds: Iterable[float]) -> Histogram:
    histogram = Histogram(HANGUP_TO_ACCEPTED_BUCKETS)
    for value in seconds:
        histogram.observe(value)
    return histogram


def _total(counted: Iterable[tuple[tuple[str, str], int]]) -> dict[tuple[str, str], int]:
    totals: Counter[tuple[str, str]] = Counter()
    for key, number in counted:
        totals[key] += number
    return dict(totals)
