"""Everything that the database holds about one number, for whoever may ask for it.   here → `textbackd export`, `explain`

A person may ask what is kept about them (Regulation (EU) 2016/679, Article 15); a carrier may ask why a text was sent.
"""

import json
from typing import Any, Final

import sqlite_utils

from textbackd.core.phone import E164

# Calls from the number, and those in which the office called it.
CALLS: Final = (
    "SELECT * FROM calls WHERE caller = :number OR (did = :number AND direction = 'outbound') ORDER BY ended_at, id"
)
# What had stopped texting when one of these calls ended.
HALTS: Final = (
    "SELECT DISTINCT halts.* FROM halts JOIN calls ON halts.since <= calls.ended_at"
    " AND (halts.ended_at IS NULL OR halts.ended_at >= calls.ended_at)"
    " AND (halts.until IS NULL OR halts.until >= calls.ended_at) AND (halts.line IS NULL OR halts.line = calls.line)"
    " WHERE calls.caller = :number AND calls.direction = 'inbound' ORDER BY halts.id"
)
# What our staff were told of them on their mobiles.
TOLD_STAFF: Final = (
    "SELECT * FROM outbox WHERE id IN (SELECT text_id FROM notices WHERE number = :number)"
    " OR (kind = 'staff' AND instr(body, :number)) ORDER BY created_at, rowid"
)


def dossier(db: sqlite_utils.Database, number: E164) -> dict[str, Any]:
    """Return what is kept about a number, by kind, each from the oldest to the newest."""
    return {
        "number": number,
        "calls": [{**call, "way": json.loads(call["way"])} for call in _rows(db, CALLS, number)],
        "cases": _rows(db, "SELECT * FROM cases WHERE caller = :number ORDER BY id", number),
        "texts": [_with_attempts(db, text) for text in texts_to(db, number)],
        "incoming": _rows(db, "SELECT * FROM inbox WHERE number = :number ORDER BY received_at, id", number),
        "staff_wrote": _rows(db, "SELECT * FROM inbox WHERE about = :number ORDER BY received_at, id", number),
        "told_staff": [_with_attempts(db, text) for text in _rows(db, TOLD_STAFF, number)],
        "conversation": _rows(db, "SELECT * FROM conversations WHERE number = :number", number),
        "news": _rows(db, "SELECT * FROM news WHERE number = :number ORDER BY id", number),
        "notices": _rows(db, "SELECT * FROM notices WHERE number = :number ORDER BY id", number),
        "acts": _rows(db, "SELECT * FROM acts WHERE number = :number ORDER BY id", number),
        "leads": _rows(db, "SELECT * FROM leads WHERE number = :number ORDER BY id", number),
        "bookings": _rows(db, "SELECT * FROM bookings WHERE number = :number ORDER BY id", number),
        "opted_out": _rows(db, "SELECT * FROM optouts WHERE number IN (:number, hashed(:number))", number),
        "asked_to_stop": _rows(db, "SELECT * FROM asks WHERE number = :number", number),
        "never": _rows(db, "SELECT * FROM never WHERE number IN (:number, hashed(:number))", number),
        "unreachable": _rows(db, "SELECT * FROM unreachable WHERE number = :number", number),
        "halts": _rows(db, HALTS, number),
    }


def is_known(dossier: dict[str, Any]) -> bool:
    """Return whether anything is kept about the number."""
    return any(kept for name, kept in dossier.items() if name != "number")


def texts_to(db: sqlite_utils.Database, number: E164) -> list[dict[str, Any]]:
    """Return every text to a number, the oldest first."""
    return _rows(db, "SELECT * FROM outbox WHERE recipient = :number ORDER BY created_at, rowid", number)


def attempts_at(db: sqlite_utils.Database, text_id: str) -> list[dict[str, Any]]:
    """Return every attempt to hand a text over, the first one first."""
    return list(db.query("SELECT * FROM attempts WHERE outbox_id = ? ORDER BY id", [text_id]))


def _with_attempts(db: sqlite_utils.Database, text: dict[str, Any]) -> dict[str, Any]:
    parts = list(db.query("SELECT * FROM parts WHERE outbox_id = ? ORDER BY id", [text["id"]]))
    gateways = json.loads(text["gateways"])
    return {**text, "gateways": gateways, "tried": attempts_at(db, text["id"]), "parts": parts}


def _rows(db: sqlite_utils.Database, query: str, number: E164) -> list[dict[str, Any]]:
    return list(db.query(query, {"number": number}))
