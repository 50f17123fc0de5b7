"""The one thread that may touch a port: opens it, keeps it open, does what it is asked, in turn.   gsm_modem → here → link

A port cannot be shared between the prompt and the PDU, so everything that needs the modem is a job for this thread. While
the modem is away jobs are refused at once, which proves that nothing was sent. A modem that hangs is brought back step by
step (modem/ladder.py), so that nobody has to restart textbackd or pull the stick.
"""

import logging
import os
import queue
import select
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from gsmmodem.exceptions import CommandError, GsmModemException, TimeoutException

from textbackd.errors import TextbackdError
from textbackd.gateways.base import Health
from textbackd.gateways.modem.ladder import AGAIN_AFTER, Ladder, Rung, Schedule
from textbackd.gateways.modem.line import PortGoneError, SilentError
from textbackd.gateways.modem.link import ModemLink, SimError, Visit
from textbackd.gateways.modem.ports import Finder, Plugged

log = logging.getLogger(__name__)
T = TypeVar("T")
LOOK_EVERY: Final = 0.5  # seconds
Job = Callable[[ModemLink], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the owner waits for what."""

    first_retry: timedelta = timedelta(seconds=5)  # before looking for the modem again; doubled each time …
    longest_retry: timedelta = timedelta(seconds=60)  # … up to this, so that it is back a minute after any fault
    probe: timedelta = timedelta(seconds=60)  # between two looks at a modem that is well
    probe_unregistered: timedelta = timedelta(seconds=5)  # and at one that searches for its network
    radio: timedelta = timedelta(seconds=3)  # with the radio off, and after it is on again
    restart: timedelta = timedelta(seconds=60)  # for a modem that starts anew to show up, maybe under another name
    again: Sequence[timedelta] = AGAIN_AFTER  # between two rounds of the ladder, and two complaints in the log


class AwayError(TextbackdError):
    """There is no modem to ask; the sentence says why."""

    def __init__(self, why: str, *, paused: bool = False) -> None:
        super().__init__(why)
        self.paused = paused  # a person has to see to the SIM first


class End(StrEnum):
    """How a session with the modem ended."""

    GONE = "gone"  # not there, pulled out, or somebody else's
    SILENT = "silent"  # there, and not answering as a modem does
    SIM = "sim"  # it answers, the SIM needs a person
    STOPPED = "stopped"


class Owner:
    """Runs jobs on a modem that comes and goes. `ask` from any thread; everything else happens in this one's."""

    def __init__(
        self,
        *,
        name: str,
        finder: Finder,
        unlock: Visit,
        patience: Patience,
        on_ready: Callable[[], None],
        probe: Callable[[ModemLink], bool],
    ) -> None:
        """`probe` looks at an idle modem and returns whether all is well: if not, it is asked again soon."""
        self.health = Health.UNKNOWN
        self.ladder = Ladder(patience.again)
        self.last_ok: float | None = None  # monotonic, of the last answer to a probe
        self._name, self._finder, self._unlock, self._patience = name, finder, unlock, patience
        self._on_ready, self._probe = on_ready, probe
        self._wait = patience.first_retry
        self._complaints = Schedule(patience.again)
        self._next_probe = 0.0
        self._restarting_until = 0.0  # monotonic; until then the modem may be away, and is looked for all the time
        self._plugged = frozenset[Plugged]()  # when the modem was looked for
        self.cause = "it was not started"  # why the modem cannot be used
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Job]] = queue.SimpleQueue()
        self._lock = threading.Lock()  # between asking and the end
        self._open = self._stopping = False
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"modem-{name}", daemon=True)

    def start(self) -> None:
        self._open = True
        self._thread.start()

    def stop(self) -> None:
        """End after the job under way; what waits is refused. Blocks; stopping twice is harmless."""
        with self._lock:
            first, self._stopping, self._open = not self._stopping, True, False
            self.cause = "the gateway is closed"
        if first:
            self._wake()
        if self._thread.is_alive():
            self._thread.join()
        self.health = Health.DOWN
        self._refuse_waiting()
        if first:
            os.close(self._wake_read)
            os.close(self._wake_write)

    def ask(self, job: Callable[[ModemLink], T]) -> "Future[T]":
        """Have `job` done with the modem; the future fails with AwayError where there is none."""
        future: Future[T] = Future()
        with self._lock:
            # Looking for a modem among silent ports takes its time: nobody waits for that.
            if self._open and self.health in (Health.UP, Health.UNKNOWN):
                self._jobs.put((future, job))
                self._wake()
                return future
        future.set_exception(self._away())
        return future

    def probe_soon(self) -> None:
        """Look at the modem as soon as nothing else is to be done. Only for jobs and probes, which run in the thread."""
        self._next_probe = 0.0

    def _wake(self) -> None:
        os.write(self._wake_write, b"!")

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            self._refuse_for(self._after(self._session()))

    def _session(self) -> End:
        """Serve from plugging in to pulling out."""
        link: ModemLink | None = None
        self._plugged = self._finder.plugged()
        try:
            link = self._finder.open()
            link.set_up(self._unlock)
            self._seen(Health.UP, "")
            self._on_ready()
            self._serve(link)
        except SimError as exc:
            return self._ended(End.SIM, Health.PAUSED, str(exc))
        except (SilentError, CommandError, TimeoutException) as exc:
            return self._ended(End.SILENT, Health.DOWN, _words(exc))
        except GsmModemException as exc:
            return self._ended(End.GONE, Health.DOWN, _words(exc))
        except Exception:
            log.exception("the modem's thread met a fault of ours", extra={"gateway": self._name})
            return self._ended(End.GONE, Health.DOWN, "a fault in textbackd")
        finally:
            if link:
                self._count_asking(link)
                link.close()
        return End.STOPPED

    def _ended(self, end: End, health: Health, cause: str) -> End:
        if self.health is Health.UP:
            self._wait = self._patience.first_retry
        self._seen(health, cause)
        return end

    def _serve(self, link: ModemLink) -> None:
        self._next_probe = 0.0
        while not self._stopping:
            left = max(0.0, self._next_probe - time.monotonic())
            ready = select.select([link.fileno(), self._wake_read], [], [], left)[0]
            if self._wake_read in ready:
                os.read(self._wake_read, 1)
                self._do(link)
            elif ready:
                link.listen()
            else:
                self._look_at(link)
            link.still_there()

    def _do(self, link: ModemLink) -> None:
        with suppress(queue.Empty):
            future, job = self._jobs.get_nowait()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job(link))
                except Exception as exc:
                    future.set_exception(exc)

    def _look_at(self, link: ModemLink) -> None:
        """Probe an idle modem; one that does not answer is asked once more, with ESC before it. Raises SilentError."""
        try:
            well = self._probe(link)
        except TimeoutException:
            well = self._probe(link)
        self.ladder.well()
        self._count_asking(link)
        self.last_ok = time.monotonic()
        pause = self._patience.probe if well else self._patience.probe_unregistered
        self._next_probe = time.monotonic() + pause.total_seconds()

    def _count_asking(self, link: ModemLink) -> None:
        if link.asked_again:
            self.ladder.climbed[Rung.ASK] += link.asked_again
            link.asked_again = 0

    # --- what is done about a modem that is not well ----------------------------------------------------------------

    def _after(self, end: End) -> float:
        """Do what may help, and return how many seconds to wait before the next session."""
        at = time.monotonic()
        if end in (End.GONE, End.SILENT) and at < self._restarting_until:
            return LOOK_EVERY
        rung = self.ladder.next(at) if end is End.SILENT else Rung.REST
        if rung is Rung.REOPEN:
            return 0.0
        if rung is not Rung.REST and self._reset(rung):
            return self._patience.radio.total_seconds()
        wait, self._wait = self._wait, min(self._wait * 2, self._patience.longest_retry)
        return wait.total_seconds()

    def _reset(self, rung: Rung) -> bool:
        """Reset the modem; return False if it cannot be reached even for that."""
        log.warning("the modem hangs and is reset", extra={"gateway": self._name, "how": rung.value})
        link = self._finder.blind()
        if link is None:
            return False
        try:
            link.open()
            if rung is Rung.RADIO:
                link.switch_radio(on=False)
                self._refuse_for(self._patience.radio.total_seconds())
                link.switch_radio(on=True)
            else:
                self._restarting_until = time.monotonic() + self._patience.restart.total_seconds()
                link.restart()
        except PortGoneError:
            return rung is Rung.RESTART  # it may be gone before it says OK
        finally:
            link.close()
        return True

    def _refuse_for(self, seconds: float) -> None:
        """Wait before the next attempt; a port that is plugged in ends the wait."""
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            self._refuse_waiting()
            self._complain()
            if select.select([self._wake_read], [], [], min(left, LOOK_EVERY))[0]:
                os.read(self._wake_read, 1)
            if self._finder.plugged() - self._plugged:
                return

    def _refuse_waiting(self) -> None:
        with suppress(queue.Empty):
            while True:
                future, _ = self._jobs.get_nowait()
                if future.set_running_or_notify_cancel():
                    future.set_exception(self._away())

    def _away(self) -> AwayError:
        return AwayError(f"The modem cannot be used: {self.cause}.", paused=self.health is Health.PAUSED)

    # --- what is told -----------------------------------------------------------------------------------------------

    def _seen(self, health: Health, cause: str) -> None:
        """Remember and log a change; the same trouble again is news only now and then."""
        if (health, cause) == (self.health, self.cause):
            return
        self.health = health
        if not self._stopping:
            self.cause = cause
        if health is Health.UP:
            self._complaints.clear()
            log.info("modem ready", extra={"gateway": self._name})
        else:
            self._complaints.due(time.monotonic())
            log.warning("modem not usable", extra={"gateway": self._name, "state": health.value, "cause": cause})

    def _complain(self) -> None:
        if self.health in (Health.DOWN, Health.PAUSED) and self._complaints.due(time.monotonic()):
            told = {"gateway": self._name, "state": self.health.value, "cause": self.cause}
            log.error("the modem still cannot be used", extra=told)


def _words(exc: Exception) -> str:
    return "it did not answer in time" if isinstance(exc, TimeoutException) else str(exc) or type(exc).__name__
