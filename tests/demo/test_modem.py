"""The virtual modem by itself: what is on air is on the disk before it is answered, and it can be killed, unplugged and told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from textbackd.demo.modem import VirtualModem
from textbackd.demo.modem_air import OnAir, read_air
from textbackd.gateways.modem.pdu import submit_pdus

pytestmark = pytest.mark.modem

PDU = submit_pdus(to="+13035550126", body="hello", reference=1, smsc=None, valid_for=None, report=False)[0]
PATIENCE = 10.0


@contextmanager
def open_port(path: str) -> Iterator[serial.Serial]:
    with serial.Serial(path, timeout=0.3) as port:
        yield port


def ask(port: serial.Serial, command: str, end: bytes = b"OK\r\n") -> str:
    port.write(command.encode() + b"\r")
    return read_until(port, end)


def read_until(port: serial.Serial, end: bytes) -> str:
    answer, until = b"", time.monotonic() + PATIENCE
    while end not in answer and time.monotonic() < until:
        answer += port.read(1)
    return answer.decode("latin-1")


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[VirtualModem]:
    with VirtualModem(air=tmp_path / "air", link=tmp_path / "port") as modem:
        yield modem


def test_a_text_is_on_the_disk_before_it_is_answered(modem: VirtualModem, tmp_path: Path) -> None:
    with open_port(modem.port) as port:
        ask(port, f"AT+CMGS={PDU.length}", b"> ")
        port.write(PDU.hex.encode() + b"\x1a")
        assert "+CMGS: 1\r\n" in read_until(port, b"OK\r\n")
        (text,) = read_air(tmp_path / "air")
    assert (text.to, text.body, text.number, text.total, text.message_reference) == ("+13035550126", "hello", 1, 1, 1)


def test_whoever_listens_is_told_what_is_on_air(tmp_path: Path) -> None:
    heard: list[OnAir] = []
    with VirtualModem(link=tmp_path / "port", on_air=heard.append) as modem, open_port(modem.port) as port:
        ask(port, f"AT+CMGS={PDU.length}", b"> ")
        port.write(PDU.hex.encode() + b"\x1a")
        read_until(port, b"OK\r\n")
    assert [text.body for text in heard] == ["hello"]


@pytest.mark.parametrize(("command", "answer"), [
    ("AT", "\r\nOK\r\n"),
    ("AT+CMGF=1", "\r\nERROR\r\n"),
    ("AT+NOSUCH", "\r\nERROR\r\n"),
    ("hello", "\r\nERROR\r\n"),
    ("AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n"),
    ("AT+CMGL=4", "\r\nOK\r\n"),
    ("AT+CMGR=1", "\r\n+CMS ERROR: 321\r\n"),
    ('AT+CPMS="XX"', "\r\n+CMS ERROR: 302\r\n"),
    ("AT+CGSN", "\r\n004999010640000\r\n\r\nOK\r\n"),
])  # fmt: skip
def test_it_answers_as_the_standard_says(modem: VirtualModem, command: str, answer: str) -> None:
    with open_port(modem.port) as port:
        ask(port, "ATE0")
        ask(port, "AT+CMEE=1")
        port.write(command.encode() + b"\r")
        assert read_until(port, answer.encode()) == answer


def test_it_echoes_until_it_is_told_not_to(modem: VirtualModem) -> None:
    with open_port(modem.port) as port:
        assert ask(port, "AT") == "AT\r\r\nOK\r\n"
        ask(port, "ATE0")
        assert ask(port, "AT") == "\r\nOK\r\n"


@pytest.mark.parametrize("pdu", [PDU.hex[:-2], PDU.hex + "00", "", "zz"])
def test_a_pdu_of_another_length_than_announced_is_not_put_on_air(
    modem: VirtualModem, tmp_path: Path, pdu: str
) -> None:
    with open_port(modem.port) as port:
        ask(port, "AT+CMEE=1")
        ask(port, f"AT+CMGS={PDU.length}", b"> ")
        port.write(pdu.encode() + b"\x1a")
        assert "+CMS ERROR: 304" in read_until(port, b"304\r\n")
    assert read_air(tmp_path / "air") == []


def test_escape_leaves_the_prompt_and_nothing_is_on_air(modem: VirtualModem, tmp_path: Path) -> None:
    with open_port(modem.port) as port:
        ask(port, f"AT+CMGS={PDU.length}", b"> ")
        port.write(PDU.hex.encode() + b"\x1b")
        read_until(port, b"OK\r\n")
        assert "OK" in ask(port, "AT")
    assert read_air(tmp_path / "air") == []


def test_a_text_that_comes_in_is_announced_and_read_and_deleted(modem: VirtualModem) -> None:
    with open_port(modem.port) as port:
        ask(port, "AT+CNMI=2,1,0,0,0")
        modem.deliver("+13125550199", "hello")
        assert read_until(port, b",1\r\n").endswith('+CMTI: "SM",1\r\n')
        assert "+CMGL: 1,0,," in ask(port, "AT+CMGL=4")
        assert "+CMGL: 1,1,," in ask(port, "AT+CMGL=4"), "it counts as read now"
        ask(port, "AT+CMGD=1")
        assert modem.stored() == 0


def test_plugged_in_again_it_has_another_terminal_behind_the_same_link(modem: VirtualModem, tmp_path: Path) -> None:
    held = os.open("/dev/ptmx", os.O_RDWR)  # so that the number of the old terminal is not given again by chance
    link = tmp_path / "port"
    before = link.readlink()
    with open_port(modem.port) as port:
        modem.deliver("+13125550199", "hello")
        modem.unplug()
        assert not link.is_symlink()
        with pytest.raises(serial.SerialException):
            port.read(1)
    modem.plug_in()
    os.close(held)
    assert link.is_symlink()
    assert link.readlink().exists() or before.exists()
    with open_port(modem.port) as port:
        assert "+CMGL: 1" in ask(port, "AT+CMGL=4"), "what was on the SIM is still there"


def test_stopped_it_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 (a set of names is wanted)
    with VirtualModem(link=tmp_path / "port"):
        pass
    assert list(tmp_path.iterdir()) == []
    assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@contextmanager
def process(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    link, air, control = folder / "port", folder / "air", folder / "control"
    places = ("--link", str(link), "--air", str(air), "--control", str(control))
    command = [sys.executable, "-m", "textbackd.demo.modem", *places, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert b"virtual modem on" in started.stdout.readline()
        wait_for(control.exists)
        try:
            yield started
        finally:
            started.terminate()


def test_on_its_own_it_obeys_its_pipe_and_ends_cleanly(tmp_path: Path) -> None:
    with process(tmp_path, "--next", "cms:38", "--no-echo") as running, open_port(str(tmp_path / "port")) as port:
        ask(port, "AT+CMEE=1")
        ask(port, f"AT+CMGS={PDU.length}", b"> ")
        port.write(PDU.hex.encode() + b"\x1a")
        assert "+CMS ERROR: 38" in read_until(port, b"38\r\n")
        tell(tmp_path, {"from": "+13125550199", "text": "hello"}, {"quirks": {"submits": ["error"]}})
        wait_for(lambda: "+CMGL: 1" in ask(port, "AT+CMGL=4"))
        ask(port, f"AT+CMGS={PDU.length}", b"> ")
        port.write(PDU.hex.encode() + b"\x1a")
        assert "\r\nERROR\r\n" in read_until(port, b"ERROR\r\n")
        tell(tmp_path, {"stop": True})
        assert running.wait(PATIENCE) == 0
    assert not (tmp_path / "port").is_symlink()


def tell(folder: Path, *orders: dict[str, object]) -> None:
    with (folder / "control").open("w") as pipe:
        pipe.writelines(json.dumps(order) + "\n" for order in orders)


def test_killed_after_taking_a_text_it_has_it_in_its_log(tmp_path: Path) -> None:
    with process(tmp_path, "--after-air", "60") as running, open_port(str(tmp_path / "port")) as port:
        ask(port, f"AT+CMGS={PDU.length}", b"> ")
        port.write(PDU.hex.encode() + b"\x1a")
        wait_for(lambda: len(read_air(tmp_path / "air")) == 1)
        running.send_signal(signal.SIGKILL)
