"""`textbackd leads`: forms that came without a number, so that no conversation could begin."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from textbackd.cli.options import config_option, printable
from textbackd.config import Settings, load
from textbackd.store import leads as store
from textbackd.store.database import open_database
from textbackd.store.leads import Lead


@click.group(invoke_without_command=True, short_help="List the forms without a number that nobody has read.")
@config_option
@click.pass_context
def leads(ctx: click.Context, config: Path) -> None:
    """List the forms without a usable number that nobody read."""
    if ctx.invoked_subcommand is not None:
        return
    settings = load(config)
    with closing(open_database(settings.storage, create=False)) as db:
        unread = store.to_read(db)
    click.echo("\n\n".join(_lead(lead, settings) for lead in unread) or "No form without a number waits to be read.")


@leads.command()
@click.argument("lead_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@config_option
def read(lead_id: int, config: Path) -> None:
    """Take the form ID off the list."""
    settings = load(config)
    with closing(open_database(settings.storage, create=False)) as db:
        is_there = store.read(db, lead_id, None, datetime.now(UTC))
    if not is_there:
        raise click.UsageError(f"There is no form {lead_id} without a number. List them with `textbackd leads`.")
    click.echo(f"The form {lead_id} is read.")


def _lead(lead: Lead, settings: Settings) -> str:
    at = lead.at.astimezone(settings.business.timezone).strftime("%d %b %Y %H:%M")
    typed = f"phone: {printable(lead.phone) or '(empty)'}"
    words = [f"    {printable(line)}" for line in lead.words.splitlines()]
    return "\n".join([f"{lead.id:5}  {at}  {lead.source}  {printable(lead.name)}", f"    {typed}", *words])
