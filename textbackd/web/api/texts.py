"""Texts in a person's words.   routes.py → here → flow/desk.py

An Idempotency-Key is the text's id in the outbox, hashed with whose it is: what is sent twice is one text, whoever else uses the same key.
"""

import hashlib
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, StringConstraints

from textbackd.core.phone import E164, read_number
from textbackd.flow.desk import SentAlready
from textbackd.store import conversations
from textbackd.web.api.conversations import NOT_THERE, TYPED, Conversation, Words, found, told
from textbackd.web.api.operation import Answer, Asked, Given, ToldError

OTHER_TEXT = "This Idempotency-Key was used for another text. Use a new one for each text."
NOT_A_NUMBER = "This is no phone number. Write it as +13125550123."


class Reply(Given):
    """An answer."""

    text: Words


class NewText(Given):
    """A text to a number, whether or not there is a conversation."""

    to: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=TYPED)] = Field(
        description="The number, as E.164 or as it is dialled in the shop's country.", examples=["+13125550123"]
    )
    text: Words


class Queued(Answer):
    """A text that goes out as soon as a gateway takes it."""

    id: str = Field(description="Its id in the timeline.")
    conversation: Conversation


async def reply(asked: Asked) -> Queued:
    """Answer the caller; the first answer claims the conversation."""
    return await _sent(asked, (await found(asked)).number, asked.body.text)


async def send(asked: Asked) -> Queued:
    """Text a number, whether or not there is a conversation."""
    number = read_number(asked.body.to, asked.shop.settings.business.country).e164
    if number is None:
        raise ToldError(HTTPStatus.CONFLICT, NOT_A_NUMBER)
    return await _sent(asked, number, asked.body.text)


async def _sent(asked: Asked, number: E164, text: str) -> Queued:
    key = _id_for(asked, asked.key) if asked.key is not None else None
    try:
        text_id = await asked.shop.desk.reply(number, text, asked.visitor.key, key=key)
    except SentAlready as error:
        raise ToldError(HTTPStatus.CONFLICT, OTHER_TEXT) from error
    one = await asked.shop.store.run(lambda db: conversations.find(db, number))
    if one is None:  # erased in this very moment
        raise ToldError(HTTPStatus.NOT_FOUND, NOT_THERE)
    (conversation,) = await told(asked, [one])
    return Queued(id=text_id, conversation=conversation)


def _id_for(asked: Asked, key: str) -> str:
    whose = f"token of {asked.visitor.key}" if asked.visitor.session is None else f"session {asked.visitor.session}"
    return hashlib.sha256(f"{whose}\0{key}".encode()).hexdigest()[:32]
