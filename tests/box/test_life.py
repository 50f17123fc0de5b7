"""A box from the first installation to the last: what a shop does with it, and what happens to it."""

import json
import re
import time

import pytest

from tests.box.box import DID, Box
from tests.lab.sipp import gives_up

pytestmark = [pytest.mark.box, pytest.mark.slow, pytest.mark.timeout(1800)]

INSTALL = "/root/textbackd/scripts/install"
UNINSTALL = "/root/textbackd/scripts/uninstall"
KEPT = ("etc/textbackd", "var/lib/textbackd")
EXPOSURE = 15  # tenths, of 100
# What the tools that add users, and the machine that goes on running, write by themselves.
NOT_OURS = re.compile(
    r"etc/(passwd|group|gshadow|shadow|subuid|subgid)-?$|var/(cache|log|tmp|lib/(systemd|asterisk))\b|.*__pycache__"
)


@pytest.fixture(scope="module")
def bare(box: Box) -> set[str]:
    """What was on the disk before."""
    return listed(box)


def listed(box: Box) -> set[str]:
    return {path for path in box.files("etc", "opt", "usr", "var", "home") if not NOT_OURS.match(path)}


def texts(box: Box, number: str) -> list[str]:
    """The states of the texts to a number."""
    found = map(json.loads, box.run("textbackd", "outbox", "--json").splitlines())
    return [text["state"] for text in found if text["to"] == number]


def wait_texted(box: Box, number: str) -> None:
    box.wait_for(lambda: number in box.on_air(), f"no text to {number}")


# --- installing


def test_nothing_is_done_before_somebody_agreed(box: Box, bare: set[str]) -> None:
    done = box.tried(INSTALL)
    assert done.returncode == 1
    assert "This will:" in done.stdout
    assert "--yes" in done.stdout
    assert listed(box) ^ bare == set()


def test_what_it_does_not_know_it_does_not_do(box: Box) -> None:
    for wrong in ("--purge", "--with=command"):
        assert box.tried(INSTALL, "--yes", wrong).returncode == 2


def test_without_the_package_index_it_says_so_and_leaves_no_half_program(box: Box) -> None:
    done = box.tried("env", "-u", "PIP_NO_INDEX", "-u", "PIP_FIND_LINKS", "PIP_RETRIES=1", INSTALL, "--yes")
    assert done.returncode == 1
    assert "The package index cannot be reached from this box" in done.stdout
    assert box.run("ls", "/opt/textbackd/releases") == ""
    assert box.tried("systemctl", "cat", "textbackd").returncode == 1


def test_a_bare_box_becomes_one_that_hears_asterisk_and_only_watches(box: Box) -> None:
    said = box.run(INSTALL, "--yes")
    assert "PBX office: connected." in said
    assert box.health()["pbx"] == {"office": "connected"}
    assert re.search("^mode: observe$", box.run("cat", "/etc/textbackd/textbackd.yaml"), re.MULTILINE)
    box.ring_out("+12015550100", seconds=5)
    box.wait_for(lambda: texts(box, "+12015550100") == ["suppressed"], "the call was not seen")


@pytest.mark.parametrize(
    ("path", "owner_and_mode"),
    [
        ("/etc/textbackd", "root:textbackd 750"),
        ("/etc/textbackd/textbackd.yaml", "root:textbackd 640"),
        ("/etc/textbackd/ami.secret", "root:textbackd 640"),
        ("/etc/asterisk/manager.d/textbackd.conf", "asterisk:asterisk 640"),
        ("/var/lib/textbackd", "textbackd:textbackd 700"),
        ("/var/lib/textbackd/textbackd.db", "textbackd:textbackd 600"),
        ("/opt/textbackd/current/bin/textbackd", "root:root 755"),
    ],
)
def test_only_those_may_read_it_who_need_it(box: Box, path: str, owner_and_mode: str) -> None:
    assert box.run("stat", "-L", "-c", "%U:%G %a", path).strip() == owner_and_mode


def test_the_account_at_the_manager_may_what_it_needs_and_nothing_more(box: Box) -> None:
    account = box.run("cat", "/etc/asterisk/manager.d/textbackd.conf")
    assert f"\nsecret = {box.run('cat', '/etc/textbackd/ami.secret')}" in account
    assert re.findall(r"(?m)^(?:read|write) = .*", account) == ["read = call,agent,system", "write = reporting"]


def test_nobody_logs_in_as_textbackd(box: Box) -> None:
    assert box.run("getent", "passwd", "textbackd").strip().endswith(":/var/lib/textbackd:/usr/sbin/nologin")
    assert "asterisk" not in box.run("id", "-nG", "textbackd")  # the records are open to all on Debian


def test_the_database_is_backed_up_at_night(box: Box) -> None:
    assert box.run("systemctl", "is-enabled", "textbackd-backup.timer").strip() == "enabled"
    box.run("systemctl", "start", "textbackd-backup.service")
    (backup,) = box.run("sh", "-c", "ls /var/lib/textbackd/backups/*.db").split()
    assert box.run("stat", "-c", "%U:%G %a", backup).strip() == "textbackd:textbackd 600"


def test_a_shell_completes_its_commands(box: Box) -> None:
    script = ". /usr/share/bash-completion/completions/textbackd && complete -p textbackd"
    assert "textbackd" in box.run("bash", "-c", script)


def test_little_is_left_open(box: Box) -> None:
    for unit in ("textbackd.service", "textbackd-backup.service"):
        box.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", unit)


def test_somebody_else_at_the_terminal_gets_a_sentence(box: Box) -> None:
    done = box.tried("runuser", "-u", "asterisk", "--", "textbackd", "explain", DID)
    assert done.returncode == 2
    assert "Run as root" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_second_installation_changes_nothing_and_says_so(box: Box) -> None:
    before = box.files("etc", "opt", "usr")
    assert box.run(INSTALL).startswith("Nothing to do: textbackd ")
    assert box.files("etc", "opt", "usr") == before


def test_what_is_missing_is_mended_and_the_rest_left_alone(box: Box) -> None:
    configuration = box.run("cat", "/etc/textbackd/textbackd.yaml")
    box.run(
        "sh",
        "-c",
        "rm /usr/local/bin/textbackd /etc/asterisk/manager.d/textbackd.conf; chmod 644 /etc/textbackd/ami.secret",
    )
    said = box.run(INSTALL, "--yes", "--with", "originate")
    assert "Installing the program" not in said
    assert box.run("stat", "-c", "%a", "/etc/textbackd/ami.secret").strip() == "640"
    assert "\nwrite = reporting,originate\n" in box.run("cat", "/etc/asterisk/manager.d/textbackd.conf")
    assert box.run("cat", "/etc/textbackd/textbackd.yaml") == configuration
    assert "Nothing to do" in box.run(INSTALL), "a right that was given once is not taken away"


# --- living


def test_a_caller_whom_nobody_takes_is_texted(box: Box) -> None:
    box.configure()
    box.plug_in_modem()
    box.run("systemctl", "restart", "textbackd")
    box.wait_connected()
    box.ring_out("+12025550101")
    wait_texted(box, "+12025550101")


def test_a_killed_daemon_comes_back_and_neither_loses_nor_doubles(box: Box) -> None:
    box.ring_out("+12035550102")
    box.run("systemctl", "kill", "--signal=KILL", "textbackd")
    wait_texted(box, "+12035550102")
    box.wait_connected()


def test_after_a_restart_of_asterisk_it_hears_again(box: Box) -> None:
    box.run("systemctl", "restart", "asterisk")
    box.wait_for(lambda: "fully booted" in box.asterisk("core waitfullybooted").lower(), "Asterisk did not come back")
    box.wait_connected()
    box.ring_out("+12055550103")
    wait_texted(box, "+12055550103")


def test_a_modem_that_was_pulled_out_sends_when_it_is_back(box: Box) -> None:
    box.unplug_modem()
    box.ring_out("+12065550104")
    box.wait_for(lambda: texts(box, "+12065550104") != [], "the call was not seen")
    box.plug_in_modem()
    wait_texted(box, "+12065550104")


def test_a_power_cut_in_mid_call_doubles_nothing_and_hides_nothing(box: Box) -> None:
    box.call("+12075550105", gives_up(after=60))
    box.wait_ringing()
    time.sleep(2)  # seconds that it rings
    box.power_cut()
    box.boot()
    box.plug_in_modem()
    box.wait_connected()
    box.wait_for(
        lambda: "+12075550105" in box.run("textbackd", "explain", "+12075550105", check=False), "the call is gone"
    )
    box.ring_out("+12085550106")
    wait_texted(box, "+12085550106")


def test_whoever_was_texted_was_texted_once(box: Box) -> None:
    on_air = box.on_air()
    assert len(on_air) == len(set(on_air)), on_air


# --- leaving


def test_uninstalled_it_leaves_configuration_and_data_and_nothing_else(box: Box, bare: set[str]) -> None:
    box.unplug_modem()
    assert box.tried(UNINSTALL).returncode == 1, "nobody agreed"
    box.run(UNINSTALL, "--yes")
    left = {path for path in listed(box) - bare if not path.startswith(("srv",))}
    assert {path for path in left if not path.startswith(KEPT)} == set()
    assert "etc/textbackd/textbackd.yaml" in left
    assert "var/lib/textbackd/textbackd.db" in left
    assert "textbackd" not in box.asterisk("manager show users")


def test_purged_it_leaves_nothing(box: Box, bare: set[str]) -> None:
    box.run(UNINSTALL, "--yes", "--purge")
    assert listed(box) ^ bare == set()
    assert box.tried("id", "textbackd").returncode == 1
    assert box.tried("systemctl", "cat", "textbackd").returncode == 1
