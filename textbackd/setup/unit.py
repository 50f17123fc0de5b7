"""The service under systemd: does it run with a configuration, and have it read that anew.   systemctl → here → cli/setup"""

import subprocess
from pathlib import Path
from typing import Final

NAME: Final = "textbackd"
RELOAD: Final = f"systemctl reload {NAME}"
PATIENCE: Final = 30.0  # seconds; a reload is told of as soon as the daemon has the signal
ASKED: Final = ("systemctl", "show", NAME, "--property=ActiveState", "--property=ExecStart")


def runs_with(path: Path) -> bool:
    """Return whether the service runs, and with that configuration."""
    said = _said(*ASKED)
    return said is not None and "ActiveState=active" in said.splitlines() and f" --config {path.absolute()} " in said


def reload() -> bool:
    """Have the service read its configuration anew; return whether systemd did that. Needs root."""
    return _said(*RELOAD.split()) is not None


def _said(*command: str) -> str | None:
    """Return what a command prints; None if it is not there, or fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
