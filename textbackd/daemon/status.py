"""The line that `systemctl status textbackd` shows: how the day went, and what is not well.   store, vitals.py → here → systemd

Source: sd_notify(3), STATUS=.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, time
from typing import Final

import sqlite_utils

from textbackd.daemon.common import Kept
from textbackd.daemon.generation import Generation
from textbackd.store import journal, outbox
from textbackd.web import health

LOOK_EVERY: Final = 5.0  # seconds
TEXTING: Final = {"paused": "texting is paused", "brake": "the brake has stopped all texts"}


class Status:
    """Keeps the line true."""

    def __init__(self, say: Callable[[str], None], kept: Kept, database: Callable[[], str]) -> None:
        """`database` says "ok" while it commits, without trying."""
        self._say, self._kept, self._database = say, kept, database
        self._generation: Generation | None = None
        self._told = ""
        self.note = ""  # what else there is to say, until it is taken back

    def follow(self, generation: Generation) -> None:
        """Tell of this one from now on."""
        self._generation = generation

    async def run(self) -> None:
        """Tell what has changed, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.tell()

    async def tell(self, also: str = "") -> None:
        """Tell how it is now, if that is new, and something else with it."""
        line = await self.line()
        said = [also] if also else []
        if line != self._told:
            said.append(f"STATUS={line}")
        self._told = line
        if said:
            self._say("\n".join(said))

    async def line(self) -> str:
        """Return the line."""
        generation = self._generation
        if generation is None:
            return ""
        vitals, database = generation.vitals, self._database()
        pbxs, gateways = vitals.pbx_states(), vitals.gateway_states()
        try:
            day, texting = await self._day(generation), await vitals.texting()
        except sqlite3.Error:
            day, texting, database = "", health.ON, database if database != health.OK else "cannot be read"
        status = health.overall(database, pbxs, gateways, texting)
        worse = "" if status is health.Status.OK else f"{status.value}: "
        storage = "" if database == health.OK else f"the database {database}"
        states = ", ".join(_states([*pbxs.items(), *gateways.items()]))
        return worse + "; ".join(filter(None, (storage, day, TEXTING.get(texting), states, self.note)))

    async def _day(self, generation: Generation) -> str:
        """Return "3 calls missed today, 3 texted"."""
        now = self._kept.clock().astimezone(generation.settings.business.timezone)
        midnight = datetime.combine(now.date(), time(), now.tzinfo)
        missed, texted = await self._kept.store.read(lambda db: _counted(db, midnight))
        return f"{missed} call{'' if missed == 1 else 's'} missed today, {texted} texted"


def _counted(db: sqlite_utils.Database, since: datetime) -> tuple[int, int]:
    return journal.count_missed(db, since), outbox.count_texted(db, since)


def _states(states: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Yield "office connected"; a gateway of which nothing is known yet has nothing to say."""
    return (f"{name} {state}" for name, state in states if state != "unknown")
