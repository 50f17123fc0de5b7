"""One modem on one port, spoken to by one thread.   modem/owner.py → here → the port

python-gsmmodem-new, fenced: its command layer stays; the layer under it, which `Line` replaces, and its set-up do not.
Mended so (reproduced on 0.13.0): a second, reading thread that dies of a non-UTF-8 byte and blocks for 35 s when the port
is gone; late answers taken for those of the next command; +CMTI swallowed during a command; endless recursion on "busy";
a PIN given to a SIM that asks for its PUK; a set-up that gives up at the first ERROR.
"""

import re
import select
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, pairwise
from typing import Any, Final

import serial
from gsmmodem.exceptions import CmeError, CmsError, CommandError, GsmModemException, TimeoutException
from gsmmodem.modem import GsmModem as LibraryModem
from gsmmodem.serial_comms import SerialComms

from textbackd.gateways.base import Fate, SendFailed
from textbackd.gateways.modem.pdu import SubmitPdu
from textbackd.gateways.modem.verdicts import failure, verdict

CTRL_Z: Final = b"\x1a"
ESC: Final = b"\x1b"
FINAL: Final = re.compile(r"OK|ERROR|\+CM[ES] ERROR:.*|COMMAND NOT SUPPORT")
NUMBERED: Final = re.compile(r"\+(CM[ES]) ERROR:\s*(\d+)")
# "Wait, I am starting" and "the SIM is busy" (3GPP TS 27.005, 27.007; 515 is the vendors').
BUSY: Final = re.compile(r"\+CM[ES] ERROR:\s*(515|314|14)")
BUSY_WAITS: Final = (0.2, 0.5, 1.0, 2.0)  # seconds; sticks are busy for a moment after the PIN
UNASKED: Final = re.compile(r"RING|NO CARRIER|BUSY|NO ANSWER|([+^*%][A-Z0-9]+):.*")
PUSHED: Final = re.compile(r"\+(CDS|CMT):")  # the next line is a PDU
HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
ANNOUNCED: Final = re.compile(r'\+(?:CMTI|CDSI):\s*"(\w+)",\s*(\d+)')
LISTED: Final = re.compile(r"\+CMGL:\s*(\d+),\s*([01]?),")  # 0 and 1 came in; 2 and 3 are drafts and sent ones
WRITE_SECONDS: Final = 5.0
DRAIN_SECONDS: Final = 1.0  # the wrong port of a stick may talk without end: positions, diagnostics, audio
LONGEST_LINE: Final = 65536


class PortGoneError(GsmModemException):
    """The port cannot be opened, read or written any more."""

    answer: list[str]  # what had come until then, if it went during an exchange

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.answer = []


class SimError(GsmModemException):
    """The SIM needs a person; the text says what for."""


class PinRefusedError(SimError):
    """The PIN was tried and is not right: never to be tried again by itself, the third time would lock the SIM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long to wait for a modem."""

    answer: timedelta  # for an ordinary command and for the prompt
    submit: timedelta  # for +CMGS
    late: timedelta  # for an answer that did not come in time, before anything else is asked
    quiet: timedelta  # without a byte: whatever was under way before has ended


@dataclass(frozen=True, slots=True)
class StoredPdu:
    """A message in the SIM or the modem, as AT+CMGL lists it."""

    memory: str
    index: int
    pdu: str
    session: int  # a place means the same message only as long as the port stays open


class Line(SerialComms):
    """Bytes to lines and back, in the thread that asks: nothing reads behind its back.

    After a command that was not answered in time the line is out of step: what comes next may be the late answer. Before
    the next command it is waited for, then the modem is asked something whose answer cannot be mistaken.
    """

    timing: Timing

    def connect(self) -> None:
        """Open the port, for this program alone; raises PortGoneError."""
        self._buffer = bytearray()
        self._push_follows = False
        self._out_of_step = False
        self._owed_until = 0.0  # monotonic; until then the late answer may come
        try:
            self.serial = serial.serial_for_url(
                self.port, baudrate=self.baudrate, timeout=0, write_timeout=WRITE_SECONDS, exclusive=True
            )
        except (serial.SerialException, OSError, ValueError) as exc:
            raise PortGoneError(_why(exc)) from exc
        self.alive = True

    def close(self, why: str = "it was closed") -> None:
        """Let go of the port; closing twice is harmless."""
        if self.alive:
            self._lost = why
            self.alive = False
            with suppress(serial.SerialException, OSError):
                self.serial.close()

    def still_there(self) -> None:
        """Raise PortGoneError if the last command left no line to listen to."""
        if not self.alive:
            raise PortGoneError(self._lost)

    def fileno(self) -> int:
        descriptor: int = self.serial.fileno()
        return descriptor

    def listen(self) -> None:
        """Take what the modem said unasked; raises PortGoneError when it went away."""
        for line in self._lines_until(time.monotonic(), prompt=False):
            self._unasked(line)

    # The library calls it, with these names, and judges the answer.
    def write(
        self,
        data: str,
        waitForResponse: bool = True,  # noqa: N803
        timeout: float = 5,
        expectedResponseTermSeq: str | None = None,  # noqa: N803
    ) -> list[str]:
        """Send a command and return its answer, final line included; busy modems are asked again a few times."""
        for wait in BUSY_WAITS:
            answer = self._exchange(data, timeout, prompt=expectedResponseTermSeq is not None)
            if not BUSY.match(answer[-1]):
                return answer
            time.sleep(wait)
        # Judged here, because the library would ask for ever.
        raise command_error(data.strip(), answer[-1])

    def hand_over(self, pdu: str) -> None:
        """Write the PDU but not its end: without that the modem sends nothing, whatever happens."""
        self._put(pdu.encode())

    def finish(self, sent: str, timeout: float) -> list[str]:
        """Write the end of the PDU and return the modem's answer."""
        self._put(CTRL_Z)
        return self._answer("AT+CMGS", sent, timeout, prompt=False)

    def escape(self) -> None:
        """Leave a prompt without sending; harmless where there is none."""
        self._out_of_step, self._owed_until = True, 0.0
        self._put(ESC)

    # --- one exchange ---------------------------------------------------------------------------------------------

    def _exchange(self, data: str, timeout: float, *, prompt: bool) -> list[str]:
        if self._out_of_step:
            self._get_in_step()
        self.listen()
        self._put(data.encode())
        return self._answer(data.strip(), data.strip(), timeout, prompt=prompt)

    def _answer(self, command: str, sent: str, timeout: float, *, prompt: bool) -> list[str]:
        """Return the lines that answer `command` up to the final one, or to the prompt, which is given as ">"."""
        answer: list[str] = []
        try:
            for line in self._lines_until(time.monotonic() + timeout, prompt=prompt):
                if self._is_unasked(line, _name(command)):
                    self._unasked(line)
                elif line != sent:  # not the echo
                    answer.append(line)
                    # An OK where a prompt is due is the late answer to something else.
                    if line == ">" or (FINAL.fullmatch(line) and not (prompt and line == "OK")):
                        return answer
        except PortGoneError as exc:
            exc.answer = answer
            raise
        self._out_of_step = True
        self._owed_until = time.monotonic() + self.timing.late.total_seconds()
        raise TimeoutException(answer)

    def _is_unasked(self, line: str, own: str) -> bool:
        if self._push_follows and HEX.fullmatch(line):
            return True
        match = UNASKED.fullmatch(line)
        return match is not None and match[1] != own and not FINAL.fullmatch(line)

    def _unasked(self, line: str) -> None:
        pushed = self._push_follows and HEX.fullmatch(line)
        self._push_follows = bool(PUSHED.match(line))
        if FINAL.fullmatch(line):
            self._owed_until = 0.0
        if not self._push_follows:
            self.notifyCallback(["PDU", line] if pushed else [line])

    @property
    def _patience(self) -> float:
        """Seconds for an answer that needs neither SIM nor network."""
        return min(self.timing.answer.total_seconds(), 2.0)

    def _get_in_step(self) -> None:
        """Wait for the answer that is owed, then ask until the answer is to what was asked; else PortGoneError."""
        while time.monotonic() < self._owed_until:
            # A final line, which ends the debt, need not be followed by anything: look again and again.
            for line in self._lines_until(min(self._owed_until, time.monotonic() + 0.1), prompt=False):
                self._unasked(line)
        for _ in range(3):
            self._clear()
            self._put(b"AT+CMGF?\r")
            with suppress(TimeoutException):
                answer = self._answer("AT+CMGF?", "AT+CMGF?", self._patience, prompt=False)
                self._out_of_step = not any(line.startswith("+CMGF:") for line in answer)
                if not self._out_of_step:
                    return
        self.close("it does not answer any more")
        raise PortGoneError("it does not answer any more")

    # --- bytes ----------------------------------------------------------------------------------------------------

    def _lines_until(self, deadline: float, *, prompt: bool) -> Iterator[str]:
        while True:
            yield from self._lines()
            if prompt and _printable(self._buffer).startswith(">"):
                self._buffer.clear()
                yield ">"
            late = time.monotonic() - deadline
            if late > DRAIN_SECONDS or not select.select([self.fileno()], [], [], max(0.0, -late))[0]:
                return
            self._receive()

    def _lines(self) -> Iterator[str]:
        while (end := re.search(rb"[\r\n]", self._buffer)) is not None:
            line = _printable(self._buffer[: end.start()])
            del self._buffer[: end.end()]
            if line:
                yield line

    def _clear(self) -> None:
        """Leave a prompt, end a half-written line, take whatever that gives."""
        self._put(ESC + b"\r")  # without the CR, ESC would be part of the next command for some (ofono-phonesim)
        self._quiet()

    def _quiet(self) -> None:
        """Take and drop what comes until nothing comes any more, or for a while."""
        until = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < until and select.select([self.fileno()], [], [], self.timing.quiet.total_seconds())[0]:
            self._receive()
            for line in self._lines():
                self._unasked(line)
        self._buffer.clear()

    def _receive(self) -> None:
        try:
            self._buffer += self.serial.read(4096)
            del self._buffer[:-LONGEST_LINE]
        except (serial.SerialException, OSError, TypeError) as exc:
            self.close(_why(exc))
            raise PortGoneError(_why(exc)) from exc

    def _put(self, raw: bytes) -> None:
        try:
            self.serial.write(raw)
        except (serial.SerialException, OSError, TypeError) as exc:
            self.close(_why(exc))
            raise PortGoneError(_why(exc)) from exc


_sessions = count(1)


class ModemLink(LibraryModem, Line):
    """A modem in PDU mode: set up, asked, sent with. All calls come from one thread.

    `on_unasked` gets what the modem says by itself: one line, or "PDU" and the PDU of a message that it pushed.
    """

    def __init__(self, port: str, *, baud: int, timing: Timing, on_unasked: Callable[[list[str]], None]) -> None:
        self.timing = timing
        self._on_unasked = on_unasked
        self._session = next(_sessions)
        self._announced: set[tuple[str, int]] = set()
        self._memories: tuple[str, ...] = ()
        self._memory_values = 3
        super().__init__(port, baud)
        self._smsMemReadDelete: str | None = None

    def connect(self, pin: str | None = None) -> None:
        """Open the port and make the modem ready; `pin` is tried if the SIM asks, once.

        Raises PortGoneError, SimError, or the library's errors for a modem that refuses what is indispensable.
        """
        Line.connect(self)
        self._wake_up()
        self.write("ATE0", parseError=False)
        self.write("AT+CMEE=1", parseError=False)  # some modems know no numbers for errors
        self._turn_on()
        self._unlockSim(pin)
        self.write("AT+CMGF=0")
        self._choose_memories()
        self._choose_notification()

    def write(self, data: str, *args: Any, **options: Any) -> list[str]:
        """Send a command as the library does, with a longer patience; raises CommandError, TimeoutException, PortGoneError."""
        options.setdefault("timeout", self.timing.answer.total_seconds())
        answer: list[str] = super().write(data, *args, **options)
        return answer

    def submit(self, pdu: SubmitPdu) -> str | None:
        """Send one radio text and return the modem's reference. Raises SendFailed, whose fate says what is known."""
        self._get_prompt(pdu.length)
        answer = self._confirmed(pdu.hex)
        if "ERROR" in answer[-1]:
            raise self._failure(command_error("AT+CMGS", answer[-1]), handed_over=True)
        return _reference(answer)

    def stored(self) -> list[StoredPdu]:
        """Return what came in and is stored: all that is listed, and what was announced but is not listed.

        Some modems list nothing, or answer an error when nothing is stored, and yet announce and read (ofono-phonesim).
        """
        by_content = {(m.index, m.pdu): m for memory in self._memories for m in self._listed(memory)}
        listed = list(by_content.values())  # two names of one memory list the same twice
        self._announced -= {(message.memory, message.index) for message in listed}
        return [*listed, *(message for place in sorted(self._announced) if (message := self._read(*place)))]

    def delete(self, message: StoredPdu) -> None:
        """Delete a message, unless the port was opened anew since it was listed: another may be in its place by now."""
        if message.session == self._session:
            self._announced.discard((message.memory, message.index))
            self._select(message.memory)
            self.write(f"AT+CMGD={message.index}")

    def _handleModemNotification(self, lines: list[str]) -> None:  # noqa: N802 (the library starts a thread for each)
        if announced := ANNOUNCED.match(lines[0]):
            self._announced.add((announced[1], int(announced[2])))
        self._on_unasked(lines)

    # --- sending --------------------------------------------------------------------------------------------------

    def _get_prompt(self, length: int) -> None:
        try:
            self.write(f"AT+CMGS={length}", timeout=self.timing.answer.total_seconds(), expectedResponseTermSeq=">")
        except CommandError as exc:
            raise self._failure(exc, handed_over=False) from exc
        except TimeoutException as exc:
            with suppress(PortGoneError):
                self.escape()
            raise SendFailed("The modem did not ask for the text in time.", fate=Fate.NOT_SENT) from exc
        except PortGoneError as exc:
            raise SendFailed(f"The modem went away before it had the text: {exc}.", fate=Fate.NOT_SENT) from exc

    def _confirmed(self, sent: str) -> list[str]:
        """Hand the PDU over and return the answer; a reference is proof enough, even if the OK after it is missing."""
        try:
            self.hand_over(sent)
        except PortGoneError as exc:
            raise SendFailed(f"The modem went away before it had the text: {exc}.", fate=Fate.NOT_SENT) from exc
        try:
            return self.finish(sent, self.timing.submit.total_seconds())
        except TimeoutException as exc:
            answer, cause = exc.data, "did not answer in time"
        except PortGoneError as exc:
            answer, cause = exc.answer, f"went away: {exc}"
        if _reference(answer) is None:
            raise SendFailed(f"The modem took the text and {cause}.", fate=Fate.UNKNOWN)
        return [*answer, "OK"]

    def _failure(self, error: CommandError, *, handed_over: bool) -> SendFailed:
        if verdict(error.type, error.code).sim:
            self.close(verdict(error.type, error.code).words)  # to be set up anew, which asks the SIM what it wants
        return failure(error.type, error.code, handed_over=handed_over)

    # --- set-up ---------------------------------------------------------------------------------------------------

    def _wake_up(self) -> None:
        """Get an OK out of it, even from a prompt or an unanswered command that a killed process left behind."""
        for _ in range(3):
            self._clear()
            self._out_of_step = False
            with suppress(TimeoutException, CommandError):
                self.write("AT", timeout=self._patience)
                self._quiet()
                return
        raise PortGoneError("nothing on this port answers AT")

    def _turn_on(self) -> None:
        with suppress(CommandError):
            if not any(line.startswith("+CFUN: 1") for line in self.write("AT+CFUN?")):
                self.write("AT+CFUN=1")

    def _unlockSim(self, pin: str | None) -> None:  # noqa: N802 (the library's name, and its PIN for any question)
        try:
            answer = self.write("AT+CPIN?", timeout=15)
        except CommandError as exc:
            raise SimError(verdict(exc.type, exc.code).words if exc.type else "the SIM does not answer") from exc
        state = next((line.partition(":")[2].strip() for line in answer if line.startswith("+CPIN:")), "nothing known")
        if state == "SIM PIN" and pin is not None:
            self._try_pin(pin)
        elif state != "READY":
            raise SimError(f"the SIM wants {state}")

    def _try_pin(self, pin: str) -> None:
        if not pin.isascii() or not pin.isdigit():
            raise SimError("the configured PIN is not a number")
        try:
            self.write(f'AT+CPIN="{pin}"', timeout=15)
        except (CommandError, TimeoutException) as exc:
            raise PinRefusedError("the SIM did not take the PIN") from exc

    def _choose_memories(self) -> None:
        """Keep what comes in in the first memory that can be set, and read every other, where older texts may be."""
        usable = [memory for memory in ("ME", "SM") if self._can_keep_in(memory)]
        self._memories = tuple(usable) or ("",)  # "": whichever it reads from by itself
        self._select(self._memories[0])

    def _can_keep_in(self, memory: str) -> bool:
        self._memories = (memory,)
        # Modems differ in how many values they want (27.005 allows one to three).
        for self._memory_values in (3, 2, 1):
            with suppress(CommandError):
                self._select(memory)
                return True
        return False

    def _choose_notification(self) -> None:
        """Ask to be told of what comes in. Status reports are pushed, or else kept in their own memory."""
        for setting in ("2,1,0,1,0", "2,1,0,2,0", "2,1,0,0,0", "1,1,0,0,0"):
            with suppress(CommandError):
                self.write(f"AT+CNMI={setting}")
                if setting[6] == "2":
                    self._memories = (*self._memories, "SR")
                return

    def _select(self, memory: str) -> None:
        if memory and memory != self._smsMemReadDelete:
            values = [memory, *[self._memories[0]] * (self._memory_values - 1)]
            self.write("AT+CPMS=" + ",".join(f'"{value}"' for value in values))
            self._smsMemReadDelete = memory

    def _listed(self, memory: str) -> list[StoredPdu]:
        try:
            self._select(memory)
            answer = self.write("AT+CMGL=4")
        except CommandError:
            return []
        return [
            StoredPdu(memory, int(listed[1]), pdu, self._session)
            for head, pdu in pairwise(answer)
            if (listed := LISTED.match(head)) and HEX.fullmatch(pdu)
        ]

    def _read(self, memory: str, index: int) -> StoredPdu | None:
        with suppress(CommandError):
            self._select(memory)
            for line in self.write(f"AT+CMGR={index}"):
                if HEX.fullmatch(line):
                    return StoredPdu(memory, index, line, self._session)
        self._announced.discard((memory, index))
        return None


def command_error(command: str, line: str) -> CommandError:
    """Return the library's error for a final line."""
    numbered = NUMBERED.match(line)
    if numbered is None:
        return CommandError(command)
    return (CmsError if numbered[1] == "CMS" else CmeError)(command, int(numbered[2]))


def _reference(answer: list[str]) -> str | None:
    return next((match[1] for line in answer if (match := re.match(r"\+CMGS:\s*(\d+)", line))), None)


def _name(command: str) -> str:
    match = re.match(r"AT([+^*%][A-Z0-9]+)", command)
    return match[1] if match else ""


def _printable(raw: bytes | bytearray) -> str:
    # Noise on the line is not ASCII; what a modem says is.
    return bytes(octet for octet in raw if 0x20 <= octet < 0x7F).decode("ascii").strip()


def _why(exc: Exception) -> str:
    """Return the cause without the library's repetitions, as half a sentence."""
    inner = exc.__context__ if isinstance(exc.__context__, OSError) else exc
    if isinstance(inner, BlockingIOError):
        return "another program has it open"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return "it was unplugged" if "returned no data" in str(exc) else str(exc).removesuffix(".") or "the port failed"
