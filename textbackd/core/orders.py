"""What one of the staff writes from their phone, read.   flow/staff/orders.py → here      Pure.

#7 We come at 3        to the caller of conversation 7
We come at 3           to the caller whom they were told of last
#7! We come at 3       even if a colleague has answered
#7 done | call         nothing is left to do | I call them
#7 note Gate is 4711   for colleagues
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_TAGGED: Final = re.compile(r"\s*#\s?([0-9]{1,9})(!?)(?![0-9])[\s:,.-]*(.*)", re.DOTALL)
_NOTE: Final = re.compile(r"note(?:[:\s]\s*)(.+)", re.DOTALL | re.IGNORECASE)


class Do(StrEnum):
    """What they want done."""

    REPLY = "reply"
    NOTE = "note"
    DONE = "done"
    CALL = "call"  # they call the caller, so that no colleague has to


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was written."""

    do: Do
    tag: int | None  # of the conversation; None: none was written
    words: str  # to the caller, or for colleagues
    insists: bool = False  # a colleague's answer does not keep them


def read_order(written: str) -> Order:
    """Return what one of the staff wants. Only behind a tag is a word more than a word to the caller."""
    found = _TAGGED.fullmatch(written)
    if found is None:
        return Order(do=Do.REPLY, tag=None, words=written.strip())
    tag, insists, words = int(found[1]), bool(found[2]), found[3].strip()
    if words.casefold().rstrip(".!") in (Do.DONE, Do.CALL):
        return Order(do=Do(words.casefold().rstrip(".!")), tag=tag, words="", insists=insists)
    if (note := _NOTE.fullmatch(words)) is not None:
        return Order(do=Do.NOTE, tag=tag, words=note[1], insists=insists)
    return Order(do=Do.REPLY, tag=tag, words=words, insists=insists)
