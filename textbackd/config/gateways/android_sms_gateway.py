"""The settings of an Android phone with "SMS Gateway for Android".   common.py → here → gateways/android_sms_gateway.py"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import WebKind
from textbackd.config.section import DEFAULT, Duration, Rate, Secret, Text
from textbackd.core.limits import Limit


class AndroidSmsGateway(WebKind):
    """An Android phone with the app "SMS Gateway for Android", at its own address or through the app's cloud."""

    type: Literal["android_sms_gateway"] = Field(
        description="Which kind of gateway this is.", examples=["android_sms_gateway"]
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] = Field(
        description="The phone's address in local mode; `https://api.sms-gate.app/3rdparty/v1` for the cloud.",
        examples=["http://192.0.2.10:8080"],
    )
    username: Text = Field(min_length=1, description="User name that the app shows.", examples=["sms"])
    password: Secret = Field(description="Password that the app shows.", examples=["file:phone.password"])
    signing_key: Secret | None = Field(
        default=None,
        description="The app's Settings → Webhooks → Signing Key; needed with `webhook`.",
        examples=["file:phone.key"],
    )
    sim: Annotated[int, Field(ge=1, le=3)] | None = Field(
        default=None, description="Which SIM card sends, 1 to 3; without it the app chooses.", examples=[1]
    )
    device: Text | None = Field(
        default=None,
        description="Which phone sends, by its id, if the account has several.",
        examples=["PyDmBQZZXYmyx"],
    )
    poll: Duration = Field(
        default=timedelta(seconds=15),
        description="How often the phone is asked what arrived, if there is no `webhook`.",
    )
    rate: Rate = Field(
        default=Limit(6, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "6/min"},
    )
