"""A simulated PBX with desk phones, which answers Originate as a real one does (tests/lab/test_ring_back.py)."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.flow.office import until
from textbackd.config import Settings
from textbackd.demo.pbx import DemoPbx
from textbackd.flow.staff.ring_back import RingBack
from textbackd.pbx.client import AmiClient

QUEUED = {"Response": "Success", "Message": "Originate successfully queued"}
DENIED = {"Response": "Error", "Message": "Permission denied"}
ANSWERED, NOBODY, BUSY, NO_PHONE = "4", "3", "5", "0"


class DiallingPbx(DemoPbx):
    """Takes every Originate, unless it is told otherwise; what becomes of the phones a test says with `pick_up`."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: deque[dict[str, str]] = deque()
        self.calls: list[dict[str, str]] = []

    def _act(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if action.get("Action") != "Originate":
            super()._act(action, writer)
            return
        answer = self.answers.popleft() if self.answers else QUEUED
        if answer is QUEUED:
            self.calls.append(action)
        writer.write(_frame({**answer, "ActionID": action["ActionID"]}))

    def pick_up(self, call: dict[str, str], reason: str) -> None:
        """Tell what became of a phone."""
        response = "Success" if reason == ANSWERED else "Failure"
        said = {"Event": "OriginateResponse", "Privilege": "call,all", "ActionID": call["ActionID"]}
        self.send(_frame({**said, "Response": response, "Channel": call["Channel"], "Reason": reason}))


def _frame(block: dict[str, str]) -> bytes:
    return ("".join(f"{name}: {value}\r\n" for name, value in block.items()) + "\r\n").encode()


@asynccontextmanager
async def dialling(settings: Settings) -> AsyncIterator[tuple[DiallingPbx, RingBack]]:
    """Run a PBX and what rings its phones until the block ends."""
    pbx, ring_back = DiallingPbx(), RingBack(settings)
    await pbx.start()
    client = AmiClient(
        "office", host="127.0.0.1", port=pbx.port, username="textbackd", secret="demo", take=lambda _: None
    )
    ring_back.attach("office", client)
    connection = asyncio.create_task(client.run())
    try:
        await until(lambda: client.is_connected)
        yield pbx, ring_back
    finally:
        connection.cancel()
        await asyncio.wait({connection})
        await pbx.stop()
