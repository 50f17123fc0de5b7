"""Reading what a vendor wrote: JSON whose shape nobody promises, forms, and texts as forms want them.   a dialect → here"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from textbackd.gateways.base import Hook, HookRefused
from textbackd.gateways.web.exchange import parsed

FORM: Final = "application/x-www-form-urlencoded"
SHORTEST_NUMBER: Final = 9  # digits with the country's code (Andorra, the Faroes); short codes have at most 8
REFERENCE_LIMIT: Final = 200  # characters; the longest id seen (Amazon) has 36, a page of HTML is none


def at(content: object, path: str) -> object:
    """Return what stands at a dotted path into JSON, `messages.0.id`; None where there is nothing."""
    for step in path.split("."):
        if isinstance(content, Mapping):
            content = content.get(step)
        elif isinstance(content, list) and step.isdecimal() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content


def text_at(content: object, path: str) -> str:
    """Return the text or number at a path, as text; "" for anything else."""
    value = at(content, path)
    written = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    # JSON can hold half a character ("\ud83d"), which no database stores and no request carries.
    return written.encode("utf-8", "replace").decode()


def number_at(content: object, path: str) -> int | None:
    """Return the whole number at a path, also if it is written as text; None for anything else."""
    value = text_at(content, path)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else None


def items_at(content: object, path: str) -> Iterator[Mapping[str, object]]:
    """Yield the blocks of the list at a path; "" is the content itself."""
    found = at(content, path) if path else content
    for item in found if isinstance(found, list) else ():
        if isinstance(item, Mapping):
            yield item


def reference_at(content: object, path: str) -> str | None:
    """Return an id at a path; None for what can be none."""
    value = text_at(content, path).strip()
    return value if 0 < len(value) <= REFERENCE_LIMIT and value.isprintable() else None


def international(number: str) -> str:
    """Return a number with the + that some vendors leave out; a short code or a name as it is."""
    return f"+{number}" if number.isascii() and number.isdigit() and len(number) >= SHORTEST_NUMBER else number


def form(fields: Mapping[str, str | None]) -> bytes:
    """Return a form's content; fields that are None are left out. Raises UnicodeEncodeError for half a character."""
    return urlencode({name: value for name, value in fields.items() if value is not None}).encode()


def moment(written: str) -> datetime | None:
    """Return a time as aware UTC: ISO 8601, RFC 2822 or seconds since 1970; one without a zone is UTC. None for no time."""
    try:
        if written.replace(".", "", 1).isdigit() and len(written) < 20:
            return datetime.fromtimestamp(float(written), UTC)
        read = datetime.fromisoformat(written) if written[:1].isdigit() else parsedate_to_datetime(written)
        # The first and the last day of all have no other zone's.
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def fingerprint(sender: str, body: str, at: datetime | None) -> str:
    """Return an id for a text that came without a usable one: the same for the same text, however often it is told."""
    told = "\0".join((sender, body, at.isoformat() if at else ""))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


# ---- webhooks


def hook_query(hook: Hook) -> list[tuple[str, str]]:
    """Return the parameters behind the `?`, in their order."""
    return parse_qsl(urlsplit(hook.target).query, keep_blank_values=True)


def hook_form(hook: Hook) -> list[tuple[str, str]]:
    """Return the fields of a form that was posted, in their order. Raises HookRefused."""
    try:
        return parse_qsl(hook.body.decode(), keep_blank_values=True)
    except UnicodeDecodeError:
        raise HookRefused("The webhook's form cannot be read.", status=400) from None


def hook_json(hook: Hook) -> object:
    """Return the JSON that was posted. Raises HookRefused."""
    content = parsed(hook.body.decode("utf-8-sig", errors="replace"))
    if not isinstance(content, dict | list):
        raise HookRefused("The webhook's JSON cannot be read.", status=400)
    return content
