"""Releases come and go on a box: good ones, bad ones, and those that take the database with them."""

import re

import pytest

from tests.box.box import Box

pytestmark = [pytest.mark.box, pytest.mark.slow, pytest.mark.timeout(1800)]

SOURCES = "root/textbackd"
UPGRADE = f"/{SOURCES}/scripts/upgrade"
MIGRATION = """

@MIGRATIONS()
def m999_of_a_release_that_is_never_made(db: sqlite_utils.Database) -> None:
    db.conn.execute("CREATE TABLE never_made (id INTEGER PRIMARY KEY)")
"""


@pytest.fixture(scope="module", autouse=True)
def _installed(box: Box) -> None:
    box.run(f"/{SOURCES}/scripts/install", "--yes")
    box.configure()
    box.plug_in_modem()
    box.run("systemctl", "restart", "textbackd")
    box.wait_connected()
    texted(box, "+12015550110")


def texted(box: Box, number: str) -> None:
    box.ring_out(number)
    box.wait_for(lambda: number in box.on_air(), f"no text to {number}")


def change(box: Box, file: str, old: str, new: str) -> None:
    """Make the sources another release."""
    path = box.disk / SOURCES / file
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1))


def release(box: Box) -> str:
    return box.run("readlink", "/opt/textbackd/current").strip().removeprefix("releases/")


def releases(box: Box) -> set[str]:
    return set(box.run("ls", "/opt/textbackd/releases").split())


def process(box: Box) -> str:
    return box.run("systemctl", "show", "--property=MainPID", "textbackd")


def test_a_good_release_takes_over_and_the_old_one_is_kept(box: Box) -> None:
    old = release(box)
    change(box, "textbackd/__init__.py", '__version__ = "', '__version__ = "9.')
    said = box.run(UPGRADE, "--yes")
    assert release(box).startswith("9.")
    assert f"textbackd {release(box)} runs." in said
    assert releases(box) == {old, release(box)}
    texted(box, "+12025550111")


def test_the_same_release_again_changes_nothing(box: Box) -> None:
    before = process(box)
    assert box.run(UPGRADE, "--yes").startswith("Nothing to do")
    assert process(box) == before


def test_what_cannot_be_fetched_leaves_the_running_one_alone(box: Box) -> None:
    before = process(box), release(box), releases(box)
    change(box, "setup.cfg", "    tzdata\n", "    tzdata\n    textbackd-needs-what-nobody-has\n")
    done = box.tried(UPGRADE, "--yes")
    change(box, "setup.cfg", "    textbackd-needs-what-nobody-has\n", "")
    assert done.returncode == 1
    assert "works on as before" in done.stdout
    assert (process(box), release(box), releases(box)) == before


def test_a_release_that_does_not_read_the_configuration_never_starts(box: Box) -> None:
    before = process(box)
    change(box, "textbackd/config/settings.py", "    mode: ", "    modus: ")
    box.run("sed", "-i", "1i mode: live", "/etc/textbackd/textbackd.yaml")
    done = box.tried(UPGRADE, "--yes")
    change(box, "textbackd/config/settings.py", "    modus: ", "    mode: ")
    assert done.returncode == 1
    assert "cannot read the configuration" in done.stdout
    assert process(box) == before


def test_a_release_that_does_not_start_is_gone_again_and_texting_goes_on(box: Box) -> None:
    before = release(box)
    change(
        box, "textbackd/cli/run.py", "    logs.start()\n", '    logs.start()\n    raise SystemExit("a bad release")\n'
    )
    change(box, "systemd/textbackd.service", "RestartSec=2\n", "RestartSec=3\n")
    done = box.tried(UPGRADE, "--yes")
    assert done.returncode == 1
    assert "a bad release" in done.stdout
    assert "nothing was upgraded" in done.stdout
    assert release(box) == before
    assert "RestartSec=2" in box.run("cat", "/etc/systemd/system/textbackd.service")
    assert "Putting the database back" not in done.stdout, "it was not migrated"
    box.wait_connected()
    texted(box, "+12035550112")


def test_what_a_bad_release_did_to_the_database_is_undone_and_nothing_is_sent_twice(box: Box) -> None:
    with (box.disk / SOURCES / "textbackd/store/migrations.py").open("a") as file:
        file.write(MIGRATION)
    names = box.disk / SOURCES / "textbackd/store/migrations.py"
    assert re.search("MIGRATION_NAMES", names.read_text())
    before = box.on_air()
    done = box.tried(UPGRADE, "--yes")
    assert done.returncode == 1
    assert "m999_of_a_release_that_is_never_made" in done.stdout
    assert "Putting the database back" in done.stdout
    box.wait_connected()
    texted(box, "+12055550113")
    assert box.on_air() == [*before, "+12055550113"]


def test_a_restored_database_sends_nothing_old(box: Box) -> None:
    backup = "/var/lib/textbackd/by-hand.db"
    box.unplug_modem()
    box.ring_out("+12065550114")
    box.wait_for(lambda: "+12065550114" in box.run("textbackd", "outbox", "--json"), "the call was not seen")
    box.run("textbackd", "backup", backup)  # as root, as the docs say
    box.plug_in_modem()
    box.wait_for(lambda: "+12065550114" in box.on_air(), "no text")
    box.run("systemctl", "stop", "textbackd")
    box.run("textbackd", "restore", backup, "--yes")
    box.run("systemctl", "start", "textbackd")
    box.wait_connected()
    texted(box, "+12075550115")
    assert box.on_air().count("+12065550114") == 1


def test_a_good_release_is_left_again_with_the_database_of_before(box: Box) -> None:
    migrations = box.lay() / "textbackd/store/migrations.py"
    older = migrations.read_text()
    step = MIGRATION.replace("of_a_release_that_is_never_made", "of_the_next_release").strip()
    names = "MIGRATION_NAMES: Final = ("
    assert names in older
    migrations.write_text(older.replace(names, f'{step}\n\n\n{names}\n    "m999_of_the_next_release",'))
    box.run(UPGRADE, "--yes")
    newer = release(box)
    texted(box, "+12085550116")
    migrations.write_text(older)
    assert box.tried(UPGRADE, "--yes").returncode == 1, "the older one does not take the database of the newer one"
    assert release(box) == newer
    box.run(UPGRADE, "--yes", "--back", f"/var/lib/textbackd/backups/before-{newer}.db")
    assert release(box) != newer
    box.wait_connected()
    texted(box, "+12095550117")
    assert box.on_air().count("+12085550116") == 1
