"""The Asterisk side of FastAGI: a call to the feature code, from a phone that presses keys."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.flow.settings import configured
from tests.store.rows import NOON
from textbackd.flow.bell import Bell
from textbackd.flow.feature_code import FeatureCode
from textbackd.pbx.agi import LONGEST_LINE
from textbackd.store import halts
from textbackd.store.database import Store


@dataclass
class Dialled:
    """What one call heard and was told."""

    sounds: list[str] = field(default_factory=list)
    tones: int = 0
    state: str = ""
    said: str = ""
    over: bool = False  # the other side has ended it


@dataclass
class Dialling:
    """A feature code that can be dialled."""

    store: Store
    port: int
    sounds_installed: bool = True

    async def dial(self, script: str, *arguments: str, keys: str = "", phone: str = "PJSIP/101") -> Dialled:
        """Dial the code and press keys whenever one is waited for; `h` hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        told = {"agi_network": "yes", "agi_network_script": script, "agi_channel": f"{phone}-0000002a"}
        told |= {f"agi_arg_{n}": argument for n, argument in enumerate(arguments, 1)}
        writer.write("".join(f"{name}: {value}\n" for name, value in told.items()).encode() + b"\n")
        heard, pressed = Dialled(), deque(keys)
        while line := (await reader.readline()).decode().rstrip("\n"):
            if (answer := self._answer(line, heard, pressed)) is None:
                break
            writer.write(f"{answer}\n".encode())
        heard.over = not line
        writer.close()
        await writer.wait_closed()
        return heard

    def _answer(self, command: str, heard: Dialled, pressed: deque[str]) -> str | None:
        if command.startswith("WAIT FOR DIGIT"):
            key = pressed.popleft() if pressed else ""
            return None if key == "h" else f"200 result={ord(key) if key else 0}"
        if command.startswith("STREAM FILE") and self.sounds_installed:
            heard.sounds.append(command.split()[2])
            return "200 result=0 endpos=8000"
        heard.tones += command.startswith("EXEC Playtones")
        if command.startswith("SET VARIABLE TEXTBACKD_TEXTING"):
            heard.state = command.rsplit(maxsplit=1)[-1]
        if command.startswith("VERBOSE"):
            heard.said = command
        return "200 result=0 endpos=0" if command.startswith("STREAM FILE") else "HANGUP\n200 result=0"

    async def paused(self) -> dict[str | None, str]:
        """Return what is halted now, with the reason."""
        return {halt.line: halt.why for halt in await self.store.run(lambda db: halts.active(db, NOON))}


@asynccontextmanager
async def dialling(folder: Path, section: str = '{listen: "127.0.0.1:0"}', **sections: str) -> AsyncIterator[Dialling]:
    """Answer the code until the block ends."""
    settings = configured(feature_code=section, **sections)
    store = Store(folder / "textbackd.db")
    await store.open()
    code = FeatureCode(settings, store=store, clock=lambda: NOON, bell=Bell())
    server = await asyncio.start_server(code.take, "127.0.0.1", 0, limit=LONGEST_LINE)
    try:
        yield Dialling(store, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await store.close()
