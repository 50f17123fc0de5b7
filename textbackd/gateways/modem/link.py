"""One modem on one port, spoken to by one thread.   modem/owner.py → here → modem/line.py

python-gsmmodem-new, fenced: its command layer stays; the layer under it, which `Line` replaces, and its set-up do not.
Mended so (reproduced on 0.13.0): a PIN given to a SIM that asks for its PUK; a set-up that gives up at the first ERROR.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any, Final

from gsmmodem.exceptions import CommandError, GsmModemException, TimeoutException
from gsmmodem.modem import GsmModem as LibraryModem

from textbackd.gateways.base import Fate, SendFailed
from textbackd.gateways.modem.line import HEX, Line, PortGoneError, SilentError, Timing, command_error
from textbackd.gateways.modem.pdu import SubmitPdu
from textbackd.gateways.modem.verdicts import failure, verdict

ANNOUNCED: Final = re.compile(r'\+(?:CMTI|CDSI):\s*"(\w+)",\s*(\d+)')
LISTED: Final = re.compile(r"\+CMGL:\s*(\d+),\s*([01]?),")  # 0 and 1 came in; 2 and 3 are drafts and sent ones


class SimError(GsmModemException):
    """The SIM needs a person; the text says what for."""


class UnansweredError(SendFailed):
    """The modem has the text and has not said what became of it; it may still do so."""


@dataclass(frozen=True, slots=True)
class StoredPdu:
    """A message in the SIM or the modem, as AT+CMGL lists it."""

    memory: str
    index: int
    pdu: str
    session: int  # a place means the same message only as long as the port stays open


_sessions = count(1)
Visit = Callable[["ModemLink"], None]  # somebody who has the modem for a moment


class ModemLink(LibraryModem, Line):
    """A modem in PDU mode: set up, asked, sent with. All calls come from one thread.

    `on_unasked` gets what the modem says by itself: one line, or "PDU" and the PDU of a message that it pushed. `on_open`
    may listen to a port that was opened before anything is written to it.
    """

    def __init__(
        self,
        port: str,
        *,
        baud: int,
        timing: Timing,
        on_unasked: Callable[[list[str]], None],
        on_open: "Visit | None" = None,
    ) -> None:
        self.timing = timing
        self._on_unasked, self._on_open = on_unasked, on_open
        self._session = next(_sessions)
        self._announced: set[tuple[str, int]] = set()
        self._memories: tuple[str, ...] = ()
        self._memory_values = 3
        super().__init__(port, baud)
        self._smsMemReadDelete: str | None = None

    def connect(self, *_: object) -> None:
        """Open the port and get an answer out of it. Raises PortGoneError; SilentError if nothing answers AT."""
        self.open()
        if self._on_open:
            self._on_open(self)
        self._wake_up()
        self.write("ATE0", parseError=False)
        self.write("AT+CMEE=1", parseError=False)  # some modems know no numbers for errors

    def set_up(self, unlock: Visit) -> None:
        """Make an answering modem ready for texts; `unlock` sees to the PIN.

        Raises PortGoneError, SimError, or the library's errors for a modem that refuses what is indispensable.
        """
        self._turn_on()
        unlock(self)
        self.write("AT+CMGF=0")
        self._choose_memories()
        self._choose_notification()
        self.ask("AT+CLIP=1")  # who rings (3GPP TS 27.007 §7.6)

    def ask(self, command: str) -> list[str]:
        """Return the lines of an answer; none from a modem that does not know the command, or takes too long for it.

        Some take minutes for +COPS? while they search. Whether the modem is there at all, `write` tells, and the next command.
        """
        with suppress(CommandError, TimeoutException):
            return self.write(command)
        return []

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
            error = command_error("AT+CMGS", answer[-1])
            if not verdict(error.type, error.code).taken:
                raise self._failure(error, handed_over=True)
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

    def switch_radio(self, *, on: bool) -> None:
        """Switch the radio off or on, also where nothing is answered: what hangs may still obey (3GPP TS 27.007 §8.2)."""
        # Some modems refuse 0, "minimum functionality", and take 4, "transmit and receive off".
        for value in (1,) if on else (0, 4):
            with suppress(CommandError):
                self._obeyed(f"AT+CFUN={value}")
                return

    def restart(self) -> None:
        """Have the modem start anew, also where nothing is answered; its port goes away and comes back."""
        with suppress(CommandError):
            self._obeyed("AT+CFUN=1,1")

    def _obeyed(self, command: str) -> None:
        self._out_of_step = False  # it is not asked whether it listens: it may not
        with suppress(TimeoutException):
            self.write(command, timeout=self._patience)

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
            raise UnansweredError(f"The modem took the text and {cause}.", fate=Fate.UNKNOWN)
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
        raise SilentError("nothing on this port answers AT")

    def _turn_on(self) -> None:
        with suppress(CommandError):
            if not any(line.startswith("+CFUN: 1") for line in self.write("AT+CFUN?")):
                self.write("AT+CFUN=1")

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


def _reference(answer: list[str]) -> str | None:
    return next((match[1] for line in answer if (match := re.match(r"\+CMGS:\s*(\d+)", line))), None)
