"""`textbackd optout`: who wants no texts."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from textbackd.cli.options import config_option
from textbackd.config import Settings, load
from textbackd.core.phone import E164, read_number
from textbackd.store import optouts
from textbackd.store.database import open_database
from textbackd.store.optouts import OptedOutBy, OptOut

BY = {OptedOutBy.GATEWAY: "told the gateway", OptedOutBy.PERSON: "entered here:"}


@click.group(invoke_without_command=True)
@config_option
@click.pass_context
def optout(ctx: click.Context, config: Path) -> None:
    """List the numbers that want no texts, add one, take one off."""
    if ctx.invoked_subcommand is None:
        settings = load(config)
        with closing(open_database(settings.storage, create=False)) as db:
            known = optouts.listing(db)
        for one in known:
            click.echo(_line(one, settings))
        if not known:
            click.echo("Nobody has opted out.")


@optout.command()
@click.argument("number")
@click.option("--why", default="asked by the caller", show_default=True, help="For the record.")
@config_option
def add(number: str, why: str, config: Path) -> None:
    """Text NUMBER no more. What waits to go out to it is cancelled."""
    settings = load(config)
    wanted = _number(settings, number)
    with closing(open_database(settings.storage)) as db:
        new = optouts.add(db, wanted, OptedOutBy.PERSON, why, datetime.now(UTC))
    click.echo(f"{wanted} gets no texts any more." if new else f"{wanted} had opted out already.")


@optout.command()
@click.argument("number")
@config_option
def remove(number: str, config: Path) -> None:
    """Let NUMBER be texted again, because its owner asks for it."""
    settings = load(config)
    wanted = _number(settings, number)
    with closing(open_database(settings.storage)) as db:
        was_out = optouts.remove(db, wanted)
    click.echo(f"{wanted} may be texted again." if was_out else f"{wanted} had not opted out.")


def _number(settings: Settings, written: str) -> E164:
    number = read_number(written, settings.business.country).e164
    if number is None:
        raise click.UsageError(f"{written!r} is not a phone number. Write it like +13125550123.")
    return number


def _line(one: OptOut, settings: Settings) -> str:
    since = one.since.astimezone(settings.business.timezone).strftime("%d %b %Y")
    return f"{one.number:16} since {since}, {BY[one.by]} {one.detail}"
