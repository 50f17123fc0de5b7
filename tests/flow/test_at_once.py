"""What cannot wait for the database reaches staff by every way that needs none."""

from dataclasses import dataclass, field

from tests.store.rows import NOON
from textbackd.flow.staff.at_once import AtOnce
from textbackd.handoff.base import Message, NotTold
from textbackd.store.notices import Way

WAYS = {"anna": [(Way.EMAIL, "anna@example.com"), (Way.SERVICE, "0")], "ben": [(Way.SIP, "pjsip:ben")], "cem": []}


@dataclass
class Noting:
    """A channel that keeps what it is told, or cannot be reached."""

    is_reached: bool = True
    told: list[Message] = field(default_factory=list)

    async def tell(self, message: Message) -> None:
        if not self.is_reached:
            raise NotTold("the mail server cannot be reached.")
        self.told.append(message)

    async def close(self) -> None:
        """Nothing is open."""


async def test_everybody_is_told_by_every_way_that_there_is() -> None:
    mail, service = Noting(), Noting()
    at_once = AtOnce(WAYS.__getitem__, {Way.EMAIL: mail, Way.SERVICE: service}, lambda: NOON)
    assert await at_once.tell(["anna", "ben", "cem"], "A: the database cannot be written.")
    told = [(one.staff, one.target, one.title, one.words, one.at) for one in (*mail.told, *service.told)]
    words = ("A: the database cannot be written.", "A: the database cannot be written.\n", NOON)
    assert told == [("anna", "anna@example.com", *words), ("anna", "0", *words)]
    assert len({one.key for one in (*mail.told, *service.told)}) == 2


async def test_one_way_that_works_is_enough_and_none_is_not() -> None:
    mail, service = Noting(is_reached=False), Noting()
    at_once = AtOnce(WAYS.__getitem__, {Way.EMAIL: mail, Way.SERVICE: service}, lambda: NOON)
    assert await at_once.tell(["anna"], "x")
    service.is_reached = False
    assert not await at_once.tell(["anna"], "x")
    assert not await at_once.tell(["ben", "cem"], "x")
