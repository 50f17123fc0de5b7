"""`textbackd optout`: who wants no texts."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from textbackd.cli.evidence import opted_out_by
from textbackd.cli.options import config_option, number_of, printable
from textbackd.config import Settings, load
from textbackd.store import asks, optouts
from textbackd.store.asks import Ask
from textbackd.store.database import open_database
from textbackd.store.optouts import OptedOutBy, OptOut

DECIDE = """
These wrote something that may mean STOP; nothing goes there by itself until you have decided.
No texts any more: textbackd optout add NUMBER        It meant something else: textbackd optout remove NUMBER"""


@click.group(invoke_without_command=True, short_help="List who wants no texts; add a number, take one off.")
@config_option
@click.pass_context
def optout(ctx: click.Context, config: Path) -> None:
    """List the numbers that want no texts or may want none, add one, take one off."""
    if ctx.invoked_subcommand is None:
        settings = load(config)
        with closing(open_database(settings.storage, create=False)) as db:
            known, perhaps = optouts.listing(db), asks.listing(db)
        for one in known:
            click.echo(_line(one, settings))
        if not known:
            click.echo("Nobody has opted out.")
        if perhaps:
            click.echo("\n".join([DECIDE, *(_ask(one, settings) for one in perhaps)]))


@optout.command()
@click.argument("number")
@click.option("--why", default="", help="For the record.")
@config_option
def add(number: str, why: str, config: Path) -> None:
    """Text NUMBER no more. What waits to go out to it is cancelled."""
    settings = load(config)
    wanted = number_of(settings, number)
    with closing(open_database(settings.storage)) as db:
        new = optouts.add(db, wanted, OptedOutBy.PERSON, why, datetime.now(UTC))
    click.echo(f"{wanted} gets no texts any more." if new else f"{wanted} had opted out already.")


@optout.command(short_help="Let NUMBER be texted again.")
@click.argument("number")
@config_option
def remove(number: str, config: Path) -> None:
    """Let NUMBER be texted again: its owner asks for it, or never meant STOP."""
    settings = load(config)
    wanted = number_of(settings, number)
    with closing(open_database(settings.storage, create=False)) as db:
        was_out = optouts.remove(db, wanted)
    click.echo(f"{wanted} may be texted again." if was_out else f"{wanted} had not opted out.")


def _line(one: OptOut, settings: Settings) -> str:
    number = one.number or "(forgotten)"
    return f"{number:16} since {_day(one.since, settings)}, {opted_out_by(one)}"


def _ask(one: Ask, settings: Settings) -> str:
    said = f"“{printable(one.body)}”" if one.body else "a text that is no longer kept"
    return f"{one.number:16} since {_day(one.since, settings)}, wants to be asked: {said}"


def _day(moment: datetime, settings: Settings) -> str:
    return moment.astimezone(settings.business.timezone).strftime("%d %b %Y")
