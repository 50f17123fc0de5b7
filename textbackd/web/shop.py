"""What every page works with, handed in by the daemon.   daemon/pages.py → here → the pages"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from textbackd.config import Settings
from textbackd.flow.clock import Clock
from textbackd.flow.desk import Desk
from textbackd.store.database import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One shop's database, settings and clock, and what its staff can do."""

    store: Store
    settings: Settings
    clock: Clock
    desk: Desk

    def name_of(self, staff: str) -> str:
        """Return how colleagues know somebody."""
        person = self.settings.staff.get(staff)
        return person.name if person else staff


SHOP: Final = web.AppKey("shop", Shop)
