"""Last part of `textbackd setup`: the leak so far, and the file.   text.py → here → the disk"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from textbackd.cli.setup.gateway import real
from textbackd.cli.setup.interview import Interview
from textbackd.cli.setup.pbx import Records
from textbackd.cli.setup.text import Tried
from textbackd.config import Settings, lint, load
from textbackd.errors import TextbackdError
from textbackd.report import terminal
from textbackd.report.measure import Question, measure
from textbackd.setup import unit
from textbackd.setup.draft import Draft
from textbackd.setup.files import NewFile, write
from textbackd.store.database import is_running

MONTH: Final = timedelta(days=30)
UNIT: Final = Path("/etc/systemd/system/textbackd.service")
USUAL: Final = Path("/etc/textbackd/textbackd.yaml")


def show_leak(interview: Interview, draft: Draft, records: Records) -> None:
    """Show what the last month's records tell of callers whom nobody answered."""
    if records.source is None or not records.seen.rows or interview.given.get("leak") == "no":
        return
    interview.head("Last month")
    settings = draft.settings()
    named = [channel for pbx in settings.pbx.values() for channel in pbx.trunks.channels]
    question = Question(
        cdr=records.source,
        queue_log=None,
        trunks=named,
        country=settings.business.country,
        zone=settings.business.timezone,
        since=datetime.now(UTC) - MONTH,
        until=None,
    )
    try:
        answer = measure(question, lambda *_: None)
    except TextbackdError as exc:
        interview.tell(str(exc))
        return
    if not answer.leak.total.calls:
        interview.tell("The records have no call from outside in the last thirty days.")
        return
    terminal.summary(answer, sys.stdout)
    interview.tell("All of it, and what it may cost: textbackd leak --job-value 350 --cdr SOURCE")


def ask_mode(interview: Interview, draft: Draft, tried: Tried) -> Draft:
    """Have it text, or only watch."""
    interview.head("Ready")
    if not real(draft):
        return draft.put("observe", "mode")
    interview.tell("`live` texts callers. `observe` only writes down what it would have sent.")
    default = "live" if tried.came_through or draft.at("mode") == "live" else "observe"
    mode = interview.choose("mode", "Live, or observe first?", ("observe", "live"), default=default)
    return draft.put(mode, "mode")


def put_down(interview: Interview, draft: Draft) -> None:
    """Write the files, look at them as `check` does, and say what comes next."""
    settings = draft.settings()
    secrets = [NewFile(draft.path.parent / name, f"{secret}\n") for name, secret in draft.secrets.items()]
    kept = write([*secrets, NewFile(draft.path, draft.text)])
    interview.tell(f"Written: {draft.path}")
    for secret in secrets:
        interview.tell(f"Written: {secret.path}, readable for root and textbackd only.")
    for path in kept:
        interview.tell(f"What was there before is kept: {path}")
    interview.troubles.extend(lint(load(draft.path)))
    _next(interview, draft, settings, is_read=_taken_up(interview, draft.path))


def _taken_up(interview: Interview, path: Path) -> bool:
    """Return whether the running service has been told to read the file anew: as root, and if the person agrees."""
    if os.geteuid() != 0 or not unit.runs_with(path):
        return False
    if not interview.agree("reload", "textbackd runs. Have it read the new configuration now?", default=True):
        return False
    if not unit.reload():
        interview.trouble("The running textbackd could not be told of the new configuration.", unit.RELOAD)
        return False
    interview.tell("The running textbackd reads it now; `systemctl status textbackd` tells how that went.")
    return True


def _next(interview: Interview, draft: Draft, settings: Settings, *, is_read: bool) -> None:
    option = "" if draft.path == USUAL else f" --config {draft.path}"
    if is_read:
        start = ""
    elif is_running(settings.storage):
        start = unit.RELOAD
    elif UNIT.exists() and not option:
        start = "systemctl enable --now textbackd"
    else:
        start = f"textbackd run{option}"
    interview.head("Next")
    owner = next(iter(settings.staff), "NAME")
    if start:
        click.echo(f"  {start}")
    click.echo(f"  textbackd staff add {owner} --role owner{option}")
    interview.tell(
        f"Then the inbox is at http://{settings.web.listen}, and `textbackd doctor` tells whether all is well."
    )
    if interview.troubles:
        click.echo()
        interview.tell("What is not well yet:")
        for trouble in interview.troubles:
            interview.tell(trouble, "  - ")
