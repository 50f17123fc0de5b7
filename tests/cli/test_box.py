"""What the scripts that install and upgrade are told of a release."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from textbackd.cli.box import address, asked, box, is_well, sentences
from textbackd.config import loads
from textbackd.config.first import first
from textbackd.store.database import open_database
from textbackd.store.migrations import MIGRATION_NAMES
from textbackd.web.health import WELL_PBX

SHOP = """
business: {name: Shop, country: US}
pbx: {office: {secret: none}}
lines: {main: {dids: ["*"]}}
gateways: {none: {type: http, url: "http://127.0.0.1:9/"}}
"""


def answer(database: str = "ok", **pbx: str) -> dict[str, Any]:
    return {"status": "ok", "database": database, "pbx": pbx, "gateways": {}}


@pytest.mark.parametrize(
    ("now", "earlier", "well"),
    [
        pytest.param({}, None, False, id="nobody answers"),
        pytest.param(answer("error", office="connected"), None, False, id="without its database it is not well"),
        pytest.param(answer(office="connected"), None, True, id="all is connected"),
        pytest.param(answer(office="connected", yard="away"), None, False, id="one PBX of two is away"),
        pytest.param(answer(office="away"), answer(office="away"), True, id="it was away before, too"),
        pytest.param(answer(office="connecting"), answer(office="connected"), False, id="not there yet, and was there"),
        pytest.param(answer(office="refused"), answer(office="connecting"), False, id="refused is worse than on its way"),
        pytest.param(answer(office="away"), {}, True, id="before, nobody answered"),
        pytest.param(answer(office="away", yard="connected"), answer(yard="connected"), True, id="a PBX that is new owes nothing"),
    ],
)  # fmt: skip
def test_well_is_a_database_that_answers_and_no_pbx_worse_off(
    now: Mapping[str, Any], earlier: Mapping[str, Any] | None, well: bool
) -> None:
    assert is_well(now, earlier) is well


def test_a_connected_pbx_means_the_same_here_and_at_healthz() -> None:
    assert all(is_well(answer(office=state), None) for state in WELL_PBX)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({}, "does not answer"),
        (answer("no answer"), "database does not work (no answer)"),
        (answer(office="connected"), "PBX office: connected."),
        (answer(office="refused"), "compare the secret"),
        (answer(office="away"), "is Asterisk running"),
    ],
)
def test_a_person_reads_how_it_is(now: Mapping[str, Any], said: str) -> None:
    assert said in "\n".join(sentences(now))


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8470", "http://127.0.0.1:8470/healthz"),
        ("0.0.0.0:80", "http://127.0.0.1:80/healthz"),
        ("[::]:8470", "http://[::1]:8470/healthz"),
        ("[fd00::1]:8470", "http://[fd00::1]:8470/healthz"),
    ],
)
def test_it_is_asked_where_it_listens(listen: str, url: str) -> None:
    assert address(loads(f'{SHOP}web: {{listen: "{listen}", url: "https://inbox.example.com"}}\n')) == url


@pytest.mark.parametrize("words", [b'{"database": "ok", "pbx": {}}', b"[1]", b"<html>", b'{"some": "other"}', b"\xff"])
async def test_only_its_own_words_count(words: bytes) -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 503 Failing\r\nContent-Length: %d\r\n\r\n%b" % (len(words), words))
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await asyncio.to_thread(asked, f"http://127.0.0.1:{port}/healthz")
    server.close()
    assert found == (json.loads(words) if b"database" in words else {})


def test_nobody_at_the_port_is_no_answer() -> None:
    assert asked("http://127.0.0.1:1/healthz") == {}


@pytest.mark.parametrize(
    ("zone", "country"), [("America/Chicago", "US"), ("Europe/Berlin", "DE"), ("Australia/Sydney", "AU"), ("UTC", "US")]
)
def test_the_first_configuration_only_watches_and_is_for_where_the_machine_is(zone: str, country: str) -> None:
    settings = loads(first(ZoneInfo(zone)), machine=ZoneInfo(zone))
    assert (settings.mode, settings.business.country) == ("observe", country)
    assert settings.business.timezone.key == zone


def test_a_database_is_brought_up_to_date_once(tmp_path: Path) -> None:
    config = tmp_path / "textbackd.yaml"
    config.write_text(f"{SHOP}storage: {tmp_path}/shop.db\n")
    run = CliRunner().invoke
    assert run(box, ["migrate", "--config", str(config)]).output == "", "there is none before the first start"
    assert not (tmp_path / "shop.db").exists()
    (tmp_path / "shop.db").touch()
    assert run(box, ["migrate", "--config", str(config)]).output.split() == list(MIGRATION_NAMES)
    assert run(box, ["migrate", "--config", str(config)]).output == ""
    open_database(tmp_path / "shop.db", create=False).conn.close()
    assert run(box, ["storage", "--config", str(config)]).output == f"{tmp_path}/shop.db\n"
