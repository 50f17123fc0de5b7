"""`textbackd modem scan` and `modem test` as processes, on the virtual modem."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from textbackd.demo.modem import Quirks, VirtualModem
from textbackd.demo.modem_air import OnAir, read_air
from textbackd.store.database import only_one

pytestmark = [pytest.mark.slow, pytest.mark.modem]

CONFIG = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{secret: "${{AMI_SECRET}}"}}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{{gateways}}}
storage: "{folder}/textbackd.db"
"""
IMEI, TO = "004999010640000", "+13035550126"


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[VirtualModem]:
    (tmp_path / "ports").mkdir()
    with VirtualModem(air=tmp_path / "air", link=tmp_path / "ports" / "usb-Stick-if02", quirks=Quirks()) as modem:
        yield modem


def configured(folder: Path, gateways: str) -> Path:
    path = folder / "textbackd.yaml"
    path.write_text(CONFIG.format(folder=folder, gateways=gateways))
    return path


@pytest.fixture
def config(tmp_path: Path, modem: VirtualModem) -> Path:
    return configured(tmp_path, f'stick: {{type: gsm_modem, port: "{modem.port}", pin: "${{PIN}}"}}')


def ports_of(modem: VirtualModem) -> list[str]:
    return ["--ports", f"{Path(modem.port).parent}/*"]


# ---- scan


def test_a_modem_is_told_in_one_line_with_what_to_write_down(shell: Shell, modem: VirtualModem) -> None:
    done = shell("modem", "scan", *ports_of(modem))
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == (
        f"{modem.port}: textbackd Virtual GSM modem, IMEI {IMEI}, SIM ready, registered Virtual 4G, −71 dBm, "
        "message centre +12063130004, 0 of 30 places for texts used"
    )
    assert f'  stick: {{type: gsm_modem, imei: "{IMEI}"}}' in done.out.splitlines()
    assert not any(command.startswith(("AT+CPIN=", "AT+CMG", "AT+CPMS=", "AT+CNMI")) for command in modem.commands)


def test_what_is_to_be_written_down_is_a_configuration(shell: Shell, modem: VirtualModem, tmp_path: Path) -> None:
    line = shell("modem", "scan", *ports_of(modem)).out.splitlines()[-1].strip()
    assert shell("check", "--config", configured(tmp_path, line)).code == 0


def test_the_json_has_what_was_found(shell: Shell, modem: VirtualModem) -> None:
    modem.quirks.registration = 2
    found = json.loads(shell("modem", "scan", "--json", *ports_of(modem)).out)
    (one,) = found["modems"]
    assert one == one | {"port": modem.port, "imei": IMEI, "sim": "READY", "pin_tries": 3, "smsc": "+12063130004"}
    assert one["condition"] == {
        "registration": "searching for a network", "operator": None, "technology": None, "signal_dbm": -71, "used": 0, "size": 30,
    }  # fmt: skip
    assert found["ports"] == []


@pytest.mark.parametrize(("quirks", "said"), [
    ({"sim": ""}, "SIM not ready: there is no SIM in the modem"),
    ({"pin": "0042"}, "SIM not ready: SIM PIN, 3 tries of the PIN left"),
    ({"registration": 3}, "refused by the network"),
    ({"signal": 99}, "signal not told"),
    ({"cmee": False}, f"IMEI {IMEI}"),
    ({"operator": "\x1b[2Jevil"}, "[2Jevil"),
])  # fmt: skip
def test_what_is_odd_about_a_modem_is_in_its_line(
    shell: Shell, modem: VirtualModem, quirks: dict[str, object], said: str
) -> None:
    for name, value in quirks.items():
        setattr(modem.quirks, name, value)
    modem.plug_in()
    done = shell("modem", "scan", *ports_of(modem))
    assert (done.code, done.err) == (0, "")
    assert said in done.out.splitlines()[0]
    assert all(line.isprintable() for line in done.out.splitlines())


def test_a_silent_port_and_one_that_is_not_there_are_told_as_such(shell: Shell, modem: VirtualModem) -> None:
    modem.quirks.silent = True
    done = shell("modem", "scan", *ports_of(modem))
    assert (done.code, done.err) == (1, "")
    assert f"{modem.port}: nothing answers AT" in done.out
    assert "No modem found." in done.out
    nothing = shell("modem", "scan", "--ports", "/nowhere/*")
    assert nothing.code == 1
    assert "There is no USB serial port." in nothing.out


def test_two_modems_get_two_names(shell: Shell, modem: VirtualModem, tmp_path: Path) -> None:
    with VirtualModem(link=tmp_path / "ports" / "other", quirks=Quirks(imei="004999010640018")):
        out = shell("modem", "scan", *ports_of(modem)).out
    assert '  stick1: {type: gsm_modem, imei: "004999010640018"}' in out
    assert f'  stick2: {{type: gsm_modem, imei: "{IMEI}"}}' in out


# ---- test


def test_the_modem_of_the_configuration_is_examined(shell: Shell, modem: VirtualModem, config: Path) -> None:
    modem.deliver("+13125550199", "an order")
    done = shell("modem", "test", "--config", config, PIN="0042")
    assert (done.code, done.err) == (0, "")
    assert "SIM ready, registered Virtual 4G" in done.out
    assert "The modem can send." in done.out
    assert modem.stored() == 1


def test_the_pin_is_given_once_and_a_wrong_one_never_again(shell: Shell, modem: VirtualModem, config: Path) -> None:
    modem.quirks.pin = "0042"
    modem.plug_in()
    for _ in range(2):
        done = shell("modem", "test", "--config", config, PIN="1111")
        assert done.code == 1
        assert "did not take the PIN" in done.sentence
    assert modem.pin_tries == 2
    assert shell("modem", "test", "--config", config, PIN="0042").code == 0


def test_a_text_is_sent_and_its_report_and_the_answer_are_waited_for(
    shell: Shell, modem: VirtualModem, config: Path
) -> None:
    modem.deliver(TO, "from before")
    answering = threading.Thread(target=lambda: answer(modem, config.parent / "air"))
    answering.start()
    done = shell("modem", "test", "--to", TO, "--wait", "20", "--config", config, PIN="0042")
    answering.join()
    assert (done.code, done.err) == (0, "")
    assert "Delivery report: delivered" in done.out
    assert "An answer came: “Yes, that works”. It works both ways." in done.out
    assert "from before" not in done.out
    assert [text.to for text in read_air(config.parent / "air")] == [TO]
    assert modem.stored() == 2


def answer(modem: VirtualModem, air: Path) -> None:
    """Answer the first text, as the person with the phone does."""
    heard: list[OnAir] = []
    pause = threading.Event()
    while not heard and not pause.wait(0.05):
        heard = read_air(air)
    pause.wait(0.5)
    modem.deliver(TO, "Yes, that works")


@pytest.mark.parametrize(("quirks", "said"), [
    ({"report_status": None}, "Nothing came back."),
    ({"submit": "cms:28"}, "the network does not know the subscriber"),
    ({"registration": 3}, "The modem is refused by the network. Check antenna, SIM and contract."),
    ({"sim": ""}, "The modem cannot be used: there is no SIM in the modem."),
])  # fmt: skip
def test_what_does_not_work_ends_with_1(
    shell: Shell, modem: VirtualModem, config: Path, quirks: dict[str, object], said: str
) -> None:
    for name, value in quirks.items():
        setattr(modem.quirks, name, value)
    done = shell("modem", "test", "--to", TO, "--wait", "2", "--config", config, PIN="0042")
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_text_that_is_not_delivered_ends_with_1(shell: Shell, modem: VirtualModem, config: Path) -> None:
    modem.quirks.report_status = 0x43
    done = shell("modem", "test", "--to", TO, "--wait", "20", "--config", config, PIN="0042")
    assert done.code == 1
    assert "Delivery report: not obtainable (0x43)" in done.out


def test_while_the_daemon_runs_the_modem_is_not_touched(shell: Shell, modem: VirtualModem, config: Path) -> None:
    lock = only_one(config.parent / "textbackd.db")
    try:
        done = shell("modem", "test", "--config", config, PIN="0042")
    finally:
        os.close(lock)
    assert done.code == 1
    assert "Stop it first: systemctl stop textbackd" in done.sentence
    assert modem.commands == []


def test_a_modem_that_is_not_there_is_a_sentence(shell: Shell, tmp_path: Path) -> None:
    path = configured(tmp_path, "stick: {type: gsm_modem, port: /nowhere}")
    done = shell("modem", "test", "--config", path)
    assert done.code == 1
    assert "The modem cannot be reached: no such file or directory. Look for it: textbackd modem scan" in done.sentence


@pytest.mark.parametrize(("args", "said"), [
    pytest.param(["web"], "There is no modem 'web'", id="a gateway that is no modem"),
    pytest.param([], "Which modem? The configuration has a, b.", id="two modems and no name"),
    pytest.param(["a", "--to", "Anna"], "is not a number that can be texted", id="no number"),
])  # fmt: skip
def test_wrong_usage_ends_with_2(shell: Shell, tmp_path: Path, args: list[str], said: str) -> None:
    modems = "a: {type: gsm_modem, port: /dev/null}, b: {type: gsm_modem, port: /dev/null}"
    path = configured(tmp_path, f'{modems}, web: {{type: http, url: "http://127.0.0.1:9/"}}')
    done = shell("modem", "test", *args, "--config", path)
    assert done.code == 2
    assert said in done.sentence


def test_a_secret_of_something_else_is_not_needed_but_that_of_the_pin_is(
    shell: Shell, modem: VirtualModem, config: Path
) -> None:
    done = shell("modem", "test", "--config", config)
    assert done.code == 1
    assert "gateways.stick.pin" in done.sentence
