"""`textbackd staff`: who may log in to the inbox, and which programs may use its API. Works beside a running daemon."""

import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Final

import click
import sqlite_utils

from textbackd.cli.options import config_option, printable
from textbackd.config import Settings, load
from textbackd.errors import TextbackdError
from textbackd.store import accounts, bearer, sessions, tokens
from textbackd.store.accounts import Account, Role
from textbackd.store.database import open_database
from textbackd.web.access.names import BAD_NAME, fault_of_staff, is_name
from textbackd.web.access.passwords import FEWEST, TOO_SHORT, Passwords, is_long_enough

MOST_READ: Final = 100_000  # characters of a password from stdin
stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from stdin instead of asking.")


@click.group(invoke_without_command=True, short_help="List who may log in; add somebody, set a password, lock out.")
@config_option
@click.pass_context
def staff(ctx: click.Context, config: Path) -> None:
    """List who may log in to the inbox; add somebody, set a password, lock out.

    NAME is somebody of `staff` in the configuration, or a name of its own.
    """
    if ctx.invoked_subcommand is None:
        _show(load(config))


@staff.command(name="list")
@config_option
def list_(config: Path) -> None:
    """List who may log in."""
    _show(load(config))


@staff.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.STAFF.value,
    show_default=True,
    help="Owners also see accounts and who did what, and get calls and conversations as a spreadsheet.",
)
@stdin_option
@config_option
def add(name: str, role: str, password_stdin: bool, config: Path) -> None:
    """Let NAME log in, with a password that you type now."""
    settings = load(config)
    with closing(open_database(settings.storage)) as db:
        known = accounts.find(db, name)
        if known is None and (fault := fault_of_staff(name)):
            raise click.UsageError(fault)
        is_taken = known is not None and known.disabled_at is None
        called = known.staff if known else name
        # Asked again when it is made: somebody else may have made it while the password was typed.
        if is_taken or not accounts.add(db, called, Role(role), _hashed(password_stdin), datetime.now(UTC)):
            raise TextbackdError(
                f"{called} has an account already. Set its password: textbackd staff password {quote(called)}"
            )
    click.echo(f"{name} may log in, as {role}.")


@staff.command()
@click.argument("name")
@stdin_option
@config_option
def password(name: str, password_stdin: bool, config: Path) -> None:
    """Set NAME's password. Every session of theirs ends."""
    with closing(open_database(load(config).storage, create=False)) as db:
        account = _enabled(db, name)
        accounts.set_password(db, account.staff, _hashed(password_stdin), datetime.now(UTC))
    click.echo(f"{account.staff} has a new password.")


@staff.command()
@click.argument("name")
@config_option
def disable(name: str, config: Path) -> None:
    """Let NAME log in no more. Their sessions end, their tokens are revoked."""
    with closing(open_database(load(config).storage, create=False)) as db:
        account = _known(db, name)
        done = accounts.disable(db, account.staff, datetime.now(UTC))
        anybody = accounts.anybody(db)
    click.echo(f"{account.staff} cannot log in any more." if done else f"{account.staff} could not log in anyway.")
    if not anybody:
        click.echo("Nobody can log in now: textbackd staff add NAME --role owner", err=True)


@staff.command(name="sessions")
@click.argument("name")
@click.option("--end", is_flag=True, help="End them all.")
@config_option
def sessions_(name: str, end: bool, config: Path) -> None:
    """List where NAME is logged in, or end it everywhere."""
    settings, now = load(config), datetime.now(UTC)
    with closing(open_database(settings.storage, create=False)) as db:
        account = _known(db, name)
        alive = sessions.listing(db, now, account.staff)
        if end:
            sessions.end_all(db, account.staff, now)
    for one in alive:
        click.echo(f"{printable(one.browser):24} last seen {_time(one.last_seen_at, settings)}")
    if not alive:
        click.echo(f"{account.staff} is not logged in anywhere.")
    elif end:
        click.echo("Ended.")


@staff.group()
def token() -> None:
    """Let programs use the API as one of the staff."""


@token.command(name="add")
@click.argument("name")
@click.option("--for", "program", required=True, metavar="PROGRAM", help="Which program uses it.")
@config_option
def add_token(name: str, program: str, config: Path) -> None:
    """Make a token with which a program acts as NAME. It is shown once."""
    if not is_name(program):
        raise click.UsageError(BAD_NAME)
    secret = bearer.new()
    with closing(open_database(load(config).storage, create=False)) as db:
        account = _enabled(db, name)
        number = tokens.add(db, account.staff, program, secret, datetime.now(UTC))
    click.echo(f"Token {number}, for {program} as {account.staff}. Keep it; it is not shown again.", err=True)
    click.echo(secret)


@token.command(name="list")
@config_option
def list_tokens(config: Path) -> None:
    """List the tokens that are in use."""
    settings = load(config)
    with closing(open_database(settings.storage, create=False)) as db:
        known = tokens.listing(db)
    for one in known:
        used = f"last used {_time(one.last_used_at, settings)}" if one.last_used_at else "never used"
        click.echo(f"{one.id:4}  {one.staff:16} {printable(one.name):24} {used}")
    if not known:
        click.echo("There are no tokens.")


@token.command(name="revoke")
@click.argument("number", type=int)
@config_option
def revoke_token(number: int, config: Path) -> None:
    """Let the program with token NUMBER in no more."""
    with closing(open_database(load(config).storage, create=False)) as db:
        if not tokens.revoke(db, number, datetime.now(UTC)):
            raise TextbackdError(f"There is no token {number} in use. See: textbackd staff token list")
    click.echo(f"Token {number} is revoked.")


def _show(settings: Settings) -> None:
    with closing(open_database(settings.storage, create=False)) as db:
        known = accounts.listing(db)
        alive = sessions.listing(db, datetime.now(UTC))
    for account in known:
        count = sum(session.staff == account.staff for session in alive)
        click.echo(f"{account.staff:16} {account.role:6} {_state(account):9} {count} session{'s' * (count != 1)}")
    if not known:
        click.echo("Nobody can log in yet: textbackd staff add NAME --role owner")


def _state(account: Account) -> str:
    if account.disabled_at is not None:
        return "disabled"
    return "invited" if account.password is None else ""


def _known(db: sqlite_utils.Database, name: str) -> Account:
    account = accounts.find(db, name)
    if account is None:
        raise TextbackdError(f"{printable(name)} has no account. See: textbackd staff list")
    return account


def _enabled(db: sqlite_utils.Database, name: str) -> Account:
    account = _known(db, name)
    if account.disabled_at is not None:
        raise TextbackdError(
            f"{account.staff} is disabled. Let them in again: textbackd staff add {quote(account.staff)}"
        )
    return account


def _hashed(from_stdin: bool) -> str:
    typed = _read() if from_stdin else _asked()
    if not is_long_enough(typed):
        raise TextbackdError(TOO_SHORT)
    return Passwords().hash_now(typed)


def _asked() -> str:
    """Return a password that was typed twice; one that is too short is asked for again, before it is typed a second time."""
    if not sys.stdin.isatty():
        raise TextbackdError("There is no terminal to type a password at. Use --password-stdin.")
    said = f"Password (at least {FEWEST} characters)"
    typed: str = click.prompt(said, hide_input=True, confirmation_prompt="Once more", value_proc=_long_enough)
    return typed


def _long_enough(typed: str) -> str:
    if not is_long_enough(typed):
        raise click.UsageError(TOO_SHORT)
    return typed


def _read() -> str:
    """Return the first line of stdin; the password may hold blanks at its ends."""
    return sys.stdin.readline(MOST_READ).removesuffix("\n").removesuffix("\r")


def _time(moment: datetime, settings: Settings) -> str:
    return moment.astimezone(settings.business.timezone).strftime("%d %b %Y %H:%M")
