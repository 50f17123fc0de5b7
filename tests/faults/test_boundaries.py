"""Killed, or failed, at each single write to the disk: strace counts them and strikes at the one that is its turn.

`synchronous=FULL` makes every commit an fdatasync of the write-ahead log (sqlite.org/wal.html), so these are all the moments at which
what is on disk changes. The suite strikes at every third; `scripts/faults` at each.
"""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.debian import need
from tests.faults.process import CONFIG, PROGRAM
from tests.faults.test_often_killed import peer
from textbackd.core.phone import E164
from textbackd.store import outbox
from textbackd.store.database import open_database
from textbackd.store.outbox import NewText
from textbackd.store.states import TextOf

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(1800)]

TO: Final = E164("+13035550142")
EVERY: Final = 1 if "TEXTBACKD_KILLS" in os.environ else 3
MOST_SYNCS: Final = 60  # a daemon that starts, sends one text and rests makes fewer
SECONDS: Final = 40.0
NOBODY: Final = 9


class Struck:
    """A daemon under strace, on a database of its own with one text to send."""

    def __init__(self, folder: Path, url: str) -> None:
        self._config, self._log = folder / "textbackd.yaml", folder / "log"
        self.database = folder / "textbackd.db"
        gateway = f'web: {{type: http, url: "{url}", timeout: 5s}}'
        self._config.write_text(CONFIG.format(ami=NOBODY, gateways=gateway, folder=folder))
        self._process: subprocess.Popen[bytes] | None = None

    def put(self) -> None:
        """Queue the text; the database is made here, so that the daemon's own writes are few."""
        now = datetime.now(UTC)
        text = NewText(
            kind=TextOf.MISSED, recipient=TO, did=None, body="Sorry we missed your call", gateways=["web"], due_at=now,
            expires_at=now + timedelta(minutes=10), hung_up_at=now, segments=1,
        )  # fmt: skip
        with closing(open_database(self.database)) as db:
            outbox.add(db, text, case_id=None, call_id=None, now=now)

    def start(self, inject: str | None = None) -> None:
        """Start it, with what strace shall do to it."""
        program = (*PROGRAM, "run", "--config", str(self._config))
        strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", f"inject={inject}")
        with self._log.open("ab") as log:
            command = (*strace, *program) if inject else program
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def ends_by_itself(self, seconds: float) -> bool:
        """Return whether it has died within so many seconds, or has sent the text."""
        until = time.monotonic() + seconds
        assert self._process is not None
        while time.monotonic() < until:
            if self._process.poll() is not None:
                return True
            if self.state() in ("accepted", "unknown"):
                return False
            time.sleep(0.05)
        return False

    def wait_for(self, *states: str) -> str:
        """Wait until the text is in one of these states; return it."""
        until = time.monotonic() + SECONDS
        while self.state() not in states and time.monotonic() < until:
            time.sleep(0.05)
        return self.state()

    def stop(self) -> None:
        """End it, strace included, which would leave the daemon behind."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process is not None:
                with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(self._process.pid, number)
                    self._process.wait(10)

    def state(self) -> str:
        with closing(open_database(self.database)) as db:
            return str(db.execute("SELECT state FROM outbox").fetchone()[0])

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")


def taken(log: Path) -> int:
    """Return how many copies the sink has."""
    return sum(json.loads(line)["taken"] for line in log.read_text().splitlines()) if log.exists() else 0


def test_killed_at_each_write_to_the_disk_it_sends_one_copy_at_most_and_loses_none(tmp_path: Path) -> None:
    need("strace", "strace")
    seen: Counter[tuple[str, int]] = Counter()
    for when in range(1, MOST_SYNCS, EVERY):
        folder = tmp_path / str(when)
        folder.mkdir()
        log = folder / "air"
        with peer("tests/gateways/sink.py", "--log", str(log)) as url:
            struck = Struck(folder, url)
            struck.put()
            struck.start(f"fdatasync,fsync:signal=SIGKILL:when={when}")
            was_struck = struck.ends_by_itself(SECONDS)
            struck.stop()
            struck.start()
            state = struck.wait_for("accepted", "unknown")
            struck.stop()
        seen[state, taken(log)] += 1
        if not was_struck:
            break
    else:
        pytest.fail("more writes than anybody expects")
    assert set(seen) <= {("accepted", 1), ("unknown", 0), ("unknown", 1)}, seen
    assert seen["accepted", 1] >= 2


@pytest.mark.parametrize("first", [3, 5, 9] if EVERY > 1 else range(2, 20))
def test_while_nothing_can_be_written_nothing_is_sent_and_afterwards_it_goes_on_by_itself(
    tmp_path: Path, first: int
) -> None:
    need("strace", "strace")
    log = tmp_path / "air"
    with peer("tests/gateways/sink.py", "--log", str(log)) as url:
        struck = Struck(tmp_path, url)
        struck.put()
        struck.start(f"fdatasync,fsync:error=EIO:when={first}..{first + 2}")
        if struck.ends_by_itself(SECONDS):  # it could not even start, and said so; systemd starts it again
            assert "disk I/O error" in struck.log
            struck.start()
        state = struck.wait_for("accepted")
        struck.stop()
    assert (state, taken(log)) == ("accepted", 1), struck.log
    assert "Traceback" not in struck.log
