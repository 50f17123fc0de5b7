"""The unit suite under every Python that textbackd is for.

3.14 comes with the box's own Debian. The others are used where this machine has them, on the path or from pyenv: Debian 12 ships
3.11, Debian 13 ships 3.13, and 3.12 is in no Debian (Ubuntu 24.04 has it), so a machine without one is no fault.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.box import root

pytestmark = [pytest.mark.box, pytest.mark.slow, pytest.mark.timeout(1800)]

SECONDS: Final = 900
HERE: Final = ("3.11", "3.12", "3.13")
UNIT: Final = [
    "tests/core",
    "tests/pbx/test_wire.py",
    "tests/pbx/test_trace.py",
    "tests/pbx/test_traces.py",
    "tests/test_arrows.py",
]
RUN: Final = ("-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow and not hypothesis", *UNIT)
STUB: Final = ("setup.cfg", "pyproject.toml")


def test_it_is_the_same_suite_as_scripts_test_runs() -> None:
    assert f"unit=({' '.join(UNIT)})" in (root.REPOSITORY / "scripts/test").read_text()


@pytest.mark.parametrize("version", HERE)
def test_the_unit_suite_passes(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"NO PYTHON {version} is on this machine. The unit suite did not run under it.")
    made(python, "-m", "venv", str(tmp_path / "venv"))
    mine = str(tmp_path / "venv/bin/python")
    made(mine, "-m", "pip", "install", "-q", str(stub(tmp_path)), *root.UNIT_TESTS)
    passes([mine, *RUN])


def test_the_unit_suite_passes_under_3_14() -> None:
    disk, wheels = root.root(), root.wheels()
    venv = "python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -q --no-index --find-links /srv /srv/*.whl"
    quoted = " ".join(f"'{word}'" for word in RUN)
    inside = f"{venv} && cd /mnt && python3 -V && exec /tmp/venv/bin/python {quoted}"
    # The mounts are in a namespace of their own, and go with it.
    mounts = f"mount -t tmpfs tmpfs {disk}/tmp && mount --bind {root.REPOSITORY} {disk}/mnt && mount --bind {wheels} {disk}/srv"
    script = f'{mounts} && exec chroot {disk} env -i PATH=/usr/bin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1 sh -c "$0"'
    passes(["unshare", "--mount", "sh", "-c", script, inside])


def interpreter(version: str) -> str | None:
    """Return a Python of that version that runs here."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser() / "versions"
    found = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}")))]
    for path in filter(None, found):
        if subprocess.run([path, "-m", "venv", "--help"], capture_output=True, check=False).returncode == 0:
            return path
    return None


def stub(folder: Path) -> Path:
    """Return what has textbackd's dependencies and nothing else of it: the suite is to find the sources here."""
    package = folder / "stub/textbackd"
    package.mkdir(parents=True)
    for name in STUB:
        shutil.copy(root.REPOSITORY / name, package.parent)
    (package / "__init__.py").write_text('__version__ = "0"\n')
    (package.parent / "README.md").touch()
    return package.parent


def made(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr


def passes(command: Sequence[str]) -> None:
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command,
        cwd=root.REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
