"""The mark by which a form that is sent twice by mistake is known.   columns.py, new.py → browser → here → flow/desk.py"""

import re
from typing import Final

from textbackd.flow.desk import Refused

_KEY: Final = re.compile(r"[0-9a-f]{32}")
INCOMPLETE: Final = "The form was incomplete. It is whole again now: send it once more."


def key_of(sent: str) -> str:
    """Return the mark of a form. Raises Refused for one that no page of ours has made."""
    if not _KEY.fullmatch(sent):
        raise Refused(INCOMPLETE)
    return sent
