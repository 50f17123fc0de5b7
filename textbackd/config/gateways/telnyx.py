"""The settings of Telnyx.   common.py → here → gateways/telnyx.py"""

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import WebKind
from textbackd.config.section import Secret, Text


def ed25519_key(value: str) -> str:
    """Return a public key as Telnyx shows it: the base64 of 32 bytes."""
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ValueError(
            "this is no public key of Telnyx. Copy it from Keys & Credentials, Public Key: it ends with =."
        )
    return value


class Telnyx(WebKind):
    """Telnyx."""

    type: Literal["telnyx"] = Field(description="Which kind of gateway this is.", examples=["telnyx"])
    key: Secret = Field(description="The API key (V2).", examples=["file:telnyx.key"])
    profile: Text | None = Field(
        default=None,
        description="Id of the messaging profile, to let its number pool choose the sender.",
        examples=["abc85f64-5717-4562-b3fc-2c9600000000"],
    )
    public_key: Annotated[Text, AfterValidator(ed25519_key)] | None = Field(
        default=None,
        description="The account's public key, with which its webhooks are checked; needed with `webhook`.",
        examples=["e5vWQ8bfF8hjSJcpl5sXS1h0JZnZ2bnQ3bTqvFJq8Qs="],
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="Another address of the service, for tests and proxies.",
        examples=["http://127.0.0.1:4010"],
    )
