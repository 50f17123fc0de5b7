"""What all sides of the daemon share."""

from dataclasses import dataclass

from textbackd.config import Settings
from textbackd.flow.bell import Bell
from textbackd.flow.clock import Clock
from textbackd.flow.desk import Desk
from textbackd.flow.guard import Guard
from textbackd.flow.ring_back import RingBack
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
