"""`textbackd explain`, `send` and `outbox`: what was decided, and the texts."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
import sqlite_utils

from textbackd.cli import evidence
from textbackd.cli.options import config_option, printable
from textbackd.config import Settings, load
from textbackd.config.preview import preview
from textbackd.core.call import Moment
from textbackd.core.compose import TextKind
from textbackd.core.decide import ALERT_AT
from textbackd.core.phone import NotTextable, read_number
from textbackd.core.segments import segments
from textbackd.core.way import STATES, decided, judged, tell
from textbackd.errors import TextbackdError
from textbackd.store import asks, journal, optouts
from textbackd.store import outbox as store_outbox
from textbackd.store.database import from_text, is_running, open_database
from textbackd.store.outbox import NewText
from textbackd.store.states import TextOf

ONCE_MORE: Final = ("unknown", "failed", "undelivered", "expired")


@click.command(short_help="Tell why a caller was texted, or not.")
@click.argument("wanted", metavar="CALL|NUMBER")
@click.option("--all", "everything", is_flag=True, help="All calls of the number, not only the newest.")
@config_option
def explain(wanted: str, everything: bool, config: Path) -> None:
    """Tell the way of a call, the rule that decided, and why there was a text or none.

    CALL is the call's linkedid as logged; NUMBER a caller's number, as you would dial it.
    """
    settings = load(config)
    wanted = wanted.encode("utf-8", "replace").decode()
    with closing(open_database(settings.storage, create=False)) as db:
        number = read_number(wanted, settings.business.country).e164
        calls = journal.find_calls(db, wanted, number)
        zone = settings.business.timezone
        replies, standing = evidence.replies(db, number, zone), list(evidence.standing(db, number, zone))
        if not calls and not replies and not standing:
            raise TextbackdError(f"No call by or named {wanted} is in {settings.storage}.")
        told = [line for row in (calls if everything else calls[:1]) for line in _explanation(db, row, settings)]
        parts = [[*told, *replies], *([said] for said in standing)]
        click.echo("\n\n".join("\n".join(part) for part in parts if part))
        if len(calls) > 1 and not everything:
            click.echo(f"\n{len(calls) - 1} earlier: textbackd explain --all {wanted}")


def _explanation(db: sqlite_utils.Database, row: dict[str, Any], settings: Settings) -> list[str]:
    zone = settings.business.timezone
    ended = from_text(row["ended_at"])
    when = ended.astimezone(zone).strftime("%A %d %B %Y, %H:%M:%S") if ended else "?"
    caller = row["caller"] or printable(row["caller_presented"]) or "a withheld number"
    lines = [f"{when}: {caller} called {row['did'] or printable(row['did_presented'])}   (call {row['linkedid']})", ""]
    lines += [_step(moment, zone) for moment in journal.way_from_json(row["way"])]
    lines += ["", judged(row["verdict"], row["reason"]), _decision(row)]
    return [*lines, *_again(db, row), *_text(db, row, zone)]


def _again(db: sqlite_utils.Database, row: dict[str, Any]) -> Iterator[str]:
    misses = journal.misses_of(db, row["case_id"])
    if misses >= ALERT_AT:
        yield f"This caller was missed {misses} times in a row without getting through. Best call back."


def _step(moment: Moment, zone: ZoneInfo) -> str:
    at = moment.at.astimezone(zone).strftime("%H:%M:%S.%f")[:-5] if moment.at else "        "
    return f"  {at}  {tell(moment)}"


def _decision(row: dict[str, Any]) -> str:
    sentence = decided(row["decision_reason"], row["decision_detail"], row["not_textable"])
    return f"{sentence}   [{row['decision']}: {row['decision_reason']}]"


def _text(db: sqlite_utils.Database, row: dict[str, Any], zone: ZoneInfo) -> list[str]:
    text = store_outbox.of_call(db, row["id"])
    if text is None:
        return []
    state = f"It {STATES[text['state']]}"
    through = f" ({text['gateway']}{', ' + text['reference'] if text['reference'] else ''})" if text["attempts"] else ""
    why = f"\n  {text['explanation']}" if text["explanation"] else ""
    said = [f"  “{text['body']}”", f"  {state}{through}.{why}"]
    return [*said, *evidence.of_text(db, text, row, zone)]


@click.command(short_help="Send a text, through the running daemon.")
@click.argument("number")
@click.argument("text", required=False)
@click.option(
    "--words",
    nargs=2,
    metavar="LINE KIND",
    help="Instead of TEXT the words of a line for a kind of call, to see them on a phone: `--words main closed`.",
)
@click.option("--gateway", default=None, metavar="NAME", help="Through this gateway only.")
@click.option(
    "--wait", default=30, show_default=True, metavar="SECONDS", help="How long to wait for the gateway's word."
)
@config_option
def send(
    number: str, text: str | None, words: tuple[str, str] | None, gateway: str | None, wait: int, config: Path
) -> None:
    """Send TEXT to NUMBER, as a person would: through the outbox of the running daemon.

    Exit code 0: a gateway took it; 1: not yet, or not at all.
    """
    settings = load(config)
    if (text is None) is (words is None):
        raise click.UsageError("Write the TEXT, or which words to send: --words LINE KIND.")
    body = text or "" if words is None else _words(settings, *words)
    usual = settings.gateways if words is None else settings.lines[words[0]].gateways
    new = manual(settings, number, body, usual if gateway is None else [gateway])
    if not is_running(settings.storage):
        raise TextbackdError("textbackd is not running, so nothing was sent. Start it: systemctl start textbackd")
    with closing(open_database(settings.storage)) as db:
        if optouts.find(db, new.recipient) is not None:
            raise TextbackdError(_wants_none(new.recipient))
        text_id = store_outbox.add_manual(db, new, now=datetime.now(UTC))
        row = wait_for(db, text_id, wait)
    _report(row)


def _words(settings: Settings, line: str, kind: str) -> str:
    """Return the words of a line as a caller would get them now."""
    if line not in settings.lines:
        raise click.UsageError(f"--words {line}: the configuration has only {', '.join(settings.lines)}.")
    if kind not in list(TextKind):
        raise click.UsageError(f"--words {line} {kind}: the kinds of text are {', '.join(TextKind)}.")
    shown = preview(settings, line, TextKind(kind), datetime.now(UTC))
    if shown is None:
        raise click.UsageError(f"--words {line} {kind}: the line texts nothing for such a call.")
    return shown.body


def manual(settings: Settings, number: str, body: str, gateways: Iterable[str]) -> NewText:
    """Return a text as a person sends it. Raises UsageError for what cannot be one."""
    read = read_number(number, settings.business.country)
    if read.e164 is None or read.not_textable in (NotTextable.INVALID, NotTextable.SHORT_CODE, NotTextable.WITHHELD):
        raise click.UsageError(f"{number!r} is not a number that can be texted. Write it like +13125550123.")
    for gateway in gateways:
        if gateway not in settings.gateways:
            raise click.UsageError(f"--gateway {gateway}: the configuration has only {', '.join(settings.gateways)}.")
    if not body.strip():
        raise click.UsageError("The text is empty.")
    now = datetime.now(UTC)
    return NewText(
        kind=TextOf.MANUAL,
        recipient=read.e164,
        did=None,
        body=body,
        gateways=list(gateways),
        due_at=now,
        expires_at=now + timedelta(minutes=10),
        hung_up_at=None,
        segments=segments(body).count,
    )


def wait_for(db: sqlite_utils.Database, text_id: str, seconds: int) -> dict[str, Any]:
    """Return a text once a gateway has it, or after so long."""
    until = time.monotonic() + seconds
    while True:
        row = store_outbox.find(db, text_id)
        assert row is not None  # noqa: S101  # we have just written it, and texts are never deleted
        if row["state"] not in ("queued", "submitting") or time.monotonic() > until:
            return row
        time.sleep(0.1)


def _report(row: dict[str, Any]) -> None:
    said = f"The text to {row['recipient']} {STATES[row['state']]} ({row['gateway']})."
    if row["state"] in ("accepted", "delivered"):
        click.echo(said)
        return
    why = f" {row['explanation']}" if row["explanation"] else ""
    click.echo(f"{said}{why}\nSee what became of it: textbackd outbox", err=True)
    sys.exit(1)


@click.group(invoke_without_command=True, short_help="List the texts, and what became of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per text and line.")
@click.option("--limit", default=1000, show_default=True, help="The newest so many.")
@config_option
@click.pass_context
def outbox(ctx: click.Context, as_json: bool, limit: int, config: Path) -> None:
    """List the texts: to whom, what, and what became of them. The newest comes last."""
    if ctx.invoked_subcommand is not None:
        return
    settings = load(config)
    with closing(open_database(settings.storage, create=False)) as db:
        rows = store_outbox.listing(db, limit)
    for row in rows:
        click.echo(_as_json(row) if as_json else _as_line(row, settings))
    if not rows and not as_json:
        click.echo("No texts yet.")
    if not as_json and any(row["state"] == "unknown" for row in rows):
        click.echo("\nWhat is unknown may have gone out already; whether it shall go once more is yours to say.")


@outbox.command(short_help="Send the text ID once more, though it may have gone out.")
@click.argument("text_id", metavar="ID")
@config_option
def again(text_id: str, config: Path) -> None:
    """Send the text ID once more, though it may have gone out: that is for a person to say.

    ID is the text's id, or its first letters, as listed.
    """
    settings = load(config)
    now = datetime.now(UTC)
    with closing(open_database(settings.storage, create=False)) as db:
        row = _only(db, text_id)
        if optouts.find(db, row["recipient"]) is not None:
            raise TextbackdError(_wants_none(row["recipient"]))
        if asks.since(db, row["recipient"]) is not None:
            raise TextbackdError(f"{row['recipient']} may want no texts. Read what they wrote first: textbackd optout")
        if not store_outbox.try_again(db, row["id"], now, now + timedelta(minutes=10)):
            raise TextbackdError(
                f"The text to {row['recipient']} {STATES[row['state']]}; there is nothing to send again."
            )
    click.echo(f"The text to {row['recipient']} is queued once more.")


def _only(db: sqlite_utils.Database, text_id: str) -> dict[str, Any]:
    found = store_outbox.starting_with(db, text_id)
    if len(found) != 1:
        raise TextbackdError(f"{'Several texts have' if found else 'No text has'} an id that starts with {text_id!r}.")
    return found[0]


def _wants_none(number: str) -> str:
    return f"{number} wants no texts, so none is sent. If its owner asks for them: textbackd optout remove {number}"


def _as_json(row: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in row.items() if key != "explanation"}, ensure_ascii=False)


def _as_line(row: dict[str, Any], settings: Settings) -> str:
    created = from_text(row["created_at"])
    when = created.astimezone(settings.business.timezone).strftime("%d %b %H:%M:%S") if created else "?"
    why = f"\n    {row['explanation']}" if row["explanation"] else ""
    once_more = f"\n    Once more: textbackd outbox again {row['id'][:8]}" if row["state"] in ONCE_MORE else ""
    return f"{when}  {row['to']:16} {row['state']:10} {row['gateway']:10} {row['text']}{why}{once_more}"
