"""A running daemon whose configuration file a test writes anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flow.office import Office, until
from textbackd.config import load, resolve_secrets
from textbackd.daemon import Daemon
from textbackd.demo.pbx import DemoPbx

SECTIONS = {
    "business": "{name: Anderson Roofing, country: US, timezone: America/Denver}",
    "lines": '{main: {dids: ["*"], texts: {missed: "One."}}}',
    "policy": "{min_wait: 0s, delay: 0s, caps: off, brake: off}",
    "web": '{listen: "127.0.0.1:0"}',
}


@dataclass(slots=True)
class Living(Office):
    """The running pieces of one test."""

    daemon: Daemon
    sections: dict[str, str]

    def write_file(self, **sections: str) -> None:
        """Write the configuration, with these sections instead of those of before."""
        self.sections.update(sections)
        file = self.folder / "textbackd.yaml"
        file.write_text("".join(f"{name}: {text}\n" for name, text in self.sections.items()))

    async def reload(self, **sections: str) -> None:
        """Have a changed configuration come into force."""
        before = self.daemon.vitals
        self.write_file(**sections)
        self.daemon.reload()
        await until(lambda: self.daemon.vitals is not before)

    def words(self, text: str) -> dict[str, str]:
        """Return the sections that let a missed call be answered in these words."""
        return {"lines": f'{{main: {{dids: ["*"], texts: {{missed: "{text}"}}}}}}'}


@asynccontextmanager
async def living(folder: Path, gateways: str, pbx: DemoPbx | None = None, **sections: str) -> AsyncIterator[Living]:
    """Run a daemon until the block ends; what it raised is raised here."""
    pbx = pbx or DemoPbx()
    await pbx.start()
    usual = {"pbx": f"{{office: {{host: 127.0.0.1, port: {pbx.port}, secret: demo}}}}", "gateways": f"{{{gateways}}}"}
    written = {**SECTIONS, **usual, "storage": f'"{folder}/textbackd.db"', **sections}
    file = folder / "textbackd.yaml"
    file.write_text("".join(f"{name}: {text}\n" for name, text in written.items()))
    daemon = Daemon(resolve_secrets(load(file)), read=lambda: resolve_secrets(load(file)))
    shop = Living(pbx, folder, asyncio.Event(), daemon, written)
    task = asyncio.create_task(daemon.run(shop.stop))
    try:
        await until(lambda: pbx.listeners > 0 or task.done())
        yield shop
    finally:
        shop.stop.set()
        await task
        await pbx.stop()
