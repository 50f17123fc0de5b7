"""What is noted down because somebody looked: that they were seen, that they have read it.   access/auth.py, inbox/reading.py → here

Nobody came for that. Where the disk does not take it the page is shown all the same: when a disk is full, the inbox is where people look.
"""

import logging
import sqlite3
from collections.abc import Awaitable
from typing import Final

from aiohttp import web

log = logging.getLogger(__name__)


class SideNotes:
    """Writes what may be lost."""

    def __init__(self) -> None:
        self._is_told = False

    async def write(self, work: Awaitable[object]) -> None:
        """Await what writes; if the disk does not take it the log says so, once until it does again."""
        try:
            await work
        except sqlite3.OperationalError as error:
            if not self._is_told:
                log.warning("who uses the inbox cannot be noted; reading goes on", extra={"error": str(error)})
            self._is_told = True
        else:
            self._is_told = False


SIDE_NOTES: Final = web.AppKey("side_notes", SideNotes)
