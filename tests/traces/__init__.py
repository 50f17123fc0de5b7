"""Recorded calls with known truth, and what the product must make of them.

`<pbx>/<story>.ami` holds what the manager sent of the classes call, agent and system (name_newline: of all classes, since the
forged event in it comes with `dialplan`); `<story>.truth.json` what people know of each call; `<story>.cdr.csv` and `.queue_log`
what Asterisk wrote. All numbers are fictional.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# More recordings of the same kinds, which are not ours to copy: a folder with subfolders of *.ami and *.truth.json.
ELSEWHERE = os.environ.get("TEXTBACKD_TRACES", "")

# How the truths' reasons read in our tokens. Several: what the PBX reports decides.
REASONS = {
    "noanswer": {"no_answer"},
    "no_answer": {"no_answer"},
    "declined": {"no_answer", "busy"},
    "caller_hangup": {"gave_up"},
    "caller_gave_up": {"gave_up"},
    "busy": {"busy"},
    "unavailable": {"unreachable", "no_answer"},
    "queue_abandon": {"queue_gave_up"},
    "queue_abandoned": {"queue_gave_up"},
    "queue_timeout": {"queue_timeout", "voicemail_left", "voicemail_hangup"},  # where it ended, else the time-out
    "ivr_abandon": {"menu_gave_up"},
    "ivr_abandoned": {"menu_gave_up"},
    "after_hours": {"closed"},
    "announcement_only": {"closed"},
    "voicemail_left": {"voicemail_left"},
    "voicemail_message": {"voicemail_left"},
    "voicemail_no_message": {"voicemail_hangup"},
    "voicemail": {"voicemail_hangup"},
    "not_confirmed_voicemail": {"voicemail_hangup"},
    "asterisk_restart": {"no_answer"},  # its end was seen: the PBX ended it
    "internal": {"internal"},
    "outbound": {"outbound"},
    "fax": {"service"},
    "voicemail_check": {"service"},
    "rejected_by_policy": {"blacklisted"},
    "blacklisted": {"blacklisted"},
}
# People spoke in these, and yet the caller was left alone in the end, or it cannot be known from the events that it was a person.
VERDICTS = {
    "blind_transfer_noanswer": {"lost_after_answer"},
    "park_timeout": {"lost_after_answer"},
    "followme_mobile_answers": {"uncertain"},
}
IGNORED_DIDS = (
    "+13035550118",
    "+13035550122",
)  # the fax and the voicemail access, as the configuration would list them
UNSEEN = "ami_down_whole_call_missed"  # nothing of it is in the events; the CDR tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What people know of one recorded call."""

    caller: str
    did: str
    verdicts: set[str]
    reasons: set[str] | None  # None: not told


@dataclass(frozen=True, slots=True)
class Story:
    """One recording."""

    path: Path
    truths: tuple[Truth, ...]

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"


def stories() -> Iterator[Story]:
    """Yield every recording, here and elsewhere."""
    folders = [HERE, Path(ELSEWHERE)] if ELSEWHERE else [HERE]
    for folder in folders:
        for path in sorted(folder.glob("*/*.ami")):
            told = json.loads(path.with_suffix(".truth.json").read_text())
            yield Story(path, tuple(_truth(path.stem, call) for call in told["calls"]))


def _truth(story: str, call: dict[str, str]) -> Truth:
    verdict = {"not_applicable": "ignored"}.get(call["truth"], call["truth"])
    told = verdict in ("missed", "ignored")
    return Truth(
        caller=call["caller"],
        did=call["did"],
        verdicts=VERDICTS.get(story, {verdict}),
        reasons=REASONS[call["reason"]] if told else None,
    )
