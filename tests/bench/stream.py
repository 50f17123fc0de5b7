"""The bytes of a busy PBX, made of the project's recordings.   tests/traces → here → tests/bench/server.py

Each recorded call is repeated with fresh uniqueids, channels and bridges, so that every copy is a new call. The recordings hold only
what matters here; around it stands what a real manager connection says besides, in the proportion that was counted on Asterisk 16
and 22: 78 events for one inbound call with `read=all`, 29 of them in the classes of our login (docs/PERFORMANCE.md).
"""

import random
import re
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Final

from textbackd.core.trunk import Trunks
from textbackd.pbx.trace import calls_of

RECORDINGS: Final = Path(__file__).parents[1] / "traces"
AT_ONCE: Final = 20  # calls whose events are mixed with each other, as on a busy switchboard
BEGINS_AT: Final = 1_795_441_671.0  # the recordings' own day, epoch seconds
BETWEEN_EVENTS: Final = 0.0128  # seconds: a call of 20 s and 78 events, twenty of them at once
SEED: Final = 20261123  # the same bytes in every run
END: Final = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: end of the stream\r\n\r\n"
_BLANK: Final = b"\r\n\r\n"
_NAMES_OF_CHANNELS: Final = re.compile(rb"(?:Uniqueid|Linkedid|UniqueID|LinkedID)\d?: ([^\r\n]+)")
_SERIAL: Final = rb"(?<=-)[0-9a-f]{8}(?![0-9a-f-])"
_UUID: Final = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CHANNEL: Final = re.compile(rb"\r\nChannel: .*?\r\nLinkedid: [^\r\n]+", re.DOTALL)
_BRIDGE: Final = re.compile(rb"\r\nBridgeUniqueid: [^\r\n]+")
_BRIDGE_TAIL: Final = (
    b"\r\nBridgeType: basic\r\nBridgeTechnology: simple_bridge\r\nBridgeCreator: <unknown>\r\nBridgeName: <unknown>"
    b"\r\nBridgeVideoSourceMode: none"
)
_TIME: Final = re.compile(rb"\r\nTimestamp: [^\r\n]+")


@dataclass(frozen=True, slots=True)
class Noise:
    """One kind of event that the tracker has no use for."""

    name: bytes
    classes: bytes
    per_call: int  # how many of it one call brings
    tail: bytes  # what follows the channel's headers
    of_channel: bool = True

    @property
    def is_ours(self) -> bool:
        """Return whether our login asks for its class."""
        return self.classes in (b"call", b"agent", b"system")

    def frame(self, time: bytes, channel: bytes) -> bytes:
        """Return the event as Asterisk would send it for a channel."""
        head = b"Event: " + self.name + b"\r\nPrivilege: " + self.classes + b",all" + time
        return head + (channel if self.of_channel else b"") + self.tail


# Counted per inbound call: 14 events that the tracker reads (the recordings bring them), 15 more of our classes, 49 of others.
NOISE: Final = (
    Noise(b"VarSet", b"dialplan", 19, b"\r\nVariable: DIALEDPEERNUMBER\r\nValue: 101/sip:101@192.0.2.11:5060"),
    Noise(b"VarSet", b"dialplan", 14, b"\r\nVariable: RTPAUDIOQOS\r\nValue: ssrc=1136608414;themssrc=0;lp=0;rxjitter=0.000000;"
          b"rxcount=0;txjitter=0.000000;txcount=71;rlp=0;rtt=0.000000;rxmes=0.000000;txmes=87.2"),
    Noise(b"Newexten", b"dialplan", 6, b"\r\nExtension: s\r\nApplication: ExecIf\r\nAppData: 0?Set(CALLERID(name)=unknown)"),
    Noise(b"RTCPSent", b"reporting", 4, b"\r\nTo: 192.0.2.11:30149\r\nFrom: 192.0.2.1:21525\r\nMES: 87.2\r\nSSRC: 0x43bda59e\r\n"
          b"PT: 200(SR)\r\nReportCount: 0\r\nSentNTP: 1795441616.486238\r\nSentRTP: 11360\r\nSentPackets: 71\r\nSentOctets: 11360"),
    Noise(b"RTCPReceived", b"reporting", 4, b"\r\nTo: 192.0.2.1:21525\r\nFrom: 192.0.2.11:30149\r\nRTT: 0.0012\r\nMES: 87.2\r\n"
          b"SSRC: 0x1be8a6c2\r\nPT: 201(RR)\r\nReportCount: 1\r\nReport0SourceSSRC: 0x43bda59e\r\nReport0FractionLost: 0"),
    Noise(b"Cdr", b"cdr", 2, b"\r\nAccountCode: \r\nSource: +12165550100\r\nDestination: +13035550101\r\nDestinationContext: "
          b"from-trunk\r\nCallerID: \"Ann Smith\" <+12165550100>\r\nLastApplication: Dial\r\nLastData: PJSIP/101,4,tkK\r\nStartTime: "
          b"2026-11-23 13:46:50\r\nAnswerTime: \r\nEndTime: 2026-11-23 13:46:50\r\nDuration: 0\r\nBillableSeconds: 0\r\n"
          b"Disposition: NO ANSWER\r\nAMAFlags: DOCUMENTATION\r\nUserField: ", of_channel=False),
    Noise(b"DeviceStateChange", b"call", 6, b"\r\nDevice: PJSIP/101\r\nState: RINGING", of_channel=False),
    Noise(b"NewConnectedLine", b"call", 5, b""),
    Noise(b"DialState", b"call", 2, b"\r\nDestChannel: PJSIP/101-00000000\r\nDestChannelState: 5\r\nDestChannelStateDesc: Ringing\r\n"
          b"DestCallerIDNum: 101\r\nDestCallerIDName: Phone 101\r\nDestConnectedLineNum: +12165550100\r\nDestConnectedLineName: "
          b"Ann Smith\r\nDestLanguage: en\r\nDestAccountCode: \r\nDestContext: from-internal-1\r\nDestExten: +13035550101\r\n"
          b"DestPriority: 1\r\nDestUniqueid: 1.1\r\nDestLinkedid: 1.1\r\nDialStatus: RINGING"),
    Noise(b"MusicOnHoldStart", b"call", 1, b"\r\nClass: default"),
    Noise(b"QueueMemberStatus", b"agent", 1, b"\r\nQueue: support1\r\nMemberName: Anna\r\nInterface: PJSIP/103\r\nStateInterface: "
          b"PJSIP/103\r\nMembership: static\r\nPenalty: 0\r\nCallsTaken: 0\r\nLastCall: 0\r\nLastPause: 0\r\nLoginTime: 1795441515\r\n"
          b"InCall: 0\r\nStatus: 6\r\nPaused: 0\r\nPausedReason: \r\nRinguse: 1\r\nWrapuptime: 0", of_channel=False),
)  # fmt: skip


class Recording:
    """One recorded story, cut where its copies differ."""

    def __init__(self, path: Path, *, all_classes: bool) -> None:
        frames = [frame for frame in path.read_bytes().split(_BLANK) if frame.startswith(b"Event: ")]
        frames = [frame for frame in frames if not frame.startswith(b"Event: FullyBooted\r\n")]
        self.calls = len(list(calls_of(path, pbx="bench", trunks=Trunks())))
        noisy = list(_with_noise(frames, self.calls, all_classes=all_classes))
        self.events = len(noisy)
        text = _BLANK.join(noisy)
        found = {re.escape(name) for name in _NAMES_OF_CHANNELS.findall(text)}
        longest_first = sorted(found, key=len, reverse=True)
        uniqueids = rb"(?<=: )(?:" + b"|".join(longest_first) + rb")(?=\r)"
        self._parts = re.split(rb"(" + b"|".join((uniqueids, _UUID, _SERIAL)) + rb")", text + b"\r")
        self._names = dict.fromkeys(self._parts[1::2])

    def copy(self, number: Iterator[int]) -> list[bytes]:
        """Return the frames of one more call, or calls, that were not there before."""
        fresh = {name: _fresh(name, next(number)) for name in self._names}
        parts = [fresh[part] if place % 2 else part for place, part in enumerate(self._parts)]
        return b"".join(parts)[:-1].split(_BLANK)


def _fresh(name: bytes, number: int) -> bytes:
    if b"." in name:
        return b"1795441671.%d" % number
    return str(uuid.UUID(int=number)).encode() if b"-" in name else b"%08x" % number


def _with_noise(frames: Sequence[bytes], calls: int, *, all_classes: bool) -> Iterator[bytes]:
    """Yield the frames and, spread between them, as many others as so many calls bring."""
    noise = [kind for kind in NOISE if all_classes or kind.is_ours for _ in range(kind.per_call * max(calls, 1))]
    dice = random.Random(SEED)
    dice.shuffle(noise)
    share = len(noise) / len(frames)
    channel = time = b""
    bridges: set[bytes] = set()
    for place, frame in enumerate(frames, start=1):
        yield from _with_its_bridge(frame, bridges)
        time = found[0] if (found := _TIME.search(frame)) else time
        channel = found[0] if (found := _CHANNEL.search(frame)) else channel
        for kind in noise[int((place - 1) * share) : int(place * share)]:
            yield kind.frame(time, channel)


def _with_its_bridge(frame: bytes, known: set[bytes]) -> Iterator[bytes]:
    """Yield a frame, before it the making of the bridge that is entered and after it the end of the one that is left empty."""
    bridge = _BRIDGE.search(frame)
    if bridge is not None and bridge[0] not in known:
        known.add(bridge[0])
        yield b"Event: BridgeCreate\r\nPrivilege: call,all" + bridge[0] + b"\r\nBridgeNumChannels: 0" + _BRIDGE_TAIL
    yield frame
    if bridge is not None and frame.startswith(b"Event: BridgeLeave\r\n") and b"\r\nBridgeNumChannels: 0" in frame:
        yield b"Event: BridgeDestroy\r\nPrivilege: call,all" + bridge[0] + b"\r\nBridgeNumChannels: 0" + _BRIDGE_TAIL


@dataclass(frozen=True, slots=True)
class Stream:
    """What one run sends."""

    data: bytes
    events: int
    calls: int


def stream(events: int, *, all_classes: bool) -> Stream:
    """Return about so many events; the last one is `END`."""
    recordings = [Recording(path, all_classes=all_classes) for path in _usable()]
    number = iter(range(1, 1 << 62))
    rounds = -(-events // sum(recording.events for recording in recordings))
    todo = recordings * rounds
    random.Random(SEED).shuffle(todo)
    frames = list(_mixed(recording.copy(number) for recording in todo))
    data = _at_their_times(_BLANK.join([*frames, END.removesuffix(_BLANK), b""]))
    return Stream(data, len(frames) + 1, sum(recording.calls for recording in todo))


def _at_their_times(data: bytes) -> bytes:
    """Return the stream with a clock that goes forward, as fast as so many calls at once would bring the events."""
    ticks = count()
    return _TIME.sub(lambda _: b"\r\nTimestamp: %.6f" % (BEGINS_AT + next(ticks) * BETWEEN_EVENTS), data)


def _usable() -> list[Path]:
    """Return the recordings of one unbroken connection to an Asterisk that is not restarted, without a forged event."""
    paths = sorted(path for path in RECORDINGS.glob("*/*.ami") if path.stem != "name_newline")
    return [path for path in paths if _is_plain(path.read_bytes())]


def _is_plain(data: bytes) -> bool:
    return data.count(b"Asterisk Call Manager/") == 1 and b"Shutdown\r\n" not in data and b"Event: New" in data


def _mixed(calls: Iterable[list[bytes]]) -> Iterator[bytes]:
    """Yield the frames of many calls, so many at a time, in turn."""
    waiting = iter(calls)
    lanes = deque(iter(frames) for frames in islice(waiting, AT_ONCE))
    while lanes:
        lane = lanes.popleft()
        if (frame := next(lane, None)) is not None:
            yield frame
            lanes.append(lane)
        elif (frames := next(waiting, None)) is not None:
            lanes.append(iter(frames))
