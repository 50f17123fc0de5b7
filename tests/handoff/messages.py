"""A message as the tests of the channels tell it."""

from dataclasses import replace
from typing import Any

from tests.store.rows import NOON
from textbackd.handoff.base import Channel, Message, NotTold


def a_message(**changes: Any) -> Message:
    """Return a message, with changes."""
    usual = Message(
        key="textbackd-1-1",
        at=NOON,
        staff="anna",
        target="",
        title="#7 Jane +13035550142: Can you come?",
        words="#7 Jane +13035550142 wrote.\n\nCan you come?\n",
        event={"id": "e1", "event": "text_in", "text": "Zoë 👍"},
    )
    return replace(usual, **changes)


async def failure_of(channel: Channel, message: Message) -> NotTold:
    """Return why a message was not told; fail if it was."""
    try:
        await channel.tell(message)
    except NotTold as failure:
        return failure
    raise AssertionError("it was told")
