"""Write what a PBX's manager sends into a file, byte by byte, until told to stop."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from textbackd.config import Settings
from textbackd.errors import TextbackdError
from textbackd.pbx.client import AmiClient, PbxState


def record_to(path: Path, settings: Settings, *, pbx: str, say: Callable[[str], None]) -> None:
    """Record until SIGINT or SIGTERM. Raises TextbackdError if the file cannot be written or the PBX refuses us."""
    try:
        with path.open("xb") as file:
            say(f"Recording {pbx} into {path}. Stop with Ctrl-C.")
            asyncio.run(_record(file, settings, pbx))
            say(f"{file.tell()} bytes recorded. See what they mean: textbackd replay {path}")
    except FileExistsError as error:
        raise TextbackdError(f"{path}: exists already. Choose another name.") from error
    except OSError as error:
        raise TextbackdError(f"{path}: cannot be written ({error.strerror}).") from error


async def _record(file: BinaryIO, settings: Settings, pbx: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    section = settings.pbx[pbx]
    client = AmiClient(
        pbx,
        host=section.host,
        port=section.port,
        username=section.username,
        secret=section.secret.get_secret_value(),
        take=lambda _: None,
        bytes_sink=lambda data: _write(file, data),
    )
    connection = asyncio.create_task(client.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            await asyncio.wait({stopping}, timeout=0.2)
            if client.state is PbxState.REFUSED:
                raise TextbackdError(client.complaint)
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
