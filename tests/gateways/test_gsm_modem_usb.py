"""What stands between a stick and its port, read from a /sys and a /proc of the test's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from textbackd.gateways.modem.scan import holder_of
from textbackd.gateways.modem.usb import UsbPort, modem_manager_runs, oddities, udev_rule, usb_port

ROOT = Path(__file__).parents[2]


def plugged(sys: Path, name: str, vendor: str, product: str) -> Path:
    """Plug a device into the USB of `sys`, and return its folder."""
    device = sys / "bus" / "usb" / "devices" / name
    device.mkdir(parents=True)
    (device / "idVendor").write_text(f"{vendor}\n")
    (device / "idProduct").write_text(f"{product}\n")
    return device


@pytest.mark.parametrize(("vendor", "product", "said"), [
    ("12d1", "14dc", "HiLink mode"), ("12d1", "14db", "http://192.168.8.1"), ("12d1", "1f01", "Install usb-modeswitch"),
    ("19d2", "2000", "CD-ROM"),
])  # fmt: skip
def test_a_stick_in_the_wrong_mode_is_told_with_what_to_do(
    tmp_path: Path, vendor: str, product: str, said: str
) -> None:
    plugged(tmp_path, "1-1", vendor, product)
    (sentence,) = oddities(tmp_path)
    assert sentence.startswith(f"The stick {vendor}:{product} ")
    assert said in sentence
    assert sentence.endswith(".")


def test_other_devices_and_hubs_are_not_odd(tmp_path: Path) -> None:
    plugged(tmp_path, "1-1", "2c7c", "0125")
    (tmp_path / "bus" / "usb" / "devices" / "1-0:1.0").mkdir()
    assert list(oddities(tmp_path)) == []
    assert list(oddities(tmp_path / "none")) == []


def test_the_device_behind_a_port_and_which_of_its_ports_it_is(tmp_path: Path) -> None:
    interface = plugged(tmp_path, "1-1", "2c7c", "0125") / "1-1:1.2"
    (interface / "ttyUSB2").mkdir(parents=True)
    (interface / "bInterfaceNumber").write_text("02\n")
    (tmp_path / "class" / "tty" / "ttyUSB2").mkdir(parents=True)
    (tmp_path / "class" / "tty" / "ttyUSB2" / "device").symlink_to(interface / "ttyUSB2")
    link = tmp_path / "usb-Quectel"
    link.symlink_to("/dev/ttyUSB2")
    assert usb_port(str(link), tmp_path) == UsbPort(vendor="2c7c", product="0125", interface="02")
    assert usb_port("/dev/ttyS0", tmp_path) is None


def test_the_line_for_udev_is_that_of_the_rules_file_with_the_stick_s_own_id() -> None:
    lines = (ROOT / "config" / "60-textbackd.rules").read_text("utf-8").splitlines()
    assert f"#{udev_rule(UsbPort(vendor='2c7c', product='0125', interface='02'))}" in lines


def test_the_rules_file_as_installed_takes_no_modem_from_anybody() -> None:
    lines = (ROOT / "config" / "60-textbackd.rules").read_text("utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def process(proc: Path, number: int, name: str, *opened: Path) -> None:
    (proc / str(number) / "fd").mkdir(parents=True)
    (proc / str(number) / "comm").write_text(f"{name}\n")
    for handle, path in enumerate(opened):
        (proc / str(number) / "fd" / str(handle)).symlink_to(path)


def test_modem_manager_is_seen(tmp_path: Path) -> None:
    process(tmp_path, 7, "bash")
    assert not modem_manager_runs(tmp_path)
    process(tmp_path, 612, "ModemManager")
    assert modem_manager_runs(tmp_path)


def test_who_has_a_port_open_is_told_by_name(tmp_path: Path) -> None:
    proc, port, link = tmp_path / "proc", tmp_path / "ttyUSB2", tmp_path / "usb-Quectel"
    port.touch()
    link.symlink_to(port)
    process(proc, 7, "bash", tmp_path / "other")
    process(proc, os.getpid(), "ourselves", port)
    assert holder_of(str(link), proc) is None
    process(proc, 612, "Modem\x1bManager", tmp_path / "other", port)
    assert holder_of(str(link), proc) == "ModemManager (process 612)"


# A /dev/pts of its own, as a container has it, in which a process holds the terminal of the same name.
ELSEWHERE = """
import os, sys
names = [os.ttyname(os.openpty()[1]) for _ in range(32)]
held = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
os.set_inheritable(held, True)
os.execvp("sh", ["sh", "-c", "echo held; read _"])
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a /dev/pts")
def test_a_container_that_has_a_terminal_of_the_same_name_open_is_not_the_holder() -> None:
    ours, end = os.openpty()
    port = os.ttyname(end)
    inside = (
        f"mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && exec {sys.executable} -c '{ELSEWHERE}' {port}"
    )
    command = ["unshare", "--mount", "sh", "-c", inside]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as container:
        assert container.stdout is not None
        try:
            if container.stdout.readline() != "held\n":
                pytest.skip("a mount namespace cannot be made here")
            assert holder_of(port) is None
        finally:
            container.communicate("\n", timeout=30)
            os.close(ours)
            os.close(end)
