"""How `textbackd setup` asks: by flag, by its default, or at the terminal.   command.py → here → the person

Every answer is checked at once, in the configuration's own words, and asked for again until it is right. What came by a flag is not
asked; what is wrong with it ends the command, for nobody may be there.
"""

import select
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import click

from textbackd.cli.options import wrapped
from textbackd.setup.draft import Draft

NONE: Final = "none"
Reader = Callable[[str], Any]  # what was typed → the value; raises ValueError with a sentence


@dataclass(slots=True)
class Interview:
    """One run of the questions."""

    given: Mapping[str, str]  # flag without its dashes → its value
    silent: bool  # nobody is asked: what is not given has its default
    troubles: list[str] = field(default_factory=list)  # what did not go well, told once more at the end

    # ---- telling

    def head(self, title: str) -> None:
        """Begin a part."""
        click.echo()
        click.secho(title, bold=True)

    def tell(self, text: str, before: str = "  ") -> None:
        """Say something, in lines of eighty columns; `before` stands before the first."""
        lines = wrapped(text, " " * len(before))
        click.echo("\n".join([before + lines[0].lstrip(), *lines[1:]] if lines else []))

    def show(self, command: str) -> None:
        """Show what is to be typed or pasted, in one piece."""
        for line in command.splitlines():
            click.echo(f"    {line}")

    def trouble(self, text: str, command: str = "") -> None:
        """Say what did not go well, and what to run."""
        self.troubles.append(f"{text} {command}".strip())
        self.complain(text)
        self.show(command)

    # ---- asking

    def answer(
        self,
        draft: Draft,
        loc: tuple[str, ...],
        flag: str,
        question: str,
        *,
        default: str | None = None,
        read: Reader = str,
        needed: bool = False,
        show: bool = True,
    ) -> Draft:
        """Return the draft with the answer at its place.

        `needed`: the default is not good enough for nobody to look at. `show`: it stands beside the question.
        """
        while True:
            said = self.ask(flag, question, default=default, needed=needed, show=show)
            found = _taken(draft, loc, said, read)
            if isinstance(found, Draft):
                return found
            self.refuse(flag, said, found)

    def ask(
        self,
        flag: str,
        question: str,
        *,
        default: str | None = None,
        needed: bool = False,
        hidden: bool = False,
        show: bool = True,
    ) -> str:
        """Return what was answered, as it was typed."""
        if flag in self.given:
            return self.given[flag].strip()
        if self.silent:
            if default is None or needed:
                raise click.UsageError(f"--{flag} is missing, and nobody is asked. {question}")
            return default
        said = click.prompt(f"  {question}", default=default, hide_input=hidden, show_default=show and not hidden)
        return str(said).strip()

    def refuse(self, flag: str, said: str, faults: Sequence[str]) -> None:
        """Say what is wrong with an answer; the end of it where nobody can answer anew."""
        if flag in self.given or self.silent:
            raise click.UsageError(f"--{flag} {said}: {' '.join(faults)}")
        self.complain(*faults)

    def complain(self, *faults: str) -> None:
        """Say what is not right about what was just typed."""
        for fault in faults:
            click.secho("\n".join(wrapped(fault, "  ")), fg="yellow")

    def agree(self, flag: str, question: str, *, default: bool) -> bool:
        """Return whether the person agrees. The flag is `yes` or `no`."""
        if flag in self.given:
            return self.given[flag] == "yes"
        return default if self.silent else click.confirm(f"  {question}", default=default)

    def choose(self, flag: str, question: str, choices: Sequence[str], *, default: str, listed: bool = False) -> str:
        """Return one of the choices by its name; of those that were listed also by its number."""
        usual = str(choices.index(default) + 1) if listed else default
        while True:
            said = self.ask(flag, question, default=usual).casefold()
            if listed and said.isdecimal() and 0 < int(said) <= len(choices):
                return choices[int(said) - 1]
            if said in choices:
                return said
            number = f"Write its number, 1 to {len(choices)}." if listed else f"Write one of {', '.join(choices)}."
            self.refuse(flag, said, [number])

    def press_enter(self, text: str) -> bool:
        """Wait for Enter; return False at once if nobody is there, or whoever is has typed something else than nothing."""
        return not self.silent and click.prompt(f"  {text}", default="", show_default=False) == ""


def had_enough() -> bool:
    """Return whether somebody has pressed Enter meanwhile."""
    if not sys.stdin.isatty() or not select.select([sys.stdin], [], [], 0)[0]:
        return False
    sys.stdin.readline()
    return True


def optional(read: Reader = str) -> Reader:
    """Return a reader to which `none`, and nothing, is no value."""
    return lambda said: None if said.casefold() in ("", NONE) else read(said)


def _taken(draft: Draft, loc: tuple[str, ...], said: str, read: Reader) -> Draft | list[str]:
    """Return the draft with what was said, or what is wrong with it."""
    try:
        fuller = draft.put(read(said), *loc)
    except ValueError as exc:
        return [str(exc)]
    return fuller.faults(*loc) or fuller
