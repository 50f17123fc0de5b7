"""What all sides of the daemon share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from textbackd.config import Settings
from textbackd.flow.bell import Bell
from textbackd.flow.clock import Clock
from textbackd.flow.desk import Desk
from textbackd.flow.guard import Guard, caps_of
from textbackd.flow.staff.ring_back import RingBack
from textbackd.store.database import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One of each, for the whole life of the daemon, whatever becomes of the configuration."""

    store: Store
    clock: Clock
    wake: Callable[[], None]  # has the outbox looked at now
    bell: Bell = field(default_factory=Bell)
    # The decision on a text must see the text of the last one, whichever side it came from.
    one_decision: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """One of each, for as long as a configuration holds."""

    settings: Settings  # its secrets are resolved
    store: Store
    clock: Clock
    guard: Guard
    bell: Bell
    desk: Desk  # what the staff can do
    ring_back: RingBack  # has desk phones rung
    one_decision: asyncio.Lock


def common(settings: Settings, kept: Kept) -> Common:
    """Return what all sides share under a configuration."""
    store, clock, bell, ring_back = kept.store, kept.clock, kept.bell, RingBack(settings)
    return Common(
        settings=settings,
        store=store,
        clock=clock,
        guard=Guard(caps_of(settings.policy.caps), settings.policy.brake, observing=settings.mode == "observe"),
        bell=bell,
        desk=Desk(settings, store=store, clock=clock, bell=bell, wake=kept.wake, ring_back=ring_back),
        ring_back=ring_back,
        one_decision=kept.one_decision,
    )
