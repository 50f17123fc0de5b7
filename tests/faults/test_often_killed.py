"""`kill -9` at random instants, again and again: nothing is lost, nothing goes out twice, what cannot be known is `unknown`.

The suite kills a few times; `scripts/faults` as often as it is told (`TEXTBACKD_KILLS`), a thousand times by itself.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.faults.forked import ForkedDaemon, kill_often

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(7200)]

KILLS: Final = int(os.environ.get("TEXTBACKD_KILLS", "25"))
SEED: Final = int(os.environ.get("TEXTBACKD_SEED", "20261125"))
ROOT: Final = Path(__file__).parents[2]


@contextmanager
def peer(*command: str, ready: Path | None = None) -> Iterator[str]:
    """Run a peer as a process of its own; return the first line that it says."""
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip() if ready is None else _once_there(ready)
        finally:
            process.terminate()


def _once_there(path: Path) -> str:
    while not path.exists():
        pass
    return str(path)


def test_killed_again_and_again_while_a_modem_has_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    air, link = tmp_path / "air", tmp_path / "modem"
    slow = ("--before-air", "0.03", "--after-air", "0.03")
    with peer("-m", "textbackd.demo.modem", "--link", str(link), "--air", str(air), *slow, ready=link):
        daemon = ForkedDaemon(tmp_path, f'stick: {{type: gsm_modem, port: "{link}", rate: 6000/min}}')
        tally = kill_often(daemon, lambda: Counter(_on_air(air)), KILLS, SEED)
    _told("modem", tally, capsys)
    assert (tally.lost, tally.doubled) == (0, 0), tally.copies


def test_killed_again_and_again_while_an_http_gateway_has_the_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "air"
    script = "ok,slow,rst_after_body,ok,500,rst_after_headers,ok,429,hang_in_body,ok"
    with peer("tests/gateways/sink.py", "--log", str(log), "--script", script, "--again", "--delay", "0.06") as url:
        gateway = f'web: {{type: http, url: "{url}", timeout: 1s, rate: 6000/min}}'
        tally = kill_often(ForkedDaemon(tmp_path, gateway), lambda: Counter(_at_the_sink(log)), KILLS, SEED)
    _told("HTTP", tally, capsys)
    assert (tally.lost, tally.doubled) == (0, 0), tally.copies


def _told(what: str, tally: object, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{what}: {tally}\n")


def _on_air(air: Path) -> Iterator[str]:
    for line in air.read_text().splitlines() if air.exists() else ():
        yield json.loads(line)["to"]


def _at_the_sink(log: Path) -> Iterator[str]:
    for line in log.read_text().splitlines() if log.exists() else ():
        received = json.loads(line)
        if received["taken"]:
            yield json.loads(received["body"])["to"]
