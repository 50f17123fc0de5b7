"""docs/textbackd.1, the manual page, made from the commands themselves: `python -m textbackd.cli.manual` writes it.

cli → here.   One page for all commands, in the macros of man(7).
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from textbackd.cli import COMMANDS, commands

PAGE: Final = Path(__file__).parents[2] / "docs" / "textbackd.1"
HEAD: Final = """\
.\\" Made from the commands by `python -m textbackd.cli.manual`; edit those.
.TH TEXTBACKD 1 "" "textbackd" "User Commands"
.SH NAME
textbackd \\- texts back the callers whose call nobody took
.SH SYNOPSIS
.B textbackd
.I COMMAND
.RI [ OPTION ...]
.SH DESCRIPTION
textbackd stands beside an Asterisk PBX, sees that nobody took a call, and texts the caller back within seconds through a USB modem or an
SMS gateway.
Each command has
.B \\-\\-help
and, where it reads the configuration,
.BI \\-\\-config " FILE" .
.SH COMMANDS
"""
TAIL: Final = """\
.SH EXIT STATUS
0 well, 1 faults were found, 2 wrong usage or a configuration that cannot be used.
.SH FILES
.TP
.I /etc/textbackd/textbackd.yaml
The configuration.
.TP
.I /var/lib/textbackd/textbackd.db
The database, with its write\\-ahead log beside it.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1),
.BR asterisk (8)
"""
_SHARED: Final = {"--help", "--config"}  # options that every command has


def page() -> str:
    """Return the text of the page."""
    context = click.Context(commands, info_name="textbackd")
    blocks = (_command(commands.get_command(context, name), name, context) for name in COMMANDS)
    return HEAD + "".join(f"{line}\n" for block in blocks for line in block) + TAIL


def _command(command: click.Command | None, name: str, parent: click.Context) -> Iterator[str]:
    assert command is not None  # noqa: S101  # it stands in COMMANDS
    context = click.Context(command, info_name=name, parent=parent)
    yield f".SS {_roff(' '.join([context.command_path.removeprefix('textbackd '), *command.collect_usage_pieces(context)]))}"
    yield from _paragraphs(command.help or "")
    for option in command.get_params(context):
        yield from _option(option, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _command(command.get_command(context, inner), inner, context)


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", inspect.cleandoc(text))):
        if number:
            yield ".PP"
        lines = paragraph.split("\n")
        if lines[0] == "\b":  # click's mark of lines that stay as they are
            yield from (".nf", *map(_line, lines[1:]), ".fi")
        else:
            yield from map(_line, lines)


def _option(option: click.Parameter, context: click.Context) -> Iterator[str]:
    record = option.get_help_record(context) if isinstance(option, click.Option) else None
    if record is not None and not _SHARED & set(option.opts):
        yield ".TP"
        yield f".B {_roff(record[0])}"
        yield _line(record[1] or "")


def _line(text: str) -> str:
    escaped = _roff(text)
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _roff(text: str) -> str:
    """Return text as troff takes it: a hyphen is one that can be copied, and nothing is a request (groff_char(7))."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in plain)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="ascii")
