"""How an Asterisk is reached, and what of it counts.   → settings.py"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.section import (
    DEFAULT,
    Duration,
    Listed,
    Number,
    Port,
    Secret,
    Section,
    Text,
)
from textbackd.core.trunk import USUAL_TRUNK_CONTEXTS


class Trunks(Section):
    """How calls from outside are told from calls inside: a channel matches by its context or by its name."""

    contexts: Listed[Text] = Field(
        default=USUAL_TRUNK_CONTEXTS,
        description="Dialplan contexts in which trunks let calls in; `*` stands for anything.",
    )
    channels: Listed[Text] = Field(
        default=(), description="Channel names of trunks, where contexts do not tell.", examples=[["PJSIP/trunk-*"]]
    )


class Ignore(Section):
    """Calls that are never missed calls."""

    dids: Listed[Number] = Field(
        default=(),
        description="Numbers of ours that nobody answers: fax, voicemail access.",
        examples=[["+13125550199"]],
    )
    contexts: Listed[Text] = Field(
        default=("app-blacklist*",),
        description="Dialplan contexts in which the PBX answers or ends such calls; passing through does not count.",
    )


class Dial(Section):
    """Calls that textbackd has the PBX make: a desk phone rings, and is connected with a caller who waits.

    Nothing is ever dialled unless this is written. It needs the right `originate` in manager.conf.
    """

    context: Annotated[Text, AfterValidator(readers.asterisk_name)] = Field(
        default="from-internal", description="The dialplan context from which desk phones call out."
    )
    prefix: Annotated[Text, AfterValidator(readers.dialling_prefix)] = Field(
        default="",
        description="What they dial first to get a line.",
        examples=["9"],
        json_schema_extra={DEFAULT: "none"},
    )
    number_format: Literal["national", "e164", "digits"] = Field(
        default="national",
        description="How they dial a number: `national` as people do (13125550142, 011493…), `e164` with the plus, or the "
        "same as `digits` without.",
    )
    rings_for: Duration = Field(default=timedelta(seconds=25), description="How long a desk phone rings.")


class Pbx(Section):
    """One Asterisk, reached over AMI."""

    host: Text = Field(default="127.0.0.1", min_length=1, description="Where Asterisk's manager listens.")
    port: Port = Field(default=5038, description="Its TCP port.")
    username: Text = Field(
        default="textbackd", min_length=1, description="The section of manager.conf that we log in as."
    )
    secret: Secret = Field(
        description="Its secret: `${NAME}`, `file:NAME` or `credential:NAME`.", examples=["file:ami.secret"]
    )
    trunks: Trunks = Field(default=Trunks(), description="How calls from outside are told from calls inside.")
    ignore: Ignore = Field(default=Ignore(), description="Calls that are never missed calls.")
    attestation_variable: Listed[Text] = Field(
        default=(),
        description="Channel variables that tell how far the carrier vouches for the caller's number (STIR/SHAKEN).",
        examples=[["STIR_SHAKEN(0,verify_result)", "STIR_SHAKEN(0,attestation)"]],
    )
    cdr: Annotated[Text, AfterValidator(readers.record_source)] | None = Field(
        default=None,
        repr=False,
        description="Call records for catch-up and the leak: a CSV file, `sqlite:///…`, `mysql://…` or `postgresql://…`.",
        examples=["/var/log/asterisk/cdr-csv/Master.csv"],
    )
    dial: Dial | None = Field(
        default=None,
        description="Calls that textbackd makes: back to a caller from a desk phone, and to wake a desk phone.",
    )
