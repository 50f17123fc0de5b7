"""What holds for every command: help in 80 columns, exit codes, sentences instead of tracebacks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.traces import HERE
from textbackd import __version__
from textbackd.cli import COMMANDS

pytestmark = pytest.mark.slow

NO_CONFIGURATION = ("modem", "completion")  # need none
STORY = HERE / "asterisk22" / "direct_noanswer.ami"


@pytest.mark.parametrize("command", [*(name for name in COMMANDS if name not in NO_CONFIGURATION), "modem test"])
def test_every_command_has_help_in_80_columns_and_takes_a_configuration(shell: Shell, command: str) -> None:
    done = shell(*command.split(), "--help", COLUMNS="200")
    assert (done.code, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if len(line) > 80] == []
    assert done.out.startswith(f"Usage: textbackd {command} ")
    assert "--config FILE" in done.out
    assert "/etc/textbackd/textbackd.yaml" in re.sub(r"\s+", "", done.out)


def test_the_help_names_every_command_in_80_columns(shell: Shell) -> None:
    done = shell("--help", COLUMNS="200")
    assert set(COMMANDS) <= set(done.out.split())
    assert [line for line in done.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("group", ["", "line", "never", "optout", "outbox", "leads", "staff", "staff token", "modem"])
def test_no_sentence_of_the_help_is_cut(shell: Shell, group: str) -> None:
    assert "..." not in shell(*group.split(), "--help", COLUMNS="80").out.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("args", "help_"),
    [
        pytest.param("leak", "textbackd leak", id="an option is missing"),
        pytest.param("staff add", "textbackd staff add", id="an argument is missing"),
        pytest.param("optout add nobody --config {}", "textbackd optout add", id="found by the command itself"),
        pytest.param("bogus", "textbackd", id="no such command"),
    ],
)
def test_wrong_usage_names_the_help_that_helps(shell: Shell, config: Path, args: str, help_: str) -> None:
    assert shell(*args.format(config).split()).sentence.endswith(f"\nSee `{help_} --help`.\n")


def test_the_version_is_told(shell: Shell) -> None:
    assert shell("--version").out == f"textbackd {__version__}\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(["bogus"], "No such command 'bogus'", id="an unknown command"),
        pytest.param(["replay"], "FILES", id="an argument is missing"),
        pytest.param(["replay", "--bogus", STORY], "--bogus", id="an unknown option"),
        pytest.param(["replay", "--pbx", "branch", STORY], "the configuration has only office", id="an unknown PBX"),
        pytest.param(["outbox", "--limit", "many"], "many", id="an option that is no number"),
        pytest.param(["check", "--config", "/nowhere.yaml"], "/nowhere.yaml", id="no configuration"),
        pytest.param(
            ["replay", "--config", "/nowhere.yaml", STORY], "/nowhere.yaml", id="no configuration to replay by"
        ),
    ],
)
def test_wrong_usage_is_told_and_ends_with_2(shell: Shell, args: list[str], said: str) -> None:
    done = shell(*args)
    assert (done.code, done.out) == (2, "")
    assert said in done.sentence


def test_no_command_at_all_shows_the_commands(shell: Shell) -> None:
    done = shell()
    assert done.code == 2
    assert "Commands:" in done.sentence


def test_the_program_on_the_path_is_this_one() -> None:
    program = Path(sys.executable).with_name("textbackd")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"textbackd {__version__}\n"
