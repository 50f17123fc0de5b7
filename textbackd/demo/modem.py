"""A GSM modem that is not there: AT commands on a pseudo-terminal.   gateways/gsm_modem.py → here → demo/modem_air.py

The demo and the tests send through it. It knows the part of 3GPP TS 27.005 and 27.007 that a gateway needs, in PDU
mode, and breaks on demand in the ways that sticks break (`Quirks`). Each PDU that it takes becomes one line of JSON,
written and fsynced before the answer, so that what was really sent can be counted after any crash of the sender.

On its own, for tests that kill the sender:  python -m textbackd.demo.modem --link PATH --air FILE [--control FIFO] …
"""

import argparse
import json
import os
import queue
import re
import select
import signal
import sys
import termios
import threading
import time
import tty
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from textbackd.demo.modem_air import OnAir, deliver_pdus, log_on_air, read_submit, report_pdu, tpdu_length

CTRL_Z: Final = 0x1A
ESC: Final = 0x1B
MEMORIES: Final = ("SM", "ME", "SR")


@dataclass(slots=True, kw_only=True)
class Quirks:
    """How this modem behaves and breaks; may be changed while it runs.

    `submits` says what becomes of the next texts, one word each; when it is empty, `submit` holds for all:

    ok              on air and answered
    no_reference    on air and answered OK, without +CMGS
    silent          on air, never answered
    late:SECONDS    on air, answered so much later; it takes other commands meanwhile
    deaf:SECONDS    on air, answered so much later; it takes no other command meanwhile
    die_after_pdu   on air, then unplugged
    cms:N, cme:N    not on air, that error after the PDU
    error           not on air, a bare ERROR after the PDU
    refuse:N        +CMS ERROR N instead of the prompt
    no_prompt       no answer to AT+CMGS
    die_at_prompt   unplugged right after the prompt
    """

    submit: str = "ok"
    submits: deque[str] = field(default_factory=deque)
    answer_delay: float = 0.0  # seconds before any answer
    before_air: float = 0.0  # seconds from the PDU to its being on air
    after_air: float = 0.0  # seconds from there to the answer
    report_after: float = 0.0
    report_status: int | None = 0  # TP-ST of status reports; None: the network sends none
    garbage: bytes = b""  # in front of every answer
    unsolicited: str = ""  # between the lines of every answer
    echo: bool = True
    silent: bool = False  # answers nothing at all
    cmee: bool = True  # False: ERROR to AT+CMEE=1, and never a number behind an error
    cpms_values: int | None = None  # how many values AT+CPMS= insists on; None: any of 1 to 3
    report_to_memory: bool = False  # True: refuses <ds>=1 of AT+CNMI, keeps status reports in SR
    pin: str | None = None  # asked for after each plugging in
    sim: str = "READY"  # what AT+CPIN? answers once the PIN is right; "" is no SIM
    storage: int = 30  # messages that each memory holds
    imei: str = "004999010640000"  # of test equipment
    iccid: str | None = "8901001012345678906"  # None: not told
    iccid_before_pin: bool = True
    tries_told_by: str = "+CPINR"  # the command that tells the tries left of the PIN; "": none does
    pin_answered: bool = True  # False: nothing is said to AT+CPIN=
    registration: int = 1  # <stat> of +CREG and its kin (3GPP TS 27.007 §7.2)
    signal: int = 21  # <rssi> of +CSQ
    operator: str = "Virtual"
    technology: int = 7  # <AcT> of +COPS
    mute: tuple[str, ...] = ()  # commands that are never answered, "+COPS"
    cured_by: str | None = None  # while `silent`: the command that it obeys all the same, and that makes it speak again
    boot_time: float = 0.0  # seconds until the port is back after AT+CFUN=1,1
    start_time: float = 0.0  # seconds from being plugged in to the first answer


@dataclass(slots=True)
class _Stored:
    pdu: str
    status: int = 0  # 0 received unread, 1 received read


class _UnpluggedError(Exception):
    """The line is gone; the interpreter starts anew on the next one."""


class VirtualModem:
    """A modem on a pseudo-terminal with a thread of its own. Use as a context manager, or start() and stop()."""

    def __init__(
        self,
        *,
        air: Path | None = None,
        link: Path | None = None,
        quirks: Quirks | None = None,
        on_air: Callable[[OnAir], None] | None = None,
    ) -> None:
        self.quirks = quirks or Quirks()
        self.pin_tries = 3
        self.commands: list[str] = []  # every command line that was taken, for tests
        self._air, self._link, self._on_air = air, link, on_air
        self._memory: dict[str, dict[int, _Stored]] = {name: {} for name in MEMORIES}
        self._waiting: deque[str] = deque()  # incoming, while the storage is full
        self._announcement = b""
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._wake_read, self._wake_write = os.pipe()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="virtual-modem", daemon=True)
        self._master = self._slave = -1
        self.next_link: Path | None = None  # where it comes back after AT+CFUN=1,1
        self._message_reference = 0
        self._long_reference = 0
        self._reset()

    # --- from outside, any thread ---------------------------------------------------------------------------------

    @property
    def port(self) -> str:
        return str(self._link) if self._link else self._terminal

    def start(self) -> "VirtualModem":
        self._plug_in()
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        self._order(lambda: None)
        self._thread.join()
        self._unplug()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def __enter__(self) -> "VirtualModem":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def unplug(self) -> None:
        """Pull it out: the port vanishes. What is stored on the SIM stays."""
        self._obeyed(self._unplug)

    def plug_in(self) -> None:
        """Plug it in again; the system gives it another terminal, the link points there."""
        self._obeyed(self._plug_in)

    def move(self, link: Path) -> None:
        """Come back under another name at the next plugging in. For a modem that is unplugged."""
        self._link = link

    def deliver(
        self, sender: str, body: str, *, wide_reference: bool = False, order: Callable[[list[str]], list[str]] = list
    ) -> None:
        """Let a text come in from the network; a long one as parts, in the order that `order` makes of them."""
        pdus = deliver_pdus(sender, body, reference=self._next_long_reference(), wide=wide_reference)
        for pdu in order(pdus):
            self.deliver_pdu(pdu)

    def deliver_pdu(self, pdu: str) -> None:
        """Let any bytes come in as a message; hex, service centre's address included."""
        self._order(lambda: self._receive(pdu))

    def keep(self, memory: str, sender: str, body: str) -> None:
        """Have an older text in a memory, from when the SIM was in a phone."""
        for pdu in deliver_pdus(sender, body, reference=self._next_long_reference()):
            self._order(partial(self._store, memory, pdu, ""))

    def say(self, raw: bytes) -> None:
        """Put bytes on the line by itself: an unsolicited result code, or garbage."""
        self._order(lambda: self._write(raw))

    def announce_again(self) -> None:
        """Announce once more what came in last."""
        self._order(lambda: self._write(self._announcement))

    def stored(self) -> int:
        """Return how many messages are on the SIM and in the modem."""
        return sum(map(len, self._memory.values())) + len(self._waiting)

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen(None)
            except _UnpluggedError:
                self._unplug()

    def _listen(self, seconds: float | None, *, to_commands: bool = True) -> None:
        """Handle what comes for so long; None: until something has been handled."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self._stopping.is_set():
            self._do_what_is_due()
            left = (
                min([*([] if until is None else [until]), *(at for at, _ in self._due), time.monotonic() + 60])
                - time.monotonic()
            )
            fds = [self._wake_read, *([self._master] if to_commands and self._master >= 0 else [])]
            ready = select.select(fds, [], [], max(0.0, left))[0]
            if self._wake_read in ready:
                os.read(self._wake_read, 1)
                self._orders.get()()
            if self._master in ready:
                self._take(self._read())
            if until is None or time.monotonic() >= until:
                return

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        due = [action for at, action in self._due if at <= now]
        self._due = [(at, action) for at, action in self._due if at > now]
        for action in due:
            action()

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._due.append((time.monotonic() + seconds, action))

    def _order(self, action: Callable[[], None]) -> None:
        self._orders.put(action)
        os.write(self._wake_write, b"!")

    def _obeyed(self, action: Callable[[], None]) -> None:
        done = threading.Event()

        def obey() -> None:
            action()
            done.set()

        self._order(obey)
        done.wait()

    # --- the line -------------------------------------------------------------------------------------------------

    def _plug_in(self) -> None:
        self._unplug()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._terminal = os.ttyname(self._slave)
        self._reset()
        if self._link:
            fresh = self._link.with_name(self._link.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self._terminal)
            fresh.replace(self._link)

    def _unplug(self) -> None:
        for fd in (self._master, self._slave):
            if fd >= 0:
                os.close(fd)
        self._master = self._slave = -1
        if self._link:
            self._link.unlink(missing_ok=True)

    def _reset(self) -> None:
        self._line = bytearray()
        self._pdu_length: int | None = None  # set: the prompt is out and a PDU is awaited
        self._numeric_errors = False
        self._echo = self.quirks.echo
        self._read_from = self._keep_in = "SM"
        self._notify = self._reports = 0
        self._unlocked = self.quirks.pin is None
        self._radio = True
        self._speaks_from = time.monotonic() + self.quirks.start_time

    def _read(self) -> bytes:
        # Nobody at the other end is no reason to stop: a stick does not know either.
        with suppress(BlockingIOError):
            return os.read(self._master, 4096)
        return b""

    def _write(self, raw: bytes) -> None:
        if self._master >= 0:
            # A full line with no reader drops what does not fit, as a serial port does.
            with suppress(BlockingIOError):
                os.write(self._master, raw)

    # --- the interpreter ------------------------------------------------------------------------------------------

    def _take(self, raw: bytes) -> None:
        for octet in raw:
            if self._pdu_length is None:
                self._take_command_octet(octet)
            else:
                self._take_pdu_octet(octet, self._pdu_length)

    def _take_command_octet(self, octet: int) -> None:
        if octet == ESC:
            self._line.clear()
        elif octet not in b"\r\n":
            self._line.append(octet)
        elif octet == 0x0D and self._line:
            line = bytes(self._line).decode("latin-1")
            self._line.clear()
            if self._echo:
                self._write(line.encode("latin-1") + b"\r")
            self._command(line)

    def _take_pdu_octet(self, octet: int, length: int) -> None:
        if octet == ESC:
            self._line.clear()
            self._pdu_length = None
            self._answer("OK")
        elif octet == CTRL_Z:
            pdu = bytes(self._line).decode("latin-1")
            self._line.clear()
            self._pdu_length = None
            if self._echo:
                self._write(pdu.encode("latin-1") + b"\x1a")
            self._submit(pdu, length)
        elif octet == 0x0D:
            self._write(b"\r\n> ")
        else:
            self._line.append(octet)

    def _command(self, line: str) -> None:
        self.commands.append(line)
        match = re.fullmatch(r"AT(?:([+^&]?[A-Z]+)(.*))?", line, re.IGNORECASE)
        if self.quirks.silent:
            self._perhaps_cured(line)
            return
        if match is None:
            self._answer("ERROR")
            return
        name, rest = (match[1] or "").upper(), match[2] or ""
        if name in self.quirks.mute or time.monotonic() < self._speaks_from:
            return
        handler = _COMMANDS.get(name)
        answer = handler(self, rest) if handler else _SIMPLE.get(name + rest, _SIMPLE.get(name, ["ERROR"]))
        if answer:
            self._answer(*answer)

    def _perhaps_cured(self, line: str) -> None:
        if line == self.quirks.cured_by:
            self.quirks.silent = False
            self._command(line)

    def _answer(self, *lines: str) -> None:
        if self.quirks.answer_delay:
            self._listen(self.quirks.answer_delay, to_commands=False)
        between = f"\r\n{self.quirks.unsolicited}\r\n" if self.quirks.unsolicited else ""
        text = between.join(f"\r\n{line}\r\n" for line in ("", *lines) if line or between)
        self._write(self.quirks.garbage + text.encode("latin-1"))

    def _error(self, kind: str, number: int) -> list[str]:
        return [f"+{kind} ERROR: {number}" if self._numeric_errors else "ERROR"]

    # --- texts out ------------------------------------------------------------------------------------------------

    def _cmgs(self, rest: str) -> list[str]:
        if not self._unlocked:
            return self._error("CMS", 311)
        fate = self._fate(peek=True)
        if fate.startswith(("no_prompt", "die_at_prompt", "refuse")):
            self._fate()
            return self._break_at_prompt(fate)
        self._pdu_length = int(rest.lstrip("="))
        self._write(b"\r\n> ")
        return []

    def _break_at_prompt(self, fate: str) -> list[str]:
        if fate == "die_at_prompt":
            # It takes nothing any more: what is written now is proved not to have arrived.
            termios.tcflow(self._slave, termios.TCOOFF)
            self._write(b"\r\n> ")
            raise _UnpluggedError
        return [] if fate == "no_prompt" else self._error("CMS", int(fate.partition(":")[2]))

    def _fate(self, *, peek: bool = False) -> str:
        if not self.quirks.submits:
            return self.quirks.submit
        return self.quirks.submits[0] if peek else self.quirks.submits.popleft()

    def _submit(self, pdu: str, length: int) -> None:
        word, _, number = self._fate().partition(":")
        try:
            text = read_submit(bytes.fromhex(pdu), length)
        except (ValueError, IndexError):
            self._answer(*self._error("CMS", 304))
            return
        if word in ("cms", "cme"):
            self._answer(*self._error(word.upper(), int(number)))
        elif word == "error":
            self._answer("ERROR")
        else:
            self._put_on_air(text)
            self._answer_submit(word, float(number or 0))

    def _put_on_air(self, text: OnAir) -> None:
        self._pause(self.quirks.before_air)
        self._message_reference = (self._message_reference + 1) % 256
        sent = replace(text, message_reference=self._message_reference)
        if self._air:
            log_on_air(self._air, sent)
        if self._on_air:
            self._on_air(sent)
        self._pause(self.quirks.after_air)
        if sent.report and self.quirks.report_status is not None:
            report = report_pdu(sent.message_reference, sent.to, self.quirks.report_status)
            self._later(self.quirks.report_after, lambda: self._report(report))

    def _answer_submit(self, word: str, seconds: float) -> None:
        reference = f"+CMGS: {self._message_reference}"
        if word == "die_after_pdu":
            raise _UnpluggedError
        if word == "deaf":
            self._pause(seconds)
        if word == "late":
            self._later(seconds, lambda: self._answer(reference, "OK"))
        elif word != "silent":
            self._answer(*([] if word == "no_reference" else [reference]), "OK")

    def _pause(self, seconds: float) -> None:
        if seconds:
            self._listen(seconds, to_commands=False)

    # --- texts in -------------------------------------------------------------------------------------------------

    def _receive(self, pdu: str) -> None:
        if len(self._memory[self._keep_in]) >= self.quirks.storage:
            self._waiting.append(pdu)
            return
        self._store(self._keep_in, pdu, "+CMTI" if self._notify else "")

    def _store(self, memory: str, pdu: str, announced: str) -> None:
        places = self._memory[memory]
        place = next(free for free in range(1, 1000) if free not in places)
        places[place] = _Stored(pdu)
        if announced:
            self._announcement = f'\r\n{announced}: "{memory}",{place}\r\n'.encode()
            self._write(self._announcement)

    def _report(self, pdu: str) -> None:
        if self._reports == 1:
            self._write(f"\r\n+CDS: {tpdu_length(pdu)}\r\n{pdu}\r\n".encode())
        elif self._reports == 2:
            self._store("SR", pdu, "+CDSI")

    def _cmgl(self, rest: str) -> list[str]:
        wanted = rest.lstrip("=") or "0"
        lines = []
        for place, stored in sorted(self._memory[self._read_from].items()):
            if wanted in ("4", str(stored.status)):
                lines += [f"+CMGL: {place},{stored.status},,{tpdu_length(stored.pdu)}", stored.pdu]
                stored.status = 1
        return [*lines, "OK"]

    def _cmgr(self, rest: str) -> list[str]:
        stored = self._memory[self._read_from].get(int(rest.lstrip("=")))
        if stored is None:
            return self._error("CMS", 321)
        lines = [f"+CMGR: {stored.status},,{tpdu_length(stored.pdu)}", stored.pdu, "OK"]
        stored.status = 1
        return lines

    def _cmgd(self, rest: str) -> list[str]:
        place = int(rest.lstrip("=").partition(",")[0])
        if self._memory[self._read_from].pop(place, None) is None:
            return self._error("CMS", 321)
        if self._waiting:
            self._later(0, lambda: self._receive(self._waiting.popleft()))
        return ["OK"]

    # --- settings -------------------------------------------------------------------------------------------------

    def _cmee(self, rest: str) -> list[str]:
        if rest == "?":
            return [f"+CMEE: {int(self._numeric_errors)}", "OK"]
        if not self.quirks.cmee:
            return ["ERROR"]
        self._numeric_errors = rest == "=1"
        return ["OK"]

    def _ate(self, rest: str) -> list[str]:
        self._echo = rest == "1"
        return ["OK"]

    def _cpin(self, rest: str) -> list[str]:
        if not self.quirks.sim:
            return self._error("CME", 10)
        if rest == "?":
            return [f"+CPIN: {self._sim_state}", "OK"]
        if self._unlocked or self.pin_tries == 0:
            return self._error("CME", 3)
        if not self.quirks.pin_answered:
            return []
        self._unlocked = rest.strip('="') == self.quirks.pin
        self.pin_tries = 3 if self._unlocked else self.pin_tries - 1
        return ["OK"] if self._unlocked else self._error("CME", 16)

    @property
    def _sim_state(self) -> str:
        if self._unlocked:
            return self.quirks.sim
        return "SIM PIN" if self.pin_tries else "SIM PUK"

    def _tries(self, name: str) -> list[str]:
        """Tell the tries left, as one of the vendors does."""
        if name != self.quirks.tries_told_by:
            return ["ERROR"]
        return [_TRIES[name].format(pin=self.pin_tries, state=self._sim_state), "OK"]

    def _card(self, _: str) -> list[str]:
        if self.quirks.iccid is None or not (self._unlocked or self.quirks.iccid_before_pin):
            return self._error("CME", 11)
        return [f"+CCID: {self.quirks.iccid}", "OK"]

    def _registration(self, name: str, rest: str) -> list[str]:
        return [f"{name}: 0,{self.quirks.registration}", "OK"] if rest == "?" else ["OK"]

    def _cops(self, rest: str) -> list[str]:
        if rest != "?":
            return ["OK"]
        named = f',0,"{self.quirks.operator}",{self.quirks.technology}' if self.quirks.registration in (1, 5) else ""
        return [f"+COPS: 0{named}", "OK"]

    def _cfun(self, rest: str) -> list[str]:
        if rest == "?":
            return [f"+CFUN: {int(self._radio)}", "OK"]
        if rest == "=1,1":
            self._answer("OK")
            self._later(0, self._start_anew)
            return []
        if rest == "=0":
            self._unlocked = self.quirks.pin is None  # the SIM is without power
        self._radio = rest.startswith("=1")
        return ["OK"]

    def _start_anew(self) -> None:
        self._unplug()
        self._link, self.next_link = self.next_link or self._link, None
        self._later(self.quirks.boot_time, self._plug_in)

    def ring(self, caller: str | None, *, rings: int = 1, every: float = 0.0, clip: bool = True) -> None:
        """Let somebody ring the SIM's own number; None: the number is withheld."""
        presented = f'"{caller}",{145 if caller.startswith("+") else 129},,,,0' if caller else '"",128,,,,1'
        line = "\r\nRING\r\n" + (f"\r\n+CLIP: {presented}\r\n" if clip else "")
        for number in range(rings):
            self._order(partial(self._later, number * every, partial(self._write, line.encode())))

    def _cpms(self, rest: str) -> list[str]:
        counts = ",".join(f"{len(self._memory[self._read_from])},{self.quirks.storage}" for _ in range(3))
        if rest == "=?":
            return ['+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")', "OK"]
        if rest == "?":
            names = (self._read_from, self._keep_in, self._keep_in)
            return ["+CPMS: " + ",".join(f'"{m}",{len(self._memory[m])},{self.quirks.storage}' for m in names), "OK"]
        values = re.findall(r'"(\w+)"', rest)
        wrong = not values or any(value not in MEMORIES for value in values)
        if wrong or len(values) != (self.quirks.cpms_values or len(values)):
            return self._error("CMS", 302)
        self._read_from = values[0]
        self._keep_in = values[2] if len(values) == 3 else self._keep_in
        return [f"+CPMS: {counts}", "OK"]

    def _cnmi(self, rest: str) -> list[str]:
        if rest in ("?", "=?"):
            return [f"+CNMI: 2,{self._notify},0,{self._reports},0", "OK"]
        values = [int(value) for value in rest.lstrip("=").split(",")] + [0] * 5
        if values[3] == 1 and self.quirks.report_to_memory:
            return self._error("CMS", 302)
        self._notify, self._reports = values[1], values[3]
        return ["OK"]

    def _next_long_reference(self) -> int:
        self._long_reference += 1
        return self._long_reference


_COMMANDS: Final[dict[str, Callable[[VirtualModem, str], list[str]]]] = {
    "+CMGS": VirtualModem._cmgs,
    "+CMGL": VirtualModem._cmgl,
    "+CMGR": VirtualModem._cmgr,
    "+CMGD": VirtualModem._cmgd,
    "+CMEE": VirtualModem._cmee,
    "+CPIN": VirtualModem._cpin,
    "+CPMS": VirtualModem._cpms,
    "+CNMI": VirtualModem._cnmi,
    "E": VirtualModem._ate,
    "+CFUN": VirtualModem._cfun,
    "+COPS": VirtualModem._cops,
    "+CCID": VirtualModem._card,
    "+CSQ": lambda modem, _: [f"+CSQ: {modem.quirks.signal},99", "OK"],
    "+CGSN": lambda modem, _: [modem.quirks.imei, "OK"],
    "+CPINR": lambda modem, _: modem._tries("+CPINR"),
    "^CPIN": lambda modem, _: modem._tries("^CPIN"),
    "+QPINC": lambda modem, _: modem._tries("+QPINC"),
    "+SPIC": lambda modem, _: modem._tries("+SPIC"),
    "+CREG": lambda modem, rest: modem._registration("+CREG", rest),
    "+CGREG": lambda modem, rest: modem._registration("+CGREG", rest),
    "+CEREG": lambda modem, rest: modem._registration("+CEREG", rest),
}
_TRIES: Final = {
    "+CPINR": "+CPINR: SIM PIN,{pin},3\r\n+CPINR: SIM PUK,10,10",
    "^CPIN": "^CPIN: {state},{pin},10,{pin},10,3",
    "+QPINC": '+QPINC: "SC",{pin},10',
    "+SPIC": "+SPIC: {pin},10,3,10",
}
# Answers that are always the same; the longer name wins. The IMSI is that of test equipment.
_SIMPLE: Final[dict[str, list[str]]] = {
    "": ["OK"],
    "Z": ["OK"],
    "&F": ["OK"],
    "+CMGF?": ["+CMGF: 0", "OK"],
    "+CMGF=1": ["ERROR"],  # PDU mode is all it knows
    "+CMGF": ["OK"],
    "+CSCA?": ['+CSCA: "+12063130004",145', "OK"],
    "+CSCA": ["OK"],
    "+CSCS?": ['+CSCS: "GSM"', "OK"],
    "+CSCS=?": ['+CSCS: ("GSM","UCS2","IRA")', "OK"],
    "+CSCS": ["OK"],
    "+CSMP": ["OK"],
    "+CSMS": ["+CSMS: 1,1,1", "OK"],
    "+CMMS": ["OK"],
    "+CIMI": ["001010123456789", "OK"],
    "+CGMI": ["textbackd", "OK"],
    "+CGMM": ["Virtual GSM modem", "OK"],
    "+CGMR": ["1", "OK"],
    "+CNUM": ['+CNUM: "","+13125550100",145', "OK"],
    "+CLAC": ["+CLAC: +CMGS,+CMGL,+CMGR,+CMGD,+CPMS,+CNMI,+CSCS", "OK"],
    "+CLIP": ["OK"],
    "+CRC": ["OK"],
    "+CVHU": ["OK"],
}


# --- on its own ---------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM, SIGINT or the end of the control pipe's writer that says {"stop": true}."""
    args = _parser().parse_args(arguments)
    quirks = Quirks(
        submit=args.submit, submits=deque(args.next), before_air=args.before_air, after_air=args.after_air,
        answer_delay=args.answer_delay, echo=not args.no_echo, pin=args.pin, garbage=args.garbage.encode("latin-1"),
    )  # fmt: skip
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with VirtualModem(air=args.air, link=args.link, quirks=quirks) as modem:
        sys.stdout.write(f"virtual modem on {modem.port}\n")
        sys.stdout.flush()
        if args.control:
            threading.Thread(target=_obey, args=(modem, args.control, stop), daemon=True).start()
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m textbackd.demo.modem", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--link", type=Path, required=True, help="stable path of the port: a symbolic link that is made here"
    )
    parser.add_argument("--air", type=Path, required=True, help="file that gets one line of JSON per text on air")
    parser.add_argument("--control", type=Path, help="named pipe, made here, that takes one JSON object per line")
    parser.add_argument("--submit", default="ok", help="what becomes of texts; the words are in Quirks")
    parser.add_argument("--next", action="append", default=[], help="the same for the next text only; may be repeated")
    for name in ("--before-air", "--after-air", "--answer-delay"):
        parser.add_argument(name, type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--pin", help="the PIN that the SIM asks for")
    parser.add_argument("--garbage", default="", help="bytes in front of every answer")
    parser.add_argument("--no-echo", action="store_true")
    return parser


def _obey(modem: VirtualModem, control: Path, stop: threading.Event) -> None:
    """Do what the control pipe says: {"from": …, "text": …}, {"quirks": {…}}, or unplug, plug_in, stop: true."""
    for order in _orders(control, stop):
        if "text" in order:
            modem.deliver(order["from"], order["text"])
        for name, value in order.get("quirks", {}).items():
            setattr(modem.quirks, name, deque(value) if name == "submits" else value)
        if order.get("unplug"):
            modem.unplug()
        if order.get("plug_in"):
            modem.plug_in()
        if order.get("stop"):
            stop.set()


def _orders(control: Path, stop: threading.Event) -> Iterator[dict[str, Any]]:
    if not control.exists():
        os.mkfifo(control)
    while not stop.is_set():
        with control.open() as pipe:
            for line in pipe:
                yield json.loads(line)


if __name__ == "__main__":
    sys.exit(main())
