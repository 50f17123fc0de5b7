"""The nightly backup as systemd reads it."""

import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.systemd.test_unit import ROOT, analyze, settings

SERVICE: Final = ROOT / "systemd" / "textbackd-backup.service"
TIMER: Final = ROOT / "systemd" / "textbackd-backup.timer"
EXPOSURE: Final = 5  # tenths, of 100: it needs no device and no network

pytestmark = pytest.mark.systemd


def installed(folder: Path) -> tuple[str, str]:
    """Write both units as on a box where the program is there; return their paths."""
    service, timer = folder / SERVICE.name, folder / TIMER.name
    service.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={shutil.which('true')}", SERVICE.read_text()))
    timer.write_text(TIMER.read_text())
    return str(service), str(timer)


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    result = analyze("verify", "--man=no", *installed(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")


def test_next_to_nothing_is_left_open(tmp_path: Path) -> None:
    service, _ = installed(tmp_path)
    result = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", service)
    assert result.returncode == 0, result.stdout


def test_it_writes_where_its_folder_is_made() -> None:
    unit = dict(settings(SERVICE.read_text()))
    folder = unit["ExecStart"].split()[-1]
    assert folder.removeprefix("/var/lib/") in unit["StateDirectory"].split()
    assert unit["User"] == "textbackd"
