"""A private message bus for as long as a block lasts, and a small ModemManager on it that misbehaves on demand.

The bus is Debian's dbus-daemon; as root it is installed when it is missing. Where that cannot be, the tests are skipped with the reason;
with CI=true that is a failure, never a skip.
"""

import os
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from textbackd.core.segments import segments
from textbackd.gateways.mm.bus import NAME, OBJECTS, PROPERTIES, ROOT

INSTALL_SECONDS: Final = 600
CONFIG: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""
MODEM_PATH: Final = f"{ROOT}/Modem/0"
SIM_PATH: Final = f"{ROOT}/SIM/0"
IMEI: Final = "490154203237518"


def install(program: str, package: str) -> None:
    """Install a Debian package unless its program is there; skip where that cannot be."""
    if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        cannot(f"{package} is not installed, and only root can install it")
    done = _apt_get("install", "-y", "--no-install-recommends", package)
    if done.returncode != 0:  # a fresh machine has no lists yet
        _apt_get("update")
        done = _apt_get("install", "-y", "--no-install-recommends", package)
    if done.returncode != 0:
        cannot(f"apt-get could not install {package}: {done.stderr.decode(errors='replace').strip()[-300:]}")


def _apt_get(*command: str) -> subprocess.CompletedProcess[bytes]:
    # In run level 1 Debian's packages do not start their services (invoke-rc.d(8)).
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    full = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *command]
    return subprocess.run(
        full, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=INSTALL_SECONDS, check=False
    )


def cannot(why: str) -> None:
    """Skip, or fail where everything has to run."""
    reason = f"NO MODEMMANAGER: {why}. Its tests did not run."
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@contextmanager
def message_bus() -> Iterator[str]:
    """Run a bus and yield its address."""
    install("dbus-daemon", "dbus")
    # Not below pytest's own folder: the path of a socket may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="textbackd-bus-"))
    (folder / "bus.conf").write_text(CONFIG.format(folder=folder))
    command = ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--print-address=1"]
    daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().decode().strip()
    finally:
        daemon.terminate()
        daemon.communicate(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


class SmallModemManager:
    """ModemManager with one modem, as its D-Bus reference describes what the gateway uses."""

    def __init__(self, address: str) -> None:
        self.sent: list[tuple[str, str]] = []
        self.calls: list[str] = []
        self.messages: dict[str, dict[str, Variant]] = {}
        self.send_script: deque[str | None] = deque()  # an error's name, or None for silence after taking
        self.create_error: str | None = None
        self.enable_error: str | None = None
        self.given: dict[str, Variant] = {}  # of the last text
        self.reference = 250  # of the last part that went out
        self.pin = "1234"
        self.modem: dict[str, Variant] = {
            "State": Variant("i", 8), "EquipmentIdentifier": Variant("s", IMEI), "Sim": Variant("o", SIM_PATH),
            "UnlockRequired": Variant("u", 1), "UnlockRetries": Variant("a{uu}", {2: 3}),
        }  # fmt: skip
        self._address, self._number = address, 0
        self._bus: MessageBus | None = None

    async def start(self) -> None:
        """Come up on the bus."""
        self._bus = await MessageBus(bus_address=self._address).connect()
        self._bus.add_message_handler(self._called)
        await self._bus.request_name(NAME)

    async def stop(self) -> None:
        """Go away, as a crash does."""
        if self._bus is not None:
            self._bus.disconnect()
        self._bus = None

    def changed(self, path: str = MODEM_PATH) -> None:
        """Signal that properties of an object are others now."""
        self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [f"{NAME}.Any", {}, []])

    def receive(self, **properties: Variant) -> str:
        """Let a text come in, complete unless `State` says otherwise."""
        usual = {"State": Variant("u", 3), "PduType": Variant("u", 1), "DeliveryState": Variant("u", 0x100)}
        path = self._new({**usual, **properties})
        self._signal(MODEM_PATH, f"{NAME}.Modem.Messaging", "Added", "ob", [path, True])
        return path

    def report(self, reference: str, number: str, state: int) -> str:
        """Tell what became of a part of a text, as an object of its own."""
        return self.receive(
            PduType=Variant("u", 3),
            MessageReference=Variant("u", int(reference)),
            Number=Variant("s", number),
            DeliveryState=Variant("u", state),
        )

    def _new(self, properties: dict[str, Variant]) -> str:
        path = f"{ROOT}/SMS/{self._number}"
        self._number += 1
        self.messages[path] = properties
        return path

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        if self._bus is not None:
            self._bus.send(Message.new_signal(path, interface, member, signature, body))

    # ---- calls

    def _called(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or not str(message.path).startswith(ROOT):
            return None
        member = str(message.member)
        self.calls.append(member)
        if message.path != ROOT and not self._exists(str(message.path)):
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "No such object path")
        answer: Callable[[Message], Message | bool] | None = getattr(self, f"_on_{member.lower()}", None)
        return answer(message) if answer else None

    def _exists(self, path: str) -> bool:
        return path in self.messages or (path in (MODEM_PATH, SIM_PATH) and bool(self.modem))

    def _on_getmanagedobjects(self, message: Message) -> Message:
        assert message.interface == OBJECTS
        messaging: dict[str, Any] = {f"{NAME}.Modem.Messaging": {}} if self.modem and self._state > 2 else {}
        objects = {MODEM_PATH: {f"{NAME}.Modem": self.modem, **messaging}} if self.modem else {}
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [objects])

    @property
    def _state(self) -> int:
        return int(self.modem["State"].value)

    def _on_enable(self, message: Message) -> Message:
        if self.enable_error is not None:
            return Message.new_error(message, self.enable_error, "No")
        self.modem["State"] = Variant("i", 8)
        self.changed()
        return Message.new_method_return(message)

    def _on_sendpin(self, message: Message) -> Message:
        if message.body[0] != self.pin:
            self.modem["UnlockRetries"] = Variant("a{uu}", {2: self.modem["UnlockRetries"].value[2] - 1})
            self.changed()
            return Message.new_error(message, f"{NAME}.Error.MobileEquipment.IncorrectPassword", "Incorrect password")
        self.modem |= {"State": Variant("i", 8), "UnlockRequired": Variant("u", 1)}
        self.changed()
        return Message.new_method_return(message)

    def _on_list(self, message: Message) -> Message:
        return Message.new_method_return(message, "ao", [list(self.messages)])

    def _on_getall(self, message: Message) -> Message:
        return Message.new_method_return(message, "a{sv}", [self.messages[str(message.path)]])

    def _on_create(self, message: Message) -> Message:
        if self.create_error is not None:
            return Message.new_error(message, self.create_error, "No")
        self.given = message.body[0]
        properties = {"State": Variant("u", 0), "Number": self.given["number"], "Text": self.given["text"]}
        return Message.new_method_return(message, "o", [self._new(properties)])

    def _on_delete(self, message: Message) -> Message:
        self.messages.pop(message.body[0], None)
        return Message.new_method_return(message)

    def _on_send(self, message: Message) -> Message | bool:
        scripted = self.send_script.popleft() if self.send_script else ""
        if scripted:
            return Message.new_error(message, scripted, "No")
        sms = self.messages[str(message.path)]
        self.sent.append((sms["Number"].value, sms["Text"].value))
        if scripted is None:
            return True
        self.reference = (self.reference + segments(sms["Text"].value).count) % 256
        sms |= {"State": Variant("u", 5), "PduType": Variant("u", 2), "MessageReference": Variant("u", self.reference)}
        return Message.new_method_return(message)
