"""Is everything well?  Says it at /healthz for monitors and people.   flow, store → here → web/app.py

The status code follows the database alone: without it nothing can be decided or remembered, while a PBX or a gateway
that is away is waited for. The body tells them all.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, Protocol

from aiohttp import web

log = logging.getLogger(__name__)

DATABASE_PATIENCE: Final = timedelta(seconds=5)  # shorter than the 10 s that monitors commonly wait
OK: Final = "ok"
NO_ANSWER: Final = "no answer"
ERROR: Final = "error"
ON: Final = "on"
BRAKE: Final = "brake"
WELL_PBX: Final = frozenset({"connected"})
# A gateway is unknown until its first text: no reason to wake anybody.
WELL_GATEWAY: Final = frozenset({"up", "unknown"})


class Vitals(Protocol):
    """What the running daemon knows of its own state."""

    async def database_ok(self) -> str:
        """Return "ok" when the database answers, else in a few words what is wrong."""

    def pbx_states(self) -> Mapping[str, str]:
        """Return for each PBX of the configuration: connected, connecting, refused or away."""

    def gateway_states(self) -> Mapping[str, str]:
        """Return for each gateway of the configuration: up, down, paused or unknown."""

    async def texting(self) -> str:
        """Return "on", "paused" by a person, or "brake"."""


VITALS: Final[web.AppKey[Vitals]] = web.AppKey("vitals")


class Status(StrEnum):
    """All in one word."""

    OK = "ok"
    DEGRADED = "degraded"  # a PBX or a gateway is not well
    FAILING = "failing"  # the database does not answer


def overall(database: str, pbx: Mapping[str, str], gateways: Mapping[str, str], texting: str = ON) -> Status:
    """Return the worst that is true. A pause is what a person wants, so it is well."""
    if database != OK:
        return Status.FAILING
    is_well = WELL_PBX.issuperset(pbx.values()) and WELL_GATEWAY.issuperset(gateways.values()) and texting != BRAKE
    return Status.OK if is_well else Status.DEGRADED


async def health(vitals: Vitals, *, patience: timedelta = DATABASE_PATIENCE) -> web.Response:
    """Return the answer of /healthz: 200 while the database answers within `patience`, else 503.

    `texting` stands in it only while a person or the brake has stopped all automatic texts.
    """
    found = await state(vitals, patience)
    body = {"status": found.status, "database": found.database, "pbx": found.pbx, "gateways": found.gateways}
    if found.texting != ON:
        body["texting"] = found.texting
    return web.json_response(body, status=503 if found.status is Status.FAILING else 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How the daemon is at one moment."""

    status: Status
    database: str
    pbx: dict[str, str]
    gateways: dict[str, str]
    texting: str


async def state(vitals: Vitals, patience: timedelta = DATABASE_PATIENCE) -> State:
    """Return how the daemon is; the database has `patience` to answer."""
    database, texting = await _asked(vitals, patience)
    pbx, gateways = dict(vitals.pbx_states()), dict(vitals.gateway_states())
    status = overall(database, pbx, gateways, texting)
    return State(status=status, database=database, pbx=pbx, gateways=gateways, texting=texting)


async def _asked(vitals: Vitals, patience: timedelta) -> tuple[str, str]:
    """Return how the database is, and whether texting is on, as far as the database tells."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            database = await vitals.database_ok()
            return database, await vitals.texting() if database == OK else ON
    except TimeoutError:
        return NO_ANSWER, ON
    # Whatever breaks in there, a monitor gets its answer.
    except Exception:
        log.exception("the database could not be asked for its health")
        return ERROR, ON
