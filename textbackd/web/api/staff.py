"""Who asks, and who is there to give a conversation to.   routes.py → here → store/accounts.py"""

from enum import StrEnum

from pydantic import Field

from textbackd.store import accounts
from textbackd.store.accounts import Role
from textbackd.web.api.operation import Answer, Asked


class By(StrEnum):
    """How somebody shows who they are."""

    TOKEN = "token"  # noqa: S105  # not one
    SESSION = "session"


class Me(Answer):
    """Who asks."""

    staff: str = Field(description="The key under which acts and texts are noted.")
    name: str
    role: Role
    by: By
    can_call_back: bool = Field(description="Whether they have a desk phone that /call-back can ring.")
    csrf: str = Field(
        description="What a session sends as X-CSRF with every POST; empty for a token, which needs none."
    )


class Person(Answer):
    """One of the staff."""

    key: str
    name: str


class Staff(Answer):
    """Everybody whom a conversation can be given to."""

    staff: list[Person]


async def me(asked: Asked) -> Me:
    """Return who asks."""
    visitor = asked.visitor
    by = By.TOKEN if visitor.session is None else By.SESSION
    can = asked.shop.desk.can_call_back(visitor.key)
    return Me(staff=visitor.key, name=visitor.name, role=visitor.role, by=by, can_call_back=can, csrf=visitor.csrf)


async def list_staff(asked: Asked) -> Staff:
    """Return the staff of the configuration, and who else has an account."""
    keys = await asked.shop.store.run(lambda db: accounts.colleagues(db, asked.shop.settings.staff))
    return Staff(staff=[Person(key=key, name=asked.shop.name_of(key)) for key in keys])
