"""A call that is not over yet: what has happened in it so far.   core/tracker.py fills it, `facts` ends it      Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from textbackd.core.attestation import Attestation
from textbackd.core.call import Call, Direction, EndedBy, HandedOnBy, Moment, QueueStay, Ring, Talk
from textbackd.core.picture import Leg

MOST_MOMENTS: Final = 200  # of one call, for `explain`
MOST_RINGS: Final = 1000  # of one call; a queue rings its members again and again
MOST_TALKS: Final = 200  # of one call


@dataclass(slots=True)
class OpenTalk:
    """The caller hears somebody."""

    leg: Leg
    picked_up_for: timedelta | None  # see Talk
    started_at: datetime | None


@dataclass(slots=True)
class OpenRing:
    """A phone that was dialled; see Ring."""

    channel: str
    by_caller: bool
    status: str | None = None
    forwarded: bool = False


@dataclass(slots=True)
class OpenCall:
    """One call being watched, of whatever direction: the channel that began it and what has happened."""

    leg: Leg
    direction: Direction | None  # None: a trunk's channel that neither rang in nor was dialled yet
    caller: str
    name: str
    did: str
    start_seen: bool
    withheld: bool = False
    attestation: Attestation | None = None
    gap: bool = False
    up_at: datetime | None = None
    up: bool = False
    up_in: str | None = None
    ended_in: str = ""
    extension: str = ""
    hung_up_by_caller: bool = False
    talking: dict[str, OpenTalk] = field(default_factory=dict)
    talks: list[Talk] = field(default_factory=list)
    last_heard: str = ""  # the uniqueid of whom the caller heard last
    unseen_company: bool = False
    handed_on: HandedOnBy | None = None
    rings: dict[str, OpenRing] = field(default_factory=dict)
    queue: str | None = None
    left_queue: bool = False
    cancelled_last: bool = False  # the last thing seen was a dial that stopped because the caller went
    message_left: bool = False
    fax: bool = False
    application: str | None = None
    way: list[Moment] = field(default_factory=list)

    def note(self, at: datetime | None, what: str, who: str = "") -> None:
        """Add a step to the call's way."""
        if len(self.way) < MOST_MOMENTS:
            self.way.append(Moment(at, what, who))

    def ring(self, key: str, channel: str, by_caller: bool) -> OpenRing:
        """Return the phone that is dialled, known or new; of a call that dials without end the oldest are let go."""
        if key not in self.rings:
            if len(self.rings) >= MOST_RINGS:
                del self.rings[next(iter(self.rings))]
            self.rings[key] = OpenRing(channel, by_caller)
        return self.rings[key]

    def hears(self, now: dict[str, Leg], at: datetime | None) -> None:
        """Take whom the caller hears now: talks with others end, talks with new ones begin."""
        for uniqueid in [u for u in self.talking if u not in now]:
            self._end_talk(uniqueid, at)
        for uniqueid, leg in now.items():
            if uniqueid not in self.talking:
                self.talking[uniqueid] = OpenTalk(leg, leg.heard(at), at)
                self.last_heard, self.handed_on = uniqueid, None
                self.note(at, "talked", leg.name)

    def _end_talk(self, uniqueid: str, at: datetime | None) -> None:
        talk = self.talking.pop(uniqueid)
        if len(self.talks) >= MOST_TALKS:
            return
        self.talks.append(
            Talk(
                channel=talk.leg.name,
                outside=talk.leg.outside,
                picked_up_for=talk.picked_up_for,
                started_at=talk.started_at,
                ended_at=at,
            )
        )
        self.note(at, "talk_ended", talk.leg.name)

    def facts(self, pbx: str, at: datetime | None, by: EndedBy, cause: int) -> Call:
        """End the call; return all that is known of it."""
        self.hears({}, at)
        if self.direction is None:
            # Neither rang in nor was dialled: its start was lost. Only the call's own number can still tell.
            self.direction = Direction.INBOUND if self.did not in ("s", "") else Direction.OUTBOUND
        self.note(at, f"ended_by_{by.value}")
        return Call(
            pbx=pbx,
            linkedid=self.leg.linkedid,
            channel=self.leg.name,
            direction=self.direction,
            caller_presented=self.caller,
            caller_name=self.name,
            did_presented=self.did,
            withheld=self.withheld,
            started_at=self.leg.born_at,
            ended_at=at,
            start_seen=self.start_seen,
            gap=self.gap,
            ended_by=by,
            up=self.up,
            up_for=at - self.up_at if at and self.up_at else None,
            up_in=self.up_in,
            ended_in=self.ended_in,
            ended_at_extension=self.extension,
            cause=cause,
            talks=tuple(self.talks),
            unseen_company=self.unseen_company,
            handed_on=self.handed_on,
            rings=tuple(
                Ring(channel=r.channel, status=r.status, by_caller=r.by_caller, forwarded=r.forwarded)
                for r in self.rings.values()
            ),
            ringing_at_end=self.cancelled_last or any(r.by_caller and not r.status for r in self.rings.values()),
            queue=None if self.queue is None else QueueStay(queue=self.queue, left_before_end=self.left_queue),
            message_left=self.message_left,
            fax=self.fax,
            application=self.application,
            way=tuple(self.way),
            attestation=self.attestation,
        )
