"""The one thread that may touch a port: opens it, keeps it open, does what it is asked, in turn.   gsm_modem → here → link

A port cannot be shared between the prompt and the PDU, so everything that needs the modem is a job for this thread. While
the modem is away jobs are refused at once, which proves that nothing was sent.
"""

import logging
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from gsmmodem.exceptions import GsmModemException

from textbackd.errors import TextbackdError
from textbackd.gateways.base import Health
from textbackd.gateways.modem.link import ModemLink, PinRefusedError, SimError

log = logging.getLogger(__name__)
T = TypeVar("T")
LOOK_EVERY: Final = 0.5  # seconds
Job = Callable[[ModemLink], Any]


class AwayError(TextbackdError):
    """There is no modem to ask; the sentence says why."""

    def __init__(self, why: str, *, paused: bool = False) -> None:
        super().__init__(why)
        self.paused = paused  # a person has to see to the SIM first


class Owner:
    """Runs jobs on a modem that comes and goes. `ask` from any thread; everything else happens in this one's."""

    def __init__(
        self,
        *,
        name: str,
        link: Callable[[], ModemLink],
        pin: str | None,
        first_wait: timedelta,
        longest_wait: timedelta,
        on_ready: Callable[[], None],
    ) -> None:
        self.health = Health.UNKNOWN
        self._name, self._new_link, self._pin, self._on_ready = name, link, pin, on_ready
        self._first_wait, self._longest_wait = first_wait.total_seconds(), longest_wait.total_seconds()
        self._missing: Path | None = None  # the port's path, while there is nothing
        self._cause = "it was not started"
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
            self._cause = "the gateway is closed"
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
            if self._open:
                self._jobs.put((future, job))
                self._wake()
                return future
        future.set_exception(self._away())
        return future

    def _wake(self) -> None:
        os.write(self._wake_write, b"!")

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        wait = self._first_wait
        while not self._stopping:
            if self._session():
                wait = self._first_wait
            self._refuse_for(wait)
            wait = min(wait * 2, self._longest_wait)

    def _session(self) -> bool:
        """Serve from plugging in to pulling out; return whether there was anything to serve."""
        link = self._new_link()
        self._missing = None
        try:
            link.connect(self._pin)
            self._seen(Health.UP, "")
            self._on_ready()
            self._serve(link)
        except SimError as exc:
            self._pin = None if isinstance(exc, PinRefusedError) else self._pin
            self._seen(Health.PAUSED, str(exc))
        except GsmModemException as exc:
            served = self.health is Health.UP
            self._missing = None if Path(link.port).exists() else Path(link.port)
            self._seen(Health.DOWN, str(exc) or type(exc).__name__)
            return served
        except Exception:
            log.exception("the modem's thread met a fault of ours", extra={"gateway": self._name})
            self._seen(Health.DOWN, "a fault in textbackd")
        finally:
            link.close()
        return False

    def _serve(self, link: ModemLink) -> None:
        while not self._stopping:
            ready = select.select([link.fileno(), self._wake_read], [], [])[0]
            if self._wake_read in ready:
                os.read(self._wake_read, 1)
                self._do(link)
            elif ready:
                link.listen()
            link.still_there()

    def _do(self, link: ModemLink) -> None:
        with suppress(queue.Empty):
            future, job = self._jobs.get_nowait()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job(link))
                except Exception as exc:
                    future.set_exception(exc)

    def _refuse_for(self, seconds: float) -> None:
        """Wait before the next attempt; a port that is plugged in again ends the wait."""
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            self._refuse_waiting()
            if select.select([self._wake_read], [], [], min(left, LOOK_EVERY))[0]:
                os.read(self._wake_read, 1)
            if self._missing and self._missing.exists():
                return

    def _refuse_waiting(self) -> None:
        with suppress(queue.Empty):
            while True:
                future, _ = self._jobs.get_nowait()
                if future.set_running_or_notify_cancel():
                    future.set_exception(self._away())

    def _away(self) -> AwayError:
        return AwayError(f"The modem cannot be used: {self._cause}.", paused=self.health is Health.PAUSED)

    def _seen(self, health: Health, cause: str) -> None:
        """Remember and log a change; the same trouble again is not news."""
        if (health, cause) == (self.health, self._cause):
            return
        self.health = health
        if not self._stopping:
            self._cause = cause
        if health is Health.UP:
            log.info("modem ready", extra={"gateway": self._name})
        else:
            log.warning("modem not usable", extra={"gateway": self._name, "state": health.value, "cause": cause})
