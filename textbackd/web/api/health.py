"""Is everything well?  What /healthz says, for programs that have a token anyhow.   routes.py → here → web/health.py"""

from pydantic import Field

from textbackd.web.api.operation import Answer, Asked
from textbackd.web.health import Status, state


class Health(Answer):
    """How the daemon is."""

    status: Status
    database: str = Field(description="ok, or what is wrong.")
    pbx: dict[str, str] = Field(description="By name: connected, connecting, refused, away.")
    gateways: dict[str, str] = Field(description="By name: up, down, paused, unknown.")
    texting: str = Field(description="on; paused by a person; brake: stopped by itself until a person looks.")


async def health(asked: Asked) -> Health:
    """Return how the daemon is; also when it is not well."""
    return Health.model_validate(await state(asked.vitals), from_attributes=True)
