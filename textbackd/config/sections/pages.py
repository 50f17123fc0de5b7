"""The inbox in the browser, and the listener of webhooks.   → settings.py"""

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field

from textbackd.config import readers, values
from textbackd.config.section import (
    Counted,
    Duration,
    Section,
    Text,
)
from textbackd.core.limits import Limit


class Inbox(Section):
    """The conversations with callers."""

    close_after: Annotated[Duration | None, BeforeValidator(values.off_or)] = Field(
        default=timedelta(days=14),
        description="A conversation in which nobody waits for us is put away when nothing was heard for so long; `off`.",
    )
    pile_up: Annotated[Counted | None, BeforeValidator(values.off_or)] = Field(
        default=Limit(5, timedelta(hours=1)),
        description="All staff are told, once, when so many callers have waited so long for an answer; `off`.",
    )


class Listener(Section):
    """Something that listens."""

    listen: Annotated[Text, AfterValidator(readers.listen_address)]

    @property
    def host(self) -> str:
        """The address to listen on, without the brackets of IPv6."""
        return self.listen.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        """The TCP port; 0 takes any free one."""
        return int(self.listen.rpartition(":")[2])


class Web(Listener):
    """The inbox in the browser."""

    listen: Annotated[Text, AfterValidator(readers.listen_address)] = Field(
        default="127.0.0.1:8470", description="Address and port of the inbox, /healthz and /metrics."
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="How staff reach the inbox through your reverse proxy; links name it, and under other names it is refused.",
        examples=["https://inbox.example.com"],
    )


class Webhooks(Listener):
    """Where webhooks and forms arrive: a listener of its own, the only thing that may have to be seen from outside."""

    listen: Annotated[Text, AfterValidator(readers.listen_address)] = Field(
        default="127.0.0.1:8471",
        description="Address and port; opened only if a gateway has a `webhook`, or there are `leads` or `bookings`.",
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="How the world reaches it, through your reverse proxy or tunnel; vendors sign this address.",
        examples=["https://sms.example.com"],
    )

    def hook_url(self, gateway: str, secret: str) -> str:
        """Return the address that a vendor is told."""
        return f"{(self.url or '').rstrip('/')}/hook/{quote(gateway, safe='')}/{secret}"
