"""`textbackd export` and `forget`: what is kept about one number, and the end of it."""

import json
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from textbackd.cli.options import config_option, number_of
from textbackd.config import load
from textbackd.errors import TextbackdError
from textbackd.store import dossier, never, optouts, retention
from textbackd.store.database import open_database

# What the question before `forget` counts, one and many.
COUNTED: Final = {
    "calls": ("call", "calls"),
    "texts": ("text to it", "texts to it"),
    "incoming": ("text from it", "texts from it"),
}

# What outlives forgetting, as a hash.
STAYS: Final = ((optouts, "It stays opted out."), (never, "It stays on the never-list."))


@click.command(short_help="Write everything that is kept about a number into a file.")
@click.argument("number")
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@config_option
def export(number: str, file: Path | None, config: Path) -> None:
    """Write everything that is kept about NUMBER into FILE, as JSON: calls, decisions, texts, what came in.

    FILE is textbackd-NUMBER.json if it is not given; `-` prints it. A file that exists is not written over.
    """
    settings = load(config)
    wanted = number_of(settings, number)
    with closing(open_database(settings.storage, create=False)) as db:
        kept = dossier.dossier(db, wanted)
    if not dossier.is_known(kept):
        raise TextbackdError(f"Nothing is kept about {wanted}.")
    text = json.dumps({"exported_at": datetime.now(UTC).isoformat(), **kept}, ensure_ascii=False, indent=2)
    if str(file) == "-":
        click.echo(text)
        return
    path = file or Path(f"textbackd-{wanted[1:]}.json")
    _write(path, text)
    click.echo(f"{path}: {_counts(kept)}.")


def _write(path: Path, text: str) -> None:
    """Write a new file that nobody else can read."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text + "\n")
    except OSError as error:
        raise TextbackdError(f"{path}: cannot be written ({error.strerror}). Name another FILE.") from error


@click.command(short_help="Erase everything that is kept about a number.")
@click.argument("number")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def forget(number: str, yes: bool, config: Path) -> None:
    """Erase everything that is kept about NUMBER.

    Its calls stay in the counts, without number and name. That it wants no texts, or is on the never-list, stays known, by a hash from
    which nobody can read the number.
    """
    settings = load(config)
    wanted = number_of(settings, number)
    with closing(open_database(settings.storage, create=False)) as db:
        kept = dossier.dossier(db, wanted)
        if not dossier.is_known(kept):
            raise TextbackdError(f"Nothing is kept about {wanted}.")
        if not yes and not click.confirm(f"Erase what is kept about {wanted} ({_counts(kept)}), for ever?"):
            raise TextbackdError("Nothing was erased.")
        if not retention.forget(db, wanted):
            raise TextbackdError(f"A text is on its way to {wanted} at this moment. Try again in a minute.")
        compacted = retention.compact(db)
        stays = [said for lists, said in STAYS if lists.find(db, wanted) is not None]
    click.echo(" ".join([f"{wanted} is forgotten.", *stays]))
    if not compacted:
        click.echo(
            "The file is in use, so it was not made smaller; what was erased is overwritten nonetheless.", err=True
        )


def _counts(kept: dict[str, Any]) -> str:
    numbers = ((len(kept[kind]), words) for kind, words in COUNTED.items())
    return ", ".join(f"{number} {words[number != 1]}" for number, words in numbers)
