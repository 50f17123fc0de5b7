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

    async def closed(self, did: E164 | None, channel: str, pbx: str) -> bool | None:
        """Return whether the line of a call is switched to closed; None if it has no switch, or the switch says nothing."""
        found = self._settings.line_for(did, channel)
        switch = found[1].night_switch.switch() if found and found[1].night_switch else None
        if found is None or switch is None:
            return None
        answer, said = await self._ask(switch, pbx)
        closed = switch.is_closed(answer) if answer is not None else None
        if closed is None:
            self._complain(found[0], switch, said)
        else:
            self._complaints.pop(found[0], None)
        return closed

    async def _ask(self, switch: NightSwitch, pbx: str) -> tuple[str | None, str]:
        """Return what the switch answers, None for no answer, and what to say of it if it tells nothing."""
        client = self._clients.get(switch.pbx or pbx)
        if client is None:
            return None, "there is no such PBX"
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                answers = await client.ask(switch.action, with_list=True)
        except PbxError as error:
            return None, str(error)
        except TimeoutError:
            return None, "the PBX did not answer"
        if not answers[0].success:
            return None, str(answers[0].get("Message", "the PBX refused"))
        # Getvar answers with the value itself, DBGet with a list of one entry.
        values = [value for answer in answers for key in ("Value", "Val") if (value := answer.get(key)) is not None]
        return str(values[0]) if values else "", f"its state is {values[0] if values else 'not told'}"

    def _complain(self, line: str, switch: NightSwitch, because: str) -> None:
        """Log once what keeps a switch from being read, and again only after it could be."""
        if self._complaints.get(line) != because:
            self._complaints[line] = because
            log.warning(
                "the day/night switch of a line cannot be read; its hours decide",
                extra={"line": line, "switch": " ".join(switch.action.values()), "because": because},
            )
