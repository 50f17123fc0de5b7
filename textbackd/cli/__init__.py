"""The command line: `textbackd COMMAND`. Short plain sentences, and the one command that helps.

Exit codes: 0 well, 1 found faults, 2 wrong usage or configuration.
"""

import importlib
import logging
import sys
from pathlib import Path
from typing import Final

import click

from textbackd import __version__
from textbackd.errors import ConfigError, TextbackdError

PROGRAM: Final = "textbackd"
DEFAULT_CONFIG: Final = Path("/etc/textbackd/textbackd.yaml")

# command → module and function; a module is imported only when its command is used, so that `--help` is quick.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": ("textbackd.cli.run", "run"),
    "setup": ("textbackd.cli.setup.command", "setup"),
    "check": ("textbackd.cli.configuration", "check"),
    "doctor": ("textbackd.cli.doctor", "doctor"),
    "replay": ("textbackd.cli.traces", "replay"),
    "simulate": ("textbackd.cli.simulate", "simulate"),
    "leak": ("textbackd.cli.leak", "leak"),
    "report": ("textbackd.cli.report", "report"),
    "record": ("textbackd.cli.traces", "record"),
    "explain": ("textbackd.cli.texts", "explain"),
    "send": ("textbackd.cli.texts", "send"),
    "outbox": ("textbackd.cli.texts", "outbox"),
    "optout": ("textbackd.cli.optouts", "optout"),
    "never": ("textbackd.cli.never", "never"),
    "leads": ("textbackd.cli.leads", "leads"),
    "line": ("textbackd.cli.line", "line"),
    "staff": ("textbackd.cli.staff", "staff"),
    "export": ("textbackd.cli.data", "export"),
    "forget": ("textbackd.cli.data", "forget"),
    "backup": ("textbackd.cli.backup", "backup"),
    "restore": ("textbackd.cli.backup", "restore"),
    "support-bundle": ("textbackd.cli.support.command", "support_bundle"),
    "modem": ("textbackd.cli.modem", "modem"),
    "completion": ("textbackd.cli.completion", "completion"),
}


class Commands(click.Group):
    """The commands, each loaded when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None for an unknown one."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, message="textbackd %(version)s")
def commands() -> None:
    """Texts back the callers whose call nobody took.

    Start with `textbackd run --demo`, which needs no PBX and no modem.
    """


def main() -> None:
    """Run the command line; every fault that a person can mend is a sentence on stderr, never a traceback."""
    logging.getLogger("textbackd").addHandler(logging.NullHandler())  # `run` sets up its log; other commands have none
    try:
        sys.exit(
            commands.main(prog_name=PROGRAM, standalone_mode=False)
        )  # what `ctx.exit` was given comes back as the result
    except click.Abort:
        click.echo(err=True)  # behind the question that was not answered
        sys.exit(130)
    except click.ClickException as error:
        click.echo(f"{error.format_message()}\nSee `{_command(error)} --help`.", err=True)
        sys.exit(2)
    except ConfigError as error:
        click.echo(_config_faults(error), err=True)
        sys.exit(2)
    except TextbackdError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _command(error: click.ClickException) -> str:
    """Return the command that was used wrongly, as it is typed."""
    return error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else PROGRAM


def _config_faults(error: ConfigError) -> str:
    count = len(error.faults)
    return "\n".join(
        [*error.faults, "", f"{count} fault{'s' if count != 1 else ''} in {error.path}. Nothing was started."]
    )
