"""Forms that came without a usable number, so that no conversation could begin.   routes.py → here → store/leads.py"""

from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from textbackd.store import leads
from textbackd.web.api.operation import Answer, Asked, ToldError

NOT_THERE = "There is no form without a number under this id."


class Lead(Answer):
    """A form as it was filled in; all of it untrusted."""

    id: int
    source: str = Field(description="Which form.")
    line: str
    at: datetime
    phone: str = Field(description="As it was typed.")
    name: str
    words: str


class Leads(Answer):
    """Those that nobody has read, the newest first."""

    leads: list[Lead]


async def list_leads(asked: Asked) -> Leads:
    """Return the forms without a number that nobody has read."""
    found = await asked.shop.store.run(leads.to_read)
    return Leads(leads=[Lead.model_validate(one) for one in found])


async def read(asked: Asked) -> Leads:
    """Take one off the list; return what is left on it."""
    now, staff = asked.shop.clock(), asked.visitor.key
    if not await asked.shop.store.run(lambda db: leads.read(db, asked.id, staff, now)):
        raise ToldError(HTTPStatus.NOT_FOUND, NOT_THERE)
    asked.shop.desk.bell.ring(None)
    return await list_leads(asked)
