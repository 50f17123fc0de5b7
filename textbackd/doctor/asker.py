"""One login at Asterisk's manager, a few questions, and away again.   pyst2 → here → ami.py

pyst2 waits for ever for a connection, an answer and the end of its threads, and knows no IPv6; here everything has an end. A new object
for each login: it is not made to be used twice.
"""

import queue
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from asterisk.manager import Manager, ManagerException

LONGEST_LINE: Final = 1 << 16  # bytes; no answer to what we ask comes near it
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


class _Line:
    """A connection as pyst2 reads and writes it, with a bound to each line: pyst2 would read one that never ends to its end."""

    def __init__(self, line: socket.socket) -> None:
        self._socket, self._reader = line, line.makefile("rb")

    def __iter__(self) -> Iterator[bytes]:
        while line := self._read():
            if not line.endswith(b"\n"):
                raise OSError("a line without an end")
            yield line

    def _read(self) -> bytes:
        try:
            return self._reader.readline(LONGEST_LINE)
        except ValueError as exc:  # it was closed meanwhile
            raise OSError("closed") from exc

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def flush(self) -> None:
        """Everything is on its way already."""

    def close(self) -> None:
        self._reader.close()
        self._socket.close()


class Asker(Manager):
    """A pyst2 manager that comes back within its patience, whatever the other side does."""

    def __init__(self, patience: timedelta = PATIENCE) -> None:
        self._running_line: socket.socket | None = None
        super().__init__()
        self._patience = patience
        self._response_queue = _Impatient(patience)
        self.our_address = ""  # from which we come, as the other side sees it
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
        self.our_address = str(line.getsockname()[0])
        self._running_line, self._sock = line, _Line(line)
        self._connected.set()
        self._running.set()
        self.message_thread.start()
        self.event_dispatch_thread.start()
        with suppress(queue.Empty):
            self._response_queue.get()
        if not self.title:
            raise NoAnswerError("what answers there is no Asterisk manager")
        return f"{self.title}/{self.version}"

    def log_in(self, username: str, secret: str, events: str) -> None:
        """Log in, and be told of these classes of events. Raises RefusedError or NoAnswerError."""
        answer = self.ask({"Action": "Login", "Username": username, "Secret": secret, "Events": events})
        if answer.get("Response") != "Success":
            raise RefusedError(answer.get("Message", "it says nothing"))

    def ask(self, action: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of the answer. Raises NoAnswerError."""
        if any(character in value for value in action.values() for character in "\r\n\0"):
            raise NoAnswerError(
                "it was not asked, because a name or secret of ours holds a line end, which would be another action"
            )
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
        self._connected.clear()
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self._message_queue.put(None)
        self._event_queue.put(None)


def _why(exc: OSError) -> str:
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    return (exc.strerror or str(exc) or "no answer").lower()
