"""Values that need to know the rest of the file: numbers, names, secrets.   values.py → here → settings.py"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import phonenumbers
from pydantic import SecretStr, ValidationInfo

from textbackd.config.secrets import is_plain, variables, without_variables, written_secret
from textbackd.config.values import likely, shown
from textbackd.core.compose import Language, Wish
from textbackd.core.phone import E164, read_number
from textbackd.core.stop_words import WORDS
from textbackd.core.trouble import Trouble

LEAST_KEPT: Final = timedelta(days=30)  # the longest window of the usual caps
Choice = TypeVar("Choice", bound=StrEnum)
HOOK_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{22,200}")  # 22 of these hold 128 bits
TOO_WEAK: Final = (
    "the secret has fewer than 22 letters and digits. Make one: "
    "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"
)
_NAME: Final = re.compile(r"\w[\w.-]{0,39}")
_PREFIX: Final = re.compile(r"\+[1-9][0-9]{0,13}\*")
_STATUSES: Final = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")
_STATUS_CLASS: Final = re.compile(r"([1-5])xx")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ASTERISK_NAME: Final = re.compile(r"[\w.:/@*#+-]{1,80}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_KINDS: Final = {"gateway": "gateway", "staff": "member of staff", "pbx": "PBX", "line": "line"}
_SECTIONS: Final = {"gateway": "gateways", "line": "lines"}
# What people write for a country → what ISO 3166 calls it.
_COUNTRIES: Final = {"UK": "GB", "USA": "US", "EN": "GB", "EL": "GR"}


@dataclass(frozen=True, slots=True)
class Context:
    """What a value can be read against."""

    country: str | None = None  # None: not known, so numbers must be international
    folder: Path = field(default_factory=Path)  # of the configuration: relative names start here
    gateways: frozenset[str] | None = None  # None: not known, so every name passes
    staff: frozenset[str] | None = None
    pbx: frozenset[str] | None = None
    lines: frozenset[str] | None = None


def context_of(info: ValidationInfo) -> Context:
    """Return the context of a validation, an empty one where somebody made settings without."""
    return info.context if isinstance(info.context, Context) else Context()


def country_code(value: Any) -> str:
    """Return an ISO 3166 country, "US"."""
    code = str(value).strip().upper()
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    meant = _COUNTRIES.get(code)
    advice = f"Did you mean {meant}?" if meant else "Write its two letters: US, GB, DE."
    raise ValueError(f"{shown(value)} is not a country. {advice}")


def language(value: Any) -> str:
    """Return the ISO 639-1 code of a language whose stop words we know, "en"."""
    code = str(value).strip().lower()
    if code in WORDS:
        return code
    raise ValueError(
        f"{shown(value)} is not a language whose words for STOP are known. Write one of {', '.join(WORDS)}."
    )


def kept_for(span: timedelta) -> timedelta:
    """Return how long something is kept. Caps and cooldown look back into it."""
    if span < LEAST_KEPT:
        raise ValueError(f"shorter than {LEAST_KEPT.days}d, which caps and the cooldown look back. Write 30d or more.")
    return span


def own_name(value: str) -> str:
    """Return the name of a section's entry, which appears in logs, pages and the database."""
    if not _NAME.fullmatch(value):
        raise ValueError(f"{shown(value)} is no name. Use letters, digits, _ . and -, at most 40 of them.")
    return value


def phone_number(value: Any, info: ValidationInfo) -> E164:
    """Return a number as E.164, read in the country of the business."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{shown(value)} is not a phone number. Write it as +13125550123.")
    country = context_of(info).country
    number = read_number(str(value), country or "ZZ").e164
    if number is None and country is None and not str(value).strip().startswith("+"):
        return E164(str(value))  # the fault is business.country; it would be told again for every number
    if number is None:
        raise ValueError(
            f"{shown(value)} is not a phone number{f' in {country}' if country else ''}. Write it as +13125550123."
        )
    return number


def did_pattern(value: Any, info: ValidationInfo) -> str:
    """Return a number of ours as E.164, the start of some as `+1312555*`, or `*` for all."""
    if isinstance(value, str) and value.strip().endswith("*"):
        if value.strip() == "*" or _PREFIX.fullmatch(value.strip()):
            return value.strip()
        raise ValueError(f'{shown(value)} is not the start of numbers. Write it as "+1312555*", or "*" for all.')
    return phone_number(value, info)


def known_gateway(value: str, info: ValidationInfo) -> str:
    """Return the name of an entry under `gateways`."""
    return _known(value, context_of(info).gateways, "gateway")


def known_staff(value: str, info: ValidationInfo) -> str:
    """Return the name of an entry under `staff`."""
    return _known(value, context_of(info).staff, "staff")


def known_pbx(value: str, info: ValidationInfo) -> str:
    """Return the name of an entry under `pbx`."""
    return _known(value, context_of(info).pbx, "pbx")


def known_line(value: str, info: ValidationInfo) -> str:
    """Return the name of an entry under `lines`."""
    return _known(value, context_of(info).lines, "line")


def _known(value: str, known: frozenset[str] | None, section: str) -> str:
    if known is None or value in known:
        return value
    where = _SECTIONS.get(section, section)
    kind = _KINDS[section]
    meant = likely(value, sorted(known))
    advice = f"Did you mean {meant}?" if meant else f"Describe it under `{where}`, or take it out here."
    raise ValueError(f"there is no {kind} {shown(value)}. {advice}")


def secret_text(value: Any, info: ValidationInfo) -> SecretStr:
    """Return a secret as it is written; it is looked up when it is needed."""
    if isinstance(value, dict | list | bool):
        raise ValueError("a secret is text. Write ${NAME}, file:NAME or credential:NAME, or the secret in quotes.")
    return written_secret(value, context_of(info).folder)


def pin_code(secret: SecretStr) -> SecretStr:
    """Return the PIN of a SIM card. Raises ValueError for one that no SIM card has, for three wrong tries lock it."""
    written = secret.get_secret_value()
    if is_plain(written) and not re.fullmatch(r"[0-9]{4,8}", written):
        raise ValueError(
            "a PIN has 4 to 8 digits. Write them in quotes, or leave the key out if the SIM card asks for none."
        )
    return secret


def hook_secret(secret: SecretStr) -> SecretStr:
    """Return the secret part of a webhook's address. Raises ValueError for one that can be guessed or cannot stand in a path."""
    written = secret.get_secret_value()
    if is_plain(written) and not HOOK_SECRET.fullmatch(written):
        raise ValueError(
            "a webhook's secret has at least 22 letters, digits, - and _. Make one: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"
        )
    return secret


def imei(value: Any) -> str:
    """Return the number of a modem: 15 digits, as `textbackd modem scan` and the label on the stick have it."""
    written = str(value).replace(" ", "").replace("-", "")
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{15}", written):
        raise ValueError(f'{shown(value)} is not an IMEI, which has 15 digits. Write it in quotes: "004999010640000".')
    return written


def web_address(value: str) -> str:
    """Return an http or https address; ${NAME} and fields may stand in it."""
    try:
        parts = urlsplit(without_variables(value))
        usable = parts.scheme in ("http", "https") and (bool(parts.hostname) or "${" in value) and parts.port != 0
    except ValueError:
        usable = False
    if not usable and not (variables(value) and value.startswith("${")):
        raise ValueError("this is not a web address. Write it with http:// or https:// and the host.")
    return value


def web_origin(value: str) -> str:
    """Return the origin of a site as browsers write it (RFC 6454, section 6.2): scheme and host, and a port that is not the usual one."""
    try:
        parts = urlsplit(value.strip().lower())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{shown(value)} is not the origin of a site. Write it as https://www.example.com.")
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.removesuffix(usual)}"


def network_port(value: Any) -> int:
    """Return a TCP port."""
    number = int(value) if re.fullmatch(r"[0-9]{1,5}", str(value)) else 0
    if isinstance(value, bool) or not 1 <= number <= 65535:
        raise ValueError(
            f"{shown(value)} is not a port. Write a number from 1 to 65535; Asterisk's manager listens on 5038."
        )
    return number


def listen_address(value: str) -> str:
    """Return an address and port to listen on, "127.0.0.1:8470" or "[::1]:8470". Port 0 takes any free one."""
    host, _, port = value.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535 or (":" in bare and bare == host):
        raise ValueError(f'{shown(value)} is not an address and a port. Write it as "127.0.0.1:8470".')
    return value


def status_range(value: Any) -> str:
    """Return HTTP statuses as "200" or "200-299"; 2xx is understood."""
    text = str(value).strip()
    if group := _STATUS_CLASS.fullmatch(text.lower()):
        return f"{group[1]}00-{group[1]}99"
    found = _STATUSES.fullmatch(text)
    if found is None or int(found[2] or found[1]) < int(found[1]):
        raise ValueError(f'{shown(value)} is not an HTTP status. Write 200, "200-299" or 2xx.')
    return text


def reference(value: str) -> str:
    """Return where an answer has the gateway's id: a dotted path, or a regular expression between slashes."""
    if len(value) > 2 and value[0] == value[-1] == "/":
        try:
            re.compile(value[1:-1])
        except (re.error, RecursionError, OverflowError) as exc:
            raise ValueError(f"{shown(value)} is not a regular expression. Look for brackets that stay open.") from exc
    return value


def header_names(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers if their names and values can be sent (RFC 9110 §5.5 and §5.6.2)."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{shown(name)} is not the name of a header. Use letters, digits and hyphens.")
        if _CONTROL.search(value):
            raise ValueError(f"the header {name} holds a line break. Write it in one line.")
    return headers


def storage_path(value: Any, info: ValidationInfo) -> Path:
    """Return the path of the database, absolute against the folder of the configuration."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or "\0" in value or not value.strip() or value.endswith("/"):
        raise ValueError(f"{shown(value)} is not a file. Write it as /var/lib/textbackd/textbackd.db.")
    return context_of(info).folder / value


def contact_file(value: Any, info: ValidationInfo) -> Path:
    """Return the path of a file of contacts, absolute against the folder of the configuration."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or "\0" in value or not value.strip():
        raise ValueError(f"{shown(value)} is not a file. Write the name of a CSV or vCard file: suppliers.csv.")
    return context_of(info).folder / value


def record_source(value: str, info: ValidationInfo) -> str:
    """Return where the PBX keeps its call records: an address with its scheme as it is, a path made absolute."""
    scheme, separator, _ = value.partition("://")
    if not separator:
        return str(context_of(info).folder / value)
    if scheme not in ("sqlite", "mysql", "postgresql"):
        raise ValueError(
            "call records come from a CSV file, sqlite:///, mysql:// or postgresql://. Write the path or the address."
        )
    return value


def asterisk_name(value: str) -> str:
    """Return a name that goes into a dialplan function. Raises ValueError for one that would end it, or begin another."""
    if not _ASTERISK_NAME.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is no name in Asterisk. Write it as Custom:DAYNIGHT0, *280@ext-local or family/key."
        )
    return value


def dialling_prefix(value: str) -> str:
    """Return what is dialled before a number."""
    if not re.fullmatch(r"[0-9*#]{0,8}", value):
        raise ValueError(f'{shown(value)} cannot be dialled. Write digits in quotes: "9".')
    return value


def astdb_key(value: str) -> str:
    """Return a key of AstDB with its family."""
    if not re.fullmatch(r"[^/]+/.*[^/]", asterisk_name(value)):
        raise ValueError(
            f"{shown(value)} is not a key of AstDB. Write family/key, as `asterisk -rx 'database show'` does."
        )
    return value


def daynight_index(value: Any) -> int:
    """Return the index of a call flow control of FreePBX."""
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,3}", str(value)):
        raise ValueError(f"{shown(value)} is not an index. Write what follows *28 in its feature code: 0 for *280.")
    return int(value)


def spoken(value: Any) -> Language:
    """Return the language of a line."""
    return _choice(value, Language, "a language that comes with textbackd")


def wish(value: Any) -> Wish:
    """Return auto, on or off; YAML and people also say true and false."""
    said = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
    return _choice(said, Wish, "a choice here")


def trouble(value: Any) -> Trouble:
    """Return what may be wrong, from its name."""
    return _choice(value, Trouble, "something that may be wrong")


def _choice(value: Any, choices: type[Choice], what: str) -> Choice:
    try:
        return choices(str(value).strip().casefold())
    except ValueError as exc:
        known = [choice.value for choice in choices]
        raise ValueError(f"{shown(value)} is not {what}. Write one of {', '.join(known)}.") from exc


def keys_of(data: Mapping[str, Any], section: str) -> tuple[str, ...]:
    """Return the names under a section of what was written, none if it is no block of keys."""
    entries = data.get(section)
    return tuple(entries) if isinstance(entries, Mapping) else ()


def baud_rate(value: Any) -> int:
    """Return the speed of a serial port in bits per second."""
    if not re.fullmatch(r"[0-9]{3,7}", str(value)) or isinstance(value, bool):
        raise ValueError(f"{shown(value)} is not a speed of a serial port. Write 115200 or 9600.")
    return int(value)
