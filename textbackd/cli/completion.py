"""`textbackd completion`: what a shell needs to complete commands and options. click makes it; scripts/install puts it in its place."""

import click
from click.shell_completion import get_completion_class

from textbackd.cli import commands


@click.command(short_help="Print the completion for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion for SHELL; write it there and log in anew:

    \b
    bash  /usr/share/bash-completion/completions/textbackd
    zsh   /usr/share/zsh/vendor-completions/_textbackd
    fish  /usr/share/fish/vendor_completions.d/textbackd.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  # the choice above is of those that click has
    click.echo(kind(commands, {}, "textbackd", "_TEXTBACKD_COMPLETE").source())
