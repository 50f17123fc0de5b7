"""How escalation and alarms reach staff: what is needed of whoever tells them.   flow/escalation.py, flow/alarms.py → here"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.conversations import Conversation


class Tells(Protocol):
    """Tells staff, by every way that they have. All methods write inside the caller's transaction, and send nothing themselves."""

    def about(
        self, db: sqlite_utils.Database, staff: Sequence[str], conversation: Conversation, words: str, now: datetime
    ) -> Sequence[str]:
        """Tell some of the staff about a caller, or whoever gets the replies if none are named; return who is told."""

    def page(
        self, db: sqlite_utils.Database, mobile: E164, conversation: Conversation, words: str, now: datetime
    ) -> None:
        """Text a mobile about a caller, whoever's it is."""

    def say(self, db: sqlite_utils.Database, staff: Sequence[str], words: str, now: datetime) -> None:
        """Tell some of the staff something that is about no caller."""
