"""Finished calls by hand: a caller rings a phone for twenty seconds, and whatever a test changes in that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from textbackd.core.call import Call, Direction, EndedBy, QueueStay, Ring, Talk

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def rang(status: str | None = "NOANSWER", channel: str = "PJSIP/101-1", **changes: Any) -> Ring:
    """Return a phone that was dialled by the caller's own channel, and how that ended."""
    return replace(Ring(channel=channel, status=status, by_caller=True, forwarded=False), **changes)


def talked(lasted: float = 60, *, since: float = 5, **changes: Any) -> Talk:
    """Return a talk with a phone of the office that began `since` seconds after the call."""
    talk = Talk(
        channel="PJSIP/101-1",
        outside=False,
        picked_up_for=timedelta(0),
        started_at=T0 + seconds(since),
        ended_at=T0 + seconds(since + lasted),
    )
    return replace(talk, **changes)


def mobile(lasted: float, picked_up_for: float | None = 0.01) -> Talk:
    """Return a talk with a mobile to which the call was forwarded."""
    waited = None if picked_up_for is None else seconds(picked_up_for)
    return talked(lasted, channel="PJSIP/trunk-9", outside=True, picked_up_for=waited)


IN_QUEUE = QueueStay(queue="sales", left_before_end=False)
OUT_OF_QUEUE = QueueStay(queue="sales", left_before_end=True)

_BASE = Call(
    pbx="office",
    linkedid="1700000000.1",
    channel="PJSIP/trunk-1",
    direction=Direction.INBOUND,
    caller_presented="+13035550142",
    caller_name="",
    did_presented="+13035550101",
    withheld=False,
    started_at=T0,
    ended_at=T0 + seconds(20),
    start_seen=True,
    gap=False,
    ended_by=EndedBy.PBX,
    up=False,
    up_for=None,
    up_in=None,
    ended_in="from-trunk",
    ended_at_extension="+13035550101",
    cause=16,
    talks=(),
    unseen_company=False,
    handed_on=None,
    rings=(rang(),),
    ringing_at_end=False,
    queue=None,
    message_left=False,
    fax=False,
    application=None,
    way=(),
)


def a_call(*, waited: float = 20, **changes: Any) -> Call:
    """Return a call of `waited` seconds in which one phone rang and nobody took it, with changes."""
    return replace(_BASE, **{"ended_at": T0 + seconds(waited), **changes})


def nobody_rang(**changes: Any) -> Call:
    """Return a call that reached no phone."""
    return a_call(**{"rings": (), **changes})


def met_machine(where: str, *, up_for: float = 15, **changes: Any) -> Call:
    """Return a call that the PBX itself answered in the context `where`."""
    return nobody_rang(**{"up": True, "up_in": where, "ended_in": where, "up_for": seconds(up_for), **changes})
