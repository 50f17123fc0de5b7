"""The tables, step by step. A step that has been released is never changed; a new one is added below it."""

from typing import Final

import sqlite_utils
from sqlite_utils import Migrations

MIGRATIONS: Final = Migrations("textbackd")


@MIGRATIONS()
def m001_calls_cases_outbox(db: sqlite_utils.Database) -> None:
    """Calls with verdict and decision, cases, and the outbox with its attempts."""
    db.conn.execute("CREATE TABLE pulse (id INTEGER PRIMARY KEY, at TEXT NOT NULL)")
    db.conn.execute("""
        CREATE TABLE cases (
            id INTEGER PRIMARY KEY,
            caller TEXT NOT NULL,              -- E.164
            line TEXT,
            opened_at TEXT NOT NULL,
            last_miss_at TEXT NOT NULL,
            misses INTEGER NOT NULL DEFAULT 1,
            resolved_at TEXT,
            resolution TEXT                    -- called_again, called_back, …; NULL while it is open
        )""")
    db.conn.execute("CREATE INDEX cases_by_caller ON cases (caller, last_miss_at)")
    db.conn.execute("""
        CREATE TABLE calls (
            id INTEGER PRIMARY KEY,
            pbx TEXT NOT NULL,
            linkedid TEXT NOT NULL,
            direction TEXT NOT NULL,
            caller TEXT,                       -- E.164, NULL when withheld or no number
            caller_presented TEXT NOT NULL,
            caller_name TEXT NOT NULL,
            did TEXT,
            did_presented TEXT NOT NULL,
            line TEXT,
            verdict TEXT NOT NULL,
            reason TEXT,
            not_textable TEXT,
            started_at TEXT,
            ended_at TEXT NOT NULL,
            talked_s REAL,
            decision TEXT NOT NULL,            -- text, skip
            decision_reason TEXT NOT NULL,
            decision_detail TEXT NOT NULL,
            case_id INTEGER REFERENCES cases (id),
            way TEXT NOT NULL,                 -- JSON: the steps of the call
            recorded_at TEXT NOT NULL,
            UNIQUE (pbx, linkedid)             -- a call is recorded once, however often it is seen
        )""")
    db.conn.execute("CREATE INDEX calls_by_caller ON calls (caller, ended_at)")
    db.conn.execute("CREATE INDEX calls_by_end ON calls (ended_at)")
    db.conn.execute("CREATE INDEX calls_by_did ON calls (did, ended_at)")
    db.conn.execute("""
        CREATE TABLE outbox (
            id TEXT PRIMARY KEY,
            case_id INTEGER REFERENCES cases (id),
            call_id INTEGER REFERENCES calls (id),
            kind TEXT NOT NULL,                -- missed: the automatic text of a case; manual: written by a person
            recipient TEXT NOT NULL,           -- E.164
            sender TEXT,                       -- E.164 of ours; NULL: the gateway's own
            body TEXT NOT NULL,
            state TEXT NOT NULL,
            gateways TEXT NOT NULL,            -- JSON: names in the order in which they are tried
            gateway TEXT NOT NULL,             -- the one that has it now, or had it last
            attempts INTEGER NOT NULL DEFAULT 0,
            due_at TEXT NOT NULL,              -- not before
            expires_at TEXT NOT NULL,          -- not after
            hung_up_at TEXT,                   -- the end of the call that it answers
            created_at TEXT NOT NULL,
            submitted_at TEXT,                 -- the last time that it was handed to a gateway
            accepted_at TEXT,
            reference TEXT,                    -- the gateway's id
            segments INTEGER NOT NULL,
            explanation TEXT                   -- what the last attempt or rule said
        )""")
    # One automatic text per case, whatever happens: neither a crash nor a replay can add a second. Only what certainly never
    # reached the caller makes room for another.
    db.conn.execute("""
        CREATE UNIQUE INDEX one_text_per_case ON outbox (case_id)
        WHERE kind = 'missed' AND state NOT IN ('expired', 'cancelled', 'suppressed')""")
    db.conn.execute("CREATE INDEX outbox_due ON outbox (state, gateway, due_at)")
    db.conn.execute("CREATE INDEX outbox_by_recipient ON outbox (recipient, created_at)")
    db.conn.execute("""
        CREATE TABLE attempts (
            id INTEGER PRIMARY KEY,
            outbox_id TEXT NOT NULL REFERENCES outbox (id),
            gateway TEXT NOT NULL,
            started_at TEXT NOT NULL,          -- committed before the first byte goes out
            ended_at TEXT,
            outcome TEXT,                      -- accepted or a fate; NULL: never heard of again
            code TEXT,
            explanation TEXT
        )""")
    db.conn.execute("CREATE INDEX attempts_of_text ON attempts (outbox_id)")


@MIGRATIONS()
def m002_watched(db: sqlite_utils.Database) -> None:
    """How far each PBX has been watched, so that the catch-up knows the gap, and the trunks that it has shown."""
    db.conn.execute("""
        CREATE TABLE watched (
            pbx TEXT PRIMARY KEY,
            until TEXT NOT NULL,               -- every call up to here was seen and written down
            trunks TEXT NOT NULL               -- JSON: channel names without their serial number, "PJSIP/trunk"
        )""")


MIGRATION_NAMES: Final = ("m001_calls_cases_outbox", "m002_watched")
