"""The daemon as a forked child: there in a tenth of the time that a new process takes, and dead as completely when killed.

Whoever forks must have no thread and no loop running, so these tests are plain functions.
"""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from tests.faults.process import CONFIG
from textbackd import logs
from textbackd.config import loads, resolve_secrets
from textbackd.core.phone import E164
from textbackd.daemon import Daemon, serve
from textbackd.store import outbox
from textbackd.store.database import open_database
from textbackd.store.outbox import NewText
from textbackd.store.states import TextOf

LIFE: Final = timedelta(hours=2)  # of each text, so that none expires in a long run
DRAIN_SECONDS: Final = 180.0
NOBODY: Final = 9  # the discard port: no PBX is needed, and none answers


class ForkedDaemon:
    """Starts, is killed, and starts again, on one database."""

    def __init__(self, folder: Path, gateways: str) -> None:
        self._text = CONFIG.format(ami=NOBODY, gateways=gateways, folder=folder)
        self._log = folder / "log"
        self.database = folder / "textbackd.db"
        self._pid = 0
        open_database(self.database).close()

    def start(self) -> None:
        """Fork a daemon."""
        self._pid = os.fork()
        if self._pid == 0:
            self._be_the_daemon()

    def _be_the_daemon(self) -> None:
        code = 1
        try:
            handle = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            sys.stderr = sys.__stderr__
            logs.start()
            serve(Daemon(resolve_secrets(loads(self._text))))
            code = 0
        finally:
            os._exit(code)  # nothing of the test's own is to be tidied up here

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal and wait until it is gone."""
        os.kill(self._pid, number)
        os.waitpid(self._pid, 0)

    def put(self, recipient: str) -> None:
        """Queue a text, due now."""
        now = datetime.now(UTC)
        text = NewText(
            kind=TextOf.MISSED,
            recipient=E164(recipient),
            did=None,
            body="Sorry we missed your call",
            gateways=self._gateways(),
            due_at=now,
            expires_at=now + LIFE,
            hung_up_at=now,
            segments=1,
        )
        with closing(open_database(self.database)) as db:
            outbox.add(db, text, case_id=None, call_id=None, now=now)

    def _gateways(self) -> list[str]:
        return list(loads(self._text).gateways)

    def states(self) -> Mapping[str, str]:
        """Return the state of each text by its recipient."""
        with closing(open_database(self.database)) as db:
            return dict(db.execute("SELECT recipient, state FROM outbox").fetchall())

    def drain(self) -> None:
        """Let it run until nothing waits any more, and stop it as systemd does."""
        self.start()
        until = time.monotonic() + DRAIN_SECONDS
        while {"queued", "submitting"} & set(self.states().values()) and time.monotonic() < until:
            time.sleep(0.1)
        self.end(signal.SIGTERM)


@dataclass(slots=True)
class Tally:
    """What became of many texts, by state and by how many copies went out."""

    kills: int
    copies: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def doubled(self) -> int:
        return sum(number for (_, copies), number in self.copies.items() if copies > 1)

    @property
    def lost(self) -> int:
        """Texts that are said to have gone out and did not, or that ended as anything but out or unknown."""
        good = {("accepted", 1), ("delivered", 1), ("unknown", 0), ("unknown", 1)}
        return sum(number for key, number in self.copies.items() if key not in good and key[1] <= 1)

    def __str__(self) -> str:
        unknown = {copies: number for (state, copies), number in self.copies.items() if state == "unknown"}
        return (
            f"{self.kills} kills: {self.lost} lost, {self.doubled} doubled, "
            f"{sum(unknown.values())} unknown ({unknown.get(1, 0)} of them had gone out)"
        )


def kill_often(daemon: ForkedDaemon, went_out: Callable[[], Counter[str]], kills: int, seed: int) -> Tally:
    """Kill a daemon at random instants while it sends, then let it finish; `went_out` counts the copies by recipient."""
    dice = Random(seed)
    for number in range(kills):
        daemon.put(f"+1303{5550000 + number}")
        daemon.start()
        if dice.random() < 0.7:
            _until_it_sends(daemon)
        time.sleep(dice.uniform(0, 0.15))
        daemon.end()
    daemon.drain()
    copies = went_out()
    return Tally(kills, Counter((state, copies[to]) for to, state in daemon.states().items()))


def _until_it_sends(daemon: ForkedDaemon) -> None:
    """Wait until a text is on its way, at most a few seconds: most kills shall hit the dangerous moment."""
    until = time.monotonic() + 3
    with closing(open_database(daemon.database)) as db:
        while time.monotonic() < until:
            if db.execute("SELECT 1 FROM outbox WHERE state = 'submitting'").fetchone():
                return
            time.sleep(0.002)
