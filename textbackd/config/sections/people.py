"""Who is texted otherwise, or told.   → settings.py"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from textbackd.config import readers
from textbackd.config.section import (
    DEFAULT,
    LineText,
    Listed,
    Number,
    Section,
    Text,
)
from textbackd.config.sections.handoff import Endpoint, Interface, Mailbox, Service


class ContactGroup(Section):
    """Numbers that are treated alike. The groups named `never` and `staff` are never texted, and their calls do not count."""

    files: Listed[Annotated[Path, BeforeValidator(readers.contact_file)]] = Field(
        default=(), description="CSV or vCard files, read again when they change.", examples=[["suppliers.csv"]]
    )
    numbers: Listed[Number] = Field(default=(), description="Numbers written here.", examples=[["+13125550177"]])
    text: LineText = Field(
        default=None, description="What they are texted instead of the line's texts; `none`: nothing."
    )


class Staff(Section):
    """Somebody with a login or a phone that gets replies."""

    name: Text = Field(
        default="",
        description="How colleagues and callers know them.",
        examples=["Anna"],
        json_schema_extra={DEFAULT: "the key"},
    )
    mobile: Number | None = Field(
        default=None,
        description="Their mobile, which gets replies; never texted as a caller.",
        examples=["+13125550123"],
    )
    phone: Interface | None = Field(
        default=None,
        description="Their desk phone, as the PBX dials it and its queues know it.",
        examples=["PJSIP/anna"],
    )
    sip: Endpoint | None = Field(
        default=None, description="Their desk phone, if it shows messages (SIP MESSAGE).", examples=["pjsip:anna"]
    )
    email: Mailbox | None = Field(
        default=None, description="Where they get e-mails; needs `email`.", examples=["anna@example.com"]
    )
    notify: Listed[Service] = Field(
        default=(),
        description="Addresses of services that apprise knows (ntfy, Telegram, Slack, …); needs the extra `notify`.",
        examples=[["ntfy://ntfy.sh/anderson-roofing"]],
    )
    tell: Literal["replies", "all"] = Field(
        default="replies",
        description="What they are told of: `replies`, with callers whom only a call back helps; `all` missed calls, too.",
    )
    digest: bool = Field(
        default=False,
        description="In the morning, when the first line opens, they are told what came in overnight and who waits.",
        examples=[True],
        json_schema_extra={DEFAULT: "false"},
    )
    alarms: bool = Field(
        default=False,
        description="They are told, in every way that they have, when something is wrong; nobody named: the first of the staff is.",
        examples=[True],
        json_schema_extra={DEFAULT: "false"},
    )
    weekly: bool = Field(
        default=False,
        description="On Monday, when the first line opens, they get last week's figures by e-mail; needs `email`.",
        examples=[True],
        json_schema_extra={DEFAULT: "false"},
    )
