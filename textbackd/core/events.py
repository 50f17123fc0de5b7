"""One AMI event, and which of them the tracker reads.   pbx/wire.py → here → core/tracker.py

Headers are those of Asterisk 12 and later (docs.asterisk.org, "AMI Events"); 11 and older say the same things under other names.
Class names in the comments are what `read=` of the manager account must hold.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple


class Event(NamedTuple):
    """One event. A NamedTuple, not a dataclass: a busy PBX sends thousands a second."""

    name: str  # the `Event:` header, "Newchannel"
    headers: Mapping[str, str]  # all other headers; of a repeated one the first, so that nothing can be overwritten
    at: (
        datetime | None
    )  # aware UTC: the `Timestamp:` header, else the clock at arrival; None in a recording without times


TRACKED: Final = frozenset({
    # class call: the life of a channel
    "Newchannel", "Newstate", "NewCallerid", "Rename", "HangupRequest", "Hangup",
    # class call: dialling
    "DialBegin", "DialEnd",
    # class call: who hears whom
    "BridgeEnter", "ConfbridgeJoin", "BridgeLeave", "BridgeDestroy", "LocalBridge",
    # class call: handing on
    "BlindTransfer", "AttendedTransfer", "ParkedCall",
    # class call: machines
    "MessageWaiting", "ReceiveFAX",
    # class agent
    "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon",
    # class system
    "FullyBooted", "Shutdown",
    # Asterisk 11 and older
    "Dial", "Bridge", "Join", "Leave",
    # answers to CoreShowChannels and Status, asked after login
    "CoreShowChannel", "CoreShowChannelsComplete",
    # class dialplan, which a live client does not read: see core/tracker.py
    "VarSet",
})  # fmt: skip
