"""`doctor` on a real Asterisk: the right account is left in peace; what is wrong with another is found, with the line that mends it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from textbackd.doctor import ami
from textbackd.doctor.ami import Console, Way
from textbackd.doctor.asker import Asker
from textbackd.doctor.findings import Finding, Severity
from textbackd.doctor.manager_conf import read_manager_conf
from textbackd.doctor.rights import Rights

from .asterisk import Asterisk

pytestmark = pytest.mark.lab

NEEDED: Final = Rights(read=("call", "agent", "system"), write=("reporting",))
RELOAD: Final = "asterisk -rx 'manager reload'"
SECRET: Final = "c2VjcmV0IG9mIHRoZSBsYWI"
# Accounts as shops have them; each is found wanting in its own way.
ACCOUNTS: Final = {
    "right": "read = call,agent,system\nwrite = reporting\nwritetimeout = 5000\n",
    "few": "read = call\nwrite =\nwritetimeout = 5000\n",
    "many": "read = all\nwrite = reporting,command,originate,config\nwritetimeout = 5000\n",
    "hasty": "read = call,agent,system\nwrite = reporting\nwritetimeout = 100\n",
    "single": "allowmultiplelogin = no\nread = call,agent,system\nwrite = reporting\nwritetimeout = 5000\n",
    "elsewhere": "deny = 0.0.0.0/0.0.0.0\npermit = 192.0.2.1/255.255.255.255\nread = call,agent,system\nwrite = reporting\n"
    "writetimeout = 5000\n",
    "freepbx": "read = system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,message\n"
    "write = system,call,log,verbose,command,agent,user,config,command,dtmf,reporting,cdr,dialplan,originate,message\n"
    "writetimeout = 5000\n",
}


@pytest.fixture(scope="module")
def pbx(asterisk: Asterisk) -> Iterator[Asterisk]:
    """An Asterisk with these accounts, in a file that manager.conf includes, as on FreePBX."""
    instance = Asterisk(asterisk.version, f"doctor-{os.getpid()}")
    instance.start()
    etc = instance.folder / "etc"
    sections = (f"[{name}]\nsecret = {SECRET}\n{lines}" for name, lines in ACCOUNTS.items())
    (etc / "manager_custom.conf").write_text("\n".join(sections))
    with (etc / "manager.conf").open("a") as manager:
        manager.write(f"\n#include {instance.folder_in_root}/etc/manager_custom.conf\n")
    instance.cli("manager reload")
    instance.wait_for_output("manager show users", "freepbx")
    yield instance
    instance.stop()


def silent(_: str) -> None:
    """The console of an Asterisk that this user may not ask."""


def found(
    pbx: Asterisk,
    username: str,
    *,
    secret: str = SECRET,
    console: Console = silent,
    conf: Path | None = None,
    daemon_is_in: bool = False,
) -> list[Finding]:
    way = Way(
        name="office",
        host=pbx.host,
        port=pbx.ami_port,
        username=username,
        secret=secret,
        secret_at="/etc/textbackd/ami.secret",
        needed=NEEDED,
        conf=read_manager_conf(conf) if conf else None,
        conf_path=conf or Path("/etc/asterisk/manager.conf"),
        console=console,
        daemon_is_in=daemon_is_in,
    )
    return list(ami.judge(ami.gather(way)))


def bad(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.severity is not Severity.NOTE]


def conf_of(pbx: Asterisk, folder: Path) -> Path:
    """Return a manager.conf that says what the lab's says, with its includes where the test can read them."""
    etc = pbx.folder / "etc"
    text = (etc / "manager.conf").read_text().replace(f"{pbx.folder_in_root}/etc/", "")
    (folder / "manager.conf").write_text(text)
    (folder / "manager_custom.conf").write_text((etc / "manager_custom.conf").read_text())
    return folder / "manager.conf"


def test_the_right_account_is_left_in_peace(pbx: Asterisk, tmp_path: Path) -> None:
    assert found(pbx, "right", console=pbx.cli, conf=conf_of(pbx, tmp_path)) == []
    assert found(pbx, "right", console=pbx.cli) == []
    assert bad(found(pbx, "right")) == []


def test_the_shipped_account_is_right_for_this_asterisk(pbx: Asterisk) -> None:
    assert found(pbx, "textbackd", secret=pbx.textbackd_secret, console=pbx.cli) == []


@pytest.mark.parametrize("sees_rights", [True, False], ids=["as root", "as somebody else"])
def test_too_few_rights_are_found(pbx: Asterisk, sees_rights: bool) -> None:
    (one,) = bad(found(pbx, "few", console=pbx.cli if sees_rights else silent))
    assert one.severity is Severity.FAULT
    assert ("read agent, system" if sees_rights else "read system") in one.what
    assert "write reporting" in one.what
    assert one.do[1:] == ("read = call,agent,system", "write = reporting", RELOAD)


@pytest.mark.parametrize("sees_rights", [True, False], ids=["as root", "as somebody else"])
def test_too_many_rights_are_found(pbx: Asterisk, sees_rights: bool) -> None:
    write, *read = bad(found(pbx, "many", console=pbx.cli if sees_rights else silent))
    assert "nobody needs: command, config, originate." in write.what
    assert write.do[1:] == ("write = reporting", RELOAD)
    assert [one.do[1] for one in read] == (["read = call,agent,system"] if sees_rights else [])


def test_the_account_of_freepbx_itself_is_too_much(pbx: Asterisk) -> None:
    write, read = bad(found(pbx, "freepbx", console=pbx.cli))
    assert "command, config, originate, system, call, agent, message, user" in write.what
    assert "dialplan is half" in read.what


def test_a_wrong_secret_is_told_from_a_missing_permit_and_a_missing_user(pbx: Asterisk, tmp_path: Path) -> None:
    conf = conf_of(pbx, tmp_path)
    (secret,) = found(pbx, "right", secret="hunter2", conf=conf)
    (permit,) = found(pbx, "elsewhere", conf=conf)
    missing = found(pbx, "nobody", conf=conf)[0]
    assert "another one than ours" in secret.what
    assert "hunter2" not in str(secret)
    assert secret.do[0] == f"# {tmp_path}/manager_custom.conf, section [right]:"
    assert permit.do[1] == "permit = 127.0.0.1/255.255.255.255"
    assert "no section [nobody]" in missing.what
    assert missing.do[1] == "[nobody]"


def test_the_permit_that_is_advised_lets_us_in(pbx: Asterisk) -> None:
    (one,) = found(pbx, "elsewhere")
    permit = next(line for line in one.do if line.startswith("permit = "))
    custom = pbx.folder / "etc/manager_custom.conf"
    before = custom.read_text()
    custom.write_text(before.replace("permit = 192.0.2.1/255.255.255.255", permit))
    try:
        pbx.cli("manager reload")
        assert bad(found(pbx, "elsewhere")) == []
    finally:
        custom.write_text(before)
        pbx.cli("manager reload")


def test_an_account_that_may_come_in_once_only_is_not_called_wrong_while_the_daemon_is_in(pbx: Asterisk) -> None:
    daemon = Asker()
    try:
        daemon.reach(pbx.host, pbx.ami_port)
        daemon.log_in("single", SECRET, "off")
        (one,) = found(pbx, "single", console=pbx.cli, daemon_is_in=True)
        assert one.severity is Severity.NOTE
        assert "lets nobody in twice" in one.what
    finally:
        daemon.close()


def test_a_short_write_timeout_is_found(pbx: Asterisk, tmp_path: Path) -> None:
    (one,) = found(pbx, "hasty", conf=conf_of(pbx, tmp_path))
    assert one.do[1:] == ("writetimeout = 5000", RELOAD)


def test_a_manager_that_everybody_reaches_is_found(pbx: Asterisk, tmp_path: Path) -> None:
    conf = conf_of(pbx, tmp_path)
    conf.write_text(conf.read_text().replace(f"bindaddr = {pbx.host}", "bindaddr = 0.0.0.0"))
    (one,) = found(pbx, "right", console=pbx.cli, conf=conf)
    assert "listens on 0.0.0.0" in one.what
    assert f"bindaddr = {pbx.host}" in one.do
