"""From AMI events to finished calls.   pbx/wire.py → here → core/missed.py      Pure: no I/O, no clock.

One call is one channel of a caller, from its Newchannel to its Hangup; whatever Asterisk does in between (queues, Local channels,
transfers, parking) shows in bridges. So the tracker holds a small picture of channels and bridges, and asks one question whenever
that picture changes: which channels that are not Local, reached from the caller's bridge through Local pairs, does the caller
hear now? Channel states, dial results and hangup causes are kept as facts for the reason, never for the verdict: an answered
channel may be a menu, DialEnd ANSWER a mobile's voicemail, a hangup cause anything.

Events may be missing, repeated or out of order; what they say is believed only as far as it goes, and a call of which something
was not seen says so (`start_seen`, `gap`, `unseen_company`). Nothing here raises for what a PBX sends.

Source of each fact: recordings of Asterisk 16 and 22, see docs/AMI.md.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from textbackd.core.attestation import attestation_of
from textbackd.core.call import Call, Direction, EndedBy, HandedOnBy
from textbackd.core.events import Event
from textbackd.core.open_call import OpenCall
from textbackd.core.picture import MOST_CHANNELS, Bridge, Leg, Picture
from textbackd.core.trunk import Trunks

LONGEST_CALL: Final = timedelta(hours=12)  # an end that has not come by then was lost
HOLDING: Final = ("holding_bridge",)  # BridgeTechnology of parking and of waiting agents: nobody hears anybody
PARKING_APPLICATIONS: Final = ("Park", "ParkedCall", "Parked Call")
# Asterisk's own bridges are named by a UUID. An event forged through a caller's name could not know one (story: name_newline).
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Headers = Mapping[str, str]


class Tracker:
    """Watches one PBX. Feed it every event in the order of arrival; it returns the calls that each event finished."""

    def __init__(self, pbx: str, trunks: Trunks) -> None:
        self._pbx = pbx
        self.trunks = trunks  # may be replaced at any time; channels that appear from then on are told by the new ones
        self._picture = Picture()
        self._calls: dict[str, OpenCall] = {}
        self._by_linkedid: dict[str, OpenCall] = {}
        self._hung_up: deque[str] = deque(maxlen=1000)
        self._listed: set[str] = set()
        self._booted_by: datetime | None = None  # Asterisk's last start was not later
        self._arrivals: deque[tuple[str, str]] = deque(maxlen=1000)
        self._finished: list[Call] = []

    # ---- what the outside calls

    def feed(self, event: Event) -> list[Call]:
        """Take one event; return the calls that are finished by it, usually none."""
        handle = _TABLE.get(event.name)
        if handle is None:
            return []
        handle(self, event.headers, event.at)
        return self._take_finished() if self._finished else []

    def connection_opened(self) -> None:
        """Note that a new connection begins: what is open may have gone on unseen."""
        for call in self._calls.values():
            call.gap = True
        self._listed.clear()

    def forget_unended(self, now: datetime) -> list[Call]:
        """Finish calls that are older than any call (`LONGEST_CALL`), whose end must have been lost."""
        for leg in [leg for leg in self._picture.legs.values() if leg.seen_at and now - leg.seen_at > LONGEST_CALL]:
            if leg.call is not None:
                self._finish(leg.call, now, EndedBy.OPEN)
            self._drop(leg)
        return self._take_finished()

    def close(self) -> list[Call]:
        """Finish all that is still open; the end of a recording."""
        for call in list(self._calls.values()):
            self._finish(call, None, EndedBy.OPEN)
        return self._take_finished()

    def take_arrivals(self) -> list[tuple[str, str]]:
        """Return (uniqueid, channel) of the outside channels that appeared since the last time: ask for their presentation."""
        arrivals = list(self._arrivals)
        self._arrivals.clear()
        return arrivals

    def callers_in_no_bridge(self) -> list[tuple[str, str]]:
        """Return (uniqueid, channel) of callers whom a machine may be holding: up and in no bridge. Worth a `Status`."""
        return [
            (c.leg.uniqueid, c.leg.name)
            for c in self._calls.values()
            if c.direction is Direction.INBOUND and c.up and c.leg.bridge is None
        ]

    def open_outbound(self) -> list[str]:
        """Return the numbers, as dialled, that somebody of the office is calling or talking to."""
        return [call.did for call in self._calls.values() if call.direction is Direction.OUTBOUND]

    def open_callers(self) -> list[tuple[str, str, str]]:
        """Return (channel, caller, DID) of the calls from outside that are in progress."""
        return [
            (call.leg.name, call.caller, call.did)
            for call in self._calls.values()
            if call.direction is Direction.INBOUND
        ]

    def note_application(self, uniqueid: str, application: str) -> None:
        """Take what `Status` said: the dialplan application that holds this caller."""
        if call := self._calls.get(uniqueid):
            call.application = application

    def note_presentation(self, uniqueid: str, presentation: str) -> None:
        """Take what `Getvar CALLERID(pres)` said, "prohib_passed_screen". Only ever makes a number withheld."""
        call = self._calls.get(uniqueid)
        if call is not None and presentation.startswith("prohib"):
            call.withheld = True

    def note_attestation(self, uniqueid: str, said: Sequence[str]) -> None:
        """Take what `Getvar` said of the variables that tell how far the carrier vouches for the number."""
        if call := self._calls.get(uniqueid):
            call.attestation = attestation_of(said)

    @property
    def open_calls(self) -> int:
        return len(self._calls)

    @property
    def size(self) -> int:
        """Return how many things are remembered; bounded whatever is sent."""
        return self._picture.size + len(self._calls) + len(self._by_linkedid) + len(self._listed)

    # ---- the life of a channel

    def _newchannel(self, h: Headers, at: datetime | None) -> None:
        uniqueid = h.get("Uniqueid", "")
        if not uniqueid or uniqueid in self._picture.legs:
            return
        leg = self._adopt(uniqueid, h, at)
        if leg.uniqueid == leg.linkedid and not leg.is_text_queue:
            self._begin(leg, h, at, start_seen=True)

    def _adopt(self, uniqueid: str, h: Headers, at: datetime | None, *, born: bool = True) -> Leg:
        name = h.get("Channel", "")
        outside = not name.startswith("Local/") and self.trunks.has(name, h.get("Context", ""))
        leg = Leg(uniqueid, name, h.get("Linkedid") or uniqueid, outside, at if born else None, at)
        if len(self._picture.legs) >= MOST_CHANNELS:
            self._drop(next(iter(self._picture.legs.values())))
        self._picture.add(leg)
        return leg

    def _begin(self, leg: Leg, h: Headers, at: datetime | None, *, start_seen: bool) -> None:
        call = OpenCall(
            leg=leg,
            direction=None if leg.outside else Direction.INTERNAL,
            caller=h.get("CallerIDNum", ""),
            name=h.get("CallerIDName", ""),
            did=h.get("Exten", ""),
            start_seen=start_seen,
            ended_in=h.get("Context", ""),
        )
        leg.call = self._calls[leg.uniqueid] = self._by_linkedid[leg.linkedid] = call
        call.note(at, "arrived", call.did)
        if leg.outside:
            self._arrivals.append((leg.uniqueid, leg.name))
        self._read_state(leg, h, at)

    def _leg(self, h: Headers, at: datetime | None) -> Leg | None:
        """Return the channel of an event, adopting one whose Newchannel we missed."""
        uniqueid = h.get("Uniqueid", "")
        leg = self._picture.legs.get(uniqueid)
        if leg is not None:
            self._keep_current(leg, h)
            return leg
        if not uniqueid or "Channel" not in h or uniqueid in self._hung_up:
            return None
        leg = self._adopt(uniqueid, h, at, born=False)
        if leg.uniqueid == leg.linkedid and not (leg.is_local or leg.is_text_queue):
            self._begin(leg, h, at, start_seen=False)
        return leg

    def _keep_current(self, leg: Leg, h: Headers) -> None:
        call = leg.call
        if call is not None and (context := h.get("Context")) is not None:
            call.ended_in, call.extension = context, h.get("Exten", "")
            # Analogue and registration trunks arrive at `s`; the number of ours appears when the dialplan has found it.
            if call.did in ("s", "") and len(call.extension.lstrip("+")) > 4 and call.extension.lstrip("+").isdigit():
                call.did = call.extension
        if (name := h.get("Channel")) and name != leg.name:
            self._picture.rename(leg, name)

    def _renamed(self, h: Headers, at: datetime | None) -> None:
        leg = self._picture.legs.get(h.get("Uniqueid", ""))
        if leg is not None and (name := h.get("Newname")):
            self._picture.rename(leg, name)

    def _newstate(self, h: Headers, at: datetime | None) -> None:
        if leg := self._leg(h, at):
            self._read_state(leg, h, at)

    def _read_state(self, leg: Leg, h: Headers, at: datetime | None) -> None:
        state, call = h.get("ChannelStateDesc", ""), leg.call
        if call is not None and call.direction is None:
            # A caller's channel passes through Ring, one that Asterisk dials through Ringing.
            call.direction = {
                "Ring": Direction.INBOUND,
                "Ringing": Direction.OUTBOUND,
                "Dialing": Direction.OUTBOUND,
            }.get(state)
        if state == "Up" and not leg.picked_up:
            leg.picked_up, leg.picked_up_at = True, at
            if call is not None and not call.up:
                call.up, call.up_at, call.up_in = True, at, h.get("Context", "")
                # When a phone is picked up, Asterisk answers the caller's channel as well; that is no step of its own.
                if not any(ring.status == "ANSWER" for ring in call.rings.values()):
                    call.note(at, "pbx_answered", call.up_in)

    def _newcallerid(self, h: Headers, at: datetime | None) -> None:
        call = self._calls.get(h.get("Uniqueid", ""))
        if call is None:
            return
        # "32 (Presentation Prohibited, …)". FreePBX later sets it back to allowed: once prohibited stays prohibited.
        if "Prohibited" in h.get("CID-CallingPres", ""):
            call.withheld = True
        # A forwarded call overwrites its caller's number; a phone's own call gets the number that it shows outside.
        if not call.leg.outside:
            call.caller = h.get("CallerIDNum", call.caller)

    def _varset(self, h: Headers, at: datetime | None) -> None:
        # The dialplan class can be forged through a caller's name, so nothing else of it is believed. This can only withhold a text.
        if "CALLINGNUMPRES" in h.get("Variable", "") and h.get("Value", "").startswith("prohib"):
            self.note_presentation(h.get("Uniqueid", ""), "prohib")

    def _hangup_request(self, h: Headers, at: datetime | None) -> None:
        leg = self._leg(h, at)
        if leg is not None and (call := leg.call) is not None:
            call.hung_up_by_caller = True
            call.note(at, "caller_hung_up")

    def _hangup(self, h: Headers, at: datetime | None) -> None:
        leg = self._leg(h, at)
        if leg is None:
            return
        self._read_presentation(leg, h)
        self._leave_bridge(leg, at)
        if (call := leg.call) is not None:
            # What happened in a gap is told by the state in which the channel ends: one that was answered stays Up.
            call.up = call.up or (call.gap and h.get("ChannelStateDesc") == "Up")
            merged = h.get("Linkedid", leg.linkedid) != leg.linkedid and call.direction is not Direction.INBOUND
            self._end(call, at, merged=merged, cause=_number(h.get("Cause")))
        self._drop(leg)
        self._hung_up.append(leg.uniqueid)

    def _read_presentation(self, leg: Leg, h: Headers) -> None:
        # channelvars=CALLERID(pres) in manager.conf puts it in every event; on Newchannel it is still wrong, on Hangup right.
        if leg.call is not None and "=prohib" in h.get("ChanVariable", ""):
            leg.call.withheld = True

    def _end(self, call: OpenCall, at: datetime | None, *, merged: bool, cause: int) -> None:
        if merged:  # a phone that picked up somebody's call: Asterisk made it part of that call
            self._forget(call)
            return
        self._finish(call, at, EndedBy.CALLER if call.hung_up_by_caller else EndedBy.PBX, cause)

    def _drop(self, leg: Leg) -> None:
        if leg.call is not None and leg.uniqueid in self._calls:
            self._finish(leg.call, None, EndedBy.OPEN)
        self._leave_bridge(leg, None)
        self._picture.remove(leg)
        self._listed.discard(leg.uniqueid)

    # ---- dialling

    def _dial_begin(self, h: Headers, at: datetime | None) -> None:
        channel, dialled = h.get("DestChannel", ""), h.get("DestUniqueid", "")
        call, by_caller = self._call_of(h)
        if call is None or not channel:
            return
        if dialled and dialled not in self._picture.legs:
            self._adopt(dialled, _destination(h), at)
        call.ring(dialled or channel, channel, by_caller)
        call.cancelled_last = False
        if by_caller:
            call.application = None  # the machine that held the caller until now does no longer
        leg = self._picture.legs.get(dialled)
        if leg is not None and leg.outside and call.direction is Direction.INTERNAL:
            call.direction = Direction.OUTBOUND
        call.note(at, "rang", channel)

    def _dial_end(self, h: Headers, at: datetime | None) -> None:
        call, by_caller = self._call_of(h)
        if call is None:
            return
        channel, status = h.get("DestChannel", ""), h.get("DialStatus", "")
        ring = call.ring(h.get("DestUniqueid") or channel, channel, by_caller)
        if ring.status is None:  # a queue reports a second, meaningless CANCEL for each member
            ring.status, ring.forwarded = status, bool(h.get("Forward"))
            if by_caller:
                call.cancelled_last = status == "CANCEL" and not ring.forwarded
            call.note(at, f"dial_{status.lower()}", channel)

    def _call_of(self, h: Headers) -> "tuple[OpenCall | None, bool]":
        """Return the call that a Dial event belongs to, by the dialling channel or, for an originated one, the dialled.

        And whether the caller's own channel dials.
        """
        dialling = self._picture.legs.get(h.get("Uniqueid", "")) or self._leg(h, None)
        if dialling is not None and dialling.call is not None:
            return dialling.call, True
        linkedid = (dialling.linkedid if dialling else "") or h.get("Linkedid") or h.get("DestLinkedid", "")
        return self._by_linkedid.get(linkedid), False

    def _old_dial(self, h: Headers, at: datetime | None) -> None:
        names = {"Uniqueid": h.get("UniqueID", h.get("Uniqueid", "")), "DestChannel": h.get("Destination", "")}
        names |= {
            "DestUniqueid": h.get("DestUniqueID", h.get("DestUniqueid", "")),
            "DialStatus": h.get("DialStatus", ""),
        }
        if h.get("SubEvent") == "Begin":
            self._join_call_of(names)
            self._dial_begin(names, at)
            return
        # Asterisk 11 names only the dialling channel at the end: every phone still ringing for it is meant.
        leg = self._picture.legs.get(names["Uniqueid"])
        for ring in leg.call.rings.values() if leg and leg.call else ():
            ring.status = ring.status or names["DialStatus"]

    def _join_call_of(self, names: Headers) -> None:
        """Make a dialled channel part of the dialling one's call; before Asterisk 12 no Linkedid says so."""
        dialling, dialled = self._picture.legs.get(names["Uniqueid"]), self._picture.legs.get(names["DestUniqueid"])
        if dialling is not None and dialled is not None and dialled.call is not None:
            self._forget(dialled.call)
            dialled.linkedid = dialling.linkedid

    # ---- who hears whom

    def _bridge_enter(self, h: Headers, at: datetime | None) -> None:
        bridge_id = h.get("BridgeUniqueid", "")
        if not UUID.fullmatch(bridge_id):
            return
        leg = self._leg(h, at)
        if leg is None:
            return
        self._leave_bridge(leg, at)
        bridge = self._picture.enter(leg, bridge_id, holding=_holds(h))
        self._note_unseen_company(leg, bridge, h)
        self._listen(bridge_id, at)

    def _confbridge_join(self, h: Headers, at: datetime | None) -> None:
        # Says again what a BridgeEnter has said; of use only if that was lost.
        leg = self._leg(h, at)
        if leg is not None and leg.bridge is None:
            self._bridge_enter(h, at)

    def _note_unseen_company(self, leg: Leg, bridge: Bridge, h: Headers) -> None:
        # A conference counts its announcer too, so only Dial's own bridges tell of somebody whom we did not see enter.
        if leg.call is None or bridge.holding or h.get("BridgeType") != "basic":
            return
        if _number(h.get("BridgeNumChannels")) > len(bridge.members):
            leg.call.unseen_company = True

    def _bridge_leave(self, h: Headers, at: datetime | None) -> None:
        leg = self._leg(h, at)
        if leg is None:
            return
        if leg.bridge is None and leg.call is not None and not _holds(h) and h.get("BridgeType") == "basic":
            leg.call.unseen_company = True  # it leaves what we never saw it enter
        self._leave_bridge(leg, at)

    def _bridge_destroyed(self, h: Headers, at: datetime | None) -> None:
        bridge = self._picture.bridges.get(h.get("BridgeUniqueid", ""))
        for uniqueid in list(bridge.members) if bridge else ():
            self._leave_bridge(self._picture.legs[uniqueid], at)

    def _leave_bridge(self, leg: Leg, at: datetime | None) -> None:
        for other in self._picture.leave(leg):
            if other.call is not None:
                self._hear(other.call, at)

    def _local_bridge(self, h: Headers, at: datetime | None) -> None:
        # The names tie the halves together already; this event only says that both exist, maybe later than their bridges.
        for side in ("LocalOne", "LocalTwo"):
            leg = self._picture.legs.get(h.get(f"{side}Uniqueid", ""))
            if leg is not None and leg.bridge is not None:
                self._listen(leg.bridge, at)

    def _old_bridge(self, h: Headers, at: datetime | None) -> None:
        """Take Asterisk 11's one event for two channels, `Bridgestate: Link` or `Unlink`."""
        uniqueids = (h.get("Uniqueid1", ""), h.get("Uniqueid2", ""))
        legs = [leg for uniqueid in uniqueids if (leg := self._picture.legs.get(uniqueid))]
        bridge_id = "old " + " ".join(sorted(uniqueids))
        for leg in legs:
            self._leave_bridge(leg, at)
        if h.get("Bridgestate", "Link") != "Link":
            return
        for leg in legs:
            self._picture.enter(leg, bridge_id, holding=False)
        self._listen(bridge_id, at)

    def _listen(self, bridge_id: str, at: datetime | None) -> None:
        for leg in self._picture.reach(bridge_id):
            if leg.call is not None:
                self._hear(leg.call, at)

    def _hear(self, call: OpenCall, at: datetime | None) -> None:
        """Bring a caller's talks up to date with the picture."""
        now = self._picture.persons_heard_by(call.leg)
        if not now and call.leg.bridge and self._picture.is_half_seen(call.leg):
            call.unseen_company = True
        call.hears(now, at)

    # ---- handing on

    def _blind_transfer(self, h: Headers, at: datetime | None) -> None:
        if h.get("Result") == "Success":
            self._hand_on(h.get("TransfereeUniqueid", ""), (h.get("TransfererUniqueid", ""),), HandedOnBy.TRANSFER, at)

    def _attended_transfer(self, h: Headers, at: datetime | None) -> None:
        if h.get("Result") != "Success":
            return
        named = (h.get("OrigTransfererUniqueid"), h.get("SecondTransfererUniqueid"))
        transferers = tuple(uniqueid for uniqueid in named if uniqueid)
        for call in list(self._calls.values()):
            # The event may come before or after the transferer has left the caller's bridge.
            if call.leg.uniqueid == h.get("TransfereeUniqueid") or call.last_heard in transferers:
                self._hand_on(call.leg.uniqueid, transferers, HandedOnBy.TRANSFER, at)

    def _parked(self, h: Headers, at: datetime | None) -> None:
        self._hand_on(h.get("ParkeeUniqueid", ""), (), HandedOnBy.PARKING, at)

    def _hand_on(self, caller: str, transferers: tuple[str, ...], by: HandedOnBy, at: datetime | None) -> None:
        for uniqueid in transferers:
            if leg := self._picture.legs.get(uniqueid):
                leg.gone = True
        call = self._calls.get(caller)
        if call is None:
            return
        self._hear(call, at)
        if transferers:
            call.unseen_company = True  # who lets go of a caller had one, even if we did not see it
        call.note(at, by.value)
        # In an attended transfer the caller may hear the new person before the event comes; who parks is heard until after it.
        if by is HandedOnBy.PARKING or not call.talking:
            call.handed_on = by

    # ---- machines, queues

    def _queue_join(self, h: Headers, at: datetime | None) -> None:
        if (leg := self._leg(h, at)) and leg.call:
            leg.call.queue, leg.call.left_queue = h.get("Queue", ""), False
            leg.call.note(at, "queue_joined", h.get("Queue", ""))

    def _queue_leave(self, h: Headers, at: datetime | None) -> None:
        leg = self._leg(h, at)
        # Taken out before the hang-up: by an agent, a time-out or a key. Abandon is no proof: it comes at a time-out too.
        if leg and leg.call and not leg.call.hung_up_by_caller:
            leg.call.left_queue, leg.call.cancelled_last = True, False
            leg.call.note(at, "queue_left", h.get("Queue", ""))

    def _queue_abandon(self, h: Headers, at: datetime | None) -> None:
        if (leg := self._leg(h, at)) and leg.call and not leg.call.queue:
            leg.call.queue = h.get("Queue", "")

    def _message_waiting(self, h: Headers, at: datetime | None) -> None:
        # Without a channel it is only a mailbox's lamp (Asterisk 16 lights all at start-up).
        leg = self._picture.legs.get(h.get("Uniqueid", ""))
        if leg is not None and leg.call is not None and _number(h.get("Waiting")) > 0:
            leg.call.message_left = True
            leg.call.note(at, "message_left", h.get("Mailbox", ""))

    def _fax(self, h: Headers, at: datetime | None) -> None:
        if (leg := self._leg(h, at)) and leg.call:
            leg.call.fax = True
            leg.call.note(at, "fax")

    # ---- coming late, and restarts

    def _listed_channel(self, h: Headers, at: datetime | None) -> None:
        uniqueid = h.get("Uniqueid", "")
        if len(self._listed) < MOST_CHANNELS:
            self._listed.add(uniqueid)
        known = self._picture.legs.get(uniqueid)
        leg = known or self._leg(h, at)
        if leg is None:
            return
        self._read_state(leg, h, at)
        if leg.call is not None and h.get("Application"):
            leg.call.application = h["Application"]
        # The list names bridges without their kind, so it is believed only where no event can have told: parked callers share one.
        unseen = known is None or (leg.call is not None and leg.call.gap)
        if unseen and h.get("BridgeId") and leg.bridge is None and h.get("Application") not in PARKING_APPLICATIONS:
            self._bridge_enter({**h, "BridgeUniqueid": h["BridgeId"]}, at)

    def _list_complete(self, h: Headers, at: datetime | None) -> None:
        """Finish the calls that were open before the gap and are there no longer: their end is for the CDR to tell."""
        for call in [c for c in self._calls.values() if c.gap and c.leg.uniqueid not in self._listed]:
            born, booted = call.leg.born_at, self._booted_by
            self._finish(call, at, EndedBy.RESTART if born and booted and born < booted else EndedBy.GAP)
        self._listed.clear()

    def _booted(self, h: Headers, at: datetime | None) -> None:
        if at is None or "Uptime" not in h:
            return
        try:
            self._booted_by = at - timedelta(seconds=_number(h["Uptime"]))
            booted_at = self._booted_by - timedelta(seconds=1)  # the uptime is cut to whole seconds
        except OverflowError:
            return
        for call in [c for c in self._calls.values() if c.leg.born_at and c.leg.born_at < booted_at]:
            self._finish(call, at, EndedBy.RESTART)

    def _shutdown(self, h: Headers, at: datetime | None) -> None:
        for call in list(self._calls.values()):
            self._finish(call, at, EndedBy.RESTART)
        self._hung_up.extend(self._picture.legs)
        self._picture.clear()

    # ---- the end

    def _finish(self, call: OpenCall, at: datetime | None, by: EndedBy, cause: int = 0) -> None:
        self._finished.append(call.facts(self._pbx, at, by, cause))
        self._forget(call)

    def _forget(self, call: OpenCall) -> None:
        self._calls.pop(call.leg.uniqueid, None)
        if self._by_linkedid.get(call.leg.linkedid) is call:
            del self._by_linkedid[call.leg.linkedid]
        call.leg.call = None

    def _take_finished(self) -> list[Call]:
        if not self._finished:
            return []
        finished, self._finished = self._finished, []
        return finished


def _number(text: str | None) -> int:
    """Return a small number as Asterisk writes them; 0 for whatever is none."""
    return int(text) if text and len(text) < 10 and text.isascii() and text.isdigit() else 0


def _holds(h: Headers) -> bool:
    return h.get("BridgeTechnology") in HOLDING or h.get("BridgeType") == "parking"


def _destination(h: Headers) -> dict[str, str]:
    """Return the dialled channel's own headers out of a Dial event, `DestChannel` as `Channel`."""
    return {name[4:]: value for name, value in h.items() if name.startswith("Dest")}


_Handler = Callable[[Tracker, Headers, datetime | None], None]
_TABLE: Final[dict[str, _Handler]] = {
    "Newchannel": Tracker._newchannel,
    "Newstate": Tracker._newstate,
    "NewCallerid": Tracker._newcallerid,
    "VarSet": Tracker._varset,
    "Rename": Tracker._renamed,
    "HangupRequest": Tracker._hangup_request,
    "Hangup": Tracker._hangup,
    "DialBegin": Tracker._dial_begin,
    "DialEnd": Tracker._dial_end,
    "Dial": Tracker._old_dial,
    "BridgeEnter": Tracker._bridge_enter,
    "ConfbridgeJoin": Tracker._confbridge_join,
    "BridgeLeave": Tracker._bridge_leave,
    "BridgeDestroy": Tracker._bridge_destroyed,
    "Bridge": Tracker._old_bridge,
    "LocalBridge": Tracker._local_bridge,
    "BlindTransfer": Tracker._blind_transfer,
    "AttendedTransfer": Tracker._attended_transfer,
    "ParkedCall": Tracker._parked,
    "QueueCallerJoin": Tracker._queue_join,
    "Join": Tracker._queue_join,  # Asterisk 11 and older
    "QueueCallerLeave": Tracker._queue_leave,
    "Leave": Tracker._queue_leave,  # Asterisk 11 and older
    "QueueCallerAbandon": Tracker._queue_abandon,
    "MessageWaiting": Tracker._message_waiting,
    "ReceiveFAX": Tracker._fax,
    "CoreShowChannel": Tracker._listed_channel,
    "CoreShowChannelsComplete": Tracker._list_complete,
    "FullyBooted": Tracker._booted,
    "Shutdown": Tracker._shutdown,
}
