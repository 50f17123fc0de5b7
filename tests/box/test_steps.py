"""Single steps of scripts/install, upgrade and uninstall, on any machine, in a folder.   test_life.py and test_upgrade.py do them all

systemctl and journalctl are small programs that write down what they were asked.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.box.root import REPOSITORY

PATIENCE: Final = 60
ALWAYS_WELL: Final = "exit 0"


class Place:
    """A box's folders, with releases that are scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opt, self.state, self.etc = folder / "opt", folder / "state", folder / "etc"
        for made in (self.opt / "releases", self.state, self.etc, folder / "bin"):
            made.mkdir(parents=True)
        self.program("systemctl", f'echo "systemctl $*" >> {folder}/asked')
        self.program("journalctl", "echo its last words")

    def program(self, name: str, script: str) -> None:
        """Put a program on the path."""
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def release(self, name: str, python: str = ALWAYS_WELL, textbackd: str = ALWAYS_WELL) -> None:
        """Make a release whose python and textbackd are these scripts."""
        folder = self.opt / "releases" / name
        (folder / "share").mkdir(parents=True)
        (folder / "share/release").write_text(f"{name}\n")
        (folder / "bin").mkdir()
        for program, script in (("python", python), ("textbackd", textbackd)):
            (folder / "bin" / program).write_text(f"#!/bin/sh\n{script}\n")
            (folder / "bin" / program).chmod(0o755)

    def command(self, script: str, then: str) -> list[str]:
        """Return what runs `then` with the functions of scripts/SCRIPT."""
        where = (
            f"OPT={self.opt} RELEASES={self.opt}/releases CURRENT={self.opt}/current STATE={self.state} ETC={self.etc}"
        )
        files = f"CONFIG={self.etc}/textbackd.yaml SECRET={self.etc}/ami.secret BACKUPS={self.state}/backups"
        rest = f"ASTERISK={self.folder}/asterisk RULES={self.etc}/rules MODULES={self.etc}/modules COMMAND={self.folder}/command"
        alone = f'UNIT={self.etc}/unit; BELONGINGS=(); as_textbackd() {{ "$@"; }}'
        return ["bash", "-c", f"source {REPOSITORY}/scripts/{script}; {where} {files} {rest} {alone}; {then}"]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}

    def tried(self, script: str, then: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(script, then),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def run(self, script: str, then: str) -> str:
        done = self.tried(script, then)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def asked(self) -> list[str]:
        """Return what systemctl was asked."""
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


# --- upgrade


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_the_way_back_of_an_upgrade_is_not_cut_off(place: Place, sent: signal.Signals) -> None:
    for name in ("1-old", "2-new"):
        place.release(name)
    (place.opt / "current").symlink_to("releases/2-new")
    stopping, on = place.folder / "stopping", place.folder / "on"
    place.program("systemctl", f'[ "$1" != stop ] || {{ touch {stopping}; until [ -e {on} ]; do sleep 0.05; done; }}')
    failed = "OLD=1-old NEW=2-new BEFORE={} SINCE=0 MIGRATED=no BACKUP=none; trap roll_back EXIT; trap 'exit 1' HUP INT TERM; exit 1"
    with subprocess.Popen(
        place.command("upgrade", failed),
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as upgrade:
        wait_until(stopping.exists)
        os.killpg(upgrade.pid, sent)  # as a terminal does: to all that runs in it
        on.touch()
        said = upgrade.communicate(timeout=PATIENCE)[0]
    assert "must not be stopped" in said
    assert "textbackd 1-old is back" in said
    assert upgrade.returncode == 1
    assert (place.opt / "current").readlink() == Path("releases/1-old")


def test_an_upgrade_that_was_cut_off_is_ended_by_the_installer(place: Place) -> None:
    place.release("1-new")
    (place.opt / "current").symlink_to("releases/1-new")
    sources = place.folder / "sources"
    (sources / "scripts").mkdir(parents=True)
    (sources / "scripts/install").write_text('#!/bin/sh\necho "the installer: $*"\n')
    (sources / "scripts/install").chmod(0o755)
    alone = f"need_root() {{ :; }}; need_systemd() {{ :; }}; only_one() {{ exec 9> {place.folder}/lock; }}"
    done = f"{alone}; stamp() {{ echo 1-new; }}; SOURCE={sources}; main --yes"
    assert place.run("upgrade", done).splitlines()[-1] == "the installer: --yes"


# Reads the configuration or not; a copy is a file with its own name in it.
READS: Final = 'case "$*" in *storage*) echo {database} ;; esac'
READS_NOT: Final = 'case "$*" in *storage*) echo "what_only_the_new_one_knows: unknown" >&2; exit 1 ;; esac'
BROKEN: Final = "exit 127"  # its Python went away with an upgrade of Debian
COPIES: Final = '[ "$1" != backup ] || echo {name} > "$2"'


@pytest.mark.parametrize(
    ("old", "there", "code", "copied_by"),
    [
        pytest.param(READS, True, 0, "1-old", id="the release that wrote it copies it"),
        pytest.param(READS, False, 0, None, id="before the first start there is nothing to copy"),
        pytest.param(BROKEN, True, 0, "2-new", id="a release that cannot run any more leaves it to the new one"),
        pytest.param(READS_NOT, True, 1, None, id="a release that cannot read the configuration could not come back"),
    ],
)
def test_before_an_upgrade_there_is_a_backup_or_no_upgrade(
    place: Place, old: str, there: bool, code: int, copied_by: str | None
) -> None:
    database, backup = place.state / "textbackd.db", place.state / "backups/before.db"
    place.release("1-old", old.format(database=database), COPIES.format(name="1-old"))
    place.release("2-new", READS.format(database=database), COPIES.format(name="2-new"))
    (place.opt / "current").symlink_to("releases/1-old")
    if there:
        database.touch()
    prepared = f"make_release() {{ :; }}; OLD=1-old NEW=2-new BACKUP={backup}; prepare"
    done = place.tried("upgrade", prepared)
    assert done.returncode == code, done.stdout
    assert (backup.read_text().strip() if backup.exists() else None) == copied_by
    assert ("Backing up the database" in done.stdout) is (copied_by is not None)
    assert ("there would be no way back" in done.stdout) is (code == 1)
    assert place.asked() == []


def test_going_back_puts_the_older_release_and_its_database_in_place(place: Place) -> None:
    tells = f'[ "$1" = check ] || echo "$1 $2" >> {place.folder}/asked'
    newer, file = place.state / "textbackd.db", place.state / "before-2-newer.db"
    place.release("2-newer", READS.format(database=newer), tells)
    place.release("1-older", READS.format(database=newer), tells)
    (place.opt / "current").symlink_to("releases/2-newer")
    newer.touch()
    file.touch()
    sources = place.folder / "sources/scripts"
    sources.mkdir(parents=True)
    (sources / "install").write_text("#!/bin/sh\n")
    (sources / "install").chmod(0o755)
    alone = f"need_root() {{ :; }}; need_systemd() {{ :; }}; only_one() {{ exec 9> {place.folder}/lock; }}"
    alone += f"; make_release() {{ :; }}; stamp() {{ echo 1-older; }}; SOURCE={sources.parent}"
    missing = place.tried("upgrade", f"{alone}; main --yes --back {file}.gone")
    assert (missing.returncode, place.asked()) == (1, [])
    place.run("upgrade", f"{alone}; main --yes --back {file}")
    own = f"{place.state}/backups/before-back-to-1-older.db"
    assert place.asked() == [
        f"backup {own}",
        "systemctl stop textbackd",
        f"backup {own}",
        "systemctl daemon-reload",
        f"restore {file}",
        "systemctl start textbackd",
    ]
    assert (place.opt / "current").readlink() == Path("releases/1-older")


# --- install


def test_a_python_that_the_service_cannot_see_is_passed_over(place: Place) -> None:
    answers = 'case "$2" in *base_prefix*) echo {prefix} ;; *) echo Python 3.12 ;; esac'
    for name, prefix in (("python-of-root", "/root/.pyenv/versions/3.12"), ("python-of-anna", "/home/anna/python")):
        place.program(name, answers.format(prefix=prefix))
    place.program("python-of-all", answers.format(prefix="/usr"))
    assert place.tried("install", "PYTHONS=(python-of-root python-of-anna); find_python").returncode == 1
    found = place.run("install", "PYTHONS=(nothing python-of-root python-of-anna python-of-all); find_python")
    assert found.strip() == str(place.folder / "bin/python-of-all")
    assert place.run("install", 'say "${PYTHONS[0]}"').strip() == "/usr/bin/python3"


def test_an_installation_that_was_cut_off_between_its_links_is_ended(place: Place) -> None:
    place.release("1-one")
    assert place.tried("install", "release_needed").returncode == 0
    (place.opt / "current").symlink_to("releases/1-one")
    place.run(
        "install",
        "release_needed; stamp() { echo 2-other; }; make_release() { exit 1; }; release_does; ! release_needed",
    )
    assert (place.opt / "current").readlink() == Path("releases/1-one"), "what is there stays"
    assert (place.opt / "bin/textbackd").exists()


def test_a_daemon_that_joined_a_group_is_started_anew(place: Place) -> None:
    is_there = (
        "belongings_are_there() { :; }; id() { :; }; may_read_records() { [ -e joined ]; }; usermod() { touch joined; }"
    )
    run = f"cd {place.folder}; {is_there}; ! service_needed && user_needed; user_does; service_needed"
    place.run("install", run)


# --- uninstall


def test_whoever_uninstalls_keeps_the_rules_that_they_changed(place: Place) -> None:
    place.release("1-one")
    (place.opt / "current").symlink_to("releases/1-one")
    shipped = place.opt / "current/share"
    (shipped / "config").mkdir()
    (shipped / "systemd").mkdir()
    (shipped / "config/60-textbackd.rules").write_text("as shipped\n")
    (shipped / "systemd/modules-load.conf").write_text("as shipped\n")
    place.program("udevadm", ":")
    (place.etc / "rules").write_text("changed\n")
    (place.etc / "modules").write_text("as shipped\n")
    said = place.run("uninstall", "remove_files")
    assert f"{place.etc}/rules stays" in said
    assert sorted(path.name for path in place.etc.iterdir()) == ["rules"]
    assert not place.opt.exists()


def test_how_to_delete_the_rest_is_told_without_what_is_gone(place: Place) -> None:
    said = place.run("uninstall", "say_what_stays")
    assert f"rm -rf {place.etc} {place.state} && sudo userdel textbackd" in said
    assert "--purge" not in said
