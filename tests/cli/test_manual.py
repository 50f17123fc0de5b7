"""The manual page and the completion are of the commands that there are."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Shell
from textbackd.cli import COMMANDS, commands, manual


def test_the_page_is_that_of_the_commands() -> None:
    assert manual.PAGE.read_text("ascii") == manual.page(), "run: python -m textbackd.cli.manual"


def test_every_command_is_on_it() -> None:
    page = manual.page()
    assert [name for name in COMMANDS if f"\n.SS {name.replace('-', chr(92) + '-')}" not in page] == []


def test_it_renders_without_a_warning() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is missing. On Debian: apt install groff-base")
    done = subprocess.run(
        [groff, "-man", "-ww", "-Tutf8", "-K", "ascii", str(manual.PAGE)], capture_output=True, text=True, check=False
    )
    if "cannot load" in done.stderr or "no such device" in done.stderr:
        pytest.skip(f"this groff lacks a part: {done.stderr.splitlines()[0]}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Copy the database into one file, while textbackd works, and check it." in done.stdout


@pytest.mark.parametrize(
    ("text", "troff"),
    [
        pytest.param("--keep N", "\\-\\-keep N", id="a hyphen can be copied"),
        pytest.param(".gitignore", "\\&.gitignore", id="a line is no request"),
        pytest.param("'quoted'", "\\&'quoted'", id="nor is a quotation"),
        pytest.param(r"C:\x", r"C:\ex", id="a backslash is one"),
        pytest.param("sqlite:///…", "sqlite:///\\[u2026]", id="what is not ASCII has its code"),
    ],
)
def test_text_stays_text_in_troff(text: str, troff: str) -> None:
    assert manual._line(text) == troff


@pytest.mark.slow
@pytest.mark.parametrize(("shell_name", "line"), [
    ("bash", "complete -o nosort -F _textbackd_completion textbackd"),
    ("zsh", "#compdef textbackd"),
    ("fish", "complete --no-files --command textbackd"),
])  # fmt: skip
def test_each_shell_gets_its_completion(shell: Shell, shell_name: str, line: str) -> None:
    done = shell("completion", shell_name)
    assert (done.code, line in done.out) == (0, True)


@pytest.mark.slow
def test_an_unknown_shell_is_wrong_usage(shell: Shell) -> None:
    assert shell("completion", "tcsh").code == 2


@pytest.mark.slow
def test_bash_completes_with_it(shell: Shell, tmp_path: Path) -> None:
    """As bash does when somebody types `textbackd sup` and the tabulator."""
    program = tmp_path / "textbackd"
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c \'import sys; sys.argv[0] = "textbackd"; import textbackd.cli as c; c.main()\' "$@"\n'
    )
    program.chmod(0o755)
    (tmp_path / "completion").write_text(shell("completion", "bash").out)
    typed = (
        "COMP_WORDS=(textbackd sup); COMP_CWORD=1; _textbackd_completion textbackd; printf '%s ' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", f"source {tmp_path / 'completion'}; {typed}"], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stdout.split() == ["support-bundle"], done.stderr


def test_completion_knows_every_command() -> None:
    assert commands.list_commands(click.Context(commands)) == list(COMMANDS)
