"""Bytes on a serial port ↔ lines of a modem, in the thread that asks.   modem/link.py → here → the port

It takes the place of python-gsmmodem-new's lowest layer (reproduced on 0.13.0): a second, reading thread that dies of a
non-UTF-8 byte and blocks for 35 s when the port is gone; late answers taken for those of the next command; +CMTI swallowed
during a command; endless recursion on "busy".
"""

import errno
import re
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import serial
from gsmmodem.exceptions import CmeError, CmsError, CommandError, GsmModemException, TimeoutException
from gsmmodem.serial_comms import SerialComms

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
WRITE_SECONDS: Final = 5.0
DRAIN_SECONDS: Final = 1.0  # the wrong port of a stick may talk without end: positions, diagnostics, audio
LONGEST_LINE: Final = 65536


class PortGoneError(GsmModemException):
    """The port cannot be opened, read or written any more."""

    answer: list[str]  # what had come until then, if it went during an exchange

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.answer = []


class HeldError(PortGoneError):
    """Another program has the port open."""


class SilentError(PortGoneError):
    """The port is there and nothing on it answers: the modem hangs, or it is the wrong port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long to wait for a modem."""

    answer: timedelta  # for an ordinary command and for the prompt
    submit: timedelta  # for +CMGS
    late: timedelta  # for an answer that did not come in time, before anything else is asked
    quiet: timedelta  # without a byte: whatever was under way before has ended


class Line(SerialComms):
    """Bytes to lines and back, in the thread that asks: nothing reads behind its back.

    After a command that was not answered in time the line is out of step: what comes next may be the late answer. Before
    the next command it is waited for, then the modem is asked something whose answer cannot be mistaken.
    """

    timing: Timing
    asked_again = 0  # how often it had to be brought back into step

    def open(self) -> None:
        """Open the port, for this program alone; raises PortGoneError, of which HeldError is one."""
        self._buffer = bytearray()
        self._push_follows = False
        self._out_of_step = False
        self._owed_until = 0.0  # monotonic; until then the late answer may come
        try:
            self.serial = serial.serial_for_url(
                self.port, baudrate=self.baudrate, timeout=0, write_timeout=WRITE_SECONDS, exclusive=True
            )
        except (serial.SerialException, OSError, ValueError) as exc:
            raise (HeldError if _is_held(exc) else PortGoneError)(_why(exc)) from exc
        self.alive = True

    def close(self, why: str = "it was closed", *, silent: bool = False) -> None:
        """Let go of the port; closing twice is harmless."""
        if self.alive:
            self._lost, self._silent = why, silent
            self.alive = False
            with suppress(serial.SerialException, OSError):
                self.serial.close()

    def still_there(self) -> None:
        """Raise PortGoneError if the last command left no line to listen to; SilentError if that is why."""
        if not self.alive:
            raise (SilentError if self._silent else PortGoneError)(self._lost)

    def fileno(self) -> int:
        descriptor: int = self.serial.fileno()
        return descriptor

    def listen(self) -> None:
        """Take what the modem said unasked; raises PortGoneError when it went away."""
        for line in self._lines_until(time.monotonic(), prompt=False):
            self._unasked(line)

    def listen_for(self, wait: timedelta) -> None:
        """Take what the modem says unasked for so long, without a byte to it; a final line ends it sooner."""
        self._owed_until = time.monotonic() + wait.total_seconds()
        while time.monotonic() < self._owed_until:
            # A final line need not be followed by anything: look again and again.
            for line in self._lines_until(min(self._owed_until, time.monotonic() + 0.1), prompt=False):
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
        """Wait for the answer that is owed, then ask until the answer is to what was asked; else SilentError."""
        self.asked_again += 1
        self.listen_for(timedelta(seconds=max(0.0, self._owed_until - time.monotonic())))
        for _ in range(3):
            self._clear()
            self._put(b"AT+CMGF?\r")
            with suppress(TimeoutException):
                answer = self._answer("AT+CMGF?", "AT+CMGF?", self._patience, prompt=False)
                self._out_of_step = not any(line.startswith("+CMGF:") for line in answer)
                if not self._out_of_step:
                    return
        self.close("it does not answer any more", silent=True)
        raise SilentError("it does not answer any more")

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


def command_error(command: str, line: str) -> CommandError:
    """Return the library's error for a final line."""
    numbered = NUMBERED.match(line)
    if numbered is None:
        return CommandError(command)
    return (CmsError if numbered[1] == "CMS" else CmeError)(command, int(numbered[2]))


def _name(command: str) -> str:
    match = re.match(r"AT([+^*%][A-Z0-9]+)", command)
    return match[1] if match else ""


def _printable(raw: bytes | bytearray) -> str:
    # Noise on the line is not ASCII; what a modem says is.
    return bytes(octet for octet in raw if 0x20 <= octet < 0x7F).decode("ascii").strip()


def _is_held(exc: Exception) -> bool:
    """Return whether somebody has the port locked (flock), or open for himself alone (TIOCEXCL: minicom, ModemManager)."""
    inner = exc.__context__ if isinstance(exc.__context__, OSError) else exc
    return isinstance(inner, BlockingIOError) or getattr(inner, "errno", None) == errno.EBUSY


def _why(exc: Exception) -> str:
    """Return the cause without the library's repetitions, as half a sentence."""
    inner = exc.__context__ if isinstance(exc.__context__, OSError) else exc
    if _is_held(exc):
        return "another program has it open"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return "it was unplugged" if "returned no data" in str(exc) else str(exc).removesuffix(".") or "the port failed"
