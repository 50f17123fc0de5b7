"""A plain AMI listener for tests; nothing of the product is in it, so that the two can be compared.

It reads only when asked: what Asterisk sent meanwhile waits in the socket, and a Ping marks the end of it.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from .asterisk import Asterisk

Frame = dict[str, str]
READ_SECONDS: Final = 15
CHUNK: Final = 65536


class Listener:
    """One logged-in connection. `user` is `textbackd`, with the rights a shop gives it, or `admin`, with all."""

    def __init__(self, pbx: Asterisk, user: str = "textbackd") -> None:
        self.raw = b""
        self.banner = ""
        self._ids = itertools.count(1)
        self._rest = b""
        self._pbx, self._user = pbx, user
        self._socket = socket.create_connection((pbx.host, pbx.ami_port), READ_SECONDS)

    def __enter__(self) -> Self:
        secrets = {
            "textbackd": self._pbx.textbackd_secret,
            "texting": self._pbx.textbackd_secret,
            "calling": self._pbx.textbackd_secret,
            "admin": self._pbx.admin_secret,
        }
        self.banner = self._read_to(b"\r\n").decode()
        self.login = self.act("Login", Username=self._user, Secret=secrets[self._user])[-1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def act(self, action: str, **headers: str) -> list[Frame]:
        """Send an action and return every frame up to its response, which is the last."""
        number = str(next(self._ids))
        fields = {"Action": action, "ActionID": number, **headers}
        self._socket.sendall(("".join(f"{key}: {value}\r\n" for key, value in fields.items()) + "\r\n").encode())
        frames = []
        for frame in self._frames():
            frames.append(frame)
            if "Response" in frame and frame.get("ActionID") == number:
                return frames
        raise ConnectionError(f"AMI was closed before it answered {action}")

    def events(self) -> list[Frame]:
        """Return the events that came since the last call of this."""
        return [frame for frame in self.act("Ping") if "Event" in frame]

    def until_closed(self) -> list[Frame]:
        """Return the events up to the end of the connection."""
        return [frame for frame in self._frames() if "Event" in frame]

    def _frames(self) -> Iterator[Frame]:
        while block := self._read_to(b"\r\n\r\n"):
            yield parsed(block)

    def _read_to(self, end: bytes) -> bytes:
        """Return the bytes up to `end`, or nothing when the connection is closed."""
        while end not in self._rest:
            chunk = self._socket.recv(CHUNK)
            if not chunk:
                return b""
            self.raw += chunk
            self._rest += chunk
        block, _, self._rest = self._rest.partition(end)
        return block


def parsed(block: bytes) -> Frame:
    """One frame as a dict; of a key that comes twice the first counts."""
    frame: Frame = {}
    for text in block.decode(errors="replace").split("\r\n"):
        key, _, value = text.partition(": ")
        frame.setdefault(key, value)
    return frame
