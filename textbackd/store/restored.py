"""Whether a backup was restored into this database, and when: of what was before that, much is not known.   store/restoring.py → here"""

from datetime import datetime
from typing import Final

import sqlite_utils

from textbackd.store.database import from_text

RESTORED_AT: Final = "restored_at"


def moment(db: sqlite_utils.Database) -> datetime | None:
    """Return when a backup was last restored into this database; None: never."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", [RESTORED_AT]).fetchone()
    return from_text(row[0]) if row else None


def is_before(db: sqlite_utils.Database, at: datetime) -> bool:
    """Return whether something happened before a backup was restored."""
    restored_at = moment(db)
    return restored_at is not None and at <= restored_at
