"""What all sides of the daemon share."""

import asyncio
from dataclasses import dataclass, field

from textbackd.config import Settings
from textbackd.flow.bell import Bell
from textbackd.flow.clock import Clock
from textbackd.flow.desk import Desk
from textbackd.flow.guard import Guard
from textbackd.flow.staff.ring_back import RingBack
from textbackd.store.database import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """One of each, for the whole life of the daemon."""

    settings: Settings  # its secrets are resolved
    store: Store
    clock: Clock
    guard: Guard
    bell: Bell
    desk: Desk  # what the staff can do
    ring_back: RingBack  # has desk phones rung
    # The decision on a text must see the text of the last one, whichever side it came from.
    one_decision: asyncio.Lock = field(default_factory=asyncio.Lock)
