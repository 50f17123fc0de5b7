"""What does a form say?   web/leads.py → here → flow/leads_in.py      Pure.

A form is whatever the page's author made of it, and its address is known to everybody who can read the page: what it says is cut to
what a person would read, and nothing in it is believed.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST_MESSAGE: Final = 4000  # characters, as of a note
LONGEST_VALUE: Final = 300  # of any other field; a name, an address, a web address
LONGEST_NAME: Final = 60  # of a field's name
MOST_MORE: Final = 30  # fields that the page's author added


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the fields are called in a form."""

    phone: str = "phone"
    name: str = "name"
    message: str = "message"
    email: str = "email"
    leave_empty: str = "leave_empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form as it was filled in; all of it untrusted."""

    phone: str
    name: str
    words: str  # the message, the e-mail address, and whatever else was asked
    by_machine: bool  # something filled in what people do not see


def read(fields: Sequence[tuple[str, str]], names: Names) -> Form:
    """Return what a form says, cut to what a person would read."""
    said: Mapping[str, str] = dict(reversed(fields))  # of a field that comes twice, the first
    return Form(
        phone=one_line(said.get(names.phone, "")),
        name=one_line(said.get(names.name, "")),
        words="\n".join(_words(said, fields, names)),
        by_machine=bool(said.get(names.leave_empty, "").strip()),
    )


def _words(said: Mapping[str, str], fields: Sequence[tuple[str, str]], names: Names) -> Iterator[str]:
    if message := printable(said.get(names.message, ""))[:LONGEST_MESSAGE].strip():
        yield message
    if email := one_line(said.get(names.email, "")):
        yield f"email: {email}"
    known = {names.phone, names.name, names.message, names.email, names.leave_empty}
    more = [(name, value) for name, value in fields if name not in known and value.strip()]
    for name, value in more[:MOST_MORE]:
        yield f"{one_line(name)[:LONGEST_NAME]}: {one_line(value)}"
    if len(more) > MOST_MORE:
        yield f"and {len(more) - MOST_MORE} more fields, which are not kept"


def one_line(text: str) -> str:
    """Return a text as one line of a bearable length."""
    return " ".join(printable(text[: 4 * LONGEST_VALUE]).split())[:LONGEST_VALUE]


def printable(text: str) -> str:
    """Return a text without control characters, but for its lines, and without half characters, which no database stores."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))
