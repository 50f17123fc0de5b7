"""To text or not to text?   core/missed.py → here → core/compose.py, flow/calls_in.py      Pure: no I/O, no clock.

One row per rule, in this order; the first that says no wins, and its reason is stored with the call. Nothing here looks anything
up: what is known of the caller comes in as `Caller`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from textbackd.core.attestation import Attestation
from textbackd.core.caps import Full
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.night import Night, Window
from textbackd.core.phone import NotTextable


class Action(StrEnum):
    """What we do about a call."""

    TEXT = "text"
    SKIP = "skip"


class Why(StrEnum):
    """The rule that decided. The values are the tokens of `decision_reason`."""

    MISSED = "missed"  # nothing spoke against a text
    HELD = "held"  # neither, but it goes when the caller's night is over
    ANSWERED = "answered"
    LOST_AFTER_ANSWER = "lost_after_answer"
    UNCERTAIN = "uncertain"
    IGNORED = "ignored"
    SHORT = "short"
    PAUSED = "paused"  # a person has paused texting, altogether or for this line
    NO_LINE = "no_line"  # no line of the configuration has this number of ours
    LINE_OFF = "line_off"  # the line's text for this kind of call is `none`
    NOT_TEXTABLE = "not_textable"  # which is why, see `not_textable`
    ATTESTATION = "attestation"  # nobody vouches for the number, or it is forged
    OPTED_OUT = "opted_out"  # the caller told us, or the gateway, STOP
    ASKED_TO_STOP = "asked_to_stop"  # the caller wrote something that may mean STOP; a person has to read it
    UNREACHABLE = "unreachable_number"  # an earlier text to this number proved that none arrives there
    GROUP = "group"  # the caller is among contacts that get none
    RECENT_TALK = "recent_talk"
    CONVERSATION = "conversation"  # a person and the caller are writing to each other
    COOLDOWN = "cooldown"
    RESTORED = "restored"  # the call was over before a backup was restored: what became of it then is not known
    EXPIRED = "expired"
    NIGHT = "night"  # the caller's quiet hours
    BRAKE = "brake"  # texting has stopped by itself until a person looks
    CAP = "cap"  # one of `policy.caps` is full


class AtNight(StrEnum):
    """What becomes of the immediate answer in the caller's quiet hours; `policy.night`. What is late is always held."""

    SEND = "send"
    HOLD = "hold"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a text is right; the section `policy` of the configuration."""

    delay: timedelta  # from the hang-up to the text
    cooldown: timedelta  # shortest time between two automatic texts to one caller
    recent_talk: timedelta  # after a talk with a person, no automatic text
    conversation: timedelta  # after a text that a person wrote, or the caller, no automatic text
    expire: timedelta  # after the hang-up, a text that has not gone out does not go any more
    at_night: AtNight = AtNight.SEND
    attestation: Attestation = Attestation.NONE  # the least that is texted; a forged number never is


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What is known of the caller, apart from this call."""

    last_text_at: datetime | None = None  # the last automatic text, sent or on its way
    last_talk_at: datetime | None = None  # the end of the last call in which they heard a person
    conversation_at: datetime | None = None  # when a person last wrote to them, or they to us
    opted_out_at: datetime | None = None
    asked_to_stop_at: datetime | None = None  # when they wrote what a person has to read first
    group: str = ""  # of contacts that get no text; "": none such
    unreachable: str = ""  # why no text arrives there; "": nothing is known against it


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What speaks against any text at this moment, whoever the caller is."""

    paused: str = ""  # who or what has paused texting for this line; "": nobody
    brake: str = ""  # why texting has stopped by itself; "": it has not
    full: Sequence[Full] = ()  # the caps that have no room now
    restored_at: datetime | None = None  # when a backup was last restored; None: never


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that the decision on one call rests on."""

    judgement: Judgement
    not_textable: NotTextable | None
    line: str | None
    has_text: bool  # the line has a text for this kind of call
    ended_at: datetime | None  # None in a recording without times
    caller: Caller
    policy: Policy
    now: datetime | None  # None in a recording without times
    standing: Standing = Standing()
    attestation: Attestation | None = None  # of the caller's number; None: not known
    night: Night | None = None  # the caller's; None: `policy.quiet_hours` is off, or the number unknown


@dataclass(frozen=True, slots=True)
class Decision:
    """What we do about one call, and the rule that decided."""

    action: Action
    why: Why
    detail: str = ""  # for `explain`: until when the cooldown lasts
    due: datetime | None = None  # of a text: not before; None in a recording without times
    until: datetime | None = None  # of a text: not after

    @property
    def is_held(self) -> bool:
        """Return whether the text waits for the end of the night, and has to be worded as late."""
        return self.why is Why.HELD


ALERT_AT: Final = 3  # misses of one caller in one case: a text has not helped, and somebody should call


def decide(question: Question) -> Decision:
    """Return the decision: the first rule that says no, else a text."""
    said = (decision for rule in RULES if (decision := rule(question)) is not None)
    return next(said, Decision(Action.TEXT, Why.MISSED))


_NOT_MISSED: Final = {
    Verdict.ANSWERED: Why.ANSWERED,
    Verdict.LOST_AFTER_ANSWER: Why.LOST_AFTER_ANSWER,
    Verdict.UNCERTAIN: Why.UNCERTAIN,
    Verdict.IGNORED: Why.IGNORED,
}


def _not_missed(q: Question) -> Decision | None:
    why = _NOT_MISSED.get(q.judgement.verdict)
    return _skip(why) if why else None


def _paused(q: Question) -> Decision | None:
    return _skip(Why.PAUSED, q.standing.paused) if q.standing.paused else None


def _short(q: Question) -> Decision | None:
    return _skip(Why.SHORT) if q.judgement.reason is Reason.SHORT else None


def _no_line(q: Question) -> Decision | None:
    return _skip(Why.NO_LINE) if q.line is None else None


def _not_textable(q: Question) -> Decision | None:
    return _skip(Why.NOT_TEXTABLE, q.not_textable.value) if q.not_textable else None


def _attestation(q: Question) -> Decision | None:
    if q.attestation is None or q.attestation >= max(q.policy.attestation, Attestation.NONE):
        return None
    return _skip(Why.ATTESTATION, q.attestation.name)


def _opted_out(q: Question) -> Decision | None:
    since = q.caller.opted_out_at
    return _skip(Why.OPTED_OUT, f"since {since.isoformat()}") if since else None


def _asked_to_stop(q: Question) -> Decision | None:
    since = q.caller.asked_to_stop_at
    return _skip(Why.ASKED_TO_STOP, f"since {since.isoformat()}") if since else None


def _unreachable(q: Question) -> Decision | None:
    return _skip(Why.UNREACHABLE, q.caller.unreachable) if q.caller.unreachable else None


def _group(q: Question) -> Decision | None:
    return _skip(Why.GROUP, q.caller.group) if q.caller.group else None


def _recent_talk(q: Question) -> Decision | None:
    return _within(q, q.caller.last_talk_at, q.policy.recent_talk, Why.RECENT_TALK)


def _conversation(q: Question) -> Decision | None:
    return _within(q, q.caller.conversation_at, q.policy.conversation, Why.CONVERSATION)


def _cooldown(q: Question) -> Decision | None:
    return _within(q, q.caller.last_text_at, q.policy.cooldown, Why.COOLDOWN)


def _line_off(q: Question) -> Decision | None:
    return None if q.has_text else _skip(Why.LINE_OFF)


def _restored(q: Question) -> Decision | None:
    restored_at = q.standing.restored_at
    if restored_at is None or q.ended_at is None or q.ended_at > restored_at:
        return None
    return _skip(Why.RESTORED, f"a backup was restored at {restored_at.isoformat()}")


def _expired(q: Question) -> Decision | None:
    if q.now is None or q.ended_at is None or q.now - q.ended_at <= q.policy.expire:
        return None
    return _skip(Why.EXPIRED, f"the call ended at {q.ended_at.isoformat()}")


def _brake(q: Question) -> Decision | None:
    return _skip(Why.BRAKE, q.standing.brake) if q.standing.brake else None


def _night(q: Question) -> Decision | None:
    if q.policy.at_night is not AtNight.SKIP or q.night is None or q.ended_at is None:
        return None
    return _skip(Why.NIGHT, f"in {q.night}") if q.night.covers(q.ended_at + q.policy.delay) else None


def _when(q: Question) -> Decision | None:
    """Say when the text goes, or turn it down because no time is right; the last rule, since what it says may be a text."""
    if q.now is None or q.ended_at is None:
        return None
    slot = _window(q, q.ended_at, q.now).slot(q.standing.full)
    if isinstance(slot, Full):
        return _skip(Why.CAP, f"{slot.scope.value} {slot.cap}")
    if slot is None:
        return _skip(Why.NIGHT, f"in {q.night}, which are never awake together")
    why, detail = (Why.HELD, f"until {slot.due.isoformat()}, night in {q.night}") if slot.held else (Why.MISSED, "")
    return Decision(Action.TEXT, why, detail, due=slot.due, until=slot.until)


def _window(q: Question, ended_at: datetime, now: datetime) -> Window:
    return Window(
        answer_at=ended_at + q.policy.delay,
        now=now,
        expires_at=ended_at + q.policy.expire,
        night=q.night,
        hold=q.policy.at_night is not AtNight.SEND,
    )


def _within(q: Question, since: datetime | None, span: timedelta, why: Why) -> Decision | None:
    """Skip while `span` after `since` lasts; it ends on the dot, inclusive. A span of nothing never skips."""
    if since is None or not span:
        return None
    moment = q.ended_at or q.now
    if moment is not None and moment - since >= span:
        return None
    return _skip(why, f"until {(since + span).isoformat()}")


def _skip(why: Why, detail: str = "") -> Decision:
    return Decision(Action.SKIP, why, detail)


RULES: Final[tuple[Callable[[Question], Decision | None], ...]] = (
    _not_missed,
    _short,
    _no_line,
    _paused,
    _not_textable,
    _attestation,
    _opted_out,
    _asked_to_stop,
    _unreachable,
    _group,
    _recent_talk,
    _conversation,
    _cooldown,
    _line_off,
    _restored,
    _expired,
    _night,
    _brake,
    _when,
)
