"""Who is logged in to a queue is asked of the PBX when somebody is to be told; one that does not tell leaves it to the line."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.flow.office import until
from tests.flow.settings import configured
from tests.flow.telling import ANNA, BEN, telling
from textbackd.core.conversation import Happening
from textbackd.demo.pbx import DemoPbx
from textbackd.flow.staff.duty import Duty
from textbackd.pbx.client import AmiClient

STAFF = f'{{anna: {{mobile: "{ANNA}", phone: PJSIP/103}}, ben: {{mobile: "{BEN}", phone: PJSIP/104}}}}'
LINES = '{main: {dids: ["*"], queue: support}, other: {dids: ["+13035550199"]}}'
Block = dict[str, str]


def member(location: str, **more: str) -> Block:
    """A member as Asterisk 16 and 22 tell it (tests/lab/test_desk_phones.py)."""
    usual = {"Event": "QueueMember", "Queue": "support", "Name": "Carl", "Location": location}
    return {**usual, "StateInterface": location, "Membership": "dynamic", "Status": "1", "Paused": "0", **more}


class QueuePbx(DemoPbx):
    """A simulated PBX that has one queue."""

    def __init__(self, members: Sequence[Block], *, refuses: bool = False) -> None:
        super().__init__()
        self._members, self._refuses = members, refuses

    def _act(self, action: Block, writer: asyncio.StreamWriter) -> None:
        if action.get("Action") != "QueueStatus":
            super()._act(action, writer)
            return
        self.actions.append(action)
        for block in self._blocks(action["Queue"]):
            lines = "".join(f"{name}: {value}\r\n" for name, value in block.items())
            writer.write(f"{lines}ActionID: {action['ActionID']}\r\n\r\n".encode())

    def _blocks(self, queue: str) -> Iterator[Block]:
        if self._refuses:
            yield {"Response": "Error", "Message": "Permission denied"}
            return
        yield {"Response": "Success", "EventList": "start", "Message": "Queue status will follow"}
        if queue == "support":
            yield {"Event": "QueueParams", "Queue": "support", "Max": "0"}
            yield from self._members
        yield {"Event": "QueueStatusComplete", "EventList": "Complete", "ListItems": "1"}


@asynccontextmanager
async def connected(pbx: QueuePbx) -> AsyncIterator[dict[str, AmiClient]]:
    """Run a PBX and a client until the block ends."""
    await pbx.start()
    client = AmiClient(
        "office", host="127.0.0.1", port=pbx.port, username="textbackd", secret="demo", take=lambda _: None
    )
    task = asyncio.create_task(client.run())
    try:
        await until(lambda: client.is_connected)
        yield {"office": client}
    finally:
        task.cancel()
        await asyncio.wait({task})
        await pbx.stop()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param([member("PJSIP/103")], {"anna"}, id="one is logged in"),
        pytest.param([member("PJSIP/103"), member("PJSIP/104")], {"anna", "ben"}, id="both are"),
        pytest.param([member("PJSIP/103", Paused="1")], set(), id="a break is no log-in"),
        pytest.param([member("PJSIP/103", Status="5")], set(), id="a phone that is not registered is not there"),
        pytest.param([member("PJSIP/103", Status="2")], {"anna"}, id="a phone in use is"),
        pytest.param(
            [member("Local/104@from-queue/n", StateInterface="hint:104@ext-local")], {"ben"}, id="as FreePBX has it"
        ),
        pytest.param([member("PJSIP/103", Queue="sales")], set(), id="of another queue"),
        pytest.param([], set(), id="nobody"),
    ],
)
async def test_who_is_logged_in(members: list[Block], expected: set[str]) -> None:
    async with connected(QueuePbx(members)) as clients:
        duty = Duty(configured(staff=STAFF, lines=LINES), clients)
        found = await duty.logged_in("main")
    assert found is not None
    assert set(found) == expected


@pytest.mark.parametrize("line", ["other", "gone", None])
async def test_a_line_without_a_queue_is_not_asked_about(line: str | None) -> None:
    pbx = QueuePbx([member("PJSIP/103")])
    async with connected(pbx) as clients:
        assert await Duty(configured(staff=STAFF, lines=LINES), clients).logged_in(line) is None
        assert not [action for action in pbx.actions if action["Action"] == "QueueStatus"]


async def test_a_pbx_that_does_not_tell_leaves_it_to_the_line(tmp_path: Path) -> None:
    settings = configured(staff=STAFF, lines=LINES)
    async with connected(QueuePbx([], refuses=True)) as clients:
        assert await Duty(settings, clients).logged_in("main") is None
    assert await Duty(settings, clients).logged_in("main") is None
    async with connected(QueuePbx([])) as clients:
        nowhere = configured(staff=STAFF, lines='{main: {dids: ["*"], queue: nowhere}}')
        assert await Duty(nowhere, clients).logged_in("main") is None


async def test_a_pbx_is_asked_once_for_all_that_waits_and_not_for_what_nobody_is_told_of(tmp_path: Path) -> None:
    pbx = QueuePbx([member("PJSIP/103")])
    async with connected(pbx) as clients, telling(tmp_path, clients=clients, staff=STAFF, lines=LINES) as shop:
        await shop.happens(Happening.MISSED)
        asked = [action["Action"] for action in pbx.actions].count("QueueStatus")
        for words in ("first", "second", "third"):
            await shop.happens(words=words, hand_on=False)
        await shop.handoff.hand_on()
        assert [action["Action"] for action in pbx.actions].count("QueueStatus") - asked == 1
        assert asked == 0


async def test_a_text_goes_to_whoever_is_logged_in_at_that_moment(tmp_path: Path) -> None:
    members = [member("PJSIP/103")]
    async with (
        connected(QueuePbx(members)) as clients,
        telling(tmp_path, clients=clients, staff=STAFF, lines=LINES) as shop,
    ):
        await shop.happens(words="first")
        members[:] = [member("PJSIP/104")]
        await shop.happens(words="second")
        members.clear()
        await shop.happens(words="third")
        got = [(to, words.rpartition(": ")[2]) for to, words in await shop.texts()]
        assert got == [(ANNA, "first"), (BEN, "second"), (ANNA, "third"), (BEN, "third")]
