"""The tables, step by step. A step that has been released is never changed; a new one is added below it."""

import secrets
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


@MIGRATIONS()
def m003_reports_inbox_optouts(db: sqlite_utils.Database) -> None:
    """What becomes of accepted texts, what comes in, who wants no texts, and what has stopped texting."""
    db.conn.execute("ALTER TABLE outbox ADD COLUMN did TEXT")  # E.164 of ours that was called
    db.conn.execute("ALTER TABLE outbox ADD COLUMN cost INTEGER NOT NULL DEFAULT 0")  # as estimated, in millionths
    db.conn.execute(
        "ALTER TABLE outbox ADD COLUMN settled_at TEXT"
    )  # when its delivery, or that it failed, became known
    db.conn.execute("CREATE INDEX outbox_by_due ON outbox (kind, due_at)")
    db.conn.execute("CREATE INDEX outbox_by_did ON outbox (did, due_at)")
    db.conn.execute("""
        CREATE TABLE parts (
            id INTEGER PRIMARY KEY,
            outbox_id TEXT REFERENCES outbox (id),  -- NULL: the report came before the gateway's answer
            gateway TEXT NOT NULL,
            reference TEXT NOT NULL,           -- the gateway's id of this radio text; "" where the report names our id only
            recipient TEXT,                    -- as the report tells it
            state TEXT NOT NULL,               -- accepted, delivered, undelivered
            detail TEXT NOT NULL,
            at TEXT NOT NULL
        )""")
    db.conn.execute("CREATE INDEX parts_by_reference ON parts (gateway, reference)")
    db.conn.execute("CREATE INDEX parts_of_text ON parts (outbox_id)")
    db.conn.execute("""
        CREATE TABLE inbox (
            id INTEGER PRIMARY KEY,
            gateway TEXT NOT NULL,
            reference TEXT NOT NULL,           -- the gateway's id: storing the same thing twice is harmless
            kind TEXT NOT NULL,                -- text; call: somebody rang the gateway's own number
            sender TEXT NOT NULL,              -- as the network told it; "" when withheld
            number TEXT,                       -- E.164 of the sender; NULL: a name, a short code, withheld
            recipient TEXT,
            body TEXT NOT NULL,
            media INTEGER NOT NULL,            -- pictures and the like, which are not kept
            received_at TEXT NOT NULL,
            stored_at TEXT NOT NULL,
            UNIQUE (gateway, reference)
        )""")
    db.conn.execute("CREATE INDEX inbox_by_number ON inbox (number, received_at)")
    db.conn.execute("""
        CREATE TABLE optouts (
            number TEXT PRIMARY KEY,           -- E.164
            since TEXT NOT NULL,
            by TEXT NOT NULL,                  -- gateway, person
            detail TEXT NOT NULL               -- which gateway, or what the person gave as reason
        )""")
    db.conn.execute("CREATE TABLE unreachable (number TEXT PRIMARY KEY, since TEXT NOT NULL, detail TEXT NOT NULL)")
    db.conn.execute("""
        CREATE TABLE halts (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,                -- pause: a person's; brake: our own
            line TEXT,                         -- NULL: all lines
            since TEXT NOT NULL,
            until TEXT,                        -- NULL: until a person ends it
            ended_at TEXT,
            why TEXT NOT NULL
        )""")
    db.conn.execute("ALTER TABLE pulse ADD COLUMN boot TEXT")  # the kernel's id of this boot
    db.conn.execute("ALTER TABLE pulse ADD COLUMN up REAL")  # seconds since then, sleep included


@MIGRATIONS()
def m004_wishes(db: sqlite_utils.Database) -> None:
    """Who may have asked for no texts, and the key with which a number can be recognised after it was forgotten."""
    db.conn.execute("""
        CREATE TABLE asks (
            number TEXT PRIMARY KEY,           -- E.164
            since TEXT NOT NULL,
            inbox_id INTEGER REFERENCES inbox (id)  -- the text that a person has to read
        )""")
    db.conn.execute("CREATE INDEX outbox_by_kind ON outbox (kind, created_at)")
    db.conn.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)")
    db.conn.execute("INSERT INTO meta (name, value) VALUES ('number_key', ?)", [secrets.token_bytes(32)])


@MIGRATIONS()
def m005_held(db: sqlite_utils.Database) -> None:
    """Texts that wait for the end of a night."""
    # 1: its time is a time of day, which does not move when the clock is set.
    db.conn.execute("ALTER TABLE outbox ADD COLUMN held INTEGER NOT NULL DEFAULT 0")


@MIGRATIONS()
def m006_conversation(db: sqlite_utils.Database) -> None:
    """Which of the texts that came in were words to us, and not to a person."""
    # What it was taken for: stop, start, help, ask. NULL: an ordinary text.
    db.conn.execute("ALTER TABLE inbox ADD COLUMN keyword TEXT")


@MIGRATIONS()
def m007_references(db: sqlite_utils.Database) -> None:
    """What is too old is deleted from the far end of these references, which SQLite follows backwards for each row."""
    db.conn.execute("CREATE INDEX outbox_of_call ON outbox (call_id)")
    db.conn.execute("CREATE INDEX outbox_of_case ON outbox (case_id)")
    db.conn.execute("CREATE INDEX calls_of_case ON calls (case_id)")


@MIGRATIONS()
def m008_conversations(db: sqlite_utils.Database) -> None:
    """Conversations: how each stands, and what people did in it. What was said stays where it is: calls, outbox, inbox."""
    db.conn.execute("""
        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY,
            number TEXT NOT NULL UNIQUE,       -- E.164 of the caller
            name TEXT NOT NULL DEFAULT '',     -- as the PBX, a form or a person told it; untrusted
            line TEXT,                         -- the last line that they called or wrote to
            did TEXT,                          -- E.164 of ours that they know: answers come from it
            turn TEXT NOT NULL,                -- new, waiting_for_us, waiting_for_them, done
            assignee TEXT,                     -- key of the staff; NULL: whoever is first
            waiting_since TEXT,                -- since when they wait for a person; NULL: it is not our turn
            no_text TEXT,                      -- why they cannot be texted, so that somebody has to call; NULL: they can
            outcome TEXT,                      -- won, lost
            value INTEGER,                     -- what it brought, in hundredths of the shop's currency
            booked_at TEXT,                    -- the appointment that they made
            opened_at TEXT NOT NULL,           -- when the present matter began
            answered_at TEXT,                  -- the first word of a person in the present matter
            last_at TEXT NOT NULL,             -- when something was last said or done
            last_words TEXT NOT NULL DEFAULT '',  -- the start of what was last said, for the list
            unread INTEGER NOT NULL DEFAULT 0  -- what the caller said since somebody of us looked
        )""")
    db.conn.execute("CREATE INDEX conversations_by_turn ON conversations (turn, last_at)")
    db.conn.execute("CREATE INDEX conversations_by_last ON conversations (last_at)")
    db.conn.execute(
        "CREATE INDEX conversations_waiting ON conversations (waiting_since) WHERE waiting_since IS NOT NULL"
    )
    db.conn.execute("""
        CREATE TABLE acts (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            staff TEXT,                        -- key of the staff; NULL: textbackd itself
            number TEXT,                       -- E.164 of the caller; NULL: it is about no conversation
            kind TEXT NOT NULL,
            detail TEXT NOT NULL
        )""")
    db.conn.execute("CREATE INDEX acts_of_number ON acts (number, id)")
    db.conn.execute("CREATE INDEX acts_by_time ON acts (at)")
    db.conn.execute("ALTER TABLE outbox ADD COLUMN staff TEXT")  # who wrote it; NULL: textbackd
    # What was there before: the newest case of each caller tells how it stands. Old matters come up as done.
    db.conn.execute("""
        INSERT INTO conversations (number, line, turn, opened_at, last_at)
        SELECT caller, line, CASE WHEN max(id) IN (SELECT id FROM cases WHERE resolved_at IS NULL AND last_miss_at >
               strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')) THEN 'new' ELSE 'done' END, max(opened_at), max(last_miss_at)
        FROM cases GROUP BY caller""")
    db.conn.execute("CREATE INDEX calls_by_callee ON calls (did, ended_at) WHERE direction = 'outbound'")


@MIGRATIONS()
def m009_accounts(db: sqlite_utils.Database) -> None:
    """Who may log in, from where somebody is logged in, and what was refused. Random secrets are kept as their SHA-256."""
    db.conn.execute("""
        CREATE TABLE accounts (
            staff TEXT PRIMARY KEY COLLATE NOCASE,  -- a key of `staff` in the configuration, or a name of its own
            password TEXT,                     -- argon2id with its parameters; NULL: invited, and has not chosen one yet
            role TEXT NOT NULL,                -- owner, staff
            created_at TEXT NOT NULL,
            disabled_at TEXT
        )""")
    db.conn.execute("""
        CREATE TABLE sessions (
            id INTEGER PRIMARY KEY,
            token TEXT NOT NULL UNIQUE,
            staff TEXT NOT NULL REFERENCES accounts (staff) ON DELETE CASCADE,
            created_at TEXT NOT NULL,
            last_seen_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,          -- however often it is used
            browser TEXT NOT NULL              -- in a few words
        )""")
    db.conn.execute("CREATE INDEX sessions_of_staff ON sessions (staff)")
    db.conn.execute("""
        CREATE TABLE tokens (
            id INTEGER PRIMARY KEY,
            token TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,                -- which program uses it
            staff TEXT NOT NULL REFERENCES accounts (staff) ON DELETE CASCADE,
            created_at TEXT NOT NULL,
            last_used_at TEXT,
            revoked_at TEXT
        )""")
    db.conn.execute("""
        CREATE TABLE invitations (
            token TEXT PRIMARY KEY,
            staff TEXT NOT NULL REFERENCES accounts (staff) ON DELETE CASCADE,
            expires_at TEXT NOT NULL
        )""")
    db.conn.execute("""
        CREATE TABLE refusals (
            who TEXT PRIMARY KEY,              -- hash of a name or of an address: a password is sometimes typed as name
            count INTEGER NOT NULL,
            last_at TEXT NOT NULL
        )""")


@MIGRATIONS()
def m013_never(db: sqlite_utils.Database) -> None:
    """Numbers that somebody of the shop put on the never-list while textbackd runs, beside those of the configuration."""
    db.conn.execute("""
        CREATE TABLE never (
            number TEXT PRIMARY KEY,           -- E.164, or its keyed hash where it was forgotten
            since TEXT NOT NULL,
            by TEXT NOT NULL,                  -- key of the staff; '': whoever has the command line
            detail TEXT NOT NULL
        )""")


@MIGRATIONS()
def m010_notices(db: sqlite_utils.Database) -> None:
    """What happened and has not been handed on yet, and what staff and other programs are told of it."""
    db.conn.execute("""
        CREATE TABLE news (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            number TEXT NOT NULL,              -- E.164 of the caller
            what TEXT NOT NULL,                -- what happened, as core/conversation.py names it; or texted
            staff TEXT,                        -- who did it; NULL: the caller, or textbackd
            words TEXT NOT NULL,
            text_id TEXT                       -- of the outbox
        )""")
    db.conn.execute("""
        CREATE TABLE notices (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            number TEXT,                       -- E.164 of the caller whom it is about; NULL: it is about none
            matter TEXT NOT NULL,              -- what happened
            staff TEXT,                        -- who is told; NULL: a program
            channel TEXT NOT NULL,             -- mobile, email, service, sip, hook
            target TEXT NOT NULL,              -- which of several
            payload TEXT NOT NULL,             -- JSON
            state TEXT NOT NULL,               -- queued, sent, failed
            attempts INTEGER NOT NULL DEFAULT 0,
            due_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            detail TEXT NOT NULL DEFAULT '',   -- why it was not sent
            text_id TEXT                       -- the outbox's text to a mobile
        )""")
    db.conn.execute("CREATE INDEX notices_due ON notices (channel, due_at) WHERE state = 'queued'")
    db.conn.execute("CREATE INDEX notices_of_number ON notices (number, at)")
    db.conn.execute("CREATE INDEX notices_of_staff ON notices (staff, at)")
    # Whom of the callers a text of our staff is about.
    db.conn.execute("ALTER TABLE inbox ADD COLUMN about TEXT")


@MIGRATIONS()
def m011_steps(db: sqlite_utils.Database) -> None:
    """What was done while callers waited, and what is told once until it is over."""
    db.conn.execute("""
        CREATE TABLE steps (
            conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            waiting_since TEXT NOT NULL,       -- which wait
            step TEXT NOT NULL,                -- which step, as core/reply_clock.py names it
            at TEXT NOT NULL,
            outcome TEXT,                      -- what became of a phone that was rung
            PRIMARY KEY (conversation_id, waiting_since, step)
        ) WITHOUT ROWID""")
    db.conn.execute("CREATE TABLE told (what TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID")
    # 1: the caller used words that cannot wait, and nobody has answered.
    db.conn.execute("ALTER TABLE conversations ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0")


@MIGRATIONS()
def m012_leads_bookings(db: sqlite_utils.Database) -> None:
    """Forms that were filled in on the shop's pages, and appointments that callers made by themselves."""
    db.conn.execute("""
        CREATE TABLE leads (
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL,              -- which form
            line TEXT NOT NULL,
            at TEXT NOT NULL,
            number TEXT,                       -- E.164; NULL: what was typed is none, so that a person has to read it
            phone TEXT NOT NULL,               -- as it was typed
            name TEXT NOT NULL,
            words TEXT NOT NULL,               -- everything else that was typed
            decision_reason TEXT,              -- whether it was texted, as of a call; NULL: the form texts nobody
            decision_detail TEXT,
            text_id TEXT,
            read_at TEXT,                      -- of one without number
            read_by TEXT                       -- key of the staff
        )""")
    db.conn.execute("CREATE INDEX leads_by_time ON leads (at)")
    db.conn.execute("CREATE INDEX leads_by_number ON leads (number)")
    db.conn.execute("CREATE INDEX leads_to_read ON leads (id) WHERE number IS NULL AND read_at IS NULL")
    db.conn.execute("""
        CREATE TABLE bookings (
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL,              -- which calendar
            booking TEXT NOT NULL,             -- the calendar's id of the appointment
            number TEXT,                       -- E.164; NULL: none was told
            name TEXT NOT NULL,
            starts_at TEXT,
            cancelled INTEGER NOT NULL,
            changed_at TEXT NOT NULL,
            UNIQUE (source, booking)
        )""")
    db.conn.execute("CREATE INDEX bookings_by_number ON bookings (number)")
    db.conn.execute("""
        CREATE TABLE booking_events (
            source TEXT NOT NULL,
            event TEXT NOT NULL,               -- the calendar's id of the message, or a hash of it
            at TEXT NOT NULL,
            PRIMARY KEY (source, event)        -- a message that comes again changes nothing
        ) WITHOUT ROWID""")


@MIGRATIONS()
def m015_reports(db: sqlite_utils.Database) -> None:
    """What the reports count, in the order of time and without the long way of each call."""
    db.conn.execute(
        "CREATE INDEX calls_counted ON calls (ended_at, direction, verdict, reason, caller, did, line, talked_s, case_id,"
        " not_textable)"
    )
    db.conn.execute("DROP INDEX calls_by_end")  # the beginning of the one above
    db.conn.execute("CREATE INDEX cases_by_opening ON cases (opened_at)")
    db.conn.execute("CREATE INDEX inbox_by_time ON inbox (received_at)")
    db.conn.execute("CREATE INDEX acts_by_kind ON acts (kind, at)")


@MIGRATIONS()
def m016_accounts_of_gateways(db: sqlite_utils.Database) -> None:
    """Which account at a vendor, or which device, has had a text: a gateway's name can come to mean another."""
    db.conn.execute("ALTER TABLE attempts ADD COLUMN account TEXT")  # a hash; NULL: not known
    # The one account where the text may lie already, so that nobody else may have it; NULL: it lies nowhere.
    db.conn.execute("ALTER TABLE outbox ADD COLUMN only_account TEXT")


MIGRATION_NAMES: Final = (
    "m001_calls_cases_outbox",
    "m002_watched",
    "m003_reports_inbox_optouts",
    "m004_wishes",
    "m005_held",
    "m006_conversation",
    "m007_references",
    "m008_conversations",
    "m009_accounts",
    "m013_never",
    "m010_notices",
    "m011_steps",
    "m012_leads_bookings",
    "m015_reports",
    "m016_accounts_of_gateways",
)
