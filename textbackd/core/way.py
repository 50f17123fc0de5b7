"""The way of a call in words that a shop owner understands.   core/tracker.py → here → `explain`, the terminal, the pages      Pure."""

from collections.abc import Mapping
from typing import Final

from textbackd.core.call import Moment

STEPS: Final[Mapping[str, str]] = {
    "arrived": "the call came in on {who}",
    "rang": "{who} rang",
    "dial_answer": "{who} was picked up",
    "dial_noanswer": "{who} was not picked up",
    "dial_busy": "{who} was busy",
    "dial_cancel": "{who} stopped ringing",
    "dial_congestion": "{who} could not be reached",
    "dial_chanunavail": "{who} could not be reached",
    "dial_abort": "{who} stopped ringing",
    "pbx_answered": "the PBX itself answered",
    "queue_joined": "the caller waited in the queue {who}",
    "queue_left": "the caller left the queue {who}",
    "talked": "the caller was connected to {who}",
    "talk_ended": "the talk with {who} ended",
    "transfer": "the caller was transferred",
    "parking": "the caller was parked",
    "message_left": "the caller left a message in mailbox {who}",
    "fax": "it was a fax",
    "caller_hung_up": "the caller hung up",
    "found_in_records": "it was found afterwards in the PBX's records",
    "ended_by_caller": "the call was over",
    "ended_by_pbx": "the PBX ended the call",
    "ended_by_restart": "Asterisk was restarted",
    "ended_by_gap": "the call ended while the connection to Asterisk was down",
    "ended_by_open": "its end was not seen",
}

VERDICTS: Final[Mapping[str, str]] = {
    "answered": "Answered: the caller spoke with a person.",
    "missed": "Missed: the caller never spoke with a person.",
    "lost_after_answer": "Lost after an answer: somebody let go of the caller, and nobody took over.",
    "uncertain": "Uncertain: it cannot be told whether the caller spoke with a person.",
    "ignored": "Does not count.",
}

REASONS: Final[Mapping[str, str]] = {
    "no_answer": "nobody picked up",
    "gave_up": "the caller gave up while it rang",
    "short": "the caller hung up almost at once",
    "busy": "every phone was busy",
    "unreachable": "no phone could be reached",
    "queue_gave_up": "the caller gave up waiting in the queue",
    "queue_timeout": "the wait in the queue ran out",
    "menu_gave_up": "the caller hung up in the menu",
    "closed": "the caller met the closed announcement",
    "voicemail_hangup": "the caller reached voicemail and left nothing",
    "voicemail_left": "the caller left a voicemail",
    "very_short": "the talk lasted less than three seconds",
    "transfer_unanswered": "the transfer was not picked up",
    "park_timeout": "nobody took the parked call",
    "maybe_mobile_voicemail": "a mobile answered, which may have been its voicemail",
    "pbx_restarted": "Asterisk was restarted during the call",
    "still_open": "the end of the call was not seen",
    "not_seen": "part of the call happened while we were not connected",
    "internal": "a call inside the office",
    "outbound": "a call from the office to outside",
    "own_number": "a call from one of our own numbers",
    "never_list": "the caller is on the never-list",
    "service": "a fax, voicemail access or other service",
    "blacklisted": "the PBX rejects this caller",
}

DECISIONS: Final[Mapping[str, str]] = {
    "missed": "To be texted: nothing speaks against it.",
    "held": "To be texted when the caller's night is over (`policy.quiet_hours`).",
    "answered": "No text: the caller was answered.",
    "lost_after_answer": "No text: the caller was answered first. Best call back.",
    "uncertain": "No text: only a missed call that is certain gets one.",
    "ignored": "No text: the call does not count.",
    "short": "No text: the caller waited less than `policy.min_wait`.",
    "no_line": "No text: no line in the configuration has the number that was called.",
    "line_off": "No text: the line's text for this kind of call is `none`.",
    "paused": "No text: texting is paused. `textbackd line resume` takes it up again.",
    "not_textable": "No text: the caller's number cannot be texted.",
    "attestation": "No text: the carrier does not vouch for the caller's number (`policy.attestation`).",
    "opted_out": "No text: the caller wants none (STOP).",
    "asked_to_stop": "No text: the caller wrote something that may mean STOP. Read it and decide: `textbackd optout`.",
    "unreachable_number": "No text: an earlier one showed that none arrives at this number.",
    "group": "No text: the caller is in a group of contacts that gets none (`contacts`).",
    "recent_talk": "No text: somebody spoke with the caller just before (`policy.recent_talk`).",
    "conversation": "No text: a person and the caller are writing to each other (`policy.conversation`). Answer there.",
    "cooldown": "No text: the caller had one already (`policy.cooldown`).",
    "restored": "No text by itself: the call was over before a backup was restored. It may have had one.",
    "expired": "No text: the call was over for longer than `policy.expire` when we learnt of it.",
    "night": "No text: it was night where the caller is (`policy.quiet_hours`, `policy.night`).",
    "brake": "No text: the brake has stopped all automatic texts (`policy.brake`). Look, then `textbackd line resume`.",
    "cap": "No text: a cap is full (`policy.caps`).",
}

NOT_TEXTABLE: Final[Mapping[str, str]] = {
    "withheld": "the number is withheld",
    "invalid": "it is not a number that exists",
    "short_code": "it is a short code or an extension",
    "landline": "it is a landline",
    "foreign": "it is of another country",
    "premium": "it is a premium number",
    "toll_free": "it is a toll-free number",
    "service": "it is a service number",
}

# What became of a text, after "it".
STATES: Final[Mapping[str, str]] = {
    "queued": "waits to be sent",
    "submitting": "is being handed to the gateway",
    "accepted": "was taken by the gateway",
    "delivered": "was delivered",
    "undelivered": "was taken by the gateway, and not delivered",
    "failed": "was refused",
    "expired": "was not sent: its time was over",
    "cancelled": "was cancelled",
    "suppressed": "was not sent, since `mode: observe` only watches",
    "unknown": "may or may not have gone out, and is not sent again by itself",
}


def judged(verdict: str, reason: str | None) -> str:
    """Return what a call was, and why."""
    return VERDICTS[verdict] + (f" Namely, {REASONS[reason]} ({reason})." if reason else "")


def decided(why: str, detail: str, not_textable: str | None) -> str:
    """Return whether a call is answered with a text, and by which rule."""
    sentence = DECISIONS[why]
    if why == "not_textable" and not_textable:
        return f"{sentence.rstrip('.')}, {NOT_TEXTABLE.get(not_textable, not_textable)}."
    return f"{sentence} ({detail})" if detail else sentence


def tell(moment: Moment) -> str:
    """Return one step in words."""
    sentence = STEPS.get(moment.what, _printable(moment.what.replace("_", " ")))
    return sentence.replace("{who}", _who(_printable(moment.who))).rstrip()


def _who(channel: str) -> str:
    """Return a channel as people know it: `PJSIP/101-0000002a` is phone 101; what is no channel stays."""
    if "/" not in channel:
        return channel
    technology, _, rest = channel.partition("/")
    name = rest.rpartition("-")[0] or rest
    if technology == "Local":
        return f"a forward to {name.partition('@')[0]}"
    return f"phone {name}" if name.isdigit() else name


def _printable(text: str) -> str:
    """Return what came from the wire without what could move a terminal's cursor."""
    return "".join(c for c in text if c.isprintable())
