"""Talk to a call through FastAGI: what Asterisk tells of it, and commands one at a time.   Asterisk's AGI() → here → flow/feature_code.py

The other side is Asterisk on loopback, or whoever else gets there: nothing that it says is believed to be short or in order. pyst2's
AGI is not used: it takes SIGHUP for itself, which has our daemon read its configuration, and writes all keys that are pressed to stderr.
Source: docs.asterisk.org, "The Asterisk Gateway Interface (AGI)", and res/res_agi.c.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final

from textbackd.errors import TextbackdError

MOST_VARIABLES: Final = 200
LONGEST_LINE: Final = 4096  # bytes
KEYS: Final = {str(ord(key)): key for key in "0123456789*#"}  # as WAIT FOR DIGIT tells them; 0: none was pressed
_ANSWER: Final = re.compile(r"200 result=(-?\d*)(?: \((.*?)\))?(?: endpos=(\d+))?")


class Gone(TextbackdError):
    """The caller has hung up, or the other side is no Asterisk."""


class Agi:
    """One call that asks us something."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.variables: Mapping[str, str] = {}  # what Asterisk tells first, "agi_network_script" and so on

    async def begin(self) -> None:
        """Read what Asterisk tells of the call. Raises Gone."""
        told: dict[str, str] = {}
        while (line := await self._line()) != "":
            name, colon, value = line.partition(":")
            if not colon or len(told) >= MOST_VARIABLES:
                raise Gone("This is no AGI.")
            told[name] = value.strip()
        self.variables = told

    async def do(self, command: str) -> tuple[str, int]:
        """Have a command done; return its result and where a file that was played ended. Raises Gone."""
        self._writer.write(f"{command}\n".encode())
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise Gone("The call is over.") from error
        while (line := await self._line()) == "HANGUP":
            pass  # told once in between; the answer comes all the same
        found = _ANSWER.match(line)
        if found is None or found[1] == "-1":
            raise Gone(f"{command.split(maxsplit=1)[0]} was not done.")
        return found[1], int(found[3] or 0)

    async def _line(self) -> str:
        try:
            line = await self._reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
            raise Gone("The call is over.") from error
        return line.decode("utf-8", "replace").rstrip("\r\n")

    # ---- what we say and ask

    async def say(self, sound: str, tones: str) -> None:
        """Play a sound of Asterisk's core sounds, or tones where it has none."""
        _, ended = await self.do(f'STREAM FILE {sound} ""')
        if ended == 0:
            await self.do(f'EXEC Playtones "{tones}"')
            await self.do("EXEC Wait 1")

    async def digits(self, most: int, patience: float) -> str:
        """Return the digits that are pressed until # or until none comes for so many seconds."""
        pressed = ""
        while len(pressed) < most:
            code, _ = await self.do(f"WAIT FOR DIGIT {round(patience * 1000)}")
            key = KEYS.get(code, "#")
            if key == "#":
                break
            pressed += key
        return pressed
