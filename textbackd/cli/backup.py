"""`textbackd backup` and `restore`: the database in one file, and back."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from textbackd.cli.line import sentence
from textbackd.cli.options import config_option
from textbackd.config import Settings, load
from textbackd.flow.restore import Restored
from textbackd.flow.restore import restore as put_back
from textbackd.store.backup import Content, take

NAME: Final = re.compile(r"textbackd-\d{8}T\d{6}Z\.db")  # of a backup in a FOLDER
# Of one that was never finished, as after a power cut, and of what SQLite had beside it.
PART: Final = re.compile(r"\.textbackd-\d{8}T\d{6}Z\.db\.part(-journal|-wal|-shm)?")
GIVEN_UP: Final = timedelta(days=1)  # no backup takes so long


@click.command(short_help="Copy the database into one file, while textbackd works.")
@click.argument("target", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="In FOLDER, delete all but the newest N backups.")
@config_option
def backup(target: Path, keep: int | None, config: Path) -> None:
    """Copy the database into one file, while textbackd works, and check it.

    In a FOLDER it is called by the time, textbackd-20260302T120000Z.db. It holds callers' numbers and texts: nobody else may read
    it. The configuration is not in it; keep a copy of /etc/textbackd.
    """
    if keep is not None and not target.is_dir():
        raise click.UsageError(f"--keep is for a FOLDER, and there is no folder {target}.")
    settings, now = load(config), datetime.now(UTC)
    file = target / f"textbackd-{now:%Y%m%dT%H%M%SZ}.db" if target.is_dir() else target
    held = take(settings.storage, file, now)
    click.echo("\n".join([f"{file}: {_size(held.size)}, checked.", *_held(held, settings)]))
    if keep is not None:
        _tidy(target, keep, now)


def _tidy(folder: Path, keep: int, now: datetime) -> None:
    old = _older(folder, keep)
    for path in (*old, *_unfinished(folder, now)):
        path.unlink(missing_ok=True)
    if old:
        click.echo(f"Deleted: {len(old)} older.")


def _older(folder: Path, keep: int) -> list[Path]:
    """Return the backups beyond the newest `keep`; other files are nobody's business."""
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))[:-keep]


def _unfinished(folder: Path, now: datetime) -> list[Path]:
    """Return what is left of backups that broke off long ago."""
    parts = (path for path in folder.iterdir() if PART.fullmatch(path.name))
    return [path for path in parts if path.stat().st_mtime < (now - GIVEN_UP).timestamp()]


@click.command(short_help="Put a backup in the place of the database.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def restore(file: Path, yes: bool, config: Path) -> None:
    """Put a backup in the place of the database. textbackd must be stopped.

    Nothing old is sent: texts and notices that waited in it are closed. The database that is there now is kept beside it.
    """
    settings = load(config)
    if not yes:
        click.confirm(f"Put {file} in the place of {settings.storage}?", abort=True)
    done = put_back(file, settings, datetime.now(UTC))
    click.echo("\n".join(_told(done, file, settings)))


def _told(done: Restored, file: Path, settings: Settings) -> Iterator[str]:
    yield f"{file} is in place as {settings.storage}."
    yield from _held(done.content, settings)
    settled = done.settled
    closed = f"{_many(settled.cancelled, 'text')} and {_many(settled.untold, 'notice')}"
    yield f"  Closed: {closed} that waited. None of them goes out."
    if settled.unknown:
        yield f"  {_many(settled.unknown, 'text')} may or may not have gone out: textbackd outbox"
    if done.kept is not None:
        yield f"  What was there is {done.kept}."
        yield _CARRIED if done.carried else _NOT_CARRIED
    yield from (f"  {sentence(halt, settings)}" for halt in done.halts)
    yield from _who_gets_in(done)
    yield "Everybody logs in anew. Now: systemctl start textbackd"


def _who_gets_in(done: Restored) -> Iterator[str]:
    if done.revoked:
        yield f"  {_many(done.revoked, 'API token')} revoked, since nobody knows which were: textbackd staff token add"
    if done.let_in:
        yield f"  May log in: {', '.join(done.let_in)}."
    if done.let_in and not done.carried:
        yield "  If somebody was shut out since the backup: textbackd staff disable NAME"


_CARRIED: Final = "  From it came what has changed since: opt-outs, pauses, texts that went out,\n  who was shut out."
_NOT_CARRIED: Final = (
    "  It cannot be read: who wrote STOP since the backup is not known any more. Look\n"
    "  through your gateway's list of texts, and enter them: textbackd optout add NUMBER"
)


def _held(held: Content, settings: Settings) -> Iterator[str]:
    """Yield what a backup holds, and of when it is."""
    if held.made_at is not None:
        yield f"  Made {_time(held.made_at, settings)}, schema {held.schema}."
    counted = (
        (held.calls, "call"),
        (held.texts, "text"),
        (held.conversations, "conversation"),
        (held.optouts, "opt-out"),
    )
    yield f"  {', '.join(_many(number, what) for number, what in counted)}."
    if held.last_call_at is not None:
        yield f"  The last call ended {_time(held.last_call_at, settings)}."


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _time(moment: datetime, settings: Settings) -> str:
    return moment.astimezone(settings.business.timezone).strftime("%d %b %Y %H:%M")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
