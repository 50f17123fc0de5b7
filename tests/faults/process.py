"""The daemon as a process of its own, to be killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

CONFIG = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{host: 127.0.0.1, port: {ami}, secret: demo}}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{{gateways}}}
policy: {{min_wait: 0s, delay: 0s, recent_talk: 0s, cooldown: 0s, caps: off, brake: off}}
web: {{listen: "127.0.0.1:0"}}
storage: "{folder}/textbackd.db"
"""
PROGRAM = (sys.executable, "-c", "from textbackd.cli import main; main()")


class DaemonProcess:
    """One daemon, started and killed as often as a test wants."""

    def __init__(self, folder: Path, ami_port: int, gateways: str) -> None:
        self.config = folder / "textbackd.yaml"
        self.config.write_text(CONFIG.format(ami=ami_port, gateways=gateways, folder=folder))
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; whether it is connected is the PBX's to know."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*PROGRAM, "run", "--config", str(self.config)], stderr=log, stdout=log)

    def kill(self) -> None:
        """Kill it as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        code, self._process = self._process.wait(timeout=30), None
        return code

    def ask(self, *arguments: str) -> str:
        """Run another command on the same configuration; return what it printed."""
        done = subprocess.run(
            [*PROGRAM, *arguments, "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "COLUMNS": "80"},
        )
        return done.stdout + done.stderr

    def peak_mb(self) -> float:
        """Return the most memory that it has had so far."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    async def texts(self) -> list[dict[str, Any]]:
        """Return what `outbox --json` prints."""
        printed = await asyncio.to_thread(self.ask, "outbox", "--json")
        return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
