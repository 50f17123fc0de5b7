"""A box with an Asterisk on it, as far as a first run looks at one: its folder, its records, its console and its manager.

The manager knows the accounts that stood in manager.conf when it last read it, as the real one does.
"""

import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from textbackd.doctor.manager_conf import read_manager_conf

DEBIAN = '[general]\nenabled = yes\n#include "manager.d/*.conf"\n'
BANNER = b"Asterisk Call Manager/9.0.0\r\n"


@dataclass
class AsteriskBox:
    """One box, in a folder."""

    root: Path
    port: int = 0

    def __post_init__(self) -> None:
        (self.etc / "manager.d").mkdir(parents=True)
        self.commands.mkdir()
        self.logins: list[str] = []
        self.has_manager(DEBIAN)
        console = self.commands / "asterisk"
        console.write_text(f'#!/bin/sh\necho "$@" >> {self.said}\n')
        console.chmod(0o755)

    @property
    def etc(self) -> Path:
        return self.root / "etc" / "asterisk"

    @property
    def commands(self) -> Path:
        return self.root / "bin"

    @property
    def said(self) -> Path:
        """What the console was told, a line each."""
        return self.root / "said"

    @property
    def path(self) -> str:
        """The search path for programs, with the console on it."""
        return f"{self.commands}:{os.environ['PATH']}"

    def has_manager(self, text: str) -> None:
        """Let that stand in manager.conf, and have it read."""
        (self.etc / "manager.conf").write_text(text)
        self._read()

    def has_account(self, secret: str) -> None:
        """Let there be an account of ours."""
        self.has_manager(f"{DEBIAN}[textbackd]\nsecret = {secret}\n")

    def has_records(self, text: str) -> None:
        """Let there be call records."""
        place = self.root / "var" / "log" / "asterisk" / "cdr-csv"
        place.mkdir(parents=True)
        (place / "Master.csv").write_text(text)

    def takes(self, username: str, secret: str) -> bool:
        """Return whether the manager lets somebody in."""
        if self.said.exists():
            self.said.unlink()
            self._read()
        taken = self._accounts.get(username, {}).get("secret") == secret
        self.logins.append("taken" if taken else "refused")
        return taken

    def _read(self) -> None:
        self._accounts = read_manager_conf(self.etc / "manager.conf").sections

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer at `port`."""
        box = self

        class Manager(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(BANNER)
                action: dict[str, str] = {}
                for line in self.rfile:
                    if line.strip():
                        name, _, value = line.decode().strip().partition(": ")
                        action[name] = value
                        continue
                    taken = box.takes(action.get("Username", ""), action.get("Secret", ""))
                    said = "Success\r\nMessage: Welcome" if taken else "Error\r\nMessage: Authentication failed"
                    self.wfile.write(f"Response: {said}\r\nActionID: {action.get('ActionID', '')}\r\n\r\n".encode())
                    action.clear()

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Manager) as server:
            server.daemon_threads = True
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()
