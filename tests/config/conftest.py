"""The smallest configuration that is one, and what the tests change in it."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from textbackd.config import Settings, loads
from textbackd.errors import ConfigError

SECTIONS = {
    "business": "{name: Anderson Roofing, country: US}",
    "pbx": "{office: {secret: '${AMI_SECRET}'}}",
    "lines": "{main: {}}",
    "gateways": "{stick: {type: gsm_modem, port: /dev/null}}",
}
Configured = Callable[..., Settings]
Faults = Callable[..., list[str]]


def written(**sections: str) -> str:
    """Return the smallest configuration with these sections put in or replaced."""
    return "".join(f"{name}: {text}\n" for name, text in {**SECTIONS, **sections}.items())


@pytest.fixture
def configured() -> Configured:
    """Settings from the smallest configuration with sections put in: configured(policy="{delay: 5s}")."""
    return lambda **sections: loads(written(**sections), machine=ZoneInfo("America/Chicago"))


@pytest.fixture
def faults() -> Faults:
    """The faults of the smallest configuration with sections put in, without the name of the file and the line."""

    def found(**sections: str) -> list[str]:
        try:
            loads(written(**sections), machine=ZoneInfo("America/Chicago"))
        except ConfigError as exc:
            return [fault.split(": ", 1)[1] for fault in exc.faults]
        return []

    return found
