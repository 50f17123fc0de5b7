"""The box, its open ports, the service and what the daemon tells: facts → findings."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.flow.settings import configured
from textbackd import __version__
from textbackd.doctor import box, listeners, service
from textbackd.doctor.box import Box, File
from textbackd.doctor.listeners import Listener
from textbackd.doctor.service import Running, Sample, Service, read_metrics
from textbackd.web.metrics import Snapshot, families, render

MIB = 1024 * 1024
FOLDER = File(path=Path("/var/lib/textbackd"), owner="textbackd", group="textbackd", mode=0o700, readable=None)
DATA = Path("/mnt/data")
SECRET = File(path=Path("/etc/textbackd/ami.secret"), owner="root", group="textbackd", mode=0o640, readable=True)
WELL = Box(
    clock_synchronised=True, disk_free=9000 * MIB, inodes_free=100_000, storage=FOLDER, config=SECRET, secrets=[SECRET]
)


@pytest.mark.parametrize(
    ("changes", "said", "line"),
    [
        pytest.param({}, "", "", id="nothing is wrong"),
        pytest.param({"clock_synchronised": None}, "", "", id="a clock of which nobody tells is no fault"),
        pytest.param({"clock_synchronised": False}, "not synchronised", "timedatectl set-ntp true", id="clock"),
        pytest.param({"clocks_differ": True}, "", "", id="another zone does not matter without records"),
        pytest.param(
            {"clocks_differ": True, "local_records": ("office",), "business_zone": "America/Denver"}, "hours off",
            "timedatectl set-timezone America/Denver", id="zone",
        ),
        pytest.param({"disk_free": 100 * MIB}, "100 MiB are free", "du -xh", id="little disk"),
        pytest.param({"disk_free": 10 * MIB}, "nothing is sent", "du -xh", id="hardly any disk"),
        pytest.param({"inodes_free": 5}, "room for 5 more files", "df -i", id="inodes"),
        pytest.param({"storage": replace(FOLDER, owner="root")}, "belongs to root", "chown -R textbackd: /var/lib/textbackd", id="owner"),
        pytest.param(
            {"storage": replace(FOLDER, path=DATA, owner="root", mode=0o755), "storage_path": DATA}, "has to be a folder of its own",
            "install -d -m 0700 -o textbackd -g textbackd /mnt/data/textbackd", id="a folder that others have things in",
        ),
        pytest.param({"storage": replace(FOLDER, mode=0o755)}, "Everybody", "chmod 0700 /var/lib/textbackd", id="folder mode"),
        pytest.param({"secrets": [replace(SECRET, mode=0o644)]}, "read by everybody", "chmod o-rwx", id="open secret"),
        pytest.param(
            {"secrets": [replace(SECRET, mode=0o644, group="root")]}, "read by everybody",
            "chgrp textbackd /etc/textbackd/ami.secret", id="an open secret that the service reads as one of everybody",
        ),
        pytest.param({"config": replace(SECRET, readable=False)}, "cannot be read by", "chgrp textbackd", id="closed file"),
        pytest.param({"storage": None, "disk_free": None, "inodes_free": None}, "", "", id="before the first start"),
    ],
)  # fmt: skip
def test_the_box_is_judged(changes: dict[str, Any], said: str, line: str) -> None:
    found = list(box.judge(replace(WELL, **changes)))
    assert len(found) == (1 if said else 0)
    if said:
        assert said in found[0].what
        assert any(done.startswith(line) for done in found[0].do)


@pytest.mark.parametrize(
    ("folder", "own"),
    [
        pytest.param("/mnt/data", "/mnt/data/textbackd", id="a folder inside the one that is shared"),
        pytest.param("/srv/textbackd", "/srv/textbackd", id="a folder that has the name of ours"),
    ],
)
def test_a_database_elsewhere_gets_a_folder_of_its_own_and_the_units_may_write_there(folder: str, own: str) -> None:
    elsewhere = replace(FOLDER, path=Path(folder), owner="root", mode=0o755)
    (found,) = box.judge(replace(WELL, storage=elsewhere, storage_path=Path(folder), database="shop.db"))
    assert found.do == (
        f"install -d -m 0700 -o textbackd -g textbackd {own}",
        "# textbackd.yaml:",
        f"storage: {own}/shop.db",
        "# systemctl edit textbackd; then the same: systemctl edit textbackd-backup",
        "[Service]",
        f"ReadWritePaths={own}",
        "systemctl restart textbackd",
    )


@pytest.mark.parametrize(
    ("machine", "differ"),
    [
        ("America/Denver", False),
        ("America/Boise", False),
        ("Etc/UTC", False),
        ("America/Phoenix", True),
        ("Europe/Rome", True),
    ],
)
def test_clocks_differ_when_they_show_another_time_in_summer_or_winter(machine: str, differ: bool) -> None:
    assert box.clocks_differ(ZoneInfo(machine), ZoneInfo("America/Denver")) is differ


def test_the_box_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "ami.secret").write_text("x")
    (tmp_path / "ami.secret").chmod(0o644)
    settings = configured(
        storage=f"{tmp_path}/data/textbackd.db", pbx=f"{{office: {{secret: 'file:{tmp_path}/ami.secret'}}}}"
    )
    found = box.gather(settings, os.environ)
    assert (found.storage, found.disk_free) == (None, None)
    assert [(one.path.name, one.mode) for one in found.secrets] == [("ami.secret", 0o644)]


# ---- open ports

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2116 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000:13AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:9999 0100007F:2116 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 0000000000000000FFFF00000100007F:2117 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 1
   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 1
"""


def test_open_ports_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(TCP)
    (tmp_path / "net/tcp6").write_text(TCP6)
    found = listeners.listeners(tmp_path)
    assert [(one.port, one.is_local, one.is_everywhere) for one in found] == [
        (8470, True, False), (5038, False, True), (8471, True, False), (80, False, True),
    ]  # fmt: skip
    assert listeners.listeners(tmp_path / "nothing") == []


def test_a_page_that_the_network_reaches_is_a_warning() -> None:
    settings = configured()
    assert list(listeners.judge(settings, [Listener("127.0.0.1", 8470), Listener("0.0.0.0", 80)])) == []
    (found,) = listeners.judge(settings, [Listener("0.0.0.0", 8470), Listener("::", 8470)])
    assert 'listen: "127.0.0.1:8470"' in found.do


# ---- the service

AT_TWO = datetime(2026, 7, 1, 14, 2, tzinfo=UTC)
READ = Sample("textbackd_configuration_read_timestamp_seconds", {}, AT_TWO.timestamp())
RUNS = Service(running=Running(pbx={"office": "connected"}), address="http://127.0.0.1:8470")


def told(**changes: Any) -> dict[str, Running]:
    return {"running": Running(**changes)}


@pytest.mark.parametrize(
    ("changes", "said", "line"),
    [
        pytest.param({}, "", "", id="nothing is wrong"),
        pytest.param({"is_running": False}, "is not running", "systemctl start textbackd", id="stopped"),
        pytest.param({"enabled": False}, "does not start with the machine", "systemctl enable", id="not enabled"),
        pytest.param({"installed": False}, "not installed as a service", "sudo scripts/install", id="no unit"),
        pytest.param({"installed": False, "has_systemd": False}, "", "", id="a box without systemd"),
        pytest.param(told(answers=False), "do not answer", "journalctl", id="pages hang"),
        pytest.param(told(database="cannot be written"), "cannot be written", "journalctl", id="database"),
        pytest.param(
            told(samples=(Sample("textbackd_build_info", {"version": "0.0.1"}, 1.0),)), "0.0.1 is running",
            "systemctl restart", id="another version",
        ),
        pytest.param(
            {**told(samples=(READ,)), "written_at": AT_TWO + timedelta(minutes=8)},
            "still has the configuration of 01 Jul 14:02:00; the file is of 01 Jul 14:10:00",
            "systemctl reload textbackd", id="a configuration that was not taken up",
        ),
        pytest.param({**told(samples=(READ,)), "written_at": AT_TWO}, "", "", id="the configuration of the file"),
        pytest.param({"written_at": AT_TWO}, "", "", id="an older daemon, which does not tell when it read its own"),
        pytest.param(
            told(samples=(Sample("textbackd_alarm_active", {"alarm": "no_calls", "of": "main"}, 1.0),)), "(main)",
            "journalctl", id="an alarm",
        ),
        pytest.param(
            told(samples=(Sample("textbackd_alarm_active", {"alarm": "no_calls", "of": ""}, 0.0),)), "", "", id="no alarm"
        ),
    ],
)  # fmt: skip
def test_the_service_is_judged(changes: dict[str, Any], said: str, line: str) -> None:
    found = list(service.judge(replace(RUNS, **changes)))
    assert len(found) == (1 if said else 0)
    if said:
        assert said in found[0].what
        assert any(done.startswith(line) for done in found[0].do)


@pytest.mark.parametrize(
    ("state", "said"),
    [("refused", "is refused by"), ("away", "does not reach"), ("connecting", "not yet connected"), ("connected", "")],
)
def test_a_daemon_without_the_pbx_that_answers_us_is_started_anew(state: str, said: str) -> None:
    found = list(service.judge_line(Running(pbx={"office": state}), "office"))
    assert [said in one.what and one.do[0] == "systemctl restart textbackd" for one in found] == (
        [True] if said else []
    )
    assert list(service.judge_line(Running(pbx={"office": state}), "other")) == []


def test_the_metrics_of_the_daemon_are_read_as_it_writes_them() -> None:
    snapshot = Snapshot(
        vitals={"stick": {"signal_dbm": -71.0, "recovery_radio_total": 2.0}},
        told={"stick": {"operator": 'A "B"\n{c} d', "registration": "registered"}},
    )
    running = Running(samples=tuple(read_metrics(render(families(snapshot)))))
    vitals, words = running.of_gateway("stick")
    assert vitals["signal_dbm"] == -71.0
    assert vitals["recovery_radio_total"] == 2.0
    assert words["operator"] == 'A "B"\n{c} d'
    assert running.version == __version__
    assert running.of_gateway("other") == ({}, {})


def test_the_unit_is_looked_for_where_systemd_has_it(tmp_path: Path) -> None:
    settings = configured()
    assert not service.gather(settings, is_running=False, root=tmp_path).has_systemd
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    wants = tmp_path / service.WANTS
    wants.mkdir(parents=True)
    (wants.parent / "textbackd.service").touch()
    found = service.gather(settings, is_running=False, root=tmp_path)
    assert (found.has_systemd, found.installed, found.enabled) == (True, True, False)
    (wants / "textbackd.service").symlink_to("/etc/systemd/system/textbackd.service")
    assert service.gather(settings, is_running=False, root=tmp_path).enabled
