"""The judgement of an account, and the way to the manager: what is found, and the exact line."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from textbackd.doctor.ami import Account, Way, gather, home_of, judge, perms
from textbackd.doctor.findings import Finding, Severity
from textbackd.doctor.manager_conf import ManagerConf, read_manager_conf
from textbackd.doctor.rights import Rights

NEEDED = Rights(read=("call", "agent", "system"), write=("reporting",))
WELL = Account(
    name="office", host="127.0.0.1", port=5038, username="textbackd", needed=NEEDED, secret_at="/etc/textbackd/ami.secret",
    read=frozenset(NEEDED.read), write=frozenset(NEEDED.write), booted=True, version="20.9.2", clock_off=timedelta(),
)  # fmt: skip
GOOD_CONF = "[general]\nenabled=yes\nbindaddr=127.0.0.1\n[textbackd]\nsecret=x\nwritetimeout=5000\n"
WARNING, FAULT, NOTE = Severity.WARNING, Severity.FAULT, Severity.NOTE


def conf(folder: Path, text: str) -> ManagerConf:
    (folder / "manager.conf").write_text(text)
    return read_manager_conf(folder / "manager.conf")


@pytest.mark.parametrize(
    ("changes", "severity", "said", "line"),
    [
        pytest.param(
            {"read": frozenset({"call"})}, FAULT, "lacks read agent, system", "read = call,agent,system", id="few read"
        ),
        pytest.param({"write": frozenset()}, FAULT, "lacks write reporting", "write = reporting", id="few write"),
        pytest.param(
            {"read": None, "booted": False}, FAULT, "lacks read system", "read = call,agent,system", id="never booted"
        ),
        pytest.param(
            {"write": frozenset({"reporting", "command"})},
            WARNING,
            "nobody needs: command",
            "write = reporting",
            id="many write",
        ),
        pytest.param(
            {"read": frozenset({"all"})}, WARNING, "dialplan is half", "read = call,agent,system", id="many read"
        ),
        pytest.param({"read": None}, NOTE, "cannot be asked", "sudo textbackd doctor", id="read rights not known"),
        pytest.param(
            {"read": None, "host": "192.0.2.7"}, NOTE, "cannot be asked", "asterisk -rx 'manager show", id="far PBX"
        ),
        pytest.param({"version": "13.38.3"}, WARNING, "Asterisk 13.38.3", "textbackd explain NUMBER", id="too old"),
        pytest.param({"version": "certified/18.9-cert5"}, None, "", "", id="a certified version counts as its own"),
        pytest.param({"version": ""}, None, "", "", id="a version that is not told is no fault"),
        pytest.param({"clock_off": timedelta(seconds=-90)}, WARNING, "90 s behind", "timedatectl", id="clock"),
        pytest.param({"open_to_all": True}, WARNING, "every interface", "bindaddr = 127.0.0.1", id="open port"),
        pytest.param({"unreached": "connection refused"}, FAULT, "127.0.0.1:5038", "enabled = yes", id="closed"),
        pytest.param(
            {"refused": "Authentication failed"},
            FAULT,
            "cannot be read from here",
            "permit = 127.0.0.1/255.255",
            id="refused",
        ),
        pytest.param(
            {"refused": "Authentication failed", "daemon_is_in": True},
            NOTE,
            "lets nobody in twice",
            "systemctl stop",
            id="twice",
        ),
        pytest.param({}, None, "", "", id="nothing is wrong"),
    ],
)
def test_an_account_is_judged(changes: dict[str, Any], severity: Severity | None, said: str, line: str) -> None:
    found = [one for one in judge(replace(WELL, **changes)) if one.severity is not NOTE or severity is NOTE]
    assert [one.severity for one in found] == ([severity] if severity else [])
    if severity:
        assert said in found[0].what
        assert any(done.startswith(line) for done in found[0].do)
        assert found[0].subject == "pbx.office"


@pytest.mark.parametrize(
    ("changes", "text", "said", "line"),
    [
        pytest.param({}, GOOD_CONF, "", "", id="a good one"),
        pytest.param(
            {}, GOOD_CONF.replace("127.0.0.1", "0.0.0.0"), "listens on 0.0.0.0", "bindaddr = 127.0.0.1", id="open"
        ),
        pytest.param(
            {},
            GOOD_CONF.replace("bindaddr=127.0.0.1\n", ""),
            "listens on 0.0.0.0",
            "bindaddr = 127.0.0.1",
            id="default",
        ),
        pytest.param({}, "[general]\nwebenabled=yes\n" + GOOD_CONF, "web server", "webenabled = no", id="web"),
        pytest.param(
            {}, GOOD_CONF.replace("writetimeout=5000", ""), "100 ms behind", "writetimeout = 5000", id="write time-out"
        ),
        pytest.param(
            {"unreached": "x"},
            GOOD_CONF.replace("enabled=yes", "enabled=no"),
            "switch it on",
            "enabled = yes",
            id="off",
        ),
        pytest.param(
            {"unreached": "x"}, "[general]\nport=5039\n" + GOOD_CONF, "says port 5039", "port: 5039", id="port"
        ),
        pytest.param(
            {"refused": "no", "same_secret": False}, GOOD_CONF, "another one than ours", "secret = ", id="secret"
        ),
        pytest.param(
            {"refused": "no", "same_secret": True}, GOOD_CONF, "does not permit", "permit = 127.0.0.1/255", id="permit"
        ),
        pytest.param(
            {"refused": "no"},
            GOOD_CONF.replace("[textbackd]", "[me]"),
            "no section [textbackd]",
            "[textbackd]",
            id="user",
        ),
    ],
)
def test_what_manager_conf_says_is_judged(
    tmp_path: Path, changes: dict[str, Any], text: str, said: str, line: str
) -> None:
    account = replace(WELL, conf=conf(tmp_path, text), conf_path=tmp_path / "manager.conf", **changes)
    found = list(judge(account))
    assert len(found) == (1 if said else 0)
    if said:
        assert said in found[0].what
        assert any(done.startswith(line) for done in found[0].do)
        assert found[0].do[-1] == "asterisk -rx 'manager reload'" or "textbackd.yaml" in found[0].do[0]


def test_the_file_that_has_our_section_is_named(tmp_path: Path) -> None:
    (tmp_path / "manager_custom.conf").write_text("[textbackd]\nsecret=x\nwritetimeout=5000\n")
    account = replace(
        WELL,
        conf=conf(tmp_path, "[general]\nenabled=yes\nbindaddr=127.0.0.1\n#include manager_custom.conf\n"),
        conf_path=tmp_path / "manager.conf",
        read=frozenset(),
    )
    (found,) = judge(account)
    assert found.do[0] == f"# {tmp_path}/manager_custom.conf, section [textbackd]:"


@pytest.mark.parametrize(
    ("text", "folder", "file"),
    [
        pytest.param("", "", "manager.conf", id="plain"),
        pytest.param("", "manager.d", "manager.d/textbackd.conf", id="Debian"),
        pytest.param("#include manager_custom.conf\n", "", "manager_custom.conf", id="FreePBX"),
    ],
)
def test_a_new_section_goes_where_no_update_overwrites_it(tmp_path: Path, text: str, folder: str, file: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "manager_custom.conf").touch()
    path, read = tmp_path / "manager.conf", conf(tmp_path, f"{GOOD_CONF}{text}")
    account = replace(WELL, refused="no", conf=read, conf_path=path, home=home_of(read, path), username="newcomer")
    (found,) = judge(account)
    assert found.do[:2] == (f"# {tmp_path}/{file}, at its end:", "[newcomer]")


def test_the_console_of_asterisk_tells_both_rights() -> None:
    printed = "       username: textbackd\n         secret: <Set>\n      read perm: system,call,agent\n     write perm: <none>\n"
    assert perms(printed) == {"read": frozenset({"system", "call", "agent"}), "write": frozenset()}
    assert perms("There is no such manager user: textbackd\n") == {}


# ---- the way


def way(port: int) -> Way:
    return Way(
        name="office", host="127.0.0.1", port=port, username="textbackd", secret="hunter2", secret_at="file",
        needed=NEEDED, conf=None, conf_path=Path("/etc/asterisk/manager.conf"), console=lambda _: None,
    )  # fmt: skip


@contextmanager
def peer(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something that listens and serves one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(30)
        assert not thread.is_alive()


def until_closed(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def silent(connection: socket.socket) -> None:
    until_closed(connection)


def web_server(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
    until_closed(connection)


def deaf(connection: socket.socket) -> None:
    connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    until_closed(connection)


def hangs_up(connection: socket.socket) -> None:
    connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    connection.recv(4096)


def trickles(connection: socket.socket) -> None:
    connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    try:
        while True:
            connection.sendall(b"x" * 64)
    except OSError:
        return


def talks(connection: socket.socket) -> None:
    connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    try:
        while True:
            connection.sendall(b"Name: value\r\n" * 64)
    except OSError:
        return


@pytest.mark.parametrize("serve", [silent, web_server, deaf, hangs_up, trickles, talks])
def test_whoever_answers_instead_of_asterisk_is_waited_for_no_longer_than_the_patience(
    serve: Callable[[socket.socket], None],
) -> None:
    with peer(serve) as port:
        account = gather(way(port), timedelta(seconds=0.5))
    assert account.unreached
    assert "hunter2" not in repr(account)


def test_a_closed_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    account = gather(way(port), timedelta(seconds=5))
    assert account.unreached == "connection refused"
    assert [one.severity for one in judge(account)] == [FAULT]


def test_a_name_with_a_line_end_in_it_is_no_second_action() -> None:
    heard: list[bytes] = []

    def listens(connection: socket.socket) -> None:
        connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        while data := connection.recv(4096):
            heard.append(data)

    with peer(listens) as port:
        account = gather(replace(way(port), username="x\r\nAction: Originate"), timedelta(seconds=0.5))
    assert "line end" in account.unreached
    assert heard == []


def test_a_finding_says_what_to_do() -> None:
    found: list[Finding] = [*judge(replace(WELL, read=frozenset(), write=frozenset()))]
    assert all(one.do for one in found)
