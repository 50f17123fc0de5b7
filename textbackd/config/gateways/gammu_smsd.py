"""The settings of gammu-smsd.   common.py → here → gateways/gammu_smsd.py"""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from textbackd.config.gateways.common import Kind
from textbackd.config.section import DEFAULT, Duration, Port, Rate, Secret, Section, Text
from textbackd.core.limits import Limit


class GammuServer(Section):
    """A MariaDB or MySQL server with gammu-smsd's tables."""

    host: Text = Field(default="localhost", description="Its name or address.")
    port: Port = Field(default=3306, description="Its port.")
    socket: Text | None = Field(
        default=None, description="Its socket, in place of host and port.", examples=["/run/mysqld/mysqld.sock"]
    )
    user: Text = Field(default="smsd", description="As whom to come.")
    password: Secret = Field(description="The user's password.", examples=["file:smsd.password"])
    database: Text = Field(default="smsd", min_length=1, description="The database's name.")


class GammuSmsd(Kind):
    """Gammu's SMS daemon with its SQL tables; one of `sqlite` and `mysql` is written."""

    type: Literal["gammu_smsd"] = Field(description="Which kind of gateway this is.", examples=["gammu_smsd"])
    sqlite: Text | None = Field(
        default=None, min_length=1, description="The file of its SQLite database.", examples=["/var/lib/gammu/smsd.db"]
    )
    mysql: GammuServer | None = Field(
        default=None,
        description="Its MariaDB or MySQL server.",
        examples=[{"user": "smsd", "password": "file:smsd.password"}],
    )
    phone_id: Text = Field(
        default="", max_length=100, description="The daemon's PhoneID, where several share the database.",
        json_schema_extra={DEFAULT: "any daemon"},
    )  # fmt: skip
    delivery_reports: bool = Field(default=True, description="Whether to ask for delivery reports.")
    poll_every: Duration = Field(
        default=timedelta(seconds=2), description="How often to look into the tables for replies and reports."
    )
    rate: Rate = Field(
        default=Limit(6, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "6/min"},
    )

    @model_validator(mode="after")
    def _one_database(self) -> Self:
        if (self.sqlite is None) == (self.mysql is None):
            raise ValueError("write one of sqlite and mysql: where gammu-smsd keeps its texts.")
        return self
