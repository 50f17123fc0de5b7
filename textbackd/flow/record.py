"""Write what a PBX's manager sends into a file until told to stop: byte by byte, or anonymised on the way.

An anonymised recording never holds anything else: what is not shown is not written. A trace that exists already can be anonymised too.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from textbackd.config import Settings
from textbackd.core.trunk import Trunks
from textbackd.errors import TextbackdError
from textbackd.pbx.anonymise import Anonymiser
from textbackd.pbx.client import AmiClient, PbxState


def record_to(path: Path, settings: Settings, *, pbx: str, anonymised: bool, say: Callable[[str], None]) -> None:
    """Record until SIGINT or SIGTERM. Raises TextbackdError if the file cannot be written or the PBX refuses us."""
    anonymiser = _anonymiser(settings, pbx) if anonymised else None
    with _new_file(path) as file:
        say(f"Recording {pbx} into {path}. Stop with Ctrl-C.")
        asyncio.run(_record(file, settings, pbx, anonymiser.feed if anonymiser else bytes))
        say(f"{file.tell()} bytes recorded. See what they mean: textbackd replay {path}")
    if anonymiser is not None:
        _tell_own_numbers(anonymiser, settings, say)


def anonymise_trace(source: Path, path: Path, settings: Settings, *, pbx: str, say: Callable[[str], None]) -> None:
    """Write an anonymised copy of a trace. Raises TextbackdError if one cannot be read or the other not be written."""
    anonymiser = _anonymiser(settings, pbx)
    with _trace(source) as trace, _new_file(path) as file:
        for data in anonymiser.trace(trace):
            file.write(data)
        say(f"{file.tell()} bytes written. See what they mean: textbackd replay {path}")
    _tell_own_numbers(anonymiser, settings, say)


@contextmanager
def _trace(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise TextbackdError(
            f"{path}: cannot be read ({error.strerror}). Give the path of a recorded trace."
        ) from error
    with file:
        yield file


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("xb") as file:
            yield file
    except FileExistsError as error:
        raise TextbackdError(f"{path}: exists already. Choose another name.") from error
    except OSError as error:
        raise TextbackdError(f"{path}: cannot be written ({error.strerror}).") from error


def _anonymiser(settings: Settings, pbx: str) -> Anonymiser:
    section = settings.pbx[pbx]
    trunks = Trunks(section.trunks.contexts, section.trunks.channels)
    return Anonymiser(settings.business.country, trunks, ignored_contexts=section.ignore.contexts)


def _tell_own_numbers(anonymiser: Anonymiser, settings: Settings, say: Callable[[str], None]) -> None:
    """Say how the configuration's numbers read in the file: whoever replays it needs them there, and only we know them."""
    for number in sorted(settings.own_numbers()):
        if fictional := anonymiser.stands_for(number):
            say(f"{number} of the configuration is {fictional} in it.")


async def _record(file: BinaryIO, settings: Settings, pbx: str, shown: Callable[[bytes], bytes]) -> None:
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
        bytes_sink=lambda data: _write(file, shown(data)),
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
