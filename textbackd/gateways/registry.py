"""From a gateway's section of the configuration to the gateway. One line per kind; the file of each kind is imported only if used."""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from textbackd.config.gateways import Kind
from textbackd.errors import TextbackdError
from textbackd.gateways.base import Gateway, Lent

# Each of these files has `build(name, section, lent) -> Gateway`; its library costs start-up time and memory.
KINDS: Final[dict[str, str]] = {
    "android_sms_gateway": "textbackd.gateways.android_sms_gateway",
    "asterisk_dongle": "textbackd.gateways.asterisk_dongle",
    "asterisk_message": "textbackd.gateways.asterisk_message",
    "bandwidth": "textbackd.gateways.bandwidth",
    "flowroute": "textbackd.gateways.flowroute",
    "gammu_smsd": "textbackd.gateways.gammu_smsd",
    "gsm_modem": "textbackd.gateways.gsm_modem",
    "http": "textbackd.gateways.http",
    "kannel": "textbackd.gateways.kannel",
    "modemmanager": "textbackd.gateways.modemmanager",
    "plivo": "textbackd.gateways.plivo",
    "smpp": "textbackd.gateways.smpp",
    "smstools": "textbackd.gateways.smstools",
    "telnyx": "textbackd.gateways.telnyx",
    "twilio": "textbackd.gateways.twilio",
    "voipms": "textbackd.gateways.voipms",
    "vonage": "textbackd.gateways.vonage",
}


def build(name: str, section: Kind, lent: Lent | None = None) -> Gateway:
    """Return the gateway that a section describes; secrets must be resolved. Raises TextbackdError for what only it can see."""
    try:
        make: Callable[[str, Kind, Lent], Gateway] = import_module(KINDS[section.type]).build
    except ModuleNotFoundError as exc:
        raise TextbackdError(
            f"gateways.{name}: the type {section.type} needs a package that is not installed ({exc.name}). "
            f"Install it with: pip install 'textbackd[{section.type}]'."
        ) from exc
    return make(name, section, lent or Lent())
