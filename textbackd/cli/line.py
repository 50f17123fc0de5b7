"""`textbackd line`: pause texting and take it up again."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from textbackd.cli.options import config_option
from textbackd.config import Settings, load
from textbackd.config.values import duration
from textbackd.flow import pausing
from textbackd.flow.pausing import By
from textbackd.store import halts
from textbackd.store.database import open_database
from textbackd.store.halts import Halt, HaltKind


@click.group(invoke_without_command=True)
@config_option
@click.pass_context
def line(ctx: click.Context, config: Path) -> None:
    """Say whether texting is on, pause it, take it up again.

    Calls go on being recorded and decided; paused, nobody is texted for them.
    """
    if ctx.invoked_subcommand is None:
        settings = load(config)
        with closing(open_database(settings.storage, create=False)) as db:
            active = halts.active(db, datetime.now(UTC))
        click.echo("\n".join(_state(settings, active)))


@line.command()
@click.argument("name", required=False)
@click.option("--for", "span", metavar="DURATION", help="For so long, `2h`; otherwise until `line resume`.")
@click.option("--why", default="by a person", show_default=True, help="Shown with every call that gets no text for it.")
@config_option
def pause(name: str | None, span: str | None, why: str, config: Path) -> None:
    """Stop automatic texts, of the line NAME or of all. What waits to go out is cancelled.

    A pause that holds longer already stays as it is; to shorten it, resume first.
    """
    settings = load(config)
    _check(settings, name)
    now = datetime.now(UTC)
    until = now + _duration(span) if span else None
    with closing(open_database(settings.storage)) as db:
        cancelled = pausing.pause(db, name, By(staff=None, why=why), until=until, now=now)
        until = pausing.pauses(halts.active(db, now))[name].until
    ends = f"until {_time(until, settings)}" if until else "until `textbackd line resume`"
    click.echo(f"{_whose(name)} is paused {ends}: nobody is texted.")
    if cancelled:
        click.echo(f"Cancelled: {cancelled} that waited.")


@line.command(short_help="Text again: for the line NAME, or for all.")
@click.argument("name", required=False)
@config_option
def resume(name: str | None, config: Path) -> None:
    """Take automatic texts up again: of the line NAME, or of all, which also releases the brake."""
    settings = load(config)
    _check(settings, name)
    with closing(open_database(settings.storage, create=False)) as db:
        ended = pausing.resume(db, name, By(staff=None), now=datetime.now(UTC))
        left = halts.active(db, datetime.now(UTC))
    click.echo(f"{_whose(name)} texts again." if ended else _not_paused(name))
    for halt in left:
        click.echo(sentence(halt, settings))


def _check(settings: Settings, name: str | None) -> None:
    if name is not None and name not in settings.lines:
        raise click.UsageError(f"There is no line {name!r}. The configuration has {', '.join(settings.lines)}.")


def _duration(written: str) -> timedelta:
    try:
        span = duration(written)
    except ValueError as error:
        raise click.UsageError(f"--for: {error}") from error
    if not isinstance(span, timedelta) or span <= timedelta(0):
        raise click.UsageError(f"--for {written}: write how long, as 30m, 2h or 3d.")
    return span


def _state(settings: Settings, active: list[Halt]) -> Iterator[str]:
    yield from (sentence(halt, settings) for halt in active if halt.line is None)
    for name in settings.lines:
        own = [halt for halt in active if halt.line == name]
        if own:
            yield sentence(own[-1], settings)
        elif not any(halt.line is None for halt in active):
            yield f"The line {name} texts."


def sentence(halt: Halt, settings: Settings) -> str:
    """Return what stops texting, and since when."""
    if halt.kind is HaltKind.BRAKE:
        since = f"The brake has stopped all automatic texts since {_time(halt.since, settings)}"
        return f"{since}: {halt.why}. Release it: textbackd line resume"
    ends = f" until {_time(halt.until, settings)}" if halt.until else ""
    return f"{_whose(halt.line)} is paused since {_time(halt.since, settings)}{ends}: {halt.why}."


def _whose(name: str | None) -> str:
    return f"The line {name}" if name else "Every line"


def _not_paused(name: str | None) -> str:
    return f"The line {name} was not paused." if name else "No line was paused."


def _time(moment: datetime | None, settings: Settings) -> str:
    return moment.astimezone(settings.business.timezone).strftime("%d %b %H:%M") if moment else "?"
