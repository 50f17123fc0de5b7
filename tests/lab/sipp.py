"""SIPp as the lab's callers and phones.   scenarios.py → here → SIPp → the Asterisk of asterisk.py

What a caller or a phone does is a list of steps; each step is a piece of SIPp scenario in sipp/<step>.xml, and the
pieces are joined and filled in for one SIPp process. A `Stage` starts the processes and leaves none behind:

    with Stage(pbx) as stage:
        stage.phone("101", rings())
        stage.call("+12015550100", "+13035550126", gives_up(after=5))
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .asterisk import Asterisk, LabError, wait_until

PIECES: Final = Path(__file__).parent / "sipp"
VARIABLES: Final = ("local", "remote", "via", "cseq", "to", "unused", "tag")
NEW_REQUEST: Final = frozenset(
    {"invite", "message", "hang_up", "press_info", "refer"}
)  # each takes the next CSeq of its dialog
PHRASES: Final = {
    202: "Accepted", 302: "Moved Temporarily", 404: "Not Found", 480: "Temporarily Unavailable", 486: "Busy Here",
    503: "Service Unavailable", 603: "Decline",
}  # fmt: skip
RTP_KEY_NAMES: Final = {"*": "star", "#": "pound"}
MAX_SECONDS: Final = 90
SETTLE_SECONDS: Final = 2  # a phone that expects more calls than come is kept so long
FIRST_PORT: Final = 6100  # one port for each SIPp process that calls, media above 30000
FIRST_MEDIA_PORT: Final = 30000
ULAW_PER_SECOND: Final = 8000
SPEECH_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of a SIPp scenario: the name of its file and what is filled in."""

    piece: str
    values: dict[str, str] = field(default_factory=dict)


# --- single steps ---------------------------------------------------------------------------------------------------


def pause(seconds: float) -> Step:
    return Step("pause", {"milliseconds": str(round(seconds * 1000))})


def press(keys: str, *, by_rtp: bool = False) -> list[Step]:
    """Press keys one after the other: by SIP INFO, or inside the audio as RFC 2833 says."""
    if by_rtp:
        return [Step("press_rtp", {"key": RTP_KEY_NAMES.get(key, key)}) for key in keys]
    return [Step("press_info", {"key": key}) for key in keys]


def refer(refer_to: str) -> Step:
    return Step("refer", {"refer_to": refer_to})


def refer_replacing(extension: str, note: Path) -> Step:
    """Attended transfer: connect the other side with the call whose dialog `notes_dialog` wrote down."""
    return refer(f'<sip:{extension}@[remote_ip]?Replaces=[file name="{note}"]>')


def notes_dialog(note: Path, *, ringing: bool = False) -> Step:
    """Write down the dialog of this call, as soon as it rings or when it is answered."""
    return Step("note_ringing" if ringing else "note_answered", {"note": str(note)})


HANG_UP: Final = Step("hang_up")
EXPECT_HANG_UP: Final = Step("expect_hang_up")
EXPECT_RINGING: Final = Step("expect_ringing")
EXPECT_ANSWER: Final = Step("expect_answer")


# --- what a caller does ---------------------------------------------------------------------------------------------


def gives_up(*, after: float) -> list[Step]:
    """Hang up after so many seconds of ringing."""
    return [EXPECT_RINGING, pause(after), Step("cancel")]


def gives_up_in_early_media(*, after: float) -> list[Step]:
    return [Step("expect_progress"), pause(after), Step("cancel")]


def waits() -> list[Step]:
    """Wait until the PBX ends the call unanswered."""
    return [Step("expect_refusal")]


def talks(seconds: float) -> list[Step]:
    """Be answered, by a person or a machine, and hang up so many seconds later."""
    return [EXPECT_ANSWER, pause(seconds), HANG_UP]


def listens() -> list[Step]:
    """Be answered and stay until the other side hangs up."""
    return [EXPECT_ANSWER, EXPECT_HANG_UP]


def presses(keys: str, *, after: float, then: Sequence[Step], by_rtp: bool = False) -> list[Step]:
    """Be answered, press keys after some seconds, go on with `then`."""
    return [EXPECT_ANSWER, pause(after), *press(keys, by_rtp=by_rtp), *then]


def speaks(seconds: float, *, after: float) -> list[Step]:
    """Be answered, speak after some seconds for so long, hang up."""
    return [EXPECT_ANSWER, pause(after), Step("speak"), pause(seconds), HANG_UP]


# --- what a phone does ----------------------------------------------------------------------------------------------


def rings() -> list[Step]:
    """Ring until the call is taken away."""
    return [Step("expect_invite"), Step("ring"), Step("expect_cancel")]


def answers(*, after: float = 1, then: Sequence[Step] = (EXPECT_HANG_UP,)) -> list[Step]:
    """Ring, be picked up, and go on with `then`."""
    return [Step("expect_invite"), Step("ring"), pause(after), Step("answer"), *then]


def answers_and_hangs_up(*, after: float = 1, talk: float = 2) -> list[Step]:
    return answers(after=after, then=(pause(talk), HANG_UP))


def refuses(code: int, *, after: float = 0.5) -> list[Step]:
    """Ring a moment and refuse: 486 is busy, 603 the reject key."""
    refuse = Step("refuse", {"code": str(code), "phrase": PHRASES[code], "headers": ""})
    return [Step("expect_invite"), Step("ring"), pause(after), refuse]


def forwards(extension: str) -> list[Step]:
    """Answer 302: the call shall go to another extension."""
    headers = f"\r\nContact: <sip:{extension}@[remote_ip]>"
    return [Step("expect_invite"), Step("refuse", {"code": "302", "phrase": PHRASES[302], "headers": headers})]


# --- texts ----------------------------------------------------------------------------------------------------------


def texts(body: str, *, times: int = 1) -> list[Step]:
    """Send a SIP MESSAGE, and the very same one again, as somebody does whom our answer did not reach."""
    return [Step("message", {"body": body, "cseq": "1"})] * times


def gets_text(code: int) -> list[Step]:
    """Get a SIP MESSAGE and answer it with this code."""
    return [Step("expect_message"), Step("answer_message", {"code": str(code), "phrase": PHRASES[code]})]


# --- SIPp processes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Who a SIPp process is: its address, its From header, whom it calls."""

    label: str
    host: str
    port: int
    sender: str = ""
    target: str = ""
    headers: str = ""
    calls: int = 1


class Actor:
    """One SIPp process."""

    def __init__(self, label: str, process: subprocess.Popen[bytes], notes: Path) -> None:
        self.label, self._process, self._notes = label, process, notes

    def wait(self, seconds: float = MAX_SECONDS) -> None:
        """Wait until it has played its part; LabError if the call did not go as its steps say."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.label} is still on the phone after {seconds} s:\n{self.story()}") from None
        self.check()

    def check(self) -> None:
        """LabError if it has ended and its call went otherwise than its steps say."""
        code = self._process.poll()
        if code not in (None, 0):
            raise LabError(f"{self.label} saw another call than expected (SIPp ended with {code}):\n{self.story()}")

    def settle(self, seconds: float) -> None:
        """Let it end by itself if it was called, but wait no longer than that.

        A channel is gone when Asterisk has sent the BYE. Killed before it answers, the phone would get the BYE again
        and again, in the middle of the next scenario.
        """
        if self._was_called:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(max(seconds, 0))

    @property
    def _was_called(self) -> bool:
        messages = Path(f"{self._notes}.messages")
        return messages.exists() and messages.stat().st_size > 0

    def story(self) -> str:
        """What SIPp complained about, and the last messages."""
        paths = [Path(f"{self._notes}{ending}") for ending in (".errors", ".messages")]
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in paths if path.exists())

    def messages(self) -> str:
        """All messages that it saw and sent, while its stage is up."""
        return Path(f"{self._notes}.messages").read_text(errors="replace")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Stage:
    """The callers and phones of one scenario. Leaving it waits for the callers and a quiet PBX, and ends all processes.

    `at` names what a test wants done at the scenario's moments.
    """

    def __init__(self, pbx: Asterisk, at: Mapping[str, Callable[[], object]] | None = None) -> None:
        self.pbx = pbx
        self._at = at or {}
        self._callers: list[Actor] = []
        self._phones: list[Actor] = []
        self._folder = tempfile.TemporaryDirectory(prefix="lab-sipp-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self._clear()

    def _clear(self) -> None:
        """End the processes, and the calls that a failed scenario leaves behind, so that the next one starts afresh."""
        for actor in [*self._callers, *self._phones]:
            actor.kill()
        if self.pbx.is_running and self.pbx.channels():
            self.pbx.cli("channel request hangup all")
        self._folder.cleanup()

    def finish(self) -> None:
        """Wait until every caller has played his part and no channel is left."""
        for caller in self._callers:
            caller.wait()
        self.pbx.wait_quiet()
        deadline = time.monotonic() + SETTLE_SECONDS
        for phone in self._phones:
            phone.settle(deadline - time.monotonic())
            phone.check()

    def phone(self, extension: str, steps: Sequence[Step], *, calls: int = 1) -> Actor:
        """A phone of the office that waits for a call, or for several, and treats each of them alike."""
        return self._answering(f"phone {extension}", self.pbx.phone_host(extension), steps, calls)

    def outside(self, steps: Sequence[Step], *, calls: int = 1) -> Actor:
        """Whoever is called through the trunk: a customer or a mobile."""
        return self._answering("outside", self.pbx.trunk_host(), steps, calls)

    def call(
        self,
        caller: str,
        did: str,
        steps: Sequence[Step],
        *,
        name: str = "Ann Smith",
        headers: Sequence[str] = (),
        host: str = "carrier.invalid",
        trunk: str = "trunk",
    ) -> Actor:
        """A call from outside to one of our numbers. `headers` are whole SIP header lines."""
        sender = f'"{name}" <sip:{caller}@{host}>' if name else f"<sip:{caller}@{host}>"
        where = self.pbx.trunk_host(trunk)
        return self._calling(f"caller {caller}", where, did, sender, steps, headers)

    def text(self, sender: str, did: str, steps: Sequence[Step], *, name: str = "") -> Actor:
        """A text from outside to one of our numbers, through the trunk."""
        address = f"{name} <sip:{sender}@carrier.invalid>".lstrip()
        return self._calling(f"texter {sender}", self.pbx.trunk_host(), did, address, steps, (), begin=())

    def write(self, extension: str, target: str, steps: Sequence[Step], *, sender: str = "") -> Actor:
        """A phone of the office sends a text; `sender` is what it pretends to be."""
        address = f"<sip:{sender or extension}@lab.invalid>"
        where = self.pbx.phone_host(extension)
        return self._calling(f"phone {extension} writes", where, target, address, steps, (), begin=())

    def dial(self, extension: str, target: str, steps: Sequence[Step]) -> Actor:
        """A phone of the office dials."""
        sender = f"<sip:{extension}@lab.invalid>"
        return self._calling(f"phone {extension}", self.pbx.phone_host(extension), target, sender, steps, ())

    def moment(self, name: str) -> None:
        """A named moment of the scenario; a test can have something done at it (`at` of the Stage, or of `play`)."""
        self._at.get(name, lambda: None)()

    def dismiss(self, *actors: Actor) -> None:
        """End these actors now, however their calls stand."""
        for actor in actors:
            actor.kill()
        self._callers = [actor for actor in self._callers if actor not in actors]
        self._phones = [actor for actor in self._phones if actor not in actors]

    def wait_for_talk(self) -> None:
        """Wait until two channels are Up."""
        wait_until(lambda: self.pbx.cli("core show channels concise").count("!Up!") > 1, 10, "nobody talks")

    def note(self, name: str) -> Path:
        """A file that one actor writes (`notes_dialog`) and another reads (`refer_replacing`)."""
        return Path(self._folder.name) / name

    def _answering(self, label: str, host: str, steps: Sequence[Step], calls: int) -> Actor:
        role = Role(label=label, host=host, port=self.pbx.sip_port, calls=calls)
        actor = self._spawn(role, steps)
        wait_until(lambda: is_bound(host, role.port), 10, f"{label} did not start:\n{actor.story()}")
        self._phones.append(actor)
        return actor

    def _calling(
        self,
        label: str,
        host: str,
        target: str,
        sender: str,
        steps: Sequence[Step],
        headers: Sequence[str],
        *,
        begin: Sequence[Step] = (Step("invite"),),
    ) -> Actor:
        port = FIRST_PORT + len(self._callers)
        lines = "".join(f"\r\n{header}" for header in headers)
        role = Role(label=label, host=host, port=port, sender=sender, target=target, headers=lines)
        actor = self._spawn(role, [*begin, *steps])
        self._callers.append(actor)
        return actor

    def _spawn(self, role: Role, steps: Sequence[Step]) -> Actor:
        count = len(self._callers) + len(self._phones)
        notes = self.note(f"{count}-{role.label.replace(' ', '-')}")
        unique = secrets.token_hex(6)
        values = {"unique": unique, "from": role.sender, "target": role.target, "headers": role.headers}
        values |= {"file": str(speech(Path(self._folder.name))), "invite_cseq": "1"}
        Path(f"{notes}.xml").write_text(joined(steps, values), newline="")
        command = sipp_command(self.pbx, role, notes, unique, FIRST_MEDIA_PORT + 10 * count)
        return Actor(role.label, spawn(command), notes)


def joined(steps: Sequence[Step], values: dict[str, str]) -> str:
    """Return one SIPp scenario made of the steps' pieces, filled in with the steps' own values and `values`."""
    cseq, pieces = 0, []
    for step in steps:
        cseq += step.piece in NEW_REQUEST
        pieces.append(filled_piece(step, values | {"cseq": str(cseq)}))
    text = "".join(pieces)
    used = [name for name in VARIABLES if re.search(rf'assign_to="[^"]*\b{name}\b', text)]
    reference = f'<Reference variables="{",".join(used)}"/>' if used else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="lab">{text}{reference}</scenario>\n'


def filled_piece(step: Step, values: dict[str, str]) -> str:
    text = (PIECES / f"{step.piece}.xml").read_text()
    text = text[text.index("<scenario") :].partition(">")[2].rpartition("</scenario>")[0]
    for key, value in (values | step.values).items():
        text = text.replace(f"@{key}@", value)
    return text


def sipp_command(pbx: Asterisk, role: Role, notes: Path, unique: str, media_port: int) -> list[str]:
    files = ["-sf", f"{notes}.xml", "-trace_err", "-error_file", f"{notes}.errors"]
    files += ["-trace_msg", "-message_file", f"{notes}.messages"]
    place = ["-i", role.host, "-p", str(role.port), "-mi", role.host, "-mp", str(media_port)]
    # -aa answers NOTIFY and UPDATE, which tell a phone nothing that the lab wants to know.
    once = ["-m", str(role.calls), "-nostdin", "-aa", "-cid_str", f"{unique}-%u", "-timeout", f"{MAX_SECONDS}s"]
    tied = ["setpriv", "--pdeathsig", "KILL"]
    return [*tied, "sipp", f"{pbx.host}:{pbx.sip_port}", *files, *place, *once]


def spawn(command: list[str]) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    environment = os.environ | {"TERM": "dumb"}
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=environment, start_new_session=True)


def speech(folder: Path) -> Path:
    """A file with half a minute of a loud tone in mu-law, so that a voicemail message is long enough to be kept."""
    path = folder / "speech.ulaw"
    if not path.exists():
        path.write_bytes(bytes([0x10] * 8 + [0x90] * 8) * (SPEECH_SECONDS * ULAW_PER_SECOND // 16))
    return path


def is_bound(host: str, port: int) -> bool:
    """True if some process has this UDP port; /proc/net/udp writes addresses in the machine's byte order."""
    address = struct.unpack("=I", socket.inet_aton(host))[0]
    return f" {address:08X}:{port:04X} " in Path("/proc/net/udp").read_text()
