"""The settings of a SIP trunk that carries texts.   common.py → here → gateways/asterisk_message.py"""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from textbackd.config.gateways.common import FromCalled, KnownPbx
from textbackd.config.section import DEFAULT, Text
from textbackd.config.values import shown

_ENDPOINT: Final = re.compile(r"[\w.-]{1,79}", re.ASCII)
_DOMAIN: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def _endpoint(value: str) -> str:
    if not _ENDPOINT.fullmatch(value):
        raise ValueError(f"{shown(value)} is no name of an endpoint. Write it as in pjsip.conf: trunk.")
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError(f"{shown(value)} is no host. Write the provider's as sip.example.com, or with its port.")
    return value


class AsteriskMessage(FromCalled):
    """A SIP trunk that carries texts, sent by Asterisk as SIP MESSAGE."""

    type: Literal["asterisk_message"] = Field(
        description="Which kind of gateway this is.", examples=["asterisk_message"]
    )
    endpoint: Annotated[Text, AfterValidator(_endpoint)] = Field(
        description="The trunk's endpoint in pjsip.conf.", examples=["trunk"]
    )
    domain: Annotated[Text, AfterValidator(_domain)] = Field(
        description="The provider's host, as it stands behind the `@` of addresses.", examples=["sip.example.com"]
    )
    number_format: Literal["e164", "digits"] = Field(
        default="e164", description="Numbers in addresses as `+13125550123`, or as `13125550123`."
    )
    pbx: KnownPbx | None = Field(
        default=None,
        description="The PBX that has the trunk, one of those under `pbx`.",
        examples=["office"],
        json_schema_extra={DEFAULT: "the only one"},
    )
