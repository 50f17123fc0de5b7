"""Log lines: one record is one line, whatever a caller puts into it."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from textbackd.logs import Line, is_journal


def line(message: str, *, journal: bool = True, level: int = logging.INFO, **fields: Any) -> str:
    record = logging.makeLogRecord(
        {"msg": message, "levelno": level, "levelname": logging.getLevelName(level), **fields}
    )
    return Line(journal=journal).format(record)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({}, "<6>call ended", id="no fields"),
        pytest.param({"linkedid": "1.1", "segments": 2}, "<6>call ended linkedid=1.1 segments=2", id="fields in order"),
        pytest.param(
            {"reason": None, "verdict": "missed"}, "<6>call ended verdict=missed", id="what is not known is left out"
        ),
        pytest.param({"segments": 0, "why": ""}, "<6>call ended segments=0 why=", id="nought is known"),
        pytest.param({"why": "no signal"}, "<6>call ended why='no signal'", id="a space is quoted"),
        pytest.param({"name": "x", "name_": "a\r\nb"}, "<6>call ended name_=a\\r\\nb", id="no line end"),
        pytest.param({"who": "a\x1b[2J"}, "<6>call ended who='a\\x1b[2J'", id="no escape sequence"),
        pytest.param({"who": "a\u2028b\u202e"}, "<6>call ended who='a\\u2028b\\u202e'", id="no line or bidi separator"),
    ],
)
def test_a_record_is_a_sentence_and_its_fields(fields: dict[str, Any], said: str) -> None:
    assert line("call ended", **fields) == said


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.DEBUG, "<7>"),
        (logging.INFO, "<6>"),
        (logging.WARNING, "<4>"),
        (logging.ERROR, "<3>"),
        (logging.CRITICAL, "<2>"),
    ],
)
def test_the_journal_gets_a_priority(level: int, priority: str) -> None:
    assert line("x", level=level) == f"{priority}x"


def test_a_terminal_gets_the_time_and_the_level() -> None:
    assert line("x", journal=False, created=0.0).endswith(":00 info    x")


def test_priorities_are_for_the_journal_itself_and_not_for_a_file_that_its_service_writes(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        status = os.fstat(file.fileno())
        assert is_journal(file, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        assert not is_journal(file, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"})
        assert not is_journal(file, {})
    assert not is_journal(file, {"JOURNAL_STREAM": "8:1"})  # closed


def test_a_message_with_a_line_end_stays_on_its_line() -> None:
    assert line("a\r\nb\nc") == "<6>a\\r\\nb\\nc"


def test_an_error_s_traceback_follows_its_line_with_its_priority() -> None:
    try:
        raise ValueError("gone")
    except ValueError:
        said = line("it broke", level=logging.ERROR, exc_info=sys.exc_info())
    first, *rest = said.splitlines()
    assert (first, rest[-1]) == ("<3>it broke", "<3>ValueError: gone")
    assert all(each.startswith("<3>") for each in rest)


# As systemd does it, which makes the connection and names it.
CONNECTED = """
import os
os.environ["JOURNAL_STREAM"] = f"{os.fstat(2).st_dev}:{os.fstat(2).st_ino}"
"""
START = """
import logging
from textbackd import logs
logs.start()
logging.getLogger("textbackd.x").info("heard")
logging.getLogger("aiohttp.access").info("not heard")
logging.getLogger("aiohttp").warning("heard, too")
"""


@pytest.mark.parametrize(("before", "first"), [("", " info    heard"), (CONNECTED, "<6>heard")])
def test_lines_go_to_stderr_and_libraries_are_quiet(before: str, first: str) -> None:
    done = subprocess.run([sys.executable, "-c", before + START], env={}, capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert (len(lines), lines[0].endswith(first), done.stdout) == (2, True, "")
