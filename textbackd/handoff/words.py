"""How staff are told of a caller: in a text, a subject line, a message.   flow/staff/handoff.py → here      Pure.

What a caller wrote or is called may hold anything; it is put into one line, and shortened, where a line is all there is.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from textbackd.core.conversation import Happening
from textbackd.core.phone import E164

IN_A_TEXT: Final = 300  # characters of what a caller wrote; the rest is in the inbox
IN_A_TITLE: Final = 80
IN_A_MESSAGE: Final = 4000
NAME: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom and what somebody is told of."""

    tag: int  # of the conversation
    number: E164
    name: str  # untrusted; "": not known
    matter: Happening
    words: str  # untrusted
    no_text: bool = False  # no text reaches them
    reminder: str = ""  # said instead, where nothing has happened but time; holds words of the caller

    @property
    def kind(self) -> str:
        """What the notice is noted as."""
        return "waits" if self.reminder else self.matter.value

    @property
    def who(self) -> str:
        """The caller, in one line, as whoever answers calls them."""
        return f"#{self.tag} {self.whom}"

    @property
    def whom(self) -> str:
        """The caller, in one line."""
        return " ".join(filter(None, (shortened(self.name, NAME), self.number)))


_SAID: Final = {
    Happening.WROTE: "wrote",
    Happening.LEAD: "filled in the form",
    Happening.WANTS_CALL: "tried to call. Please call back",
    Happening.NOT_REACHED: "did not get the text. Please call",
    Happening.MISSED: "tried to call, nobody answered. They get a text",
}


def text(about: About) -> str:
    """Return the text to a mobile."""
    if about.reminder:
        return f"{about.who}: {shortened(about.reminder, IN_A_TEXT)}"
    if about.matter in (Happening.WROTE, Happening.LEAD):
        return f"{about.who}: {shortened(about.words, IN_A_TEXT) or '(nothing that can be shown)'}"
    return f"{about.who} {_SAID[about.matter]}{_reason(about)}."


def page(about: About) -> str:
    """Return the text to a mobile that is nobody's of the staff, whose answers would be a caller's: without a tag to answer with."""
    return f"{about.whom}: {shortened(about.reminder, IN_A_TEXT)} Call them: nobody reads an answer to this text."


def title(about: About) -> str:
    """Return it in one line."""
    if about.reminder:
        return f"{about.who}: {shortened(about.reminder, IN_A_TITLE)}"
    if about.matter in (Happening.WROTE, Happening.LEAD):
        return f"{about.who}: {shortened(about.words, IN_A_TITLE)}"
    return text(about).rstrip(".")


def message(about: About) -> str:
    """Return it with everything that the caller wrote."""
    if about.reminder:
        return f"{about.who}: {plain(about.reminder)[:IN_A_MESSAGE]}\n"
    lines = [f"{about.who} {_SAID[about.matter]}{_reason(about)}.", "", plain(about.words)[:IN_A_MESSAGE]]
    return "\n".join(lines).rstrip() + "\n"


def _reason(about: About) -> str:
    return " (no text reaches them)" if about.no_text and about.matter is Happening.WANTS_CALL else ""


def shortened(words: str, most: int) -> str:
    """Return words in one line of at most so many characters, "…" where something was left out."""
    line = " ".join(plain(words).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def plain(words: str) -> str:
    """Return words without what is not shown: control characters but line ends, marks that turn the direction, halves of characters."""
    return "".join(character for character in words if character == "\n" or not _is_hidden(character))


def _is_hidden(character: str) -> bool:
    # The joiner of emoji is of the same category as the marks that turn text around.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") and character != "\u200d"
