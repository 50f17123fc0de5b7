"""Which channels come from outside?  Pure.

A leg that Asterisk dials out over a trunk looks like a caller coming in over it: the same channel name prefix, the same context.
What separates them is that a caller's channel passes through state Ring, a dialled one through Ringing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

# Contexts in which calls from outside arrive: plain set-ups by custom, FreePBX by its generated dialplan. Its
# from-sip-external is left out on purpose: unknown senders end there, mostly scanners.
USUAL_TRUNK_CONTEXTS: Final = (
    "from-trunk*", "from-pstn*", "from-digital*", "from-analog*", "from-dahdi*", "from-zaptel*", "from-did*",
    "incoming*", "inbound*", "from-external", "from-provider*", "from-outside*",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trunks:
    """Patterns (shell style) of contexts and channel names; a channel that matches either is outside."""

    contexts: Sequence[str] = USUAL_TRUNK_CONTEXTS
    channels: Sequence[str] = ()
    _known: dict[tuple[str, str], bool] = field(default_factory=dict, repr=False, compare=False)

    def has(self, channel: str, context: str) -> bool:
        """Return whether this channel is one of the outside."""
        key = (trunk_of(channel), context)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > 10_000:  # names come from the wire; the memory stays bounded whatever they are
                self._known.clear()
            known = self._known[key] = self._matches(channel, context)
        return known

    def _matches(self, channel: str, context: str) -> bool:
        return any(fnmatchcase(context, pattern) for pattern in self.contexts) or any(
            fnmatchcase(channel, pattern) for pattern in self.channels
        )


def trunk_of(channel: str) -> str:
    """Return the channel's name without its serial number: `PJSIP/trunk-0000002a` → `PJSIP/trunk`."""
    return channel.rpartition("-")[0] or channel
