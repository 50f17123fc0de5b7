"""Was this finished call missed?   core/tracker.py → here → core/decide.py      Pure: no I/O, no clock, no configuration.

A call is missed when an outside caller reached a watched line, waited at least `min_wait` (or met a closed, busy or unreachable
line), and the call ended without the caller ever having been connected to a person. It is decided once per call, by `judge`;
docs/MISSED.md has the cases one by one. Not proof of an answer: a CDR's disposition or billsec, the caller's channel being Up, a
hangup cause, one leg's DialStatus.

Hangup causes are ITU-T Q.850.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from textbackd.core.call import Call, Direction, EndedBy, HandedOnBy


class Verdict(StrEnum):
    """What a call was."""

    ANSWERED = "answered"
    MISSED = "missed"
    LOST_AFTER_ANSWER = "lost_after_answer"
    UNCERTAIN = "uncertain"
    IGNORED = "ignored"


class Reason(StrEnum):
    """Why the verdict. The values are the tokens of the database, of `--json` output and of the metrics."""

    NO_ANSWER = "no_answer"
    GAVE_UP = "gave_up"
    SHORT = "short"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    QUEUE_GAVE_UP = "queue_gave_up"
    QUEUE_TIMEOUT = "queue_timeout"
    MENU_GAVE_UP = "menu_gave_up"
    CLOSED = "closed"
    VOICEMAIL_HANGUP = "voicemail_hangup"
    VOICEMAIL_LEFT = "voicemail_left"
    VERY_SHORT = "very_short"
    TRANSFER_UNANSWERED = "transfer_unanswered"
    PARK_TIMEOUT = "park_timeout"
    MAYBE_MOBILE_VOICEMAIL = "maybe_mobile_voicemail"
    PBX_RESTARTED = "pbx_restarted"
    STILL_OPEN = "still_open"
    NOT_SEEN = "not_seen"
    INTERNAL = "internal"
    OUTBOUND = "outbound"
    OWN_NUMBER = "own_number"
    NEVER_LIST = "never_list"
    SERVICE = "service"
    BLACKLISTED = "blacklisted"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one call. A plainly answered call needs no reason."""

    verdict: Verdict
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the shop says about the numbers and places of one call."""

    own_number: bool = False  # the caller is one of the business's own numbers, or of its staff
    never_list: bool = False  # the shop wants nothing to do with the caller
    ignored_did: bool = False  # the number that was called is a fax, a voicemail access, …
    # Patterns, compared with where the PBX answered the caller, or where an unanswered call ended.
    ignored_contexts: Sequence[str] = ()
    min_wait: timedelta = timedelta(seconds=4)  # a caller who gives up before was hardly there


VERY_SHORT_TALK: Final = timedelta(seconds=3)
# Shorter talks with a mobile that nobody confirmed may have been its voicemail's greeting.
MOBILE_VOICEMAIL_TALK: Final = timedelta(seconds=20)
# A mobile's answer reaches the caller within milliseconds; a second and more means that a "press 1" lay between.
CONFIRMATION_TAKES: Final = timedelta(seconds=1)
# An announcement lasts longer than this; an empty queue that is passed at once does not.
ANNOUNCEMENT_TAKES: Final = timedelta(seconds=1)

BLACKLIST_CONTEXTS: Final = ("app-blacklist*", "*blacklist*", "*blocklist*")
SERVICE_CONTEXTS: Final = (
    "app-vmmain*", "app-dialvm*", "app-directvm*", "*voicemailmain*", "disa*", "*-disa*", "ext-fax*", "app-fax*", "fax*",
)  # fmt: skip
SERVICE_APPLICATIONS: Final = frozenset({"voicemailmain", "disa", "receivefax", "rxfax"})
MENU_CONTEXTS: Final = ("ivr*", "*-ivr*", "*_ivr*", "menu*", "*-menu*", "*_menu*", "app-directory*", "*attendant*")
VOICEMAIL_CONTEXTS: Final = (
    "macro-vm*",
    "vm-*",
    "sub-vm*",
    "*voicemail*",
    "app-vmblast*",
    "ext-vm*",
    "vmx*",
    "macro-vmx*",
)
CLOSED_CONTEXTS: Final = (
    "*announcement*",
    "*closed*",
    "*holiday*",
    "*night*",
    "*afterhours*",
    "*after-hours*",
    "*after_hours*",
)
# What programs run in; a bot or an AI agent that answers is no person.
PROGRAM_APPLICATIONS: Final = frozenset({"agi", "eagi", "deadagi", "stasis", "audiosocket", "externalivr", "echo"})
MENU_APPLICATIONS: Final = frozenset({"background", "waitexten", "read", "directory"})

BUSY_CAUSES: Final = frozenset({17})  # user busy
REJECTED_CAUSE: Final = 21  # call rejected
UNREACHABLE_CAUSES: Final = frozenset(
    {1, 2, 3, 18, 20, 22, 27, 34, 38, 41, 42, 44, 58}
)  # no route … no circuit … congestion
UNREACHABLE_STATUSES: Final = frozenset({"CHANUNAVAIL", "CONGESTION"})


def judge(call: Call, circumstances: Circumstances) -> Judgement:
    """Return the verdict on a finished call: the first rule of `RULES` that has one."""
    case = _Case(call, circumstances)
    return next(judgement for rule in RULES if (judgement := rule(case)) is not None)


@dataclass(frozen=True, slots=True)
class _Case:
    call: Call
    circumstances: Circumstances

    @property
    def hung_up(self) -> bool:
        return self.call.ended_by is EndedBy.CALLER

    @property
    def in_context(self) -> str:
        """Where the PBX held the caller last; FreePBX runs extension `h` of another context after the hang-up."""
        return self.call.up_in or self.call.ended_in


def _not_from_outside(case: _Case) -> Judgement | None:
    if case.call.direction is Direction.INTERNAL:
        return Judgement(Verdict.IGNORED, Reason.INTERNAL)
    if case.call.direction is Direction.OUTBOUND:
        return Judgement(Verdict.IGNORED, Reason.OUTBOUND)
    return None


def _person(case: _Case) -> Judgement | None:
    """The heart: was the caller ever connected to a person?"""
    call = case.call
    if not call.talks:
        return None
    if call.handed_on is not None:
        lost = {HandedOnBy.TRANSFER: Reason.TRANSFER_UNANSWERED, HandedOnBy.PARKING: Reason.PARK_TIMEOUT}
        return Judgement(Verdict.LOST_AFTER_ANSWER, lost[call.handed_on])
    if all(_maybe_voicemail(talk.outside, talk.picked_up_for) for talk in call.talks):
        if call.talked is not None and call.talked < MOBILE_VOICEMAIL_TALK:
            return Judgement(Verdict.UNCERTAIN, Reason.MAYBE_MOBILE_VOICEMAIL)
        return Judgement(Verdict.ANSWERED)
    cut = len(call.talks) == 1 and call.talked is not None and call.talked < VERY_SHORT_TALK
    if cut and call.ended_by in (EndedBy.CALLER, EndedBy.PBX):
        return Judgement(Verdict.ANSWERED, Reason.VERY_SHORT)
    return Judgement(Verdict.ANSWERED)


def _maybe_voicemail(outside: bool, picked_up_for: timedelta | None) -> bool:
    return outside and (picked_up_for is None or picked_up_for < CONFIRMATION_TAKES)


def _still_open(case: _Case) -> Judgement | None:
    return Judgement(Verdict.UNCERTAIN, Reason.STILL_OPEN) if case.call.ended_by is EndedBy.OPEN else None


def _unknown_end(case: _Case) -> Judgement | None:
    reasons = {EndedBy.RESTART: Reason.PBX_RESTARTED, EndedBy.GAP: Reason.NOT_SEEN}
    reason = reasons.get(case.call.ended_by)
    return Judgement(Verdict.UNCERTAIN, reason) if reason else None


def _unknown_middle(case: _Case) -> Judgement | None:
    """A caller's channel that was never Up cannot have been connected; one that was may have been while we did not look."""
    call = case.call
    if call.unseen_company or (call.up and (call.gap or not call.start_seen)):
        return Judgement(Verdict.UNCERTAIN, Reason.NOT_SEEN)
    return None


def _own_number(case: _Case) -> Judgement | None:
    return Judgement(Verdict.IGNORED, Reason.OWN_NUMBER) if case.circumstances.own_number else None


def _never_list(case: _Case) -> Judgement | None:
    return Judgement(Verdict.IGNORED, Reason.NEVER_LIST) if case.circumstances.never_list else None


def _ignored_line(case: _Case) -> Judgement | None:
    return Judgement(Verdict.IGNORED, Reason.SERVICE) if case.circumstances.ignored_did else None


def _ignored_context(case: _Case) -> Judgement | None:
    # Passing through does not count: every FreePBX call passes app-blacklist-check, only blacklisted ones are answered there.
    where = case.in_context
    if _any(where, BLACKLIST_CONTEXTS):
        return Judgement(Verdict.IGNORED, Reason.BLACKLISTED)
    if _any(where, (*SERVICE_CONTEXTS, *case.circumstances.ignored_contexts)):
        return Judgement(Verdict.IGNORED, Reason.SERVICE)
    return None


def _service(case: _Case) -> Judgement | None:
    if case.call.fax or (case.call.application or "").lower() in SERVICE_APPLICATIONS:
        return Judgement(Verdict.IGNORED, Reason.SERVICE)
    return None


def _rejected(case: _Case) -> Judgement | None:
    call = case.call
    if call.cause == REJECTED_CAUSE and not call.up and not call.rings and not call.queue and not case.hung_up:
        return Judgement(Verdict.IGNORED, Reason.BLACKLISTED)
    return None


def _voicemail_left(case: _Case) -> Judgement | None:
    return _missed(Reason.VOICEMAIL_LEFT) if case.call.message_left else None


def _voicemail(case: _Case) -> Judgement | None:
    """Voicemail was reached, nothing left: told by name, or by a hang-up after the phones had stopped ringing and the PBX answered."""
    call = case.call
    if (call.application or "").lower() == "voicemail":
        return _missed(Reason.VOICEMAIL_HANGUP)
    if case.hung_up and call.up and _any(case.in_context, VOICEMAIL_CONTEXTS):
        return _missed(Reason.VOICEMAIL_HANGUP)
    if case.hung_up and call.up and call.rings and not call.ringing_at_end and not _in_queue(call):
        return _missed(Reason.VOICEMAIL_HANGUP)
    return None


def _queue(case: _Case) -> Judgement | None:
    call = case.call
    if not _in_queue(call):
        return None
    if case.hung_up:
        return _gave_up(case, Reason.QUEUE_GAVE_UP)
    return _missed(Reason.QUEUE_TIMEOUT)


def _left_queue(case: _Case) -> Judgement | None:
    """Out of the queue unanswered: it counts where the call ended, else as the queue's time-out."""
    if case.call.queue is None:
        return None
    if _any(case.call.ended_in, CLOSED_CONTEXTS):
        return _missed(Reason.CLOSED)
    if case.hung_up and _in_menu(case):
        return _gave_up(case, Reason.MENU_GAVE_UP)
    if case.hung_up and case.call.ringing_at_end:
        return _gave_up(case, Reason.GAVE_UP)
    return _missed(Reason.QUEUE_TIMEOUT)


def _phones(case: _Case) -> Judgement | None:
    """Phones were dialled, by the caller's channel or further down."""
    call = case.call
    if not call.rings:
        return None
    if case.hung_up and call.ringing_at_end:
        return _gave_up(case, Reason.GAVE_UP)
    statuses = {ring.status for ring in call.rings if not ring.forwarded and not ring.channel.startswith("Local/")}
    if "BUSY" in statuses and not statuses & {"NOANSWER", None}:
        return _missed(Reason.BUSY)
    if statuses and statuses <= UNREACHABLE_STATUSES:
        return _missed(Reason.UNREACHABLE)
    return _missed(Reason.NO_ANSWER)


def _nobody_rang_unanswered(case: _Case) -> Judgement | None:
    """No phone was dialled and the PBX never answered: only the cause is left."""
    call = case.call
    if call.up:
        return None
    if call.cause in BUSY_CAUSES or call.ended_at_extension == "busy":
        return _missed(Reason.BUSY)
    if call.cause in UNREACHABLE_CAUSES or call.ended_at_extension == "congestion":
        return _missed(Reason.UNREACHABLE)
    if case.hung_up:
        return _gave_up(case, Reason.GAVE_UP)
    # An empty queue, a dial without destinations: there was no phone that could have rung.
    return _missed(Reason.UNREACHABLE)


def _nobody_rang_answered(case: _Case) -> Judgement | None:
    """No phone was dialled, and a machine of the PBX talked: a menu, or an announcement to the end."""
    call = case.call
    if _in_menu(case):
        return _gave_up(case, Reason.MENU_GAVE_UP) if case.hung_up else _missed(Reason.MENU_GAVE_UP)
    if (call.application or "").lower() in PROGRAM_APPLICATIONS:
        return _missed(Reason.NO_ANSWER)
    if not case.hung_up and call.up_for is not None and call.up_for < ANNOUNCEMENT_TAKES:
        return _missed(Reason.UNREACHABLE)
    return _missed(Reason.CLOSED)


def _missed(reason: Reason) -> Judgement:
    return Judgement(Verdict.MISSED, reason)


def _gave_up(case: _Case, reason: Reason) -> Judgement:
    waited = case.call.waited
    # Less than nothing was waited if the clock was set back meanwhile: then nobody knows how long.
    is_short = waited is not None and timedelta(0) <= waited < case.circumstances.min_wait
    return _missed(Reason.SHORT if is_short else reason)


def _in_queue(call: Call) -> bool:
    return call.queue is not None and not call.queue.left_before_end


def _in_menu(case: _Case) -> bool:
    return (
        _any(case.call.ended_in, MENU_CONTEXTS)
        or _any(case.in_context, MENU_CONTEXTS)
        or (case.call.application or "").lower() in MENU_APPLICATIONS
    )


def _any(context: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(context.lower(), pattern) for pattern in patterns)


# In this order: what makes a call not count, what a person did, what we cannot know, and then how nobody came to answer.
RULES: Final[tuple[Callable[[_Case], Judgement | None], ...]] = (
    _not_from_outside,
    _own_number,
    _never_list,
    _still_open,
    _person,
    _ignored_line,
    _ignored_context,
    _service,
    _rejected,
    _unknown_end,
    _unknown_middle,
    _voicemail_left,
    _queue,
    _voicemail,
    _left_queue,
    _phones,
    _nobody_rang_unanswered,
    _nobody_rang_answered,
)
