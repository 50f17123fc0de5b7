"""Our account in Asterisk's files, as scripts/box.sh writes it and takes it away; on any machine, in a folder."""

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.box.root import REPOSITORY
from textbackd.setup.account import put
from textbackd.setup.asterisk import look_at

DEBIAN: Final = '[general]\nenabled = yes\nbindaddr = 127.0.0.1\n#include "manager.d/*.conf"\n'
PLAIN: Final = "[general]\nenabled = no\nport = 5038\n\n[owner]\nsecret = theirs\nread = all\n"
FREEPBX: Final = "[general]\nenabled = yes\n\n#include manager_additional.conf\n#include manager_custom.conf\n"
THEIRS: Final = "; the owner's own lines\n[robot]\nsecret = r2d2\n"


class Files:
    """Asterisk's folder, and what box.sh makes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.freepbx = folder / "freepbx.conf"

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o640)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def tried(self, script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        here = f"ASTERISK={self.folder} FREEPBX=({self.freepbx} /nowhere) SOURCE={REPOSITORY}"
        whole = f"set -euo pipefail; source {REPOSITORY}/scripts/box.sh; {here}; {script}"
        return subprocess.run(
            ["bash", "-c", whole],
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run(self, script: str, **variables: str) -> str:
        done = self.tried(script, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize(
    ("manager", "freepbx", "expected"),
    [
        pytest.param(DEBIAN, False, "manager.d/textbackd.conf", id="Debian includes a folder"),
        pytest.param(PLAIN, False, "manager.conf", id="plain Asterisk has one file"),
        pytest.param(FREEPBX, True, "manager_custom.conf", id="FreePBX leaves one file alone"),
        pytest.param(
            DEBIAN.replace('#include "', ';#include "'), False, "manager.conf", id="a folder that is commented out"
        ),
    ],
)
def test_the_account_goes_where_it_is_read_and_never_overwritten(
    files: Files, manager: str, freepbx: bool, expected: str
) -> None:
    files.write("manager.conf", manager)
    if freepbx:
        files.freepbx.touch()
    files.run("put_account s3cret")
    block = files.run("block_of $(account_file)")
    assert files.run("account_file").strip() == str(files.folder / expected)
    assert "[textbackd]\nsecret = s3cret\n" in block
    assert "read = call,agent,system\nwrite = reporting\n" in block
    assert (files.folder / expected).stat().st_mode & 0o777 == 0o640


def test_what_others_wrote_stays_and_comes_back_as_it_was(files: Files) -> None:
    files.write("manager.conf", FREEPBX)
    files.write("manager_custom.conf", THEIRS)
    files.freepbx.touch()
    files.run("put_account one; put_account two")
    text = files.read("manager_custom.conf")
    assert text.startswith(THEIRS)
    assert (text.count("[textbackd]"), text.count("secret = two")) == (1, 1)
    files.run("drop_account")
    assert (files.read("manager_custom.conf"), files.read("manager.conf")) == (THEIRS, FREEPBX)


def test_a_file_that_only_we_had_goes(files: Files) -> None:
    files.write("manager.conf", DEBIAN)
    files.run("put_account one; drop_account")
    assert sorted(path.name for path in files.folder.iterdir()) == ["manager.conf", "manager.d"]
    assert not list((files.folder / "manager.d").iterdir())


@pytest.mark.parametrize("name", ["manager.conf", "manager_custom.conf", "manager.d/others.conf"])
def test_an_account_of_our_name_that_others_wrote_is_found(files: Files, name: str) -> None:
    files.write("manager.conf", DEBIAN)
    files.run("put_account one")
    assert files.tried("others_account").returncode == 1, "ours is not theirs"
    files.write(name, f"{DEBIAN}[textbackd]\nsecret = theirs\n")
    assert files.run("others_account").strip() == str(files.folder / name)


@pytest.mark.parametrize(
    ("asked", "read", "write"),
    [
        ("", "call,agent,system", "reporting"),
        ("originate", "call,agent,system", "reporting,originate"),
        ("message,call", "call,agent,system,user", "reporting,message,call"),
    ],
)
def test_more_rights_come_only_when_asked_for_and_stay(files: Files, asked: str, read: str, write: str) -> None:
    files.write("manager.conf", DEBIAN)
    files.run("put_account one", WITH=asked)
    files.run("put_account one")
    assert f"read = {read}\nwrite = {write}\n" in files.run("block_of $(account_file)")


@pytest.mark.parametrize(
    ("general", "on"),
    [
        ("enabled = yes\n", True),
        ("enabled=Yes\n", True),
        (" enabled = on ; it is\n", True),
        ("enabled = no\n", False),
        (";enabled = yes\n", False),
        ("", False),
    ],
)
def test_the_manager_is_switched_on_once_and_nothing_else_changes(files: Files, general: str, on: bool) -> None:
    rest = "bindaddr = 127.0.0.1\n\n[owner]\nsecret = theirs\nenabled = whatever\n"
    files.write("manager.conf", f"[general]\n{general}{rest}")
    assert (files.tried("manager_enabled").returncode == 0) is on
    files.run("manager_enabled || enable_manager; manager_enabled")
    assert files.read("manager.conf").endswith(rest)
    assert files.read("manager.conf").count("\nenabled") == (1 if not on or general.startswith("e") else 0) + 1


def test_a_long_file_is_read_like_a_short_one(files: Files) -> None:
    long = "; what its owner has noted over the years, line by line\n" * 20_000  # more than a pipe holds
    files.write("manager.conf", f"[general]\nenabled = yes\n{long}")
    files.write("manager_custom.conf", f"[textbackd]\nsecret = theirs\n{long}")
    assert files.tried("manager_enabled").returncode == 0
    assert files.run("others_account").strip() == str(files.folder / "manager_custom.conf")


@pytest.mark.parametrize("secret", ["a/b", "a&b", r"a\b", r"a\1\nb", "a;b", "a b=c>d", '"$(id)`'])
def test_any_secret_is_written_as_asterisk_reads_it(files: Files, secret: str) -> None:
    files.write("manager.conf", DEBIAN)
    files.run('put_account "$GIVEN"', GIVEN=secret)
    written = secret.replace(
        ";", r"\;"
    )  # otherwise a comment begins there: ast_config_load in Asterisk's main/config.c
    assert f"[textbackd]\nsecret = {written}\ndeny = " in files.run("block_of $(account_file)")
    assert files.run('value_in_block "$(account_file)" secret').removesuffix("\n") == secret
    assert f"secret = {written}\n" in files.run('shipped_account "$GIVEN"', GIVEN=secret)
    before = files.read("manager.d/textbackd.conf")
    files.run('put_account "$GIVEN"', GIVEN=secret)
    assert files.read("manager.d/textbackd.conf") == before


def test_a_file_without_a_line_end_at_its_end_gets_one(files: Files) -> None:
    files.write("manager.conf", PLAIN.rstrip("\n"))
    files.run("put_account one")
    assert "\nsecret = one\n" in files.run("block_of $(account_file)")
    files.run("drop_account")
    assert files.read("manager.conf") == PLAIN


def test_a_file_that_is_kept_elsewhere_stays_a_link(files: Files) -> None:
    files.write("kept/manager.conf", PLAIN)
    (files.folder / "manager.conf").symlink_to("kept/manager.conf")
    files.run("put_account one; enable_manager")
    assert (files.folder / "manager.conf").is_symlink()
    assert "secret = one\n" in files.read("kept/manager.conf")
    files.run("drop_account")
    assert files.read("kept/manager.conf") == PLAIN.replace("enabled = no\n", "").replace(
        "]\n", "]\nenabled = yes\n", 1
    )


@pytest.mark.parametrize("manager", ["", "[owner]\nsecret = theirs"])
def test_a_manager_without_general_is_switched_on_for_this_box_only(files: Files, manager: str) -> None:
    files.write("manager.conf", manager)
    files.run("enable_manager; manager_enabled")
    ending = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\n"
    assert files.read("manager.conf") == (f"{manager}\n{ending}" if manager else ending)


def test_a_blank_before_a_section_does_not_hide_it(files: Files) -> None:
    files.write("manager.conf", " [general]\nenabled = no\n\t[textbackd]\nsecret = theirs\nenabled = yes\n")
    assert files.run("others_account").strip() == str(files.folder / "manager.conf")
    assert files.tried("manager_enabled").returncode == 1, "what is on is somebody else's"
    files.run("enable_manager; manager_enabled")
    assert files.read("manager.conf") == " [general]\nenabled = yes\n\t[textbackd]\nsecret = theirs\nenabled = yes\n"


OWNERS: Final = """\
; --- textbackd: this block belongs to its installer ---
[textbackd]
secret = s3cret
deny = 0.0.0.0/0.0.0.0
permit = 192.168.1.10/255.255.255.255
acl = office
read = system, call,agent ; mine
write=reporting
setvar = NOTE=ours
; --- end of textbackd ---
"""


@pytest.mark.parametrize(
    ("there", "asked", "expected"),
    [
        pytest.param(OWNERS, "", OWNERS, id="nothing is missing"),
        pytest.param(OWNERS.replace("s3cret", "old"), "", OWNERS, id="another secret"),
        pytest.param(OWNERS.replace("secret = s3cret\n", ""), "",
                     OWNERS.replace("secret = s3cret\n", "").replace("=ours\n", "=ours\nsecret = s3cret\n"), id="no secret"),
        pytest.param(OWNERS, "originate", OWNERS.replace("write=reporting", "write = reporting,originate"), id="one more right"),
        pytest.param(OWNERS.replace("system, call,agent ; mine", "system"), "",
                     OWNERS.replace("system, call,agent ; mine", "system,call,agent"), id="a right that is missing"),
        pytest.param(OWNERS.replace("system, call,agent ; mine", "all"), "message",
                     OWNERS.replace("system, call,agent ; mine", "all").replace("write=reporting", "write = reporting,message"),
                     id="all rights are enough"),
        pytest.param(OWNERS.replace("; --- end", "[robot]\nsecret = r2d2\nread = all\n; --- end"), "",
                     OWNERS.replace("; --- end", "[robot]\nsecret = r2d2\nread = all\n; --- end"), id="another account in the block"),
    ],
)  # fmt: skip
def test_of_our_block_only_secret_and_rights_are_ours(files: Files, there: str, asked: str, expected: str) -> None:
    files.write("manager.conf", f"{PLAIN}{there}")
    assert files.run("account s3cret", WITH=asked) == expected
    files.run("put_account s3cret", WITH=asked)
    assert files.read("manager.conf") == f"{PLAIN}{expected}"


def test_the_account_that_setup_writes_is_the_one_that_the_installer_writes(files: Files) -> None:
    files.write("manager.conf", PLAIN)
    files.run("put_account s3cret")
    installed = files.read("manager.conf")
    files.write("manager.conf", PLAIN)
    put(look_at("127.0.0.1", 9, files.folder), "s3cret")
    assert files.read("manager.conf") == installed
    assert files.run("account s3cret") == files.run("block_of $(account_file)")


def test_nobody_else_can_read_the_account_at_any_moment(files: Files) -> None:
    files.write("manager.conf", PLAIN)
    (files.folder / "manager.conf").chmod(0o644)
    moved = 'mv() { stat -c %a "$1"; command mv "$@"; }'
    assert files.run(f"{moved}; put_account one").strip() == "640"
