"""`textbackd check`."""

import sys
from pathlib import Path

import click

from textbackd.cli.options import config_option
from textbackd.config import lint, load


@click.command()
@config_option
def check(config: Path) -> None:
    """Read the configuration, print everything that is wrong with it, change nothing.

    Exit code 0: all is well; 1: warnings; 2: faults, `run` would not start.
    """
    settings = load(config)
    warnings = lint(settings)
    for warning in warnings:
        click.echo(warning)
    if warnings:
        click.echo(f"\n{len(warnings)} warning{'s' if len(warnings) != 1 else ''}. The configuration can be used.")
        sys.exit(1)
    click.echo(f"{config}: all is well. Start with `textbackd run --config {config}`.")
