"""`textbackd doctor` as a process: what it prints, its exit codes, and that it changes nothing."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from textbackd.store.database import only_one, open_database

WIDTH = 80


@pytest.fixture
def server() -> Iterator[int]:
    """Something that listens, as a gateway does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture
def config(tmp_path: Path, server: int, closed: int) -> Path:
    path = tmp_path / "textbackd.yaml"
    path.write_text(
        f"""
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{port: {closed}, secret: "${{AMI_SECRET}}"}}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{web: {{type: http, url: "http://127.0.0.1:{server}/", price: 0.01}}}}
staff: {{anna: {{mobile: "+13035550113"}}}}
web: {{listen: "127.0.0.1:{closed}"}}
storage: "{tmp_path}/data/textbackd.db"
"""
    )
    path.chmod(0o600)
    return path


def test_each_fault_stands_with_its_line_in_eighty_columns(shell: Shell, config: Path, closed: int) -> None:
    done = shell("doctor", "--config", config)
    assert done.code == 1
    assert f"No manager answers at 127.0.0.1:{closed}: connection refused." in " ".join(done.out.split())
    assert "\n      enabled = yes\n" in done.out
    assert f"Asking the PBX office at 127.0.0.1:{closed} …\n" in done.out
    assert max(len(line) for line in done.out.splitlines() if not line.startswith("      ")) <= WIDTH
    assert done.out.splitlines()[-1].startswith("1 fault")
    assert done.err == ""


def test_json_tells_the_same_for_programs(shell: Shell, config: Path) -> None:
    done = shell("doctor", "--json", "--config", config)
    assert done.code == 1
    found = json.loads(done.out)["findings"]
    assert {"severity", "subject", "what", "do"} == set(found[0])
    assert [one["subject"] for one in found if one["severity"] == "fault"] == ["pbx.office"]


def test_a_configuration_that_cannot_be_read_is_2(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "textbackd.yaml").write_text("business: {}\n")
    assert shell("doctor", "--config", tmp_path / "textbackd.yaml").code == 2
    assert shell("doctor", "--config", tmp_path / "none.yaml").code == 2


def test_it_leaves_no_trace(shell: Shell, config: Path) -> None:
    before = sorted(config.parent.rglob("*"))
    shell("doctor", "--config", config)
    assert {file.name for file in {*config.parent.rglob("*")} - {*before}} <= {"out", "err"}
    assert not (config.parent / "data").exists()


def test_a_secret_that_is_not_there_stops_only_what_needs_it(shell: Shell, config: Path) -> None:
    done = shell("doctor", "--config", config, AMI_SECRET="")
    assert done.code == 1
    assert "The PBX was not asked: the environment variable AMI_SECRET is not set." in " ".join(done.out.split())
    assert "The gateways were not tried" in done.out


def test_no_secret_is_ever_printed(shell: Shell, config: Path) -> None:
    done = shell("doctor", "--config", config, AMI_SECRET="hunter2-hunter2")
    assert "hunter2" not in done.out + done.err


def test_a_daemon_that_holds_the_database_is_seen(shell: Shell, config: Path) -> None:

    path = config.parent / "data/textbackd.db"
    path.parent.mkdir()
    open_database(path).close()
    lock = only_one(path)
    try:
        done = shell("doctor", "--config", config)
    finally:
        os.close(lock)
    assert "do not answer" in " ".join(done.out.split())


def test_a_shop_that_only_watches_is_told_how_to_go_live_without_a_restart(shell: Shell, config: Path) -> None:
    config.write_text(config.read_text() + "mode: observe\n")
    said = shell("doctor", "--config", config).out
    assert "mode: live\n      systemctl reload textbackd\n" in said
