"""The settings of each kind of gateway. A new kind is a model here, and a place in `Gateway`.   section.py → here → settings.py"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from textbackd.config import readers
from textbackd.config.section import (
    DEFAULT,
    Duration,
    Fields,
    Headers,
    Listed,
    Number,
    Rate,
    Secret,
    Section,
    Text,
    nothing,
)
from textbackd.config.templates import request_template
from textbackd.core.limits import Limit


class GsmModem(Section):
    """A USB modem with a SIM card."""

    type: Literal["gsm_modem"] = Field(description="Which kind of gateway this is.", examples=["gsm_modem"])
    imei: Annotated[str, BeforeValidator(readers.imei)] | None = Field(
        default=None,
        description="The modem's own number, by which it is found wherever it is plugged in; `textbackd modem scan` "
        "tells it.",
        examples=["004999010640000"],
        json_schema_extra={DEFAULT: "none, but then `port` is needed"},
    )
    port: Text | None = Field(
        default=None, min_length=1,
        description="Its serial port, where it is not to be looked for; the names under by-id stay when it is unplugged.",
        examples=["/dev/serial/by-id/usb-HUAWEI_Mobile-if00-port0"],
        json_schema_extra={DEFAULT: "none, but then `imei` is needed"},
    )  # fmt: skip
    pin: Annotated[Secret, AfterValidator(readers.pin_code)] | None = Field(
        default=None, description="PIN of the SIM card, tried once.", examples=["file:sim.pin"]
    )
    smsc: Number | None = Field(
        default=None, description="Message centre, if the SIM card does not know it.", examples=["+13125550100"]
    )
    baud: Annotated[int, BeforeValidator(readers.baud_rate)] = Field(
        default=115200, description="Speed of the serial port in bits per second."
    )
    rate: Rate = Field(
        default=Limit(6, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "6/min"},
    )
    number: Number | None = Field(
        default=None, description="The SIM card's own number, never texted.", examples=["+13125550142"]
    )

    @model_validator(mode="after")
    def _is_named(self) -> "GsmModem":
        if self.port is None and self.imei is None:
            raise ValueError("neither `imei` nor `port` is written. `textbackd modem scan` tells what to write.")
        return self


class BasicAuth(Section):
    """A user name and a password."""

    username: Text = Field(min_length=1, description="The user name.", examples=["textbackd"])
    password: Secret = Field(description="The password.", examples=["file:sms.password"])


class HttpGateway(Section):
    """Any SMS service that takes a text by one HTTP request.

    `{to}`, `{from}`, `{text}` and `{id}` are filled in, and `${NAME}` from the environment, anywhere in `url`,
    `headers`, `query` and the body. At most one of `json`, `form` and `body` is written.
    """

    type: Literal["http"] = Field(description="Which kind of gateway this is.", examples=["http"])
    url: Annotated[Text, AfterValidator(readers.web_address), AfterValidator(request_template)] = Field(
        repr=False, description="Address of the request.", examples=["http://127.0.0.1:9000/send"]
    )
    method: Literal["GET", "POST", "PUT"] = Field(default="POST", description="HTTP method.")
    headers: Headers = Field(
        default_factory=nothing, repr=False, description="Headers to add.", examples=[{"X-Api-Key": "${SMS_KEY}"}]
    )
    json_body: Fields | None = Field(
        default=None,
        alias="json",
        repr=False,
        description="Body as JSON.",
        examples=[{"to": "{to}", "from": "{from}", "text": "{text}", "id": "{id}"}],
        json_schema_extra={DEFAULT: "as here, if nothing else in the request has a field"},
    )
    form: Fields | None = Field(
        default=None, repr=False, description="Body as a form.", examples=[{"To": "{to}", "Body": "{text}"}]
    )
    query: Fields | None = Field(
        default=None,
        repr=False,
        description="Parameters after the `?` of the address.",
        examples=[{"to": "{to}", "message": "{text}"}],
    )
    body: Annotated[Text, AfterValidator(request_template)] | None = Field(
        default=None,
        repr=False,
        description="Body as it is; its Content-Type under `headers` says how fields are put in.",
        examples=["number={to}&message={text}"],
    )
    basic_auth: BasicAuth | None = Field(
        default=None,
        description="User name and password of HTTP basic authentication.",
        examples=[{"username": "textbackd", "password": "file:sms.password"}],
    )
    bearer: Secret | None = Field(
        default=None, description="Token sent as `Authorization: Bearer …`.", examples=["file:sms.token"]
    )
    success: Listed[Annotated[str, BeforeValidator(readers.status_range)]] = Field(
        default=("200-299",), min_length=1, description="HTTP statuses that mean that the text was accepted."
    )
    reference: Annotated[Text, AfterValidator(readers.reference)] | None = Field(
        default=None,
        description="Where the answer has the gateway's id of the text: a dotted path into JSON, or "
        "`/regular expression/` whose first group it is.",
        examples=["data.id"],
        json_schema_extra={DEFAULT: "the usual places"},
    )
    number: Number | None = Field(
        default=None, description="The number that its texts come from, never texted.", examples=["+13125550142"]
    )
    rate: Rate = Field(
        default=Limit(60, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "60/min"},
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30), description="How long to wait for an answer; then the text's fate is unknown."
    )

    def success_statuses(self) -> frozenset[int]:
        """Return the HTTP statuses that mean that the text was accepted."""
        return frozenset(status for written in self.success for status in _range(written))


Gateway = Annotated[GsmModem | HttpGateway, Field(discriminator="type")]


def _range(written: str) -> range:
    first, _, last = written.partition("-")
    return range(int(first), int(last or first) + 1)
