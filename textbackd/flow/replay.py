"""A recorded trace, decided by a configuration. Keeps nothing from one file to the next; within a file cooldown and the rest apply."""

from collections.abc import Iterator
from pathlib import Path

from textbackd.config import Settings
from textbackd.core.call import Call
from textbackd.core.trunk import Trunks
from textbackd.flow.conclude import Conclusion
from textbackd.flow.rehearsal import Rehearsal
from textbackd.pbx.trace import calls_of


def conclusions(path: Path, settings: Settings, *, pbx: str) -> Iterator[tuple[Call, Conclusion]]:
    """Yield the calls of a trace and what we think of them, in the order of their ends. Raises TextbackdError for an unreadable file.

    Caps and brake are left out: a trace is a question about calls, and an attack in it should show what became of each.
    """
    rehearsal = Rehearsal(settings, limited=False)
    section = settings.pbx[pbx]
    for call in calls_of(path, pbx=pbx, trunks=Trunks(section.trunks.contexts, section.trunks.channels)):
        yield call, rehearsal.take(call)
