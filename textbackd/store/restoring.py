"""What a restored backup must not do: send what is old, tell what was told, forget who wants no texts.   flow/restore.py → here

Between the making of a backup and its restoring time went by of which it knows nothing: texts went out, people answered, callers
wrote STOP. So nothing that waited then is still to be done:

    texts that waited        cancelled, and their callers count as texted
    texts in hand            unknown, and not handed over again, not even where that could not double them
    what was to be told      closed, as are the steps of those who wait that are due; alarms are told anew if they still hold
    log-ins, invitations     ended: somebody may have lost the right to them
    calls of that time       found in the PBX's records later; never texted (core/decide.py, `restored`), and nobody is told

From the database that was there, as far as it can be read, comes what protects callers: opt-outs, questions about them, the
never-list, pauses, and which texts went out. So does what keeps people out: who was shut out since stays out, and with a new password
the old one lets nobody in. SQL about restoring lives here.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlite_utils

from textbackd.core.reply_clock import Step
from textbackd.store import conversations, steps
from textbackd.store.database import code_of, to_text, writing

WHY: Final = "a backup was restored while it waited"


# ---- what waited


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How much was left undone on purpose."""

    cancelled: int  # texts
    unknown: int  # texts
    untold: int  # notices to staff and programs


# `:now` is the moment of the restoring.
_CLOSE: Final = (
    "UPDATE calls SET decision = 'skip', decision_reason = 'restored', decision_detail = :why"
    " WHERE id IN (SELECT call_id FROM outbox WHERE state = 'queued' AND kind = 'missed')",
    "UPDATE leads SET decision_reason = 'restored', decision_detail = :why"
    " WHERE text_id IN (SELECT id FROM outbox WHERE state = 'queued')",
    "UPDATE outbox SET expires_at = min(expires_at, :now) WHERE state IN ('submitting', 'unknown')",
    "DELETE FROM news",
    "DELETE FROM sessions",
    "DELETE FROM invitations",
    "DELETE FROM told WHERE what LIKE 'trouble %'",
    # The letter of a week and the digest of a morning that has come are not written twice.
    "INSERT OR REPLACE INTO told (what, at) VALUES ('digest', :now), ('weekly', :now)",
    "INSERT OR REPLACE INTO meta (name, value) VALUES ('restored_at', :now)",
)


def settle(db: sqlite_utils.Database, now: datetime) -> Settled:
    """Close, in one transaction, everything that the backup would still do."""
    values = {"now": to_text(now), "why": WHY}
    with writing(db):
        for step in _CLOSE:
            db.conn.execute(step, {name: value for name, value in values.items() if f":{name}" in step})
        return Settled(
            # What is asked again at the gateway that may have it is in hand, too.
            unknown=_changed(
                db,
                "UPDATE outbox SET state = 'unknown', explanation = ? WHERE state = 'submitting'"
                " OR (state = 'queued' AND only_account IS NOT NULL)",
            ),
            cancelled=_changed(db, "UPDATE outbox SET state = 'cancelled', explanation = ? WHERE state = 'queued'"),
            untold=_changed(db, "UPDATE notices SET state = 'failed', detail = ? WHERE state = 'queued'"),
        )


def _changed(db: sqlite_utils.Database, update: str) -> int:
    return db.conn.execute(update, [WHY]).rowcount


def close_steps(db: sqlite_utils.Database, due: Mapping[int, list[Step]], now: datetime) -> None:
    """Note as taken the steps that are due in some conversations, by id."""
    with writing(db):
        for conversation_id, overdue in due.items():
            conversation = conversations.get(db, conversation_id)
            if conversation is not None:
                for step in overdue:
                    steps.take(db, conversation, step, now)


# ---- what protects callers

# Every database makes its own key once: with the same, one has come from the other.
_RELATED: Final = "(SELECT value FROM main.meta WHERE name = 'number_key') = (SELECT value FROM present.meta WHERE name = 'number_key')"
_SAME_KEY: Final = f"(number LIKE '+%' OR {_RELATED})"
_FATE: Final = (
    "state, gateway, attempts, due_at, expires_at, submitted_at, accepted_at, reference, explanation, settled_at"
)
_TEXT: Final = f"id, kind, recipient, did, body, gateways, hung_up_at, created_at, segments, cost, held, staff, {_FATE}"
_CARRY: Final = (
    f"INSERT OR IGNORE INTO optouts SELECT number, since, by, detail FROM present.optouts WHERE {_SAME_KEY}",  # noqa: S608
    f"INSERT OR IGNORE INTO never SELECT number, since, by, detail FROM present.never WHERE {_SAME_KEY}",  # noqa: S608
    "INSERT OR IGNORE INTO asks (number, since) SELECT number, since FROM present.asks",
    f"UPDATE outbox SET ({_FATE}) = (SELECT {_FATE} FROM present.outbox AS theirs WHERE theirs.id = outbox.id)"  # noqa: S608
    " WHERE id IN (SELECT id FROM present.outbox)",
    f"INSERT INTO outbox ({_TEXT}) SELECT {_TEXT} FROM present.outbox"  # noqa: S608
    " WHERE submitted_at IS NOT NULL AND id NOT IN (SELECT id FROM main.outbox)",
)

# Texting is stopped after the restore by what stopped it before, and by nothing else: somebody who ended a pause knew why.
_SAME_HALT: Final = "theirs.kind = ours.kind AND theirs.line IS ours.line AND theirs.since = ours.since"
_HALTS: Final = (
    "UPDATE main.halts AS ours SET ended_at = coalesce("  # noqa: S608
    f"(SELECT ended_at FROM present.halts AS theirs WHERE {_SAME_HALT}), :now)"
    " WHERE ended_at IS NULL AND (until IS NULL OR until > :now)"
    f" AND NOT EXISTS (SELECT 1 FROM present.halts AS theirs WHERE {_SAME_HALT} AND theirs.ended_at IS NULL)",
    "INSERT INTO main.halts (kind, line, since, until, ended_at, why)"  # noqa: S608
    " SELECT kind, line, since, until, ended_at, why FROM present.halts AS theirs"
    f" WHERE NOT EXISTS (SELECT 1 FROM main.halts AS ours WHERE {_SAME_HALT}) ORDER BY id",
)
_ENTRY: Final = "role, password, disabled_at"
_SHUT_OUT: Final = (
    f"UPDATE accounts SET ({_ENTRY}) = (SELECT {_ENTRY} FROM present.accounts AS theirs"  # noqa: S608
    " WHERE theirs.staff = accounts.staff) WHERE staff IN (SELECT staff FROM present.accounts)",
    # An unrelated database, made when this one was lost, never knew the accounts: it says nothing about them.
    f"UPDATE accounts SET disabled_at = :now WHERE disabled_at IS NULL AND {_RELATED}"  # noqa: S608
    " AND staff NOT IN (SELECT staff FROM present.accounts)",
    "UPDATE tokens SET revoked_at = :now WHERE revoked_at IS NULL"
    " AND token NOT IN (SELECT token FROM present.tokens WHERE revoked_at IS NULL)",
)


# Of these the database that was there is the cause: it is none, is damaged, is older than a table of ours, may not be read.
_UNREADABLE: Final = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CANTOPEN)


def carry_over(db: sqlite_utils.Database, present: Path, now: datetime) -> bool:
    """Take what protects callers, and who may get in, from the database that was there; return False if it cannot be read.

    To be called before `settle`: a text that turns out to have gone out is not one that waited. Raises sqlite3.Error for what is no
    fault of that database, such as a full disk: going on then would forget what it holds.
    """
    try:
        with _attached(db, present), writing(db):
            for step in (*_CARRY, *_HALTS, *_SHUT_OUT):
                db.conn.execute(step, {"now": to_text(now)})
    except sqlite3.Error as error:
        if code_of(error) not in _UNREADABLE:
            raise
        return False
    return True


def revoke_all(db: sqlite_utils.Database, now: datetime) -> int:
    """Let no program in any more, where nobody knows which were shut out; return how many that were."""
    with writing(db):
        return db.conn.execute("UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL", [to_text(now)]).rowcount


@contextmanager
def _attached(db: sqlite_utils.Database, present: Path) -> Iterator[Any]:
    db.conn.execute("ATTACH DATABASE ? AS present", [str(present)])
    try:
        yield
    finally:
        db.conn.execute("DETACH DATABASE present")
