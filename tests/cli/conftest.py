"""The command line, run as processes, with a configuration and a database of the test's own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CONFIG = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{secret: "${{AMI_SECRET}}"}}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{web: {{type: http, url: "http://127.0.0.1:9/"}}}}
storage: "{folder}/textbackd.db"
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """Return what it complained of, which must be no traceback."""
        assert "Traceback" not in self.err
        assert self.err.strip()
        return self.err


Shell = Callable[..., Done]


@pytest.fixture(scope="session")
def zygote() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", "from tests.cli.zygote import serve; serve()"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.fixture
def shell(zygote: subprocess.Popen[str], tmp_path: Path) -> Shell:
    """Run a command: shell("replay", file). `reader=False` runs it into a pipe that nobody reads; `typed` is its stdin."""
    out, err, in_ = tmp_path / "out", tmp_path / "err", tmp_path / "in"

    def run(*args: str | bytes | Path, reader: bool = True, typed: str = "", **env: str) -> Done:
        words = [os.fsencode(arg).hex() for arg in args]
        if typed:
            in_.write_text(typed)
        files = {"in": str(in_) if typed else os.devnull, "out": str(out) if reader else None, "err": str(err)}
        order = {"args": words, **files, "env": {"AMI_SECRET": "x", **env}}
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        zygote.stdin.write(json.dumps(order) + "\n")
        zygote.stdin.flush()
        code = int(zygote.stdout.readline())
        return Done(code, out.read_text(errors="replace") if reader else "", err.read_text(errors="replace"))

    return run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A good configuration whose database is in a folder of the test."""
    path = tmp_path / "textbackd.yaml"
    path.write_text(CONFIG.format(folder=tmp_path))
    return path
