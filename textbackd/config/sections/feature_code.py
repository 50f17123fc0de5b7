"""The settings of pausing from a phone.   section.py → here → settings.py, flow/feature_code.py"""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from textbackd.config import readers, values
from textbackd.config.section import DEFAULT, Duration, Secret, Text
from textbackd.config.sections.pages import Listener

LOOPBACK = ("127.", "localhost", "::1")


class FeatureCode(Listener):
    """Texting is paused and resumed by a code that a desk phone dials; config/extensions-textbackd.conf has the dialplan for it."""

    listen: Annotated[Text, AfterValidator(readers.listen_address)] = Field(
        default="127.0.0.1:4573",
        description="Where the PBX's AGI() reaches us (FastAGI). Elsewhere than on this machine only with `pin`.",
    )
    pin: Secret | None = Field(
        default=None,
        description="Digits that the phone is asked for after a beep; whoever dials ends them with #.",
        examples=["file:phone.pin"],
    )
    lasts: Annotated[Duration | None, BeforeValidator(values.off_or)] = Field(
        default=None,
        description="A pause from a phone ends by itself after so long; `off`: when somebody resumes.",
        examples=[timedelta(hours=12)],
        json_schema_extra={DEFAULT: "off"},
    )

    @model_validator(mode="after")
    def _only_here_without_pin(self) -> Self:
        if self.pin is None and not self.host.startswith(LOOPBACK):
            raise ValueError(
                f"at {self.host} others than this machine could pause texting. Write listen: 127.0.0.1:{self.port}, or a pin."
            )
        return self
