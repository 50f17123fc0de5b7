"""The configuration: a YAML file → frozen settings, with every fault at once.

    settings = load(Path("/etc/textbackd/textbackd.yaml"))    # raises ConfigError with all faults
    warnings = lint(settings)                                 # what is allowed but probably not meant
    settings = resolve_secrets(settings)                      # raises ConfigError with every secret that is not there

Read in this order: settings.py, sections/ and gateways/ (what there is), load.py (how it is read), yaml_source.py, faults.py, lint.py.
"""

from textbackd.config.gateways import BasicAuth, Gateway, GsmModem, HttpGateway, Twilio, WebKind
from textbackd.config.hours import Holidays
from textbackd.config.lint import lint
from textbackd.config.load import load, loads
from textbackd.config.resolve import resolve_secrets
from textbackd.config.sections.business import Business
from textbackd.config.sections.line import Line, NightSwitch, Texts
from textbackd.config.sections.pages import Web, Webhooks
from textbackd.config.sections.pbx import Dial, Ignore, Pbx, Trunks
from textbackd.config.sections.people import ContactGroup, Staff
from textbackd.config.sections.policy import Brake, Caps, Policy
from textbackd.config.settings import Settings

__all__ = [
    "BasicAuth",
    "Brake",
    "Business",
    "Caps",
    "ContactGroup",
    "Dial",
    "Gateway",
    "GsmModem",
    "Holidays",
    "HttpGateway",
    "Ignore",
    "Line",
    "NightSwitch",
    "Pbx",
    "Policy",
    "Settings",
    "Staff",
    "Texts",
    "Trunks",
    "Twilio",
    "Web",
    "WebKind",
    "Webhooks",
    "lint",
    "load",
    "loads",
    "resolve_secrets",
]
