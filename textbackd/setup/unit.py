"""The service under systemd: does it run with a configuration, and have it read that anew.   systemctl → here → cli/setup"""

from pathlib import Path
from typing import Final

from textbackd.doctor import program

NAME: Final = "textbackd"
RELOAD: Final = f"systemctl reload {NAME}"
PATIENCE: Final = 30.0  # seconds; a reload is told of as soon as the daemon has the signal
ASKED: Final = ("systemctl", "show", NAME, "--property=ActiveState", "--property=ExecStart")


def runs_with(path: Path) -> bool:
    """Return whether the service runs, and with that configuration."""
    said = program.said(*ASKED, within=PATIENCE)
    return said is not None and "ActiveState=active" in said.splitlines() and f" --config {path.absolute()} " in said


def reload() -> bool:
    """Have the service read its configuration anew; return whether systemd did that. Needs root."""
    return program.said(*RELOAD.split(), within=PATIENCE) is not None
