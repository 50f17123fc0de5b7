"""A recorded trace, decided by a configuration. Keeps nothing from one file to the next; within a file cooldown and the rest apply."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from textbackd.config import Settings
from textbackd.core.call import Call
from textbackd.core.decide import Action, Caller, Standing
from textbackd.core.missed import Verdict
from textbackd.core.phone import E164
from textbackd.core.trunk import Trunks
from textbackd.flow.conclude import Conclusion, Office
from textbackd.pbx.trace import calls_of


class Memory:
    """What a run has learnt of its callers; the place of the database."""

    def __init__(self) -> None:
        self._callers: dict[E164, Caller] = {}

    def of(self, number: E164 | None) -> Caller:
        """Return what is known of a caller."""
        return self._callers.get(number, Caller()) if number else Caller()

    def note(self, call: Call, conclusion: Conclusion) -> None:
        """Remember a text or a talk. Without times all happens at one moment, `datetime.max`, and nothing is ever over."""
        number, at = conclusion.numbers.caller, call.ended_at or _NO_TIME
        if number is None:
            return
        if conclusion.decision.action is Action.TEXT:
            self._callers[number] = replace(self.of(number), last_text_at=at)
        if conclusion.judgement.verdict is Verdict.ANSWERED:
            self._callers[number] = replace(self.of(number), last_talk_at=at)


_NO_TIME = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def conclusions(path: Path, settings: Settings, *, pbx: str) -> Iterator[tuple[Call, Conclusion]]:
    """Yield the calls of a trace and what we think of them, in the order of their ends. Raises TextbackdError for an unreadable file."""
    office, memory = Office(settings), Memory()
    section = settings.pbx[pbx]
    for call in calls_of(path, pbx=pbx, trunks=Trunks(section.trunks.contexts, section.trunks.channels)):
        numbers = office.read(call)
        judgement = office.judge(call, numbers)
        known = memory.of(numbers.caller)
        proposal = office.propose(call, numbers, judgement, known)
        conclusion = office.conclude(call, numbers, judgement, proposal, known, Standing(), now=call.ended_at)
        memory.note(call, conclusion)
        yield call, conclusion
