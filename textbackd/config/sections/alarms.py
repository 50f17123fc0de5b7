"""The settings of what is told when something is wrong.   → settings.py"""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from textbackd.config import readers, values
from textbackd.config.section import Duration, Section
from textbackd.core.trouble import Trouble

Patience = Annotated[Duration | None, BeforeValidator(values.off_or)]


class Alarms(Section):
    """When somebody is told that something is wrong; who: `staff.*.alarms`. `off` lifts one."""

    no_calls: Patience = Field(
        default=timedelta(hours=3),
        description="No call came in for so long of the lines' opening hours; of lines that never close, Mon-Fri 08:00-18:00.",
    )
    pbx_away: Patience = Field(
        default=timedelta(minutes=2), description="A PBX is away, or refuses us, for so long: no missed call is seen."
    )
    gateway_down: Patience = Field(
        default=timedelta(minutes=5), description="A gateway is down for so long, or waits for a person to mend it."
    )
    unknown_texts: Patience = Field(
        default=timedelta(hours=1), description="It is not known for so long whether a text went out."
    )
    at_night: Annotated[
        tuple[Annotated[Trouble, BeforeValidator(readers.trouble)], ...], BeforeValidator(values.off_or_listed)
    ] = Field(
        default=(Trouble.DATABASE, Trouble.DISK),
        description="What is told while all lines are closed, too; everything else waits. One that never closes has"
        " `policy.quiet_hours`.",
        examples=[["database", "disk", "pbx_away"]],
    )

    def patience(self, trouble: Trouble) -> timedelta | None:
        """Return how long a trouble may last until it is told; None: it is not."""
        return {
            Trouble.PBX_AWAY: self.pbx_away,
            Trouble.GATEWAY_DOWN: self.gateway_down,
            Trouble.NO_CALLS: timedelta(0) if self.no_calls is not None else None,  # its hours are counted elsewhere
            Trouble.UNKNOWN_TEXTS: timedelta(0) if self.unknown_texts is not None else None,
            Trouble.DATABASE: DATABASE_MAY_FAIL,
        }.get(trouble, timedelta(0))


DATABASE_MAY_FAIL = timedelta(seconds=30)  # another program may hold it for a moment
