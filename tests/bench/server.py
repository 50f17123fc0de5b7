"""Sends a file of AMI bytes to whoever logs in, as fast as they are taken.   tests/bench/stream.py → here → tests/bench/clients.py

Run as a process of its own: `python server.py FILE`. Prints its port, and after each login the monotonic time at which it began to
send, which is the same clock for every process of the machine. Answers what a client asks meanwhile. Standard library only.
"""

import socket
import sys
import threading
import time
from pathlib import Path
from typing import Final

BLANK: Final = b"\r\n\r\n"
CHUNK: Final = 1 << 18  # bytes sent at a time, up to the end of a frame
SETTLE: Final = 0.3  # seconds without a question after the login: the client has said all that it says at the start


def main() -> None:
    data = Path(sys.argv[1]).read_bytes()
    chunks = list(_chunks(data))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201
        while True:
            client, _ = listener.accept()
            with client:
                _Connection(client).serve(chunks)


def _chunks(data: bytes) -> list[bytes]:
    chunks, start = [], 0
    while start < len(data):
        end = data.find(BLANK, start + CHUNK)
        end = len(data) if end < 0 else end + len(BLANK)
        chunks.append(data[start:end])
        start = end
    return chunks


class _Connection:
    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._writing = threading.Lock()
        self._logged_in = threading.Event()
        self._asked = threading.Event()

    def serve(self, chunks: list[bytes]) -> None:
        self._client.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        reader = threading.Thread(target=self._answer_all, daemon=True)
        reader.start()
        self._logged_in.wait(30)
        while self._asked.wait(SETTLE):
            self._asked.clear()
        print(time.perf_counter(), flush=True)  # noqa: T201
        try:
            for chunk in chunks:
                with self._writing:
                    self._client.sendall(chunk)
        except OSError:
            return  # the client has gone; it says why itself
        reader.join(60)

    def _answer_all(self) -> None:
        rest = b""
        while data := self._read():
            *actions, rest = (rest + data).split(BLANK)
            for action in actions:
                self._answer(action)

    def _read(self) -> bytes:
        try:
            return self._client.recv(65536)
        except OSError:
            return b""

    def _answer(self, action: bytes) -> None:
        headers = dict(line.lower().split(b": ", 1)[:2] for line in action.split(b"\r\n") if b": " in line)
        success = headers.get(b"action") in (b"login", b"ping")
        words = [b"Response: " + (b"Success" if success else b"Error")]
        words += [line for line in action.split(b"\r\n") if line.lower().startswith(b"actionid: ")]
        words += [b"Message: " + (b"Authentication accepted" if success else b"Permission denied")]
        with self._writing:
            self._client.sendall(b"\r\n".join(words) + BLANK)
        self._asked.set()
        self._logged_in.set()


if __name__ == "__main__":
    main()
