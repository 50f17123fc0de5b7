"""What people did: in conversations, and with their accounts. Shown in timelines, and the audit of who read and replied.

SQL about acts lives here.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import to_text


class ActKind(StrEnum):
    """What somebody did."""

    # in a conversation
    READ = "read"  # opened it; in the audit only
    REPLIED = "replied"  # the text itself stands in the outbox; the detail is its id
    NOTE = "note"  # wrote something for colleagues; the detail is what
    CLAIMED = "claimed"  # took it, or answered first
    ASSIGNED = "assigned"  # gave it to somebody; the detail is whom, "" for everybody
    PUT_AWAY = "put_away"
    TAKEN_UP = "taken_up"
    WON = "won"  # the detail is the value in hundredths, or ""
    LOST = "lost"
    RENAMED = "renamed"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    KEPT_TEXTING = "kept_texting"  # read what might have meant STOP, and found that it did not
    NEVER = "never"  # put the number on the list of those who are never texted
    CALLED_BACK = "called_back"  # had a desk phone connected with the caller; the detail is the phone
    ESCALATED = "escalated"  # textbackd told the next one; the detail is whom
    BOOKED = "booked"  # the caller made an appointment; the detail is when
    BOOKING_CANCELLED = "booking_cancelled"
    LEAD = "lead"  # the caller filled in a form; the detail is what they wrote
    LAPSED = "lapsed"  # nothing more was heard, and it was put away
    EXPORTED = "exported"
    SHEET_EXPORTED = "sheet_exported"  # took calls or conversations out as a spreadsheet; the detail is which
    # with texting as a whole
    PAUSED = "paused"  # the detail of this and the next is of which line, or of all, and how long or from where
    RESUMED = "resumed"
    # with accounts
    LOGGED_IN = "logged_in"
    LOGIN_REFUSED = "login_refused"
    LOGGED_OUT = "logged_out"
    SESSION_ENDED = "session_ended"
    ACCOUNT_MADE = "account_made"  # the detail of this and the next two is whose
    INVITED = "invited"  # may choose a password by a link
    ACCOUNT_DISABLED = "account_disabled"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # not one
    TOKEN_MADE = "token_made"  # noqa: S105  # not one
    TOKEN_REVOKED = "token_revoked"  # noqa: S105  # not one


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that somebody did."""

    at: datetime
    kind: ActKind
    staff: str | None  # who; None: textbackd itself
    number: E164 | None = None  # in whose conversation; None: in none
    detail: str = ""


def add_within(db: sqlite_utils.Database, act: Act) -> None:
    """Write down what somebody did, inside the caller's transaction."""
    db.execute(
        "INSERT INTO acts (at, staff, number, kind, detail) VALUES (?, ?, ?, ?, ?)",
        [to_text(act.at), act.staff, act.number, act.kind.value, act.detail],
    )


def listing(
    db: sqlite_utils.Database,
    *,
    staff: str | None = None,
    number: E164 | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Return what was done, the newest first: of one of the staff or all, about one number or all, before an id or to the end."""
    query = (
        "SELECT * FROM acts WHERE (:staff IS NULL OR staff = :staff) AND (:number IS NULL OR number = :number)"
        " AND (:before IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
    )
    return list(db.query(query, {"staff": staff, "number": number, "before": before_id, "limit": limit}))
