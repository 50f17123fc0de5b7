"""The settings of Bandwidth.   common.py → here → gateways/bandwidth.py"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import BasicAuth, WebKind
from textbackd.config.section import Number, Secret, Text


class Bandwidth(WebKind):
    """Bandwidth."""

    type: Literal["bandwidth"] = Field(description="Which kind of gateway this is.", examples=["bandwidth"])
    number: Number = Field(
        description="The number that its texts come from, never texted; it belongs to the application.",
        examples=["+13125550142"],
    )
    account: Text = Field(min_length=1, description="The account's id.", examples=["9900000"])
    application: Text = Field(
        min_length=1,
        description="Id of the messaging application that the numbers belong to.",
        examples=["93de2206-9669-4e07-948d-329f4b722ee2"],
    )
    username: Text = Field(min_length=1, description="The API user, or the API token.", examples=["textbackd"])
    password: Secret = Field(
        description="The API user's password, or the token's secret.", examples=["file:bandwidth.password"]
    )
    callback: BasicAuth | None = Field(
        default=None,
        description="User name and password that the application sends with its webhooks; others are then refused.",
        examples=[{"username": "bandwidth", "password": "file:bandwidth.callback"}],
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="Another address of the service, for tests and proxies.",
        examples=["http://127.0.0.1:4010"],
    )
