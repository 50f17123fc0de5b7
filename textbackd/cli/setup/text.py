"""Fifth part of `textbackd setup`: a real text to you, and your reply.   words.py → here → finish.py

A gateway that the running daemon has is left to it: the text goes through its outbox, and the reply is read where it puts it.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import sqlite_utils

from textbackd.cli.options import printable
from textbackd.cli.setup.gateway import real
from textbackd.cli.setup.interview import Interview, had_enough
from textbackd.cli.texts import manual, wait_for
from textbackd.config import Settings, load
from textbackd.core.way import STATES
from textbackd.errors import ConfigError, TextbackdError
from textbackd.setup.draft import Draft
from textbackd.setup.trial import Outcome, Trial, hears, try_out
from textbackd.store import inbox, outbox
from textbackd.store.database import from_text, is_running, open_database

ACCEPTED_WITHIN: Final = 60  # seconds for the daemon to hand it over


@dataclass(frozen=True, slots=True)
class Tried:
    """How far a text has come."""

    is_sent: bool = False
    came_through: bool = False  # it was answered, or you say that it came


def try_text(interview: Interview, draft: Draft, patience: timedelta) -> Tried:
    """Send one text, if there is something to send with and somebody to send it to. It is never sent a second time."""
    gateways, staff = real(draft), draft.at("staff") or {}
    mobile = next((person["mobile"] for person in staff.values() if person.get("mobile")), None)
    if not gateways or mobile is None:
        if interview.given.get("test") == "yes":
            raise click.UsageError("--test needs --mobile, and a gateway to send with.")
        return Tried()
    interview.head("A first text")
    name = next(iter(gateways))
    wanted = not interview.silent  # nobody is texted unless somebody said so
    if not interview.agree("test", f"Send a text to {mobile} through {name}, now?", default=wanted):
        return Tried()
    try:
        outcome = _sent(interview, draft, name, patience)
    except TextbackdError as exc:
        outcome = Outcome(is_taken=False, trouble=str(exc))
    return _told(interview, outcome, draft, name)


def _sent(interview: Interview, draft: Draft, name: str, patience: timedelta) -> Outcome:
    settings = draft.resolved()
    mobile = next(person.mobile for person in settings.staff.values() if person.mobile)
    trial = Trial(settings=settings, gateway=name, to=mobile, patience=patience, said=interview.tell, skip=had_enough)
    interview.tell("Sending. Answer it with any word; press Enter to wait no longer.")
    running = _running(draft.path)
    if running is not None and running.gateways.get(name) == draft.settings().gateways[name]:
        return _through(running, trial)
    return try_out(trial)


def _told(interview: Interview, outcome: Outcome, draft: Draft, name: str) -> Tried:
    if not outcome.is_taken:
        interview.trouble(f"The text did not go out. {outcome.trouble}")
        return Tried()
    if outcome.answer is not None:
        interview.tell(f"You answered: “{printable(outcome.answer)[:160]}”. It works both ways.")
        return Tried(is_sent=True, came_through=True)
    if not hears(draft.settings().gateways[name]):
        interview.tell("Replies reach this gateway by webhook, once textbackd runs: docs/GATEWAYS.md tells how.")
    elif not interview.silent:
        interview.tell("No answer so far.")
    came = interview.agree("", "Did the text come?", default=False)
    return Tried(is_sent=True, came_through=came)


# ---- through the daemon


def _running(path: Path) -> Settings | None:
    """Return by what the daemon runs, None if there is none."""
    try:
        settings = load(path)
    except ConfigError:
        return None
    return settings if is_running(settings.storage) else None


def _through(running: Settings, trial: Trial) -> Outcome:
    """Send through the daemon's outbox, and wait for what it takes in."""
    with closing(open_database(running.storage)) as db:
        began = datetime.now(UTC)
        text_id = outbox.add_manual(db, manual(running, trial.to, trial.body, [trial.gateway]), now=began)
        row = wait_for(db, text_id, ACCEPTED_WITHIN)
        if row["state"] not in ("accepted", "delivered"):
            return Outcome(is_taken=False, trouble=f"It {STATES[row['state']]}. {row['explanation'] or ''}".strip())
        trial.said("The gateway took the text, through the textbackd that runs.")
        return Outcome(is_taken=True, answer=_reply(db, trial, began))


def _reply(db: sqlite_utils.Database, trial: Trial, began: datetime) -> str | None:
    until = time.monotonic() + trial.patience.total_seconds()
    while time.monotonic() < until and not trial.skip():
        fresh = next((row for row in inbox.of_number(db, trial.to, 1) if _is_since(row, began)), None)
        if fresh is not None:
            return str(fresh["body"])
        time.sleep(0.2)
    return None


def _is_since(row: dict[str, Any], began: datetime) -> bool:
    stored = from_text(row["stored_at"])
    return stored is not None and stored >= began
