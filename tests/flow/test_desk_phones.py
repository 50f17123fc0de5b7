"""Desk phones: what they are sent, whose answer it is, and what becomes of it, at a simulated PBX."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flow.office import until
from tests.flow.telling import Telling, telling
from tests.handoff.messages import a_message, failure_of
from tests.store.rows import CALLER
from textbackd.demo.pbx import DemoPbx
from textbackd.flow.staff.desk_phones import DeskPhonesIn
from textbackd.flow.staff.orders import StaffOrders
from textbackd.flow.staff.texts import StaffTexts
from textbackd.handoff.desk_phone import MOST, DeskPhones
from textbackd.pbx.client import AmiClient

STAFF = '{anna: {name: Anna, sip: "pjsip:101"}, ben: {name: Ben}}'
TAKEN = {"Response": "Success", "Message": "Message successfully sent"}
Block = dict[str, str]


class MessagingPbx(DemoPbx):
    """A simulated PBX that takes messages for phones, or refuses them, as Asterisk 16 and 22 do (tests/lab/test_messages.py)."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Block = TAKEN
        self.messages: list[tuple[str, str, str]] = []

    def _act(self, action: Block, writer: asyncio.StreamWriter) -> None:
        if action.get("Action") != "MessageSend":
            super()._act(action, writer)
            return
        if self.answer is TAKEN:
            body = base64.b64decode(action["Base64Body"]).decode()
            self.messages.append((action["To"], action["From"], body))
        self.tell({**self.answer, "ActionID": action["ActionID"]})

    def tell(self, block: Block) -> None:
        """Send a frame to everybody."""
        self.send(("".join(f"{name}: {value}\r\n" for name, value in block.items()) + "\r\n").encode())

    def writes(self, phone: str, body: str, told_id: str = "c1 1 MESSAGE") -> None:
        """Let a desk phone send a message, as our dialplan hands it on."""
        fields = {"Phone": phone, "Id": told_id, "Body": body.replace(")", "\x01")}
        encoded = {name: base64.b64encode(f".{value}".encode()).decode() for name, value in fields.items()}
        self.tell({"Event": "UserEvent", "Privilege": "user,all", "UserEvent": "TextbackdStaff", **encoded})


@dataclass
class Desks:
    shop: Telling
    pbx: MessagingPbx
    woken: list[None]

    async def texted(self) -> list[str]:
        return [words for to, words in await self.shop.texts() if to == CALLER]

    async def stored(self, count: int) -> None:
        """Wait until so many messages are stored."""

        async def are() -> bool:
            return len(await self.shop.rows("inbox")) >= count

        await until(are)


@asynccontextmanager
async def desks(folder: Path) -> AsyncIterator[Desks]:
    """Let a caller have written, and Anna have been told on her phone."""
    pbx, woken = MessagingPbx(), list[None]()
    await pbx.start()
    client = AmiClient(
        "office", host="127.0.0.1", port=pbx.port, username="textbackd", secret="demo", take=lambda _: None
    )
    async with telling(folder, staff=STAFF) as shop:
        texts = StaffTexts(
            shop.settings,
            store=shop.store,
            orders=StaffOrders(shop.settings, store=shop.store, desk=shop.desk),
            clock=lambda: shop.now,
        )
        phones = DeskPhonesIn(
            shop.settings,
            managers={"office": client},
            texts=texts,
            clock=lambda: shop.now,
            wake=lambda: woken.append(None),
        )
        tasks = [asyncio.create_task(client.run()), asyncio.create_task(phones.run())]
        try:
            await until(lambda: client.is_connected)
            await shop.happens(words="Can you come?")
            yield Desks(shop, pbx, woken)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await pbx.stop()


async def test_an_answer_reaches_the_caller_once_however_often_the_phone_repeats_it(tmp_path: Path) -> None:
    async with desks(tmp_path) as desk:
        desk.pbx.writes("101", "Sure :) at 8")
        desk.pbx.writes("101", "Sure :) at 8")
        desk.pbx.writes("101", "#1 See you", told_id="c2 1 MESSAGE")
        await desk.stored(2)
        assert await desk.texted() == ["Sure :) at 8", "See you"]


async def test_a_phone_that_is_nobodys_is_not_obeyed(tmp_path: Path) -> None:
    async with desks(tmp_path) as desk:
        desk.pbx.writes("102", "#1 I am not Anna")
        desk.pbx.writes("101", "#1 We come")
        await desk.stored(1)
        assert await desk.texted() == ["We come"]


async def test_what_cannot_be_done_is_to_be_said_on_the_phone(tmp_path: Path) -> None:
    async with desks(tmp_path) as desk:
        desk.pbx.writes("101", "#99 We come")
        await desk.stored(1)
        rows = await desk.shop.rows("notices")
        assert [(row["matter"], row["channel"], row["target"], row["state"]) for row in rows] == [
            ("wrote", "sip", "pjsip:101", "sent"),
            ("answer", "sip", "pjsip:101", "queued"),
        ]
        await until(lambda: len(desk.woken) == 1)


@pytest.mark.parametrize("body", ["", "\x00\x01", "x" * 100_000, "\u202e#1 hello"])
async def test_no_message_stops_the_next(tmp_path: Path, body: str) -> None:
    async with desks(tmp_path) as desk:
        desk.pbx.writes("101", body, told_id="c0 1 MESSAGE")
        desk.pbx.tell({"Event": "UserEvent", "UserEvent": "TextbackdStaff", "Phone": "%%%", "Body": "?"})
        desk.pbx.writes("101", "#1 We come")
        await desk.stored(2)
        assert (await desk.texted())[-1] == "We come"


# ---- outwards


@asynccontextmanager
async def phones() -> AsyncIterator[tuple[DeskPhones, MessagingPbx]]:
    pbx = MessagingPbx()
    await pbx.start()
    client = AmiClient(
        "office", host="127.0.0.1", port=pbx.port, username="textbackd", secret="demo", take=lambda _: None
    )
    task = asyncio.create_task(client.run())
    try:
        await until(lambda: client.is_connected)
        yield DeskPhones({"office": client}), pbx
    finally:
        task.cancel()
        await asyncio.wait({task})
        await pbx.stop()


async def test_a_phone_gets_the_words_from_textbackd() -> None:
    async with phones() as (channel, pbx):
        await channel.tell(a_message(target="pjsip:101", words="#7 Zoë 👍\nEvent: Hangup"))
    assert pbx.messages == [("pjsip:101", "textbackd", "#7 Zoë 👍\nEvent: Hangup")]


async def test_what_is_too_long_for_asterisk_is_cut_between_two_characters() -> None:
    async with phones() as (channel, pbx):
        await channel.tell(a_message(target="pjsip:101", words="👍" * 1000))
    ((_, _, body),) = pbx.messages
    assert body == "👍" * ((MOST - 3) // 4) + "…"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param("Message failed to send.", "the PBX knows no such phone, or it is not registered.", id="no phone"),
        pytest.param("Permission denied", "add `message` to its `write`", id="no right"),
        pytest.param("Perhaps", "the PBX did not take the message.", id="anything else"),
    ],
)
async def test_what_the_pbx_refuses_is_tried_again_and_says_why(said: str, words: str) -> None:
    async with phones() as (channel, pbx):
        pbx.answer = {"Response": "Error", "Message": said}
        failure = await failure_of(channel, a_message(target="pjsip:101"))
    assert words in str(failure)
    assert not failure.permanent


async def test_without_a_connection_it_is_tried_again() -> None:
    assert not (await failure_of(DeskPhones({}), a_message(target="pjsip:101"))).permanent
