"""One connection to a message bus, and calls to ModemManager on it.   gateways/modemmanager.py → here → D-Bus

dbus-fast speaks the protocol. What it leaves open is closed here: a call ends in an answer, an error by its D-Bus name, or the word
whether it may have been heard.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from dbus_fast import BusType, DBusError, InvalidAddressError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, InvalidMessageError, SignatureBodyMismatchError

from textbackd.errors import TextbackdError
from textbackd.gateways.mm.verdicts import BUS

NAME: Final = "org.freedesktop.ModemManager1"
ROOT: Final = "/org/freedesktop/ModemManager1"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
OBJECTS: Final = "org.freedesktop.DBus.ObjectManager"
ANSWER: Final = timedelta(seconds=25)  # what libdbus waits by default
Properties = Mapping[str, Any]


class CallFailed(TextbackdError):
    """A call was answered with an error, or not at all; `name` is the error's D-Bus name."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name


class Bus:
    """A connection; `address` None is the machine's system bus."""

    def __init__(self, address: str | None, on_signal: Callable[[], None]) -> None:
        self._address, self._on_signal = address, on_signal
        self._bus: MessageBus | None = None

    @property
    def is_connected(self) -> bool:
        """Return whether a call would reach the bus."""
        return self._bus is not None and self._bus.connected

    async def connect(self) -> None:
        """Connect, and hear what ModemManager signals. Raises CallFailed."""
        try:
            bus = MessageBus(bus_address=self._address, bus_type=BusType.SYSTEM)
            self._bus = await bus.connect()
        except (OSError, AuthError, InvalidAddressError) as exc:
            raise CallFailed(f"{BUS}NoServer", f"the message bus cannot be reached: {exc}") from exc
        bus.add_message_handler(self._heard)
        for rule in (f"type='signal',sender='{NAME}'", f"type='signal',member='NameOwnerChanged',arg0='{NAME}'"):
            await self.call("AddMatch", "s", [rule], to="org.freedesktop.DBus", path="/org/freedesktop/DBus")

    def _heard(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL:
            self._on_signal()

    async def call(
        self,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        path: str,
        interface: str | None = None,
        to: str = NAME,
        within: timedelta = ANSWER,
    ) -> list[Any]:
        """Return what a method answers. Raises CallFailed, with `NoReply` if the call may have been heard and nothing came."""
        bus = self._bus
        if bus is None or not bus.connected:
            raise CallFailed(f"{BUS}ServiceUnknown", "there is no connection to the message bus")
        try:
            message = Message(to, path, interface or to, member, signature=signature, body=list(body))
            async with asyncio.timeout(within.total_seconds()):
                reply = await bus.call(message)
        except TimeoutError:
            raise CallFailed(f"{BUS}NoReply", "no answer came in time") from None
        except (SignatureBodyMismatchError, InvalidMessageError, UnicodeEncodeError) as exc:
            raise CallFailed(f"{BUS}InvalidArgs", "the bus cannot carry the text") from exc
        except (OSError, EOFError, DBusError) as exc:
            raise CallFailed(f"{BUS}NoReply", f"the message bus broke off: {exc}") from exc
        return _answer(reply)

    async def properties(self, path: str, interface: str) -> Properties:
        """Return an object's properties without their variants. Raises CallFailed."""
        return _plain((await self.call("GetAll", "s", [interface], path=path, interface=PROPERTIES))[0])

    async def objects(self) -> Mapping[str, Mapping[str, Properties]]:
        """Return all of ModemManager's objects with their interfaces and properties. Raises CallFailed."""
        found = (await self.call("GetManagedObjects", path=ROOT, interface=OBJECTS))[0]
        return {
            path: {interface: _plain(values) for interface, values in interfaces.items()}
            for path, interfaces in found.items()
        }

    async def owner(self) -> str:
        """Return ModemManager's own address on the bus, another one after each of its starts. Raises CallFailed."""
        found = await self.call("GetNameOwner", "s", [NAME], to="org.freedesktop.DBus", path="/org/freedesktop/DBus")
        return str(found[0])

    def close(self) -> None:
        """Let go of the bus."""
        if self._bus is not None:
            self._bus.disconnect()
        self._bus = None


def _answer(reply: Message | None) -> list[Any]:
    if reply is None:
        raise CallFailed(f"{BUS}NoReply", "no answer came")
    if reply.message_type is MessageType.ERROR:
        words = reply.body[0] if reply.body and isinstance(reply.body[0], str) else ""
        raise CallFailed(reply.error_name or f"{BUS}Failed", " ".join(words.split())[:200])
    return list(reply.body)


def _plain(values: Mapping[str, Any]) -> Properties:
    return {name: value.value if isinstance(value, Variant) else value for name, value in values.items()}
