"""One finished call: what happened, without an opinion.   core/tracker.py (or a CDR) → here → core/missed.py"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from textbackd.core.attestation import Attestation


class Direction(StrEnum):
    """Where the first channel of a call came from."""

    INBOUND = "inbound"  # over a trunk, from outside
    OUTBOUND = "outbound"  # from the office to outside, click-to-call included
    INTERNAL = "internal"  # phone to phone, feature codes


class EndedBy(StrEnum):
    """Who ended the call. The hangup cause does not tell; a HangupRequest on the caller's channel does."""

    CALLER = "caller"
    PBX = "pbx"
    RESTART = "restart"  # Asterisk was restarted and the end was not seen
    GAP = "gap"  # it ended while nobody was listening
    OPEN = "open"  # its end has not come: the recording stops, or the call is older than any call


class HandedOnBy(StrEnum):
    """How a person let go of a caller."""

    TRANSFER = "transfer"
    PARKING = "parking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """The caller and somebody else heard each other."""

    channel: str  # the other's channel, "PJSIP/101-0000002a"
    outside: bool  # the other's leg went out over a trunk: a mobile, or its voicemail
    picked_up_for: (
        timedelta | None
    )  # from the other's pick-up to the caller's hearing them; long: a confirmation lay between
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One phone that was dialled for this call."""

    channel: str
    status: str | None  # DialStatus: ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL; None: it never ended
    by_caller: bool  # dialled by the caller's own channel, not further down by a Local channel
    forwarded: bool  # it answered 302: another destination was dialled in its place


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStay:
    """The caller's last wait in a queue."""

    queue: str
    left_before_end: bool  # taken out by an agent, a time-out or a key; False: the call ended in the queue


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a call, for `explain`."""

    at: datetime | None
    what: str  # a word of core/way.py, "rang"
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """All that is known of one call when it is over. Facts only; core/missed.py judges."""

    pbx: str  # the name under `pbx:` in the configuration
    linkedid: (
        str  # of the caller's channel, which is the oldest; it stays the call's name even if Asterisk merges it later
    )
    channel: str  # the caller's channel
    direction: Direction
    caller_presented: str  # as the carrier sent it; may be a word
    caller_name: str  # untrusted: may hold anything
    did_presented: str  # the extension where the call came in
    withheld: bool  # the caller asked that the number be hidden, though the carrier may tell it
    started_at: datetime | None
    ended_at: datetime | None
    start_seen: bool  # False: we came in the middle, so a talk before that may be unknown
    gap: bool  # the AMI connection was lost in between
    ended_by: EndedBy
    up: bool  # the caller's channel was answered, if only by the PBX itself
    up_for: timedelta | None  # from that answer to the end
    up_in: str | None  # the context in which the PBX answered it; None if it never did
    ended_in: str  # the context in which it ended
    ended_at_extension: str
    cause: int  # of the caller's hangup (Q.850); a hint only, it differs by version
    talks: tuple[Talk, ...]
    unseen_company: bool  # the caller was in a bridge with somebody whose entering we did not see
    handed_on: HandedOnBy | None  # a person let go of the caller, and nobody took over
    rings: tuple[Ring, ...]
    ringing_at_end: bool  # a phone was ringing for the caller's own channel when it ended
    queue: QueueStay | None
    message_left: bool
    fax: bool
    application: str | None  # the dialplan application that ran last, where somebody asked or a CDR tells
    way: tuple[Moment, ...]
    attestation: Attestation | None = (
        None  # of the caller's number; None: nobody asked, or only records tell of the call
    )
    merged: tuple[str, ...] = ()  # linkedids of the same call, delivered again over another trunk

    @property
    def waited(self) -> timedelta | None:
        """From arrival to the end; None where the recording has no times: then every wait counts as long enough."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at

    @property
    def talked(self) -> timedelta | None:
        """How long the caller heard anybody; overlapping talks count once. None without times."""
        spans = sorted((t.started_at, t.ended_at) for t in self.talks if t.started_at and t.ended_at)
        if len(spans) < len(self.talks):
            return None
        total, heard_until = timedelta(0), None
        for start, end in spans:
            begin = start if heard_until is None else max(start, heard_until)
            total += max(end - begin, timedelta(0))
            heard_until = end if heard_until is None else max(end, heard_until)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedChannel:
    """A channel as CoreShowChannels lists it, for calls that were there before us."""

    uniqueid: str
    linkedid: str
    headers: Mapping[str, str]
