"""The contract of a channel to staff or to another program.   flow/staff/notices_out.py → here, one file per channel

A channel tells once and says whether to try again; it never retries, never sleeps, never touches the database. Texts to mobiles are
none: they lie in the outbox like any other text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from textbackd.errors import TextbackdError


class NotTold(TextbackdError):
    """It did not get there; one sentence without number, words or secret."""

    def __init__(self, sentence: str, *, permanent: bool = False) -> None:
        super().__init__(sentence)
        self.permanent = permanent  # trying again changes nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told."""

    key: str  # the same whenever it is told again
    at: datetime  # aware UTC; when it was first to be told
    staff: str | None  # key of whom; None: a program
    target: str  # which of several
    title: str  # one line; untrusted
    words: str  # untrusted
    event: Mapping[str, Any]  # for programs


class Channel(Protocol):
    """One way to tell."""

    async def tell(self, message: Message) -> None:
        """Try once, within a minute. Raises NotTold."""

    async def close(self) -> None:
        """Let go of what is open."""
