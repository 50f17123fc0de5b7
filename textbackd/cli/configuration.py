"""`textbackd check`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from textbackd.cli.options import config_option
from textbackd.config import Settings, lint, load


@click.command()
@config_option
def check(config: Path) -> None:
    """Read the configuration, print everything that is wrong with it, change nothing.

    Exit code 0: all is well; 1: warnings; 2: faults, `run` would not start.
    """
    settings = load(config)
    warnings = lint(settings)
    for line in [*warnings, *_not_yet(settings)]:
        click.echo(line)
    if warnings:
        click.echo(f"\n{len(warnings)} warning{'s' if len(warnings) != 1 else ''}. The configuration can be used.")
        sys.exit(1)
    click.echo(f"{config}: all is well. Start with `textbackd run --config {config}`.")


# Keys that belong to the configuration and are checked, but that this version does not act on. Each step of the work takes some out.
LINE_NOT_YET: Final = ("staff",)


def _not_yet(settings: Settings) -> Iterator[str]:
    """Yield a note for each key that is written and has no effect in this version; nobody shall rely on it unknowingly."""
    keys = settings.origin.lines
    written: list[str] = []
    for name in settings.lines:
        written += [f"lines.{name}.{key}" for key in LINE_NOT_YET if ("lines", name, key) in keys]
    for key in written:
        yield f"note: {key} is accepted, but this version does not act on it yet."
