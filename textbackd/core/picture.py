"""The channels that are alive, and who hears whom.   core/tracker.py keeps it up to date from events      Pure.

Asterisk joins channels in bridges. A Local channel is a pair: what goes into one half comes out of the other, so a bridge with one
half is heard in the bridge with the other, as deep as such pairs go (FreePBX's follow-me makes three).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from textbackd.core.open_call import OpenCall

MOST_CHANNELS: Final = 20_000  # kept at once; a shop has tens. Above it the oldest are let go
MACHINES: Final = ("CBAnn/", "CBRec/", "Announcer/", "Recorder/", "Snoop/", "Message/", "Bridge/", "Surrogate/")
NO_PERSON: Final = ("Local/", *MACHINES)


@dataclass(slots=True)
class Leg:
    """One channel that is alive."""

    uniqueid: str
    name: str
    linkedid: str
    outside: bool
    born_at: datetime | None  # None also if it was there before us
    seen_at: datetime | None  # when we first heard of it
    picked_up: bool = False
    picked_up_at: datetime | None = None  # None also in a recording without times
    bridge: str | None = None
    heard_after: timedelta | None = None  # from its pick-up to a caller's first hearing it
    was_heard: bool = False
    gone: bool = False  # has transferred the caller away: whoever hears it now is not the caller
    call: "OpenCall | None" = None  # the call that it began, if it began one

    def heard(self, at: datetime | None) -> timedelta | None:
        """Note that a caller hears it; return how long after its pick-up that was the first time."""
        if not self.was_heard:
            self.was_heard = True
            self.heard_after = at - self.picked_up_at if at and self.picked_up_at else None
        return self.heard_after

    @property
    def is_local(self) -> bool:
        """One half of a Local channel, which is nobody."""
        return self.name.startswith("Local/")

    @property
    def is_text_queue(self) -> bool:
        """Return whether this is the one channel on which all texts go through the dialplan, and which never hangs up."""
        return self.name.startswith("Message/")

    @property
    def is_person(self) -> bool:
        """Somebody's channel, as far as its kind can tell."""
        return not self.name.startswith(NO_PERSON)


@dataclass(slots=True)
class Bridge:
    """Channels that hear each other, unless it only holds them."""

    holding: bool
    members: set[str] = field(default_factory=set)


class Picture:
    """All channels and bridges of one PBX at this moment."""

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.bridges: dict[str, Bridge] = {}
        self._by_name: dict[str, Leg] = {}

    @property
    def size(self) -> int:
        """Return how many things are remembered."""
        return len(self.legs) + len(self.bridges) + len(self._by_name)

    def add(self, leg: Leg) -> None:
        """Take a new channel in."""
        self.legs[leg.uniqueid] = self._by_name[leg.name] = leg

    def rename(self, leg: Leg, name: str) -> None:
        """Give a channel another name, as a masquerade does."""
        if self._by_name.get(leg.name) is leg:
            del self._by_name[leg.name]
        leg.name, self._by_name[name] = name, leg

    def remove(self, leg: Leg) -> None:
        """Let a channel go; it must have left its bridge."""
        self.legs.pop(leg.uniqueid, None)
        if self._by_name.get(leg.name) is leg:
            del self._by_name[leg.name]

    def clear(self) -> None:
        """Forget everything: Asterisk has stopped."""
        self.legs.clear()
        self._by_name.clear()
        self.bridges.clear()

    def enter(self, leg: Leg, bridge_id: str, *, holding: bool) -> Bridge:
        """Put a channel into a bridge, which begins with its first channel."""
        bridge = self.bridges.get(bridge_id)
        if bridge is None:
            bridge = self.bridges[bridge_id] = Bridge(holding)
        bridge.members.add(leg.uniqueid)
        leg.bridge = bridge_id
        return bridge

    def leave(self, leg: Leg) -> list[Leg]:
        """Take a channel out of its bridge; return who was heard there, itself included."""
        if leg.bridge is None:
            return []
        bridge_id, bridge = leg.bridge, self.bridges[leg.bridge]
        heard = self.reach(bridge_id)
        leg.bridge = None
        bridge.members.discard(leg.uniqueid)
        if not bridge.members:
            del self.bridges[bridge_id]
        return heard

    def reach(self, start: str) -> list[Leg]:
        """Return every channel that is heard in a bridge, through Local pairs as deep as they go."""
        heard, bridges = [], [start]
        for bridge_id in bridges:  # grows while it is walked
            bridge = self.bridges.get(bridge_id)
            if bridge is None or bridge.holding:
                continue
            for uniqueid in bridge.members:
                if (leg := self.legs.get(uniqueid)) is None:
                    continue
                heard.append(leg)
                other = self._other_half(leg)
                if other is not None and other.bridge is not None and other.bridge not in bridges:
                    bridges.append(other.bridge)
        return heard

    def persons_heard_by(self, leg: Leg) -> dict[str, Leg]:
        """Return whom a channel hears at this moment, by uniqueid."""
        heard = self.reach(leg.bridge) if leg.bridge else ()
        return {other.uniqueid: other for other in heard if other is not leg and other.is_person and not other.gone}

    def is_half_seen(self, leg: Leg) -> bool:
        """Return whether a caller hears a Local channel that leads nowhere we know, while somebody of the call has picked up.

        Either the picture is not complete yet or an event was lost. A Local channel into voicemail has nobody who picked up.
        """
        bridge = self.bridges.get(leg.bridge or "")
        if bridge is None or bridge.holding or len(bridge.members) < 2:
            return False
        linkedid = leg.linkedid
        return any(
            other.linkedid == linkedid and other.picked_up and other.is_person and other is not leg and not other.gone
            for other in self.legs.values()
        )

    def _other_half(self, leg: Leg) -> Leg | None:
        if not leg.is_local:
            return None
        base, _, half = leg.name.rpartition(";")
        return self._by_name.get(f"{base};{'2' if half == '1' else '1'}")
