"""The settings of an SMPP connection.   common.py → here → gateways/smpp.py"""

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from textbackd.config.gateways.common import FromCalled
from textbackd.config.section import DEFAULT, Duration, Listed, Port, Secret, Text
from textbackd.config.values import shown


def _ascii(value: str) -> str:
    if not re.fullmatch(r"[ -~]*", value):
        raise ValueError(f"{shown(value)} has letters that SMPP does not know here. Use plain ones.")
    return value


def _octet(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,3}", str(value)) or int(value) > 255:
        raise ValueError(
            f"{shown(value)} is not a type of number. Write the number from the provider's manual, 0 to 255."
        )
    return int(value)


def _status(value: Any) -> int:
    try:
        number = value if isinstance(value, int) else int(str(value), 0)
    except ValueError:
        number = 0
    if isinstance(value, bool) or not 0 < number <= 0xFFFFFFFF:
        raise ValueError(f'{shown(value)} is not an SMPP status. Write it as in the manual, "0x0401" or 1025.')
    return number


def _receipt_error(value: Any) -> str:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9A-Za-z]{1,10}", str(value)):
        raise ValueError(f'{shown(value)} is not an error of a receipt. Write it as it stands there, in quotes: "001".')
    return str(value)


_TON: Final = "0 unknown, 1 international, 2 national, 3 network specific, 5 a name"
_NPI: Final = "0 unknown, 1 telephone numbers"


class Smpp(FromCalled):
    """An SMSC or a hub, by SMPP 3.4. Needs `pip install textbackd[smpp]`."""

    type: Literal["smpp"] = Field(description="Which kind of gateway this is.", examples=["smpp"])
    host: Text = Field(min_length=1, description="Its name or address.", examples=["smpp.example.net"])
    port: Port = Field(default=2775, description="Its port.")
    tls: bool = Field(default=False, description="Whether the connection is encrypted; its port is then often 3550.")
    ca: Text | None = Field(
        default=None,
        description="File with the certificate authority of a server that no public one vouches for.",
        examples=["/etc/textbackd/smpp-ca.pem"],
    )
    system_id: Annotated[Text, AfterValidator(_ascii)] = Field(
        min_length=1, max_length=15, description="The account's name.", examples=["textbackd"]
    )
    password: Secret = Field(description="The account's password.", examples=["file:smpp.password"])
    system_type: Annotated[Text, AfterValidator(_ascii)] = Field(
        default="", max_length=12, description="What the provider says for `system_type`; mostly nothing.",
        json_schema_extra={DEFAULT: "empty"},
    )  # fmt: skip
    mode: Literal["transceiver", "transmitter"] = Field(
        default="transceiver", description="`transmitter` sends only: no replies, no receipts."
    )
    sender_id: Annotated[Text, AfterValidator(_ascii)] | None = Field(
        default=None,
        min_length=1,
        max_length=20,
        description="A name or short code to send from, in place of `number`.",
        examples=["Anderson"],
    )
    source_ton: Annotated[int, BeforeValidator(_octet)] | None = Field(
        default=None,
        description=f"Type of the sender: {_TON}.",
        examples=[1],
        json_schema_extra={DEFAULT: "1 for numbers, 3 for short codes, 5 for names"},
    )
    source_npi: Annotated[int, BeforeValidator(_octet)] | None = Field(
        default=None,
        description=f"Numbering plan of the sender: {_NPI}.",
        examples=[1],
        json_schema_extra={DEFAULT: "1 for numbers, else 0"},
    )
    dest_ton: Annotated[int, BeforeValidator(_octet)] = Field(
        default=1, description=f"Type of the called number: {_TON}."
    )
    dest_npi: Annotated[int, BeforeValidator(_octet)] = Field(
        default=1, description=f"Numbering plan of the called number: {_NPI}."
    )
    alphabet: Literal["gsm7", "latin1"] = Field(
        default="gsm7", description="What the provider means by data_coding 0, its default alphabet."
    )
    long_texts: Literal["udh", "payload"] = Field(
        default="udh", description="Long texts go in parts with a header, or whole in message_payload."
    )
    delivery_reports: bool = Field(default=True, description="Whether to ask for delivery receipts.")
    receipt_ids: Literal["same", "decimal", "hex"] = Field(
        default="same",
        description="How receipts write the id of a text: as in the answer to it, or in decimal (hex) what was hex (decimal) there.",
    )
    permanent_errors: Listed[Annotated[str, BeforeValidator(_receipt_error)]] = Field(
        default=(),
        description="Errors in receipts (`err:`) by which the provider says that a number does not exist or takes no texts.",
        examples=[["001"]],
    )
    statuses: Annotated[
        Mapping[
            Annotated[int, BeforeValidator(_status)],
            Literal["not_sent", "refused", "opted_out", "gateway_unfit", "unknown"],
        ],
        AfterValidator(MappingProxyType),
    ] = Field(
        default_factory=dict,
        description="What the provider's own status codes mean.",
        examples=[{"0x0401": "opted_out"}],
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30), description="How long to wait for an answer; then the text's fate is unknown."
    )
    keep_alive: Duration = Field(default=timedelta(seconds=30), description="How often to ask whether it is there.")
