"""A switchboard by hand: says what a PBX would say, event by event, and keeps the calls that ended."""

from datetime import UTC, datetime, timedelta
from typing import Final

from textbackd.core.call import Call
from textbackd.core.events import Event
from textbackd.core.missed import Circumstances, judge
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks

BEGAN: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CALLER, DID = "+13035550142", "+13035550101"


def bridge(number: int = 1) -> str:
    """Return a bridge's name as Asterisk gives them."""
    return f"00000000-0000-4000-8000-{number:012d}"


class Switchboard:
    """Channels go by their uniqueid; the caller's is usually "c"."""

    def __init__(self, *, timed: bool = True) -> None:
        self.tracker = Tracker("office", Trunks())
        self.ended: list[Call] = []
        self.now = BEGAN
        self._timed = timed
        self._names: dict[str, str] = {}

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def says(self, name: str, **headers: str) -> None:
        """Feed one event."""
        self.ended += self.tracker.feed(Event(name, headers, self.now if self._timed else None))

    def of(self, uniqueid: str, name: str, **headers: str) -> None:
        """Feed one event of a channel."""
        self.says(name, **{"Channel": self._names[uniqueid], "Uniqueid": uniqueid, "Linkedid": "c", **headers})

    def appears(self, uniqueid: str, channel: str, state: str = "Down", **headers: str) -> None:
        """Newchannel; part of the call "c" unless told otherwise."""
        self._names[uniqueid] = channel
        self.of(
            uniqueid, "Newchannel", **{"ChannelStateDesc": state, "Context": "from-internal", "Exten": "s", **headers}
        )

    def rings_in(self, state: str = "Ring", **headers: str) -> None:
        """Newchannel of the caller "c" on a trunk."""
        usual = {"Context": "from-trunk", "Exten": DID, "CallerIDNum": CALLER, "CallerIDName": ""}
        self.appears("c", "PJSIP/acme-00000001", state, **{**usual, **headers})

    def state(self, uniqueid: str, state: str, **headers: str) -> None:
        self.of(uniqueid, "Newstate", ChannelStateDesc=state, **headers)

    def dials(self, uniqueid: str, channel: str, by: str = "c") -> None:
        """Newchannel of a phone, and DialBegin."""
        self.appears(uniqueid, channel)
        self._dial("DialBegin", by, uniqueid)

    def dial_ends(self, uniqueid: str, status: str, by: str = "c") -> None:
        self._dial("DialEnd", by, uniqueid, DialStatus=status)

    def _dial(self, name: str, by: str, dialled: str, **headers: str) -> None:
        dest = {"DestChannel": self._names[dialled], "DestUniqueid": dialled, "DestLinkedid": "c"}
        self.of(by, name, **dest, **headers)

    def enters(self, uniqueid: str, number: int = 1, **headers: str) -> None:
        self.of(uniqueid, "BridgeEnter", BridgeUniqueid=bridge(number), BridgeType="basic", **headers)

    def leaves(self, uniqueid: str, number: int = 1) -> None:
        self.of(uniqueid, "BridgeLeave", BridgeUniqueid=bridge(number), BridgeType="basic")

    def hangs_up(self, uniqueid: str = "c", **headers: str) -> None:
        self.of(uniqueid, "Hangup", Cause="16", **headers)

    def caller_hangs_up(self) -> None:
        self.of("c", "HangupRequest")
        self.hangs_up("c")

    def lists(self, uniqueid: str, channel: str, state: str, **headers: str) -> None:
        """CoreShowChannel, the answer about one channel."""
        self._names[uniqueid] = channel
        self.of(uniqueid, "CoreShowChannel", **{"ChannelStateDesc": state, "Context": "from-internal", **headers})

    def told(self) -> list[str]:
        """Return the verdicts on the calls that ended, "missed no_answer"."""
        return [_words(call) for call in self.ended]


def _words(call: Call) -> str:
    judgement = judge(call, Circumstances())
    return " ".join(filter(None, (judgement.verdict.value, judgement.reason and judgement.reason.value)))
