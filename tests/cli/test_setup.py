"""`textbackd setup` as a process, beside a small Asterisk, a virtual modem and a sink for texts."""

import asyncio
import os
import pty
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.asterisk_box import AsteriskBox
from tests.cli.conftest import Done, Shell
from tests.gateways.sink import Answer, Fault, HttpSink
from tests.report.shop import DENVER, Rung, all_rows, write_csv
from textbackd.cli.setup.pbx import shown
from textbackd.config import GsmModem, HttpGateway, Settings, Twilio, load
from textbackd.config.yaml_source import read
from textbackd.core.compose import DEFAULT_TEXTS, TextKind
from textbackd.core.opening_hours import ALWAYS_OPEN
from textbackd.demo.modem import Quirks, VirtualModem
from textbackd.demo.modem_air import OnAir
from textbackd.store.database import is_running, only_one

pytestmark = pytest.mark.slow

IMEI, MOBILE = "004999010640000", "+13035550126"
NO_PORTS = ("--ports", "/nowhere/*")
ENTERS = "\n" * 30
PATIENCE = 30.0
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="writes as root does")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[AsteriskBox]:
    box = AsteriskBox(tmp_path / "box")
    with box.running():
        yield box


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "textbackd.yaml"


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[VirtualModem]:
    (tmp_path / "ports").mkdir()
    with VirtualModem(link=tmp_path / "ports" / "usb-Stick-if02", quirks=Quirks()) as modem:
        yield modem


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[tuple[VirtualModem, list[OnAir]]]:
    """A modem whose texts are answered by whoever gets them, and the texts."""
    (tmp_path / "ports").mkdir()
    heard: list[OnAir] = []

    def on_air(text: OnAir) -> None:
        heard.append(text)
        stick.deliver(text.to, "Works \x1b[2Jfine")

    with VirtualModem(link=tmp_path / "ports" / "usb-Stick-if02", quirks=Quirks(), on_air=on_air) as stick:
        yield stick, heard


@contextmanager
def sink(*answers: Answer | Fault) -> Iterator[HttpSink]:
    """An HTTP service for texts, in a thread of its own."""
    loop, sink = asyncio.new_event_loop(), HttpSink()
    sink.script(*answers)
    loop.run_until_complete(sink.open())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield sink
    finally:
        asyncio.run_coroutine_threadsafe(sink.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def ports(modem: VirtualModem) -> tuple[str, str]:
    return "--ports", f"{Path(modem.port).parent}/*"


def here(box: AsteriskBox, config: Path) -> tuple[str | Path, ...]:
    return "setup", "--config", config, "--asterisk", box.etc, "--pbx", f"127.0.0.1:{box.port}"


def elsewhere(config: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    """Ask on a box without Asterisk."""
    return "setup", "--config", config, "--asterisk", tmp_path / "none", "--pbx", "127.0.0.1:9"


def storing(config: Path) -> Path:
    """Let a configuration that is there have its database beside it, and not in the system's folder."""
    config.write_text(config.read_text() + f"storage: {config.parent}/textbackd.db\n")
    return config


def said(done: Done) -> str:
    """Return what it said without its line ends."""
    return " ".join(done.out.split())


def assert_narrow(done: Done) -> None:
    """See that it fits eighty columns, but for the paths of tests, which are longer than a shop's."""
    assert [line for line in done.out.splitlines() if len(line) > 80 and "/" not in line] == []


# ---- Enter all the way


def test_enter_all_the_way_is_a_configuration_that_watches(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    done = shell(*here(box, config), *NO_PORTS, typed=ENTERS)
    assert (done.code, done.err) == (0, "")
    settings = load(config)
    assert settings.mode == "observe"
    assert settings.pbx["office"].port == box.port
    assert settings.lines["main"].hours != ALWAYS_OPEN
    assert not settings.staff
    assert (config.parent / "ami.secret").read_text() == "s3cret\n"
    assert f"Written: {config}" in said(done)
    assert shell("check", "--config", config).code == 0


def test_without_asterisk_it_shows_the_lines_to_add_and_goes_on(shell: Shell, config: Path, tmp_path: Path) -> None:
    done = shell(*elsewhere(config, tmp_path), *NO_PORTS, typed=ENTERS)
    assert done.code == 1
    secret = (config.parent / "ami.secret").read_text().strip()
    assert f"    secret = {secret}\n    deny = 0.0.0.0/0.0.0.0\n" in done.out
    assert "    asterisk -rx 'manager reload'\n" in done.out
    assert "Nothing answers at 127.0.0.1:9 (connection refused)" in done.out
    assert load(config).mode == "observe"


def test_nothing_is_needed_but_a_name_where_nobody_is_asked(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    refused = shell(*here(box, config), *NO_PORTS, "--yes")
    assert refused.code == 2
    assert "--name is missing" in refused.sentence
    assert not config.parent.exists()
    done = shell(*here(box, config), *NO_PORTS, "--yes", "--name", "Anderson Roofing")
    assert (done.code, done.err) == (0, "")
    assert load(config).business.name == "Anderson Roofing"


# ---- every answer by its flag


def by_flags(shell: Shell, box: AsteriskBox, config: Path, *more: str) -> tuple[Done, Settings]:
    box.has_account("s3cret")
    done = shell(
        *here(box, config), "--yes", "--name", "Müller Dächer", "--country", "de", "--timezone", "Europe/Berlin",
        "--hours", "mon-fri 8-12 13-17, sat 9-12", "--mobile", "0151 23456789", "--your-name", "José Müller",
        "--trunk", "PJSIP/telekom-*", "--trunk", "PJSIP/sipgate-*", "--cdr", "none", "--mode", "live",
        "--line", "roofs=030 123456,030 123457", "--line", "gutters=030 123458",
        "--missed", "Hallo, hier ist {business}. Leider haben wir Ihren Anruf verpasst. Wie können wir helfen?", *more,
    )  # fmt: skip
    return done, load(config)


def test_every_answer_can_be_given_by_a_flag(shell: Shell, box: AsteriskBox, config: Path) -> None:
    done, settings = by_flags(
        shell, box, config, "--gateway", "twilio", "--set", "account=AC1", "--set", "token=t0ken", "--set", "price=0.07",
        "--set", "number=+4930123456", "--set", "from=called_did",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert (settings.mode, settings.business.country, settings.business.timezone.key) == ("live", "DE", "Europe/Berlin")
    assert settings.pbx["office"].trunks.channels == ("PJSIP/telekom-*", "PJSIP/sipgate-*")
    assert settings.lines["roofs"].dids == ("+4930123456", "+4930123457", "*")
    assert settings.lines["gutters"].dids == ("+4930123458",)
    assert settings.lines["roofs"].hours == settings.lines["gutters"].hours != ALWAYS_OPEN
    assert settings.lines["gutters"].texts.missed == settings.lines["roofs"].texts.missed
    assert settings.staff["jose"].mobile == "+4915123456789"
    gateway = settings.gateways["twilio"]
    assert isinstance(gateway, Twilio)
    assert (gateway.account, str(gateway.price), gateway.sender) == ("AC1", "0.07", "called_did")
    assert (config.parent / "twilio.secret").read_text() == "t0ken\n"
    assert_narrow(done)
    assert "t0ken" not in config.read_text() + done.out
    assert "septets), 0.07\n" in done.out


@pytest.mark.parametrize(("flags", "said"), [
    (["--country", "XX"], "--country XX: 'XX' is not a country."),
    (["--hours", "mo-fri 8-17"], "names no day"),
    (["--timezone", "Denver"], "--timezone Denver: 'Denver' is not a time zone."),
    (["--mobile", "12"], "--mobile 12: '12' is not a phone number"),
    (["--gateway", "carrier_pigeon"], "the kinds are gsm_modem, http"),
    (["--gateway", "twilio", "--set", "account=AC1"], "--set token=… is missing"),
    (["--gateway", "http", "--set", "url=ftp://x"], "--set url=…:"),
    (["--gateway", "gsm_modem"], "none is plugged in. Say which: --set imei=IMEI"),
    (["--line", "a b=+13035550100"], "is no name"),
    (["--missed", "Sorry {nobody}"], "--missed Sorry {nobody}:"),
    (["--pbx", "127.0.0.1:x"], "Write it as 127.0.0.1:5038."),
    (["--mode", "loud"], "'loud' is not one of"),
])  # fmt: skip
def test_a_flag_that_is_wrong_is_named_and_nothing_is_written(
    shell: Shell, box: AsteriskBox, config: Path, flags: list[str], said: str
) -> None:
    box.has_account("s3cret")
    done = shell(*here(box, config), *NO_PORTS, "--yes", "--name", "Anderson Roofing", *flags)
    assert done.code == 2
    assert said in done.sentence
    assert not config.parent.exists()


# ---- our account


@root_only
def test_an_account_is_added_and_tried_if_somebody_agrees(shell: Shell, box: AsteriskBox, config: Path) -> None:
    done = shell(*here(box, config), *NO_PORTS, typed=ENTERS, PATH=box.path)
    assert (done.code, done.err) == (0, "")
    assert box.logins[-1] == "taken"
    assert "It lets us in as textbackd." in done.out
    added = box.etc / "manager.d" / "textbackd.conf"
    assert (config.parent / "ami.secret").read_text().strip() in added.read_text()


def test_nobody_touches_asterisks_configuration_unasked(shell: Shell, box: AsteriskBox, config: Path) -> None:
    done = shell(*here(box, config), *NO_PORTS, "--yes", "--name", "Anderson Roofing", PATH=box.path)
    assert done.code == 1
    assert list((box.etc / "manager.d").iterdir()) == []
    assert not box.said.exists()
    assert f"Add the lines above to {box.etc}/manager.d/textbackd.conf" in said(done)


def test_a_wrong_secret_is_told_and_can_be_mended(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    done = shell(*here(box, config), *NO_PORTS, "--yes", "--name", "Anderson Roofing", "--ami-secret", "guess")
    assert done.code == 1
    assert "it refuses the login of textbackd (Authentication failed)" in " ".join(done.out.split())
    config.parent.joinpath("ami.secret").write_text("s3cret\n")
    again = shell(*here(box, config), *NO_PORTS, "--yes", "--replace")
    assert (again.code, again.err) == (0, "")


@root_only
def test_asterisk_is_made_to_read_an_account_that_it_has_not_read(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    manager = box.etc / "manager.conf"
    manager.write_text(manager.read_text().replace("s3cret", "newer"))
    unread = shell(*here(box, config), *NO_PORTS, "--yes", "--name", "Anderson Roofing", PATH=box.path)
    assert unread.code == 1
    assert "Asterisk has not read our account yet." in said(unread)
    done = shell(*here(box, config), *NO_PORTS, "--replace", typed=ENTERS, PATH=box.path)
    assert (done.code, done.err) == (0, "")
    assert "It lets us in as textbackd." in done.out
    assert (config.parent / "ami.secret").read_text() == "newer\n"


def test_who_may_not_write_it_is_told_before_anything_is_asked(shell: Shell, box: AsteriskBox, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = shell(*here(box, tmp_path / "file" / "textbackd.yaml"), typed=ENTERS)
    assert (done.code, done.out) == (1, "")
    assert "sudo textbackd setup" in done.sentence


def test_the_secret_that_asterisk_has_beats_one_that_it_does_not_take(
    shell: Shell, box: AsteriskBox, config: Path
) -> None:
    box.has_account("s3cret")
    config.parent.mkdir()
    (config.parent / "ami.secret").write_text("old\n")
    assert shell(*here(box, config), *NO_PORTS, typed=ENTERS).code == 0
    assert (config.parent / "ami.secret").read_text() == "s3cret\n"
    assert (config.parent / "ami.secret.1").read_text() == "old\n"


def test_a_secret_can_stay_where_it_is(shell: Shell, box: AsteriskBox, config: Path, tmp_path: Path) -> None:
    box.has_account("s3cret")
    kept = tmp_path / "kept.secret"
    kept.write_text("s3cret\n")
    kept.chmod(0o600)
    done = shell(*here(box, config), *NO_PORTS, "--yes", "--name", "Anderson Roofing", "--ami-secret", f"file:{kept}")
    assert (done.code, done.err) == (0, "")
    assert load(config).pbx["office"].secret.get_secret_value() == f"file:{kept}"
    assert not (config.parent / "ami.secret").exists()


# ---- records


def recent(calls: list[tuple[str, str, str]]) -> list[Rung]:
    begin = datetime.now(DENVER).replace(tzinfo=None, hour=9, minute=0) - timedelta(days=7)
    return [Rung(begin + timedelta(minutes=10 * number), *call) for number, call in enumerate(calls)]


@pytest.fixture
def busy(box: AsteriskBox, tmp_path: Path) -> AsteriskBox:
    """A box whose records tell of two numbers and a lost caller."""
    box.has_account("s3cret")
    calls = recent([
        ("answered", "+13035550142", "+13035550100"), ("no answer", "+13035550143", "+13035550100"),
        ("queue", "+13035550144", "+13035550101"), ("answered", "+13035550145", "+13035550100"),
    ])  # fmt: skip
    box.has_records(write_csv(tmp_path / "Master.csv", all_rows(calls)).read_text())
    return box


def test_records_tell_trunks_numbers_and_the_leak(shell: Shell, busy: AsteriskBox, config: Path) -> None:
    done = shell(*here(busy, config), *NO_PORTS, "--timezone", "America/Denver", typed=ENTERS)
    assert (done.code, done.err) == (0, "")
    for line in (
        "Trunks      PJSIP/trunk",
        "Numbers     +13035550100 (3), +13035550101 (1)",
        "Phones      PJSIP/101",
        "Queues      sales",
    ):
        assert f"  {line}\n" in done.out
    assert "Missed                               2  50 %" in done.out
    settings = load(config)
    assert settings.pbx["office"].cdr == str(busy.root / "var/log/asterisk/cdr-csv/Master.csv")
    assert settings.lines["main"].dids == ("*",)


def test_numbers_can_have_a_line_each(shell: Shell, busy: AsteriskBox, config: Path) -> None:
    typed = "\n".join(["Anderson Roofing", "US", "always", "n", "roofs", "gutters", ENTERS])
    done = shell(*here(busy, config), *NO_PORTS, "--timezone", "America/Denver", typed=typed)
    assert (done.code, done.err) == (0, "")
    lines = load(config).lines
    assert {name: line.dids for name, line in lines.items()} == {
        "roofs": ("+13035550100", "*"), "gutters": ("+13035550101",),
    }  # fmt: skip
    assert lines["gutters"].hours == ALWAYS_OPEN


def test_records_that_cannot_be_read_are_told_without_their_password(
    shell: Shell, box: AsteriskBox, config: Path
) -> None:
    box.has_account("s3cret")
    done = shell(
        *here(box, config), *NO_PORTS, "--yes", "--name", "A", "--cdr", "mysql://me:hunter2@127.0.0.1:9/asteriskcdrdb"
    )
    assert done.code == 1
    assert "The call records cannot be read" in done.out
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize(("source", "told"), [
    ("mysql://me:p@ss://word@localhost/asteriskcdrdb", "mysql://…@localhost/asteriskcdrdb"),
    ("/var/log/asterisk/cdr-csv/Master.csv", "/var/log/asterisk/cdr-csv/Master.csv"),
])  # fmt: skip
def test_where_records_are_is_told_without_a_password(source: str, told: str) -> None:
    assert shown(source) == told


# ---- what sends


@pytest.mark.modem
def test_a_modem_is_found_tried_and_answered(
    shell: Shell, box: AsteriskBox, config: Path, answering: tuple[VirtualModem, list[OnAir]], tmp_path: Path
) -> None:
    modem, heard = answering
    box.has_account("s3cret")
    config.parent.mkdir()
    typed = "\n".join(["Anderson Roofing", "US", "America/Denver", "", MOBILE, "Anna", ENTERS])
    done = shell(*here(box, config), *ports(modem), typed=typed)
    assert (done.code, done.err) == (0, "")
    assert "You answered: “Works [2Jfine”. It works both ways." in done.out
    assert [(text.to, text.body) for text in heard] == [
        (MOBILE, "A test of textbackd at Anderson Roofing. Please answer with any word.")
    ]
    settings = load(config)
    gateway = settings.gateways["stick"]
    assert isinstance(gateway, GsmModem)
    assert (gateway.imei, gateway.port) == (IMEI, modem.port)
    assert settings.mode == "live"
    assert settings.staff["anna"].mobile == MOBILE


@pytest.mark.modem
def test_a_modem_that_the_daemon_has_is_left_to_it(
    shell: Shell, box: AsteriskBox, config: Path, answering: tuple[VirtualModem, list[OnAir]]
) -> None:
    modem, heard = answering
    box.has_account("s3cret")
    flags = ("--yes", "--name", "A", "--timezone", "America/Denver", "--mobile", MOBILE, "--mode", "live")
    assert shell(*here(box, config), *ports(modem), *flags).code == 0
    with running(storing(config)):
        done = shell(*here(box, config), *ports(modem), "--yes", "--replace", "--test")
    assert (done.code, done.err) == (0, "")
    assert "through the textbackd that runs" in done.out
    assert "You answered: “Works [2Jfine”." in done.out
    assert len([text for text in heard if text.body.startswith("A test of textbackd")]) == 1
    assert "systemctl reload textbackd" in done.out


@contextmanager
def running(config: Path) -> Iterator[None]:
    """Run the daemon, once it has its database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        pages = probe.getsockname()[1]
    config.write_text(f'{config.read_text()}web: {{listen: "127.0.0.1:{pages}"}}\n')
    command = [str(Path(sys.executable).with_name("textbackd")), "run", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as daemon:
        until = time.monotonic() + PATIENCE
        while not is_running(load(config).storage):
            assert time.monotonic() < until
            assert daemon.poll() is None
            time.sleep(0.05)
        try:
            yield
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE)


@pytest.mark.modem
def test_a_text_that_the_network_refuses_is_told_and_sent_once(
    shell: Shell, box: AsteriskBox, config: Path, modem: VirtualModem
) -> None:
    modem.quirks.submit = "cms:38"
    box.has_account("s3cret")
    done = shell(
        *here(box, config), *ports(modem), "--yes", "--name", "A", "--mobile", MOBILE, "--test", "--mode", "observe"
    )
    assert done.code == 1
    assert "The text did not go out." in said(done)
    assert load(config).mode == "observe"
    assert sum(command.startswith("AT+CMGS") for command in modem.commands) == 1


@pytest.mark.modem
def test_a_sim_that_wants_its_pin_is_asked_for_and_not_tried(
    shell: Shell, box: AsteriskBox, config: Path, modem: VirtualModem
) -> None:
    modem.quirks.pin = "0042"
    modem.unplug()
    modem.plug_in()
    box.has_account("s3cret")
    done = shell(*here(box, config), *ports(modem), "--yes", "--name", "A", "--set", "pin=0042")
    assert (done.code, done.err) == (0, "")
    assert (config.parent / "stick.pin").read_text() == "0042\n"
    assert not any(command.startswith("AT+CPIN=") for command in modem.commands)


@pytest.mark.modem
def test_nobody_is_texted_unless_somebody_said_so(
    shell: Shell, box: AsteriskBox, config: Path, modem: VirtualModem
) -> None:
    box.has_account("s3cret")
    done = shell(*here(box, config), *ports(modem), "--yes", "--name", "A", "--mobile", MOBILE)
    assert done.code == 0
    assert not any(command.startswith("AT+CMGS") for command in modem.commands)


def test_a_service_is_asked_for_key_by_key_and_tried(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    with sink() as taken:
        typed = "\n".join([
            "Anderson Roofing", "US", "America/Denver", "", MOBILE, "Anna", "1", "2", "ftp://x", taken.url, "", "0.0x", "0.05",
            "", "", "y", "", ENTERS,
        ])  # fmt: skip
        done = shell(*here(box, config), *NO_PORTS, typed=typed)
    assert (done.code, done.err) == (0, "")
    assert len(taken.taken) == 1
    assert MOBILE in str(taken.taken[0])
    assert "this is not a web address" in done.out
    assert "0.0x" in done.out
    settings = load(config)
    assert isinstance(settings.gateways["web"], HttpGateway)
    assert settings.mode == "live", "who says that the text came can go live"


@pytest.mark.parametrize(("fault", "told"), [
    (Answer(status=401), "The text did not go out."),
    (Fault.CLOSE_AFTER_BODY, "It may have gone out all the same, so it is not sent again."),
])  # fmt: skip
def test_a_text_that_fails_is_told_and_handed_over_once(
    shell: Shell, box: AsteriskBox, config: Path, fault: Answer | Fault, told: str
) -> None:
    box.has_account("s3cret")
    with sink(fault) as taken:
        done = shell(
            *here(box, config), *NO_PORTS, "--yes", "--name", "A", "--mobile", MOBILE, "--test", "--gateway", "http", "--set",
            f"url={taken.url}",
        )  # fmt: skip
    assert done.code == 1
    assert told in said(done)
    assert len(taken.requests) == 1
    assert load(config).mode == "observe"


# ---- the words


def test_words_are_changed_and_looked_at(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    words = ["y", "Hello from us", "", "y", "Sorry {nobody}", "Sorry we missed you, {business}. What is it?", "", "n"]
    typed = "\n".join(["Anderson Roofing", "US", "America/Denver", "", "", "", *words, ENTERS])
    done = shell(*here(box, config), *NO_PORTS, typed=typed)
    assert (done.code, done.err) == (0, "")
    assert "missed: the text does not say who texts." in said(done)
    assert "nobody" in said(done)
    assert "“Sorry we missed you, Anderson Roofing. What is it?”" in said(done)
    line = load(config).lines["main"]
    ours = {"missed": "Sorry we missed you, {business}. What is it?", "closed": DEFAULT_TEXTS[TextKind.CLOSED]}
    assert line.texts.worded() == ours, "Enter keeps the words that were shown"


# ---- twice, and never half


def test_run_twice_it_changes_nothing_unasked(shell: Shell, box: AsteriskBox, config: Path) -> None:
    by_flags(shell, box, config, "--gateway", "http", "--set", "url=http://127.0.0.1:9/x")
    before = config.read_bytes()
    assert shell(*here(box, config), typed=ENTERS).code == 0
    assert config.read_bytes() == before
    refused = shell(*here(box, config), "--yes")
    assert refused.code == 2
    assert "--replace" in refused.sentence


def test_run_again_the_answers_so_far_are_the_defaults(shell: Shell, box: AsteriskBox, config: Path) -> None:
    _, first = by_flags(shell, box, config, "--gateway", "http", "--set", "url=http://127.0.0.1:9/x")
    config.write_text(config.read_text() + "policy: {delay: 7s}\n")
    done = shell(*here(box, config), *NO_PORTS, "--hours", "always", "--no-test", typed="y\n" + ENTERS)
    assert (done.code, done.err) == (0, "")
    again = load(config)
    assert again.business == first.business
    assert (again.staff, again.gateways, again.mode) == (first.staff, first.gateways, first.mode)
    assert again.lines["roofs"].hours == ALWAYS_OPEN
    assert again.policy.delay == timedelta(seconds=7), "what it does not ask about stays"
    assert "delay: 7s" in (config.parent / "textbackd.yaml.1").read_text()


def test_what_the_installer_left_is_begun_anew(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    config.parent.mkdir()
    sample = (Path(__file__).parents[2] / "config" / "textbackd.example.yaml").read_text()
    config.write_text(sample.replace("name: Anderson Roofing", "name: Your Shop", 1))
    assert shell(*here(box, config), *NO_PORTS, typed=ENTERS).code == 0
    settings = load(config)
    assert settings.mode == "observe"
    assert "stick" not in settings.gateways
    assert (config.parent / "textbackd.yaml.1").exists()


TYPO = "business: {name: A, country: XX}\n"


def with_a_typo(config: Path, text: str = TYPO) -> Path:
    config.parent.mkdir()
    config.write_text(text)
    return config


@pytest.mark.parametrize(
    "text", [pytest.param(TYPO, id="a value that is none"), pytest.param("business: {name: A\n", id="no YAML")]
)
def test_enter_never_throws_a_file_with_a_typo_away(shell: Shell, box: AsteriskBox, config: Path, text: str) -> None:
    box.has_account("s3cret")
    done = shell(*here(box, with_a_typo(config, text)), *NO_PORTS, typed=ENTERS)
    assert done.code == 0
    assert "`textbackd check --config" in said(done)
    assert "answers are kept" not in said(done)
    assert "is left as it is" in said(done)
    assert config.read_text() == text
    assert not (config.parent / "textbackd.yaml.1").exists()


def test_a_file_with_a_typo_is_begun_anew_by_who_says_so_and_is_kept_beside(
    shell: Shell, box: AsteriskBox, config: Path
) -> None:
    box.has_account("s3cret")
    done = shell(*here(box, with_a_typo(config)), *NO_PORTS, typed="y\n" + ENTERS)
    assert done.code == 0
    assert load(config).mode == "observe"
    assert (config.parent / "textbackd.yaml.1").read_text() == TYPO


@pytest.mark.parametrize("flags", [(), ("--replace",)])
def test_where_nobody_is_asked_a_file_with_a_typo_is_refused(
    shell: Shell, box: AsteriskBox, config: Path, flags: tuple[str, ...]
) -> None:
    box.has_account("s3cret")
    refused = shell(*here(box, with_a_typo(config)), *NO_PORTS, "--yes", "--name", "A", *flags)
    assert refused.code == 2
    assert "textbackd check" in refused.sentence
    assert config.read_text() == TYPO


def test_a_typo_in_what_the_installer_left_costs_nothing(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    with_a_typo(config, "business: {name: Your Shop, country: XX}\n")
    done = shell(*here(box, config), *NO_PORTS, "--yes", "--name", "A", "--replace")
    assert done.code == 0
    assert load(config).business.name == "A"


def test_a_running_daemon_is_told_to_read_it_anew(shell: Shell, box: AsteriskBox, config: Path) -> None:
    by_flags(shell, box, config, "--gateway", "http", "--set", "url=http://127.0.0.1:9/x")
    lock = only_one(config.parent / "textbackd.db")
    try:
        done = shell(*here(box, storing(config)), "--yes", "--replace", *NO_PORTS)
    finally:
        os.close(lock)
    assert "systemctl reload textbackd" in done.out


def serves(box: AsteriskBox, config: Path) -> Path:
    """Let the box have a systemd, whose textbackd runs with that configuration; return what systemd was told."""
    told = box.root / "systemd-was-told"
    run = f"argv[]=/opt/textbackd/bin/textbackd run --config {config} ;"
    systemctl = box.commands / "systemctl"
    systemctl.write_text(
        "#!/bin/sh\n"
        f'case $1 in show) printf "ActiveState=active\\nExecStart={{ {run} }}\\n" ;; *) echo "$@" >> {told} ;; esac\n'
    )
    systemctl.chmod(0o755)
    return told


@root_only
@pytest.mark.parametrize(
    ("flags", "told"),
    [
        pytest.param((), "reload textbackd\n", id="without a word"),
        pytest.param(("--no-reload",), "", id="unless it shall not"),
    ],
)
def test_the_running_service_takes_the_configuration_up(
    shell: Shell, box: AsteriskBox, config: Path, flags: tuple[str, ...], told: str
) -> None:
    by_flags(shell, box, config, "--gateway", "http", "--set", "url=http://127.0.0.1:9/x")
    systemd = serves(box, config)
    done = shell(*here(box, config), "--yes", "--replace", "--mode", "live", *flags, *NO_PORTS, PATH=box.path)
    assert done.code == 0
    assert (systemd.read_text() if systemd.exists() else "") == told
    assert ("reads it now" in done.out) == bool(told)


@root_only
def test_a_service_with_another_configuration_is_left_alone(shell: Shell, box: AsteriskBox, config: Path) -> None:
    systemd = serves(box, Path("/etc/textbackd/textbackd.yaml"))
    box.has_account("s3cret")
    assert shell(*here(box, config), *NO_PORTS, typed=ENTERS, PATH=box.path).code == 0
    assert not systemd.exists()


# Ctrl-C reaches whoever has the terminal for their own.
OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """The command at a terminal of eighty columns."""

    def __init__(self, *args: str | Path) -> None:
        self._ours, theirs = pty.openpty()
        command = [
            sys.executable,
            "-c",
            OWN_TERMINAL,
            str(Path(sys.executable).with_name("textbackd")),
            *map(str, args),
        ]
        env = {**os.environ, "COLUMNS": "80", "TERM": "xterm"}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=env
        )
        os.close(theirs)
        self.shown, self._seen = "", 0

    def until(self, wanted: str) -> str:
        """Wait until that is shown, behind what was waited for before; return what came up to it."""
        while (at := self.shown.find(wanted, self._seen)) < 0:
            assert self._read(PATIENCE), f"{wanted!r} never came: {self.shown[self._seen :]}"
        before, self._seen = self._seen, at + len(wanted)
        return self.shown[before : self._seen]

    def _read(self, patience: float) -> bool:
        """Return whether more came within that time."""
        if not select.select([self._ours], [], [], patience)[0]:
            return False
        try:
            self.shown += os.read(self._ours, 4096).decode(errors="replace")
        except OSError:  # EIO: the other end is closed
            return False
        return True

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def stop(self) -> None:
        """Press Ctrl-C until it is noticed: in the moment before somebody reads what is typed it may be missed."""
        for _ in range(int(PATIENCE)):
            self.type("\x03")
            while self._read(1):
                if "Stopped" in self.shown:
                    return

    def end(self) -> int:
        code = self.process.wait(PATIENCE)
        os.close(self._ours)
        return code


QUESTIONS = [
    "that callers know",
    "Its country",
    "Its time zone",
    "somebody there",
    "mobile number",
    "Which",
    "Change the words",
]


@pytest.mark.parametrize("stop_at", [QUESTIONS[0], QUESTIONS[4], QUESTIONS[6]])
def test_ctrl_c_leaves_nothing_half_written(box: AsteriskBox, config: Path, stop_at: str) -> None:
    box.has_account("s3cret")
    terminal = Terminal(*here(box, config), *NO_PORTS)
    for question in QUESTIONS:
        terminal.until(question)
        if question == stop_at:
            break
        terminal.type("\n")
    terminal.stop()
    terminal.until("Stopped. The configuration is as it was.")
    assert terminal.end() == 130
    assert not config.parent.exists()
    assert "Traceback" not in terminal.shown


def test_a_secret_is_typed_unseen_until_it_is_right(box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    (box.etc / "manager.conf").write_text(
        "[general]\nenabled = yes\n[textbackd]\nread = call\n"
    )  # its secret is not told
    terminal = Terminal(*here(box, config), *NO_PORTS)
    terminal.until("Its secret:")
    terminal.type("guess\n")
    terminal.until("refuses the login")
    terminal.until("Its secret:")
    terminal.type("s3cret\n")
    terminal.until("It lets us in")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert "guess" not in terminal.shown
    assert "s3cret" not in terminal.shown


@pytest.mark.modem
def test_waiting_for_the_reply_ends_with_enter(box: AsteriskBox, config: Path, modem: VirtualModem) -> None:
    box.has_account("s3cret")
    terminal = Terminal(*here(box, config), *ports(modem), "--name", "A", "--country", "US", "--timezone", "America/Denver",
                        "--hours", "always", "--mobile", MOBILE, "--your-name", "Anna", "--gateway", "gsm_modem")  # fmt: skip
    for question in ("number [none]", "price [none]", "Change the words", "Send a text"):
        terminal.until(question)
        terminal.type("\n")
    terminal.until("The network took the text.")
    terminal.type("\n")
    terminal.until("Did the text come?")
    terminal.type("\n")
    terminal.until("Live, or observe first? [observe]:")
    terminal.type("\n")
    terminal.until("Next")
    assert terminal.end() == 0


def test_what_is_written_is_for_root_and_the_daemon_only(shell: Shell, box: AsteriskBox, config: Path) -> None:
    box.has_account("s3cret")
    shell(*here(box, config), *NO_PORTS, typed=ENTERS)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in config.parent.iterdir()}
    assert modes == {"textbackd.yaml": 0o640, "ami.secret": 0o640}
    assert read(config).data["pbx"]["office"]["secret"] == "file:ami.secret"
