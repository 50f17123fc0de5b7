"""Who texts.   → settings.py"""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from textbackd.config import readers, values
from textbackd.config.section import (
    DEFAULT,
    Listed,
    Number,
    Section,
    Text,
)


class Business(Section):
    """Who texts."""

    name: Text = Field(
        min_length=1, description="The name that callers know; `{business}` in texts.", examples=["Anderson Roofing"]
    )
    country: Annotated[str, BeforeValidator(readers.country_code)] = Field(
        description="ISO 3166 country of the business: how numbers are read, and the only country that is texted.",
        examples=["US"],
    )
    timezone: Annotated[ZoneInfo, BeforeValidator(values.zone)] = Field(
        default=ZoneInfo("UTC"),
        description="IANA time zone of opening hours and reports.",
        examples=["America/Chicago"],
        json_schema_extra={DEFAULT: "the country's where it has one clock, else the machine's"},
    )
    languages: Listed[Annotated[str, BeforeValidator(readers.language)]] = Field(
        default=("en",),
        description="Languages that your callers write in, whose words for STOP and HELP count beside the English ones and "
        "those of the lines' languages.",
        examples=[["en", "es"]],
        json_schema_extra={DEFAULT: "the country's"},
    )
    booking_url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="Where callers can book; `{booking_url}` in texts.",
        examples=["https://example.com/book"],
    )
    numbers: Listed[Number] = Field(
        default=(),
        description="More numbers of ours, never texted; DIDs, gateways and staff are known.",
        examples=[["+13125550100"]],
    )
