"""Tells staff without the database, because it is the database that fails.   flow/staff/watch.py → here → textbackd/handoff/

Texts to mobiles cannot go this way: a text goes out only after it was written down. Nothing is tried again here.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from textbackd.handoff import words
from textbackd.handoff.base import Channel, Message, NotTold
from textbackd.store.notices import Way

log = logging.getLogger(__name__)
Ways = Callable[[str], Iterable[tuple[Way, str]]]  # one of the staff → how they can be told, with which of several


class AtOnce:
    """Tells by the channels, in their turn."""

    def __init__(self, ways: Ways, channels: Mapping[Way, Channel], clock: Callable[[], datetime]) -> None:
        self._ways, self._channels, self._clock = ways, channels, clock

    async def tell(self, staff: Sequence[str], said: str) -> bool:
        """Tell some of the staff; return whether that reached anybody."""
        is_told = False
        for name in staff:
            for way, target in self._ways(name):
                if way in self._channels:
                    is_told |= await self._by(way, self._message(name, target, said))
        return is_told

    def _message(self, staff: str, target: str, said: str) -> Message:
        now = self._clock()
        return Message(
            key=f"textbackd-at-once-{now.timestamp():.0f}-{staff}-{target}",
            at=now,
            staff=staff,
            target=target,
            title=words.shortened(said, words.IN_A_TITLE),
            words=f"{said}\n",
            event={},
        )

    async def _by(self, way: Way, message: Message) -> bool:
        try:
            await self._channels[way].tell(message)
        except NotTold as failure:
            fields = {"channel": way.value, "staff": message.staff, "why": str(failure)}
            log.warning("what is wrong could not be told at once; trying again", extra=fields)
            return False
        return True
