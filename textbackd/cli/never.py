"""`textbackd never`: whose calls do not count, beside those that the configuration names."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from textbackd.cli.options import config_option, number_of, printable
from textbackd.config import Settings, load
from textbackd.core.phone import E164
from textbackd.errors import TextbackdError
from textbackd.flow.contacts import NEVER, Contacts
from textbackd.store import never as never_list
from textbackd.store.database import open_database
from textbackd.store.never import Never

CONFIGURED: Final = "`policy.never` or `contacts.never`"


@click.group(invoke_without_command=True, short_help="List whose calls do not count; add a number, take one off.")
@config_option
@click.pass_context
def never(ctx: click.Context, config: Path) -> None:
    """List the numbers that are never texted and whose calls do not count, add one, take one off.

    Suppliers, nuisance callers, your own family. Counts from the next call on, without a restart.
    """
    if ctx.invoked_subcommand is None:
        settings = load(config)
        with closing(open_database(settings.storage, create=False)) as db:
            listed = never_list.listing(db)
        for one in listed:
            click.echo(_line(one, settings))
        if not listed:
            click.echo("Nobody was put on the never-list here.")
        if named := len(Contacts(settings).members(NEVER)):
            click.echo(f"The configuration names {named} more ({CONFIGURED}).")


@never.command()
@click.argument("number")
@click.option("--why", default="", help="For the record.")
@config_option
def add(number: str, why: str, config: Path) -> None:
    """Never text NUMBER, and do not count its calls. What waits to go out to it is cancelled."""
    settings = load(config)
    wanted = number_of(settings, number)
    with closing(open_database(settings.storage)) as db:
        new = never_list.add(db, wanted, "", why, datetime.now(UTC))
    click.echo(f"{wanted} is on the never-list." if new else f"{wanted} was on the never-list already.")


@never.command()
@click.argument("number")
@config_option
def remove(number: str, config: Path) -> None:
    """Let the calls of NUMBER count again."""
    settings = load(config)
    wanted = number_of(settings, number)
    with closing(open_database(settings.storage, create=False)) as db:
        was_there = never_list.remove(db, wanted)
    click.echo(f"{wanted} is off the never-list." if was_there else f"{wanted} was not on the never-list.")
    if _is_configured(settings, wanted):
        raise TextbackdError(f"The configuration names it, so its calls do not count: take it out of {CONFIGURED}.")


def _is_configured(settings: Settings, number: E164) -> bool:
    return number in Contacts(settings).members(NEVER)


def _line(one: Never, settings: Settings) -> str:
    day = one.since.astimezone(settings.business.timezone).strftime("%d %b %Y")
    by = f" by {printable(one.by)}" if one.by else ""
    why = f": {printable(one.detail)}" if one.detail else ""
    return f"{one.number or '(forgotten)':16} since {day}{by}{why}"
