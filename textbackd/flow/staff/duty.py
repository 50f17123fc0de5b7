"""Who of the staff is logged in to a line's queue?   the PBX's QueueStatus → core/handoff.py → here → handoff.py

Asked at the moment when somebody is to be told, so nothing has to be kept in step with the PBX. One that does not tell leaves it to
the rota and the line's staff. AMI action QueueStatus (docs.asterisk.org) is allowed with `write = reporting`; its entries say in
`Status` 4 and 5 for a phone that is not there (AST_DEVICE_INVALID, AST_DEVICE_UNAVAILABLE in include/asterisk/devicestate.h).
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from textbackd.config import Settings
from textbackd.core.handoff import Member, logged_in
from textbackd.pbx.client import AmiClient, PbxError

log = logging.getLogger(__name__)
LoggedIn = frozenset[str] | None  # who is logged in to the line's queue; None: it has none, or the PBX does not tell

ANSWER_WITHIN: Final = 2.0  # seconds; a caller waits for somebody
NOT_THERE: Final = frozenset({"4", "5"})


class Duty:
    """Knows the queues of all lines."""

    def __init__(self, settings: Settings, clients: Mapping[str, AmiClient]) -> None:
        self._settings, self._clients = settings, clients
        self._phones = {key: person.phone for key, person in settings.staff.items() if person.phone}

    async def logged_in(self, line: str | None) -> LoggedIn:
        """Return who is logged in to the queue of a line; None if it has none, or no PBX tells."""
        section = self._settings.lines.get(line or "")
        if section is None or section.queue is None:
            return None
        told = [
            found for client in self._clients.values() if (found := await _members(client, section.queue)) is not None
        ]
        if not told:
            log.warning("no PBX tells who is logged in to a queue", extra={"line": line, "queue": section.queue})
            return None
        return logged_in((member for members in told for member in members), self._phones)


async def _members(client: AmiClient, queue: str) -> list[Member] | None:
    """Return the members of a queue at one PBX; None if it does not tell, or has no such queue."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            answers = await client.ask({"Action": "QueueStatus", "Queue": queue}, with_list=True)
    except (PbxError, TimeoutError):
        return None
    if not answers[0].success or not any(_is(answer, "QueueParams", queue) for answer in answers):
        return None
    return [_member(answer) for answer in answers if _is(answer, "QueueMember", queue)]


def _is(answer: Any, event: str, queue: str) -> bool:
    return bool(answer.get("Event") == event and answer.get("Queue") == queue)


def _member(answer: Any) -> Member:
    names = (str(answer.get(key, "")) for key in ("Location", "StateInterface", "Name"))
    available = answer.get("Paused") != "1" and str(answer.get("Status", "0")) not in NOT_THERE
    return Member(interfaces=frozenset(filter(None, names)), is_available=available)
