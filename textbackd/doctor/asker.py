"""One login at Asterisk's manager, a few questions, and away again.   pyst2 → here → ami.py

pyst2 waits for ever for a connection, an answer and the end of its threads, and knows no IPv6; here everything has an end. A new object
for each login: it is not made to be used twice.
"""

import queue
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from asterisk.manager import Manager, ManagerException

PATIENCE: Final = timedelta(seconds=5)


class NoAnswerError(Exception):
    """The manager does not answer, or not any more; half a sentence."""


class RefusedError(Exception):
    """It refuses the login; Asterisk's own words."""


class _Impatient(queue.Queue[Any]):
    """Answers, which are waited for no longer than they are worth."""

    def __init__(self, patience: timedelta) -> None:
        super().__init__()
        self._seconds = patience.total_seconds()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        return super().get(block, self._seconds if timeout is None else timeout)


class Asker(Manager):
    """A pyst2 manager that comes back within its patience, whatever the other side does."""

    def __init__(self, patience: timedelta = PATIENCE) -> None:
        self._running_line: socket.socket | None = None
        super().__init__()
        self._patience = patience
        self._response_queue = _Impatient(patience)
        self.heard: set[str] = set()  # the names of the events that came
        self.register_event("*", lambda event, _: self.heard.add(str(event.name)))

    def reach(self, host: str, port: int) -> str:
        """Connect; return the banner, "Asterisk Call Manager/11.0.0". Raises NoAnswerError."""
        seconds = self._patience.total_seconds()
        try:
            line = socket.create_connection((host, port), seconds)
        except OSError as exc:
            raise NoAnswerError(_why(exc)) from exc
        line.settimeout(seconds)
        self._running_line, self._sock = line, line.makefile("rwb", buffering=0)
        self._connected.set()
        self._running.set()
        self.message_thread.start()
        self.event_dispatch_thread.start()
        with suppress(queue.Empty):
            self._response_queue.get()
        if not self.title:
            raise NoAnswerError("what answers there is no Asterisk manager")
        return f"{self.title}/{self.version}"

    @property
    def our_address(self) -> str:
        """The address from which we come, as the other side sees it."""
        return str(self._running_line.getsockname()[0]) if self._running_line else ""

    def log_in(self, username: str, secret: str, events: str) -> None:
        """Log in, and be told of these classes of events. Raises RefusedError or NoAnswerError."""
        answer = self.ask({"Action": "Login", "Username": username, "Secret": secret, "Events": events})
        if answer.get("Response") != "Success":
            raise RefusedError(answer.get("Message", "it says nothing"))

    def ask(self, action: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of the answer. Raises NoAnswerError, and ValueError for a value that would be another action."""
        if any(character in value for value in action.values() for character in "\r\n\0"):
            raise ValueError("a value holds a line end")
        try:
            return dict(self.send_action(dict(action)).headers)
        except (queue.Empty, ManagerException, OSError, ValueError) as exc:
            raise NoAnswerError("it stopped answering") from exc

    def close(self) -> None:
        """Hang up. Waits for nothing: the threads end with the line."""
        line, self._running_line = self._running_line, None
        if line is None:
            return
        self._running.clear()
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()
        self._message_queue.put(None)
        self._event_queue.put(None)


def _why(exc: OSError) -> str:
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    return (exc.strerror or str(exc) or "no answer").lower()
