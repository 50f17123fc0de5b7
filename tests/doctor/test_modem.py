"""The modem: facts → findings, the kernel's log, and a virtual modem that is asked."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flow.settings import configured
from textbackd.demo.modem import Quirks, VirtualModem
from textbackd.demo.modem_air import read_air
from textbackd.doctor.findings import Severity
from textbackd.doctor.kernel_log import KernelLog, judge_records, read_kernel_log
from textbackd.doctor.modem import Modem, Sticks, gather, judge
from textbackd.doctor.service import Running, Sample
from textbackd.gateways.modem.condition import Registration

WELL = Modem(
    name="stick", port="/dev/ttyUSB2", imei=None, registration=Registration.HOME, signal_dbm=-71, used=1, size=30
)
RULE = 'SUBSYSTEM=="usb", ATTR{idVendor}=="2c7c"'


@pytest.mark.parametrize(
    ("changes", "said", "line"),
    [
        pytest.param({}, "", "", id="nothing is wrong"),
        pytest.param({"is_there": False}, "/dev/ttyUSB2 is not there", "lsusb", id="unplugged"),
        pytest.param({"is_there": False, "port": None}, "No modem is plugged in", "lsusb", id="none plugged in"),
        pytest.param(
            {"held_by": "ModemManager (process 7)"}, "held by ModemManager", "systemctl stop ModemManager", id="held"
        ),
        pytest.param(
            {"error": "The modem cannot be reached."}, "cannot be reached", "textbackd modem scan", id="silent"
        ),
        pytest.param(
            {"group": "uucp", "user_groups": frozenset({"dialout"})},
            "may not open",
            "usermod -aG uucp textbackd",
            id="group",
        ),
        pytest.param({"group": "dialout", "user_groups": frozenset({"dialout"})}, "", "", id="the usual group"),
        pytest.param(
            {"sim": "SIM PIN", "registration": None}, "none is configured", "pin: file:sim.pin", id="PIN missing"
        ),
        pytest.param({"sim": "SIM PUK", "registration": None}, "not ready: SIM PUK", "textbackd modem scan", id="PUK"),
        pytest.param(
            {"registration": Registration.DENIED}, "refused by the network", "textbackd modem test stick", id="denied"
        ),
        pytest.param({"registration": Registration.ROAMING}, "", "", id="roaming"),
        pytest.param({"signal_dbm": -109}, "signal is weak (-109 dBm)", "textbackd modem scan", id="weak"),
        pytest.param({"used": 25}, "25 of 30 places", "systemctl status textbackd", id="storage"),
        pytest.param({"state": "down", "told": "searching for a network"}, "It is searching", "journalctl", id="down"),
        pytest.param({"state": "paused"}, "waits for a person", "journalctl", id="paused"),
        pytest.param({"state": "up"}, "", "", id="up"),
        pytest.param({"resets": 4}, "bring the modem back 4 times", "journalctl", id="resets"),
    ],
)
def test_a_modem_is_judged(changes: dict[str, Any], said: str, line: str) -> None:
    found = list(judge(Sticks(modems=[replace(WELL, **changes)])))
    assert len(found) == (1 if said else 0)
    if said:
        assert said in found[0].what
        assert any(done.startswith(line) for done in found[0].do)


@pytest.mark.parametrize(
    ("holder", "commands"),
    [
        pytest.param("ModemManager (process 7)", ("systemctl stop ModemManager",), id="ModemManager"),
        pytest.param("gammu-smsd (process 7)", ("systemctl stop gammu-smsd",), id="Gammu"),
        pytest.param("smsd (process 7)", ("systemctl stop smstools",), id="SMS Server Tools"),
        pytest.param("bearerbox (process 7)", ("systemctl stop kannel",), id="Kannel"),
        pytest.param("python3 (process 7)", ("ps -fp 7",), id="a program without a unit that we know"),
        pytest.param("two words (process 71)", ("ps -fp 71",), id="a name of two words"),
    ],
)
def test_a_port_is_let_go_by_the_unit_of_its_holder_and_no_unit_is_invented(
    holder: str, commands: tuple[str, ...]
) -> None:
    (found,) = judge(Sticks(modems=[replace(WELL, held_by=holder)]))
    assert found.do == commands


def test_asterisk_is_never_stopped_for_a_modem_that_its_driver_has() -> None:
    (found,) = judge(Sticks(modems=[replace(WELL, held_by="asterisk (process 7)")]))
    assert not any("systemctl" in line for line in found.do)
    assert any("dongle.conf" in line and "quectel.conf" in line for line in found.do)
    assert "asterisk_dongle" in " ".join(found.do)


def test_a_pin_that_is_configured_is_left_to_the_daemon() -> None:
    (found,) = judge(Sticks(modems=[replace(WELL, sim="SIM PIN", has_pin=True, registration=None)]))
    assert found.severity is Severity.NOTE


def test_modem_manager_is_kept_away_by_the_rule_for_the_stick() -> None:
    (found,) = judge(Sticks(modems=[WELL], modem_manager=True, rules=[RULE]))
    assert RULE in found.do
    assert list(judge(Sticks(modems=[WELL], modem_manager=True))) == []


@pytest.mark.parametrize(
    ("stick", "line"),
    [
        pytest.param(
            "The stick 12d1:1f01 shows itself as a CD-ROM", "usb_modeswitch -v 12d1 -p 1f01 -M 5553", id="Huawei"
        ),
        pytest.param(
            "The stick 19d2:2000 shows itself as a CD-ROM", "usb_modeswitch -v 19d2 -p 2000 -K", id="another vendor"
        ),
        pytest.param("The stick 12d1:14db is in HiLink mode", "# /etc/usb_modeswitch.d/12d1:1f01", id="a router"),
    ],
)
def test_a_stick_in_another_mode_is_told_only_where_a_modem_is_missed(stick: str, line: str) -> None:
    assert list(judge(Sticks(modems=[WELL], oddities=[stick]))) == []
    found = [*judge(Sticks(modems=[replace(WELL, is_there=False)], oddities=[stick]))]
    assert any(done.startswith(line) for done in found[0].do)


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        (KernelLog(Counter({"1-1.2": 3}), 0), "USB socket 1-1.2 went away 3 times"),
        (KernelLog(Counter({"1-1.2": 2}), 0), ""),
        (KernelLog(Counter(), 1), "too little power 1 times"),
    ],
)
def test_power_is_judged_by_what_the_kernel_says(kernel: KernelLog, said: str) -> None:
    found = list(judge(Sticks(modems=[WELL], kernel=kernel)))
    assert [said in one.what for one in found] == ([True] if said else [])


def record(seconds: float, text: str) -> str:
    return f"6,100,{int(seconds * 1e6)},-;{text}\n SUBSYSTEM=usb\n"


@pytest.mark.parametrize(
    ("records", "unplugged", "power"),
    [
        ([record(90_000, "usb 1-1.2: USB disconnect, device number 5")], {"1-1.2": 1}, 0),
        ([record(10, "usb 1-1.2: USB disconnect, device number 5")], {}, 0),
        ([record(90_000, "hwmon hwmon1: Undervoltage detected!")], {}, 1),
        ([record(90_000, "usb 1-1: new high-speed USB device"), "nonsense", ""], {}, 0),
    ],
)
def test_the_kernel_log_of_the_last_day_counts(records: Sequence[str], unplugged: dict[str, int], power: int) -> None:
    told = judge_records(records, now=timedelta(seconds=100_000))
    assert (dict(told.unplugged), told.power) == (unplugged, power)


def test_a_kernel_log_that_may_not_be_read_tells_nothing(tmp_path: Path) -> None:
    assert read_kernel_log(tmp_path / "kmsg") == KernelLog()


def test_the_daemon_tells_of_the_modem_that_it_has() -> None:
    samples = (
        Sample("textbackd_gateway_signal_dbm", {"gateway": "stick"}, -107.0),
        Sample("textbackd_gateway_recovery_radio_total", {"gateway": "stick"}, 3.0),
        Sample("textbackd_gateway_info", {"gateway": "stick", "registration": "searching for a network"}, 1.0),
    )
    settings = configured()
    sticks = gather(settings, running=Running(gateways={"stick": "down"}, samples=samples), kernel=KernelLog())
    (told,) = sticks.modems
    assert (told.state, told.signal_dbm, told.resets) == ("down", -107.0, 3.0)
    assert told.told == "searching for a network"


# ---- asked


@pytest.fixture
def virtual(tmp_path: Path) -> Iterator[VirtualModem]:
    with VirtualModem(air=tmp_path / "air", link=tmp_path / "port", quirks=Quirks()) as modem:
        yield modem


def asked(modem: VirtualModem) -> Modem:
    settings = configured(gateways=f'{{stick: {{type: gsm_modem, port: "{modem.port}"}}}}')
    (found,) = gather(settings, running=None, kernel=KernelLog()).modems
    return found


@pytest.mark.modem
def test_a_modem_that_nobody_has_is_asked_and_sends_nothing(virtual: VirtualModem, tmp_path: Path) -> None:
    found = asked(virtual)
    assert (found.error, found.sim, found.registration) == ("", "READY", Registration.HOME)
    assert found.size == 30
    assert read_air(tmp_path / "air") == []


@pytest.mark.modem
def test_a_modem_whose_sim_waits_for_a_pin_is_given_none(virtual: VirtualModem) -> None:
    virtual.quirks.pin = "1234"
    virtual.unplug()
    virtual.plug_in()
    found = asked(virtual)
    assert found.sim == "SIM PIN"
    assert [one.severity for one in judge(Sticks(modems=[found])) if "PIN" in one.what] == [Severity.FAULT]


@pytest.mark.modem
def test_a_silent_modem_is_told(virtual: VirtualModem) -> None:
    virtual.quirks.silent = True
    assert "cannot be reached" in asked(virtual).error
