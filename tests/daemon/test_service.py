"""The daemon as systemd sees it: what it tells through sd_notify(3), and what SIGHUP does."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.faults.process import CONFIG, PROGRAM
from tests.flow.office import TRACES, until
from tests.gateways.sink import HttpSink
from textbackd.demo.pbx import DemoPbx

pytestmark = pytest.mark.slow


class Systemd:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.told: list[str] = []

    def heard(self, words: str) -> bool:
        """Return whether some line that was told begins like this."""
        while True:
            try:
                self.told += self._socket.recv(65536).decode().splitlines()
            except BlockingIOError:
                return any(line.startswith(words) for line in self.told)

    def close(self) -> None:
        self._socket.close()


async def test_the_service_tells_how_it_is_and_how_a_reload_went(tmp_path: Path) -> None:
    systemd, pbx, file = Systemd(tmp_path / "notify"), DemoPbx(), tmp_path / "textbackd.yaml"
    await pbx.start()
    async with HttpSink() as sink:
        good = CONFIG.format(
            ami=pbx.port, folder=tmp_path, gateways=f'web: {{type: http, url: "{sink.url}", rate: 600/min}}'
        )
        file.write_text(good)
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *("run", "--config", str(file)),
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await until(lambda: systemd.heard("READY=1"))
            await pbx.logged_in.wait()
            await pbx.play(TRACES / "direct_noanswer.ami", pause=lambda _: 0.0)
            await until(lambda: systemd.heard("STATUS=1 call missed today, 1 texted; office connected, web up"))

            systemd.told.clear()
            file.write_text(good.replace("US", "ZZ").replace("600/min", "often"))
            process.send_signal(signal.SIGHUP)
            await until(lambda: systemd.heard("READY=1"))
            assert systemd.told[0] == "RELOADING=1"
            assert systemd.heard(
                "STATUS=1 call missed today, 1 texted; office connected, web up; the new configuration has 2"
            )

            systemd.told.clear()
            file.write_text(good)
            process.send_signal(signal.SIGHUP)
            await until(lambda: systemd.heard("READY=1"))
            assert systemd.heard("STATUS=1 call missed today, 1 texted; office connected, web up")
            assert not any("fault" in line for line in systemd.told)

            await pbx.stop()
            await until(lambda: systemd.heard("STATUS=degraded: 1 call missed today, 1 texted; office away, web up"))
        finally:
            process.terminate()
            _, log = await process.communicate()
            systemd.heard("")
            systemd.close()
    assert "STOPPING=1" in systemd.told
    told = log.decode()
    assert f"{file}:2: business.country: " in told
    assert "gateways.web.rate: " in told
    assert "the new configuration has 2 faults; the one from " in told
