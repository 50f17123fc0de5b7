"""The Debian package: built on a box, installed without any index, upgraded, and purged."""

import re

import pytest

from tests.box.box import Box
from tests.box.test_life import listed

pytestmark = [pytest.mark.box, pytest.mark.slow, pytest.mark.timeout(1800)]

DEB = "/root/textbackd/scripts/deb"
NO_INDEX = ("env", "-u", "PIP_FIND_LINKS")


@pytest.fixture(scope="module")
def packages(box: Box) -> list[str]:
    """Two packages, the second of a later version."""
    box.run(DEB, "/srv/deb")
    init = box.disk / "root/textbackd/textbackd/__init__.py"
    init.write_text(init.read_text().replace('__version__ = "', '__version__ = "9.'))
    box.run(DEB, "/srv/deb")
    found = sorted(box.run("sh", "-c", "ls /srv/deb/*.deb").split())
    assert len(found) == 2
    return found


@pytest.fixture(scope="module")
def bare(box: Box, packages: list[str]) -> set[str]:
    """What was on the disk before the package."""
    return listed(box)


def release(box: Box) -> str:
    return box.run("readlink", "/opt/textbackd/current").strip()


def test_the_package_needs_no_index_and_the_daemon_runs(box: Box, packages: list[str], bare: set[str]) -> None:
    said = box.run(*NO_INDEX, "dpkg", "--install", packages[0])
    assert "PBX office: connected." in said
    assert box.run("dpkg-query", "-W", "-f", "${Status}", "textbackd") == "install ok installed"
    box.run("apt-get", "check", "-q")
    box.wait_connected()


def test_the_next_package_is_an_upgrade_that_keeps_the_settings(box: Box, packages: list[str]) -> None:
    secret = box.run("cat", "/etc/textbackd/ami.secret")
    said = box.run(*NO_INDEX, "dpkg", "--install", packages[1])
    assert re.search(r"textbackd 9\.\S+ runs\.", said)
    assert release(box).startswith("releases/9.")
    assert box.run("cat", "/etc/textbackd/ami.secret") == secret
    box.wait_connected()


def test_removed_it_keeps_settings_and_data(box: Box) -> None:
    box.run("dpkg", "--remove", "textbackd")
    assert box.tried("systemctl", "cat", "textbackd").returncode == 1
    assert box.run("ls", "/etc/textbackd").split() == ["ami.secret", "textbackd.yaml"]


def test_purged_it_leaves_nothing(box: Box, bare: set[str]) -> None:
    box.run("dpkg", "--purge", "textbackd")
    assert listed(box) ^ bare == set()
    assert box.tried("id", "textbackd").returncode == 1
