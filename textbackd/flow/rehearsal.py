"""Calls of the past, as if they came now: what would this configuration do?   pbx/records, pbx/trace → here → replay, simulate

Nothing is done twice in code: the office judges and decides, and the daemon's own tables, in memory, hold what came of it. The clock
is the calls' own. Every gateway takes every text at once, and nobody answers.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from textbackd.config import Settings
from textbackd.core.call import Call, Direction
from textbackd.core.decide import Caller, Standing
from textbackd.core.missed import Judgement, Verdict
from textbackd.core.phone import E164
from textbackd.flow.conclude import Conclusion, Numbers, Office, Proposal
from textbackd.flow.entries import record
from textbackd.flow.guard import Guard, caps_of
from textbackd.store import halts, journal, outbox
from textbackd.store.database import in_memory
from textbackd.store.tally import Wanted

NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)  # of all calls of a recording without times: nothing is ever over
END_OF_TIME: Final = datetime(9000, 1, 1, tzinfo=UTC)
BRAKE_LASTS: Final = timedelta(hours=1)  # until a person has looked; nobody can tell how long that would have taken


class Rehearsal:
    """One run over calls, in the order of their ends.

    `limited`: caps and brake hold, too. `phones` tells who was on the phone with us; nobody, where that is not known.
    """

    def __init__(self, settings: Settings, *, limited: bool, phones: "Phones | None" = None) -> None:
        self.db = in_memory()
        self._office = Office(settings)
        self._gateways = list(settings.gateways)
        self._guard = Guard(caps_of(settings.policy.caps), settings.policy.brake, observing=False) if limited else None
        self._phones = phones or Phones((), self._office)

    def take(self, call: Call) -> Conclusion:
        """Judge a finished call, decide, and remember what follows."""
        now = call.ended_at or NO_TIME
        self.send_until(now)
        numbers = self._office.read(call)
        judgement = self._office.judge(call, numbers)
        caller = self._history(numbers, now)
        proposal = self._office.propose(call, numbers, judgement, caller, at=call.ended_at)
        standing = self._standing(numbers, judgement, proposal, now)
        conclusion = self._office.conclude(call, numbers, judgement, proposal, caller, standing, now=call.ended_at)
        record(self.db, call, self._waiting(conclusion), self._office.policy(conclusion.line), observe=False, now=now)
        return conclusion

    def finish(self) -> None:
        """Let go what still waits."""
        self.send_until(END_OF_TIME)

    def _history(self, numbers: Numbers, now: datetime) -> Caller:
        number = numbers.caller
        return journal.history(self.db, number, now=now, observing=False) if number else Caller()

    def _standing(self, numbers: Numbers, judgement: Judgement, proposal: Proposal, now: datetime) -> Standing:
        if self._guard is None or numbers.caller is None or judgement.verdict is not Verdict.MISSED:
            return Standing()
        wanted = Wanted(recipient=numbers.caller, did=numbers.did, cost=proposal.cost)
        return self._guard.standing(self.db, proposal.line, numbers.caller, wanted, now)

    def _waiting(self, conclusion: Conclusion) -> Conclusion:
        """Return a conclusion whose text waits while the caller is on the phone with us again."""
        who, due = conclusion.numbers.caller, conclusion.decision.due
        if who is None or due is None:
            return conclusion
        return replace(conclusion, decision=replace(conclusion.decision, due=self._phones.free_after(who, due)))

    def send_until(self, now: datetime) -> None:
        """Send what was due before `now`, each text at its own time."""
        if any(now - halt.since >= BRAKE_LASTS for halt in halts.active(self.db, now)):
            halts.resume(self.db, line=None, now=now)
        for gateway in self._gateways:
            while (due := outbox.next_moment(self.db, gateway)) is not None and due < now:
                text = outbox.claim(self.db, gateway, due)
                if text is None:
                    break  # the brake is on, or its time was over before it was due
                outbox.accepted(self.db, text, None, due)
        outbox.expire(self.db, now)


class Phones:
    """Who was on the phone with us, and when."""

    def __init__(self, calls: Iterable[Call], office: Office) -> None:
        self._spans: dict[E164, list[tuple[datetime, datetime]]] = defaultdict(list)
        for call in calls:
            is_ours = call.direction is Direction.OUTBOUND
            who = office.dialled(call.did_presented) if is_ours else office.number(call.caller_presented)
            if who is not None and call.started_at is not None and call.ended_at is not None:
                self._spans[who].append((call.started_at, call.ended_at))

    def free_after(self, who: E164, at: datetime) -> datetime:
        """Return `at`, or the end of the call in which that number was then with us."""
        for began, ended in sorted(self._spans.get(who, ())):
            if began <= at < ended:
                at = ended
        return at
