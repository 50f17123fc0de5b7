"""Why a text went out and what became of it, in lines for `explain`: the answer to whoever complains.   store → here → texts.py"""

from collections.abc import Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlite_utils

from textbackd.cli.options import printable
from textbackd.core.phone import E164
from textbackd.store import asks, dossier, inbox, never, optouts
from textbackd.store.database import from_text
from textbackd.store.optouts import OptOut

# Texts that answer no call, and what led to them.
WRITTEN: Final = {
    "manual": "a person wrote",
    "opted_out": "to their STOP we answered",
    "opted_in": "to their START we answered",
    "help": "to their HELP we answered",
}
# By whom a number was opted out, and how the detail is added to it.
BY: Final = {"text": "told us STOP by {}", "gateway": "told STOP to the gateway {}", "person": "entered here ({})"}


def of_text(db: sqlite_utils.Database, text: dict[str, Any], call: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """Yield which call a text answers and by which rule, and each time that it was handed to a gateway."""
    ended = _time(call["ended_at"], zone, "%d %b %H:%M:%S %Z")
    due, rule = _time(text["due_at"], zone), call["decision_reason"]
    yield f"  It answers the call {call['linkedid']}, which ended {ended}; rule {rule}; due {due}, {text['segments']} SMS."
    for number, tried in enumerate(dossier.attempts_at(db, text["id"]), start=1):
        code = f", {tried['code']}" if tried["code"] else ""
        outcome = (tried["outcome"] or "never heard of again").replace("_", " ")
        yield f"  Attempt {number}: {_time(tried['started_at'], zone)} through {tried['gateway']}, {outcome}{code}."


def replies(db: sqlite_utils.Database, number: E164 | None, zone: ZoneInfo) -> list[str]:
    """Return what came from a caller, and what was written to them beside the answers to calls, oldest first."""
    if number is None:
        return []
    came = [(row["received_at"], _came(row)) for row in inbox.of_number(db, number)]
    went = [(text["created_at"], _went(text)) for text in dossier.texts_to(db, number) if text["kind"] in WRITTEN]
    return [f"  {_time(at, zone, '%d %b %H:%M')}  {said}" for at, said in sorted(came + went)]


def _came(row: dict[str, Any]) -> str:
    said = f"answered “{printable(row['body'])}”" if row["kind"] == "text" else "rang the number of the SIM"
    pictures = f" (and {row['media']} picture{'s' if row['media'] != 1 else ''})" if row["media"] else ""
    return said + pictures


def _went(text: dict[str, Any]) -> str:
    through = f", {text['gateway']} {text['reference']}" if text["reference"] else ""
    return f"{WRITTEN[text['kind']]} “{printable(text['body'])}” ({text['state']}{through})"


def opted_out_by(out: OptOut) -> str:
    """Return how a number came to want no texts."""
    if not out.detail:
        return BY[out.by].partition("{")[0].rstrip(" (,")
    return BY[out.by].format(printable(out.detail))


def standing(db: sqlite_utils.Database, number: E164 | None, zone: ZoneInfo) -> Iterator[str]:
    """Yield whether a number wants no texts, or may want none, or is one that the shop wants nothing to do with."""
    if number is None:
        return
    out, asked, listed = optouts.find(db, number), asks.since(db, number), never.find(db, number)
    if out is not None:
        yield f"{number} wants no texts since {out.since.astimezone(zone):%d %b %Y}, {opted_out_by(out)}."
    if asked is not None:
        yield f"{number} may want no texts since {asked.astimezone(zone):%d %b %Y}. Decide: textbackd optout"
    if listed is not None:
        why = f": {printable(listed.detail)}" if listed.detail else "."
        yield f"{number} is on the never-list since {listed.since.astimezone(zone):%d %b %Y}{why}"


def _time(stored: str, zone: ZoneInfo, form: str = "%H:%M:%S") -> str:
    moment = from_text(stored)
    return moment.astimezone(zone).strftime(form) if moment else "?"
