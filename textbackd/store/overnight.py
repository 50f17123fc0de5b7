"""What came in since a moment. SQL about that lives here.   → report/digest.py"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlite_utils

from textbackd.store.database import to_text

# Of a row of `inbox`: a caller wrote to a person. STOP and its kin are words to us, and staff write from their mobiles, too.
WROTE: Final = "kind = 'text' AND coalesce(keyword, 'ask') = 'ask' AND number IN (SELECT number FROM conversations)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameIn:
    """What came in, in numbers."""

    missed: int  # calls
    texted: int  # of these, that were answered by a text
    wrote: int  # callers who wrote
    leads: int  # forms that were filled in


def came_in(db: sqlite_utils.Database, since: datetime) -> CameIn:
    """Return what came in since then."""
    at = to_text(since)
    missed, texted = db.execute(
        "SELECT count(*), total(decision = 'text') FROM calls WHERE ended_at >= ? AND verdict = 'missed'", [at]
    ).fetchone()
    wrote = db.execute(
        f"SELECT count(DISTINCT number) FROM inbox WHERE received_at >= ? AND {WROTE}",  # noqa: S608
        [at],
    ).fetchone()
    leads = db.execute("SELECT count(*) FROM leads WHERE at >= ?", [at]).fetchone()
    return CameIn(missed=int(missed), texted=int(texted), wrote=int(wrote[0]), leads=int(leads[0]))
