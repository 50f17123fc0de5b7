"""The service as systemd reads it."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
UNIT: Final = ROOT / "systemd" / "textbackd.service"
MODULES: Final = ROOT / "systemd" / "modules-load.conf"
RULES: Final = ROOT / "config" / "60-textbackd.rules"
EXPOSURE: Final = 15  # tenths, of 100; a service without any hardening has 96

pytestmark = pytest.mark.systemd


def settings(unit: str) -> list[tuple[str, str]]:
    """Return key and value of every line, in order; keys may stand there twice."""
    lines = [line for line in unit.splitlines() if line and line[0] not in "#[;"]
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing = "systemd-analyze is missing, so nobody has looked at the unit. On Debian: apt install systemd"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def installed(folder: Path, unit: str) -> str:
    """Write a unit as on a box where its program is there, and return its path."""
    path = folder / UNIT.name
    path.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={shutil.which('true')}", unit))
    return str(path)


def verify(folder: Path, unit: str) -> subprocess.CompletedProcess[str]:
    return analyze("verify", "--man=no", installed(folder, unit))


def exposure(folder: Path, unit: str) -> subprocess.CompletedProcess[str]:
    return analyze("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", installed(folder, unit))


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    result = verify(tmp_path, UNIT.read_text())
    assert (result.returncode, result.stderr) == (0, "")


def test_a_misspelt_line_would_be_noticed(tmp_path: Path) -> None:
    result = verify(tmp_path, UNIT.read_text().replace("ProtectHome=", "ProtectHomes="))
    assert "ProtectHomes" in result.stderr


def test_little_is_left_open(tmp_path: Path) -> None:
    result = exposure(tmp_path, UNIT.read_text())
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "line", ["CapabilityBoundingSet=", "SystemCallFilter=@system-service", "RestrictNamespaces=yes"]
)
def test_a_lost_line_would_be_noticed(tmp_path: Path, line: str) -> None:
    assert exposure(tmp_path, UNIT.read_text().replace(f"\n{line}\n", "\n")).returncode != 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("ExecStart", "/opt/textbackd/bin/textbackd run --config /etc/textbackd/textbackd.yaml"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("WatchdogSec", "60"),
        ("User", "textbackd"),
        ("StateDirectory", "textbackd"),
        ("DevicePolicy", "closed"),
    ],
)
def test_the_unit_says_what_others_rely_on(key: str, value: str) -> None:
    assert [said for name, said in settings(UNIT.read_text()) if name == key] == [value]


def test_stopping_waits_longer_than_a_modem_takes_for_a_text() -> None:
    assert int(dict(settings(UNIT.read_text()))["TimeoutStopSec"]) > 180


def test_the_unit_lives_without_the_modem() -> None:
    unit = dict(settings(UNIT.read_text()))
    assert not {"BindsTo", "Requires", "Requisite", "PrivateDevices"} & unit.keys()


def test_every_class_of_modem_is_allowed_and_its_driver_loaded() -> None:
    allowed = [value for key, value in settings(UNIT.read_text()) if key == "DeviceAllow"]
    loaded = [line for line in MODULES.read_text().splitlines() if line and not line.startswith("#")]
    assert allowed == ["char-ttyUSB rw", "char-ttyACM rw"]
    assert loaded == ["usbserial", "cdc_acm"]


def test_every_udev_rule_is_a_list_of_matches_and_assignments() -> None:
    rules = [line.removeprefix("#") for line in RULES.read_text().splitlines() if line.startswith("#SUBSYSTEM")]
    term = r'[A-Z]+(\{\w+\})?(==|!=|\+=|=)"[^"]*"'
    assert len(rules) == 2
    for rule in rules:
        assert re.fullmatch(rf"{term}(,\s*{term})*", rule)
