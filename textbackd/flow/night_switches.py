"""Ask the PBX whether somebody has switched a line to night.   core/night_switch.py, pbx/client.py → here → flow/calls_in.py

Asked at the end of a missed call, so what is flipped counts at once. Whatever goes wrong, the hours decide: a text in the wrong words is
better than none, and both are better than a late one.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from textbackd.config import Settings
from textbackd.core.night_switch import NightSwitch
from textbackd.core.phone import E164
from textbackd.pbx.client import AmiClient, PbxError

log = logging.getLogger(__name__)

ANSWER_WITHIN: Final = (
    2.0  # seconds; Asterisk answers in a millisecond or is in trouble, and the caller waits for the text
)


class NightSwitches:
    """The switches of all lines."""

    def __init__(self, settings: Settings, clients: Mapping[str, AmiClient]) -> None:
        self._settings, self._clients = settings, clients
        self._complaints: dict[str, str] = {}

    async def closed(self, did: E164 | None, pbx: str) -> bool | None:
        """Return whether the line of `did` is switched to closed; None if it has no switch, or the switch says nothing."""
        found = self._settings.line_for(did)
        switch = found[1].night_switch.switch() if found and found[1].night_switch else None
        if found is None or switch is None:
            return None
        answer = await self._ask(switch, pbx)
        closed = switch.is_closed(answer) if answer is not None else None
        self._complain(found[0], switch, answer, closed)
        return closed

    async def _ask(self, switch: NightSwitch, pbx: str) -> str | None:
        client = self._clients.get(switch.pbx or pbx)
        if client is None:
            return None
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                answers = await client.ask({"Action": "Getvar", "Variable": switch.variable})
        except (PbxError, TimeoutError):
            return None
        return str(answers[0].get("Value", "")) if answers[0].success else None

    def _complain(self, line: str, switch: NightSwitch, answer: str | None, closed: bool | None) -> None:
        """Log once what keeps a switch from being read, and again only after it could be."""
        if closed is not None:
            self._complaints.pop(line, None)
            return
        said = "the PBX did not answer" if answer is None else "it has no state"
        if self._complaints.get(line) != said:
            self._complaints[line] = said
            log.warning(
                "the day/night switch of a line cannot be read; its hours decide",
                extra={"line": line, "switch": switch.variable, "because": said},
            )
