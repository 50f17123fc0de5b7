"""`textbackd doctor`: what is wrong, and the exact line that mends it."""

import dataclasses
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from textbackd.cli.options import WIDTH, config_option, printable, wrapped
from textbackd.config import load
from textbackd.doctor.findings import Finding, Severity

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final = {Severity.FAULT: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold blue"}
MANY: Final = {Severity.FAULT: "faults", Severity.WARNING: "warnings", Severity.NOTE: "notes"}
BAD: Final = (Severity.FAULT, Severity.WARNING)


@click.command(short_help="Say what is wrong, and the line that mends it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all findings.")
@config_option
def doctor(as_json: bool, config: Path) -> None:
    """Say what is wrong with PBX, gateways and box, and the line that mends it.

    Changes nothing and sends no text. Works beside the running daemon and
    without it; as root it sees more. It logs in to the PBX once, and asks
    gateways as far as that can be done without a text.

    Exit code 0: all is well; 1: faults or warnings; 2: the configuration
    cannot be read.
    """
    settings = load(config)
    from textbackd.doctor.examination import Examination  # noqa: PLC0415  # it knows every gateway

    steps = Examination(settings, os.environ).steps()
    found = list(_silently(steps) if as_json else _shown(steps))
    if as_json:
        click.echo(json.dumps({"findings": [dataclasses.asdict(one) for one in found]}, ensure_ascii=False))
    sys.exit(1 if any(one.severity in BAD for one in found) else 0)


Steps = Iterator[tuple[str, Callable[[], Iterator[Finding]]]]


def _silently(steps: Steps) -> Iterator[Finding]:
    for _, step in steps:
        yield from step()


def _shown(steps: Steps) -> Iterator[Finding]:
    """Yield the findings, the worst first after all is looked at; what is done is said while it is done."""
    from rich.console import Console  # noqa: PLC0415  # costs start-up time

    console = Console(file=sys.stdout, width=WIDTH, highlight=False, soft_wrap=True)
    found: list[Finding] = []
    for doing, step in steps:
        click.echo(f"{printable(doing)} …")
        found += step()
    for one in sorted(found, key=_rank):
        _print(console, one)
        yield one
    console.print()
    console.print(_summary(found), style="bold")


def _rank(one: Finding) -> tuple[bool, int]:
    """The configuration first, on which all else stands; then the worst."""
    return one.subject != "configuration", list(Severity).index(one.severity)


def _print(console: "Console", one: Finding) -> None:
    from rich.text import Text  # noqa: PLC0415

    console.print()
    console.print(Text.assemble((f"{one.severity}: ", STYLES[one.severity]), (printable(one.subject), "bold")))
    for line in wrapped(printable(one.what), "  "):
        console.print(Text(line))
    for line in one.do:
        console.print(Text(f"      {printable(line)}", "dim" if line.startswith("#") else "green"))


def _summary(found: list[Finding]) -> str:
    counted = Counter(one.severity for one in found)
    parts = [_many(counted[severity], severity) for severity in Severity if counted[severity]]
    if not any(counted[severity] for severity in BAD):
        return f"All is well{f'; {parts[0]}' if parts else ''}."
    mend = "Mend the first, and ask again." if len(found) > 1 else "Mend it, and ask again."
    return f"{', '.join(parts)}. {mend}"


def _many(count: int, severity: Severity) -> str:
    return f"{count} {severity if count == 1 else MANY[severity]}"
