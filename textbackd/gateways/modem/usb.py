"""What stands between a stick and its serial port: its mode, and ModemManager.   cli/modem.py → here → /sys, /proc

The names of the modes are usb_modeswitch's, whose data files list these IDs.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYS: Final = Path("/sys")
PROC: Final = Path("/proc")
HILINK: Final = (
    "is in HiLink mode: it is a router at http://192.168.8.1 and has no serial port. Switch it to stick mode with "
    "Huawei's firmware, or use another stick"
)
STORAGE: Final = (
    "shows itself as a CD-ROM with its drivers and not as a modem. Install usb-modeswitch and plug it in again"
)
ODD: Final = {
    "12d1:14db": HILINK,
    "12d1:14dc": HILINK,
    "12d1:1446": STORAGE,
    "12d1:14fe": STORAGE,
    "12d1:157d": STORAGE,
    "12d1:1f01": STORAGE,
    "19d2:2000": STORAGE,
    "1bbb:f000": STORAGE,
}
MODEM_MANAGER: Final = "ModemManager"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbPort:
    """The USB device that a serial port belongs to."""

    vendor: str  # "2c7c"
    product: str  # "0125"
    interface: str | None  # "02": which of the device's ports it is


def oddities(sys: Path = SYS) -> Iterator[str]:
    """Yield a sentence for each stick that is plugged in and cannot be used as it is."""
    for device in sorted((sys / "bus" / "usb" / "devices").glob("*")):
        found = f"{_read(device / 'idVendor')}:{_read(device / 'idProduct')}"
        if found in ODD:
            yield f"The stick {found} {ODD[found]}."


def usb_port(port: str, sys: Path = SYS) -> UsbPort | None:
    """Return the USB device behind a serial port; None for a port of the board, or one that is not there."""
    device = (sys / "class" / "tty" / Path(os.path.realpath(port)).name / "device").resolve()
    interface: str | None = None
    for folder in (device, *device.parents):
        interface = interface or _read(folder / "bInterfaceNumber")
        vendor, product = _read(folder / "idVendor"), _read(folder / "idProduct")
        if vendor and product:
            return UsbPort(vendor=vendor, product=product, interface=interface)
    return None


def modem_manager_runs(proc: Path = PROC) -> bool:
    """Return whether ModemManager runs, which opens every modem that it finds."""
    return any(_read(name) == MODEM_MANAGER for name in proc.glob("[0-9]*/comm"))


def udev_rule(port: UsbPort) -> str:
    """Return the line that keeps ModemManager away from this kind of stick; config/60-textbackd.rules has it at length."""
    return (
        f'SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", ATTR{{idVendor}}=="{port.vendor}", '
        f'ATTR{{idProduct}}=="{port.product}", ENV{{ID_MM_DEVICE_IGNORE}}="1"'
    )


def _read(path: Path) -> str | None:
    with suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace").strip()
    return None
