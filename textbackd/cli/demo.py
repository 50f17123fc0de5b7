"""The demonstration: a small shop's day. The daemon is the real one; only the PBX and the modem at its ends are simulated."""

import asyncio
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from textbackd.config import Settings, load
from textbackd.core.call import Call, Direction
from textbackd.core.decide import Action, Why
from textbackd.core.missed import Verdict
from textbackd.core.way import DECISIONS, NOT_TEXTABLE, REASONS
from textbackd.daemon import Daemon
from textbackd.demo.modem import VirtualModem
from textbackd.demo.modem_air import OnAir, WholeTexts
from textbackd.demo.pbx import DemoPbx, day
from textbackd.flow.conclude import Conclusion
from textbackd.store import accounts
from textbackd.store.accounts import Role
from textbackd.store.database import open_database
from textbackd.web.access.passwords import Passwords

USUAL_PAGES: Final = 8470
BETWEEN_CALLS: Final = 1.0  # seconds
WHO: Final = "anna"
ANSWER_AFTER: Final = 2.0  # seconds
# Not everybody answers.
ANSWERS: Final = (
    "Hi, our roof leaks over the kitchen. Could somebody look at it this week?",
    "",
    "Please call me after five.",
)

# What a day of nine minutes would show is played in one: callers wait less, and so does the text.
CONFIG: Final = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{host: 127.0.0.1, port: {ami}, secret: demo}}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{stick: {{type: gsm_modem, port: "{modem}", rate: 60/min}}}}
policy: {{min_wait: 1s, delay: 1s}}
staff: {{{who}: {{name: Anna}}}}
web: {{listen: "127.0.0.1:{pages}"}}
storage: "{folder}/textbackd.db"
"""


class Screen:
    """The terminal: one line for each thing that happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.calls = self.missed = self.texts = 0
        self.texted = ""  # the number of the last text

    def say(self, line: str = "") -> None:
        """Print a line of our own."""
        self._console.print(line, highlight=False)

    def command(self, line: str) -> None:
        """Print a command in one piece, so that it can be copied."""
        self._console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)

    def row(self, what: str, who: str, said: str) -> None:
        """Print a line in three columns; what does not fit goes on below itself."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=4)
        grid.add_column(width=13)
        grid.add_column()
        grid.add_row(what, escape(who), said)
        self._console.print(grid, highlight=False)

    def call(self, call: Call, conclusion: Conclusion) -> None:
        """Print a finished call, its verdict and the decision."""
        verdict, reason = conclusion.judgement.verdict, conclusion.judgement.reason
        self.calls += call.direction is Direction.INBOUND
        self.missed += verdict is Verdict.MISSED
        why = f": {REASONS[reason]}" if reason and verdict is not Verdict.ANSWERED else ""
        colour = {Verdict.ANSWERED: "green", Verdict.MISSED: "red"}.get(verdict, "dim")
        who = conclusion.numbers.caller or call.caller_presented
        self.row("call", who, f"[{colour}]{verdict.value}[/]{why}. [dim]{self._decision(conclusion)}[/]")

    def _decision(self, conclusion: Conclusion) -> str:
        why = conclusion.numbers.not_textable
        if why is not None and conclusion.decision.why is Why.NOT_TEXTABLE:
            return f"No text: {NOT_TEXTABLE[why.value]}."
        return (
            DECISIONS[conclusion.decision.why.value]
            if conclusion.decision.action is Action.SKIP
            else "A text goes out."
        )

    def on_air(self, text: OnAir) -> None:
        """Print a text that left the modem."""
        self.texts += 1
        self.texted = text.to
        self.row("[bold cyan]text[/]", text.to, f"[bold]{escape(text.body)}[/]")

    def answer(self, number: str, body: str) -> None:
        """Print a text that a caller writes."""
        self.row("[bold magenta]from[/]", number, f"[bold]{escape(body)}[/]")


def show() -> None:
    """Play the day, then stay until Ctrl-C."""
    screen = Screen(Console())
    with tempfile.TemporaryDirectory(prefix="textbackd-demo-") as folder:
        asyncio.run(_show(screen, Path(folder)))


async def _show(screen: Screen, folder: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _ends(screen, folder) as (pbx, settings):
        password = _account(settings)
        daemon = Daemon(settings, told_call=screen.call)
        running = asyncio.create_task(daemon.run(stop))
        playing = asyncio.create_task(_play(screen, pbx, settings, password))
        await asyncio.wait({running, playing}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done() and not running.done():
            playing.result()
            await asyncio.wait({running})
        playing.cancel()
        running.result()
    screen.say("Stopped.")


class Callers:
    """Those who were missed and get a text: some write back, as people do."""

    def __init__(self, screen: Screen) -> None:
        self._screen, self._loop = screen, asyncio.get_running_loop()
        self._answers = iter(ANSWERS)
        self._texted: set[str] = set()
        self._texts = WholeTexts()
        self.modem: VirtualModem | None = None

    def read(self, text: OnAir) -> None:
        """Read what came out of the modem, in the modem's thread; its first text may get an answer."""
        whole = self._texts.add(text)
        if whole is None:
            return
        self._screen.on_air(whole)
        if text.to not in self._texted and (answer := next(self._answers, "")):
            self._loop.call_soon_threadsafe(self._loop.call_later, ANSWER_AFTER, self._write, text.to, answer)
        self._texted.add(text.to)

    def _write(self, number: str, body: str) -> None:
        if self.modem is not None:
            self._screen.answer(number, body)
            self.modem.deliver(number, body)


def _account(settings: Settings) -> str:
    """Let somebody log in to the inbox; return the password, which is another one each time."""
    password = "-".join(secrets.token_hex(3) for _ in range(2))
    with closing(open_database(settings.storage)) as db:
        accounts.add(db, WHO, Role.OWNER, Passwords().hash_now(password), datetime.now(UTC))
    return password


@asynccontextmanager
async def _ends(screen: Screen, folder: Path) -> AsyncIterator[tuple[DemoPbx, Settings]]:
    """Start both ends and write the configuration that connects them."""
    pbx = DemoPbx()
    await pbx.start()
    callers = Callers(screen)
    with VirtualModem(link=folder / "modem", on_air=callers.read) as modem:
        callers.modem = modem
        text = CONFIG.format(ami=pbx.port, modem=modem.port, pages=_free_port(USUAL_PAGES), folder=folder, who=WHO)
        path = folder / "textbackd.yaml"
        path.write_text(text, "utf-8")
        try:
            yield pbx, load(path)
        finally:
            await pbx.stop()


async def _play(screen: Screen, pbx: DemoPbx, settings: Settings, password: str) -> None:
    screen.say("[bold]A small shop's day.[/] PBX and modem are simulated, all between them is real.")
    screen.say(f"The inbox: http://{settings.web.listen}   name: {WHO}   password: {password}")
    screen.say(f"[dim]Health: http://{settings.web.listen}/healthz   Stop with Ctrl-C.[/]\n")
    await pbx.logged_in.wait()
    for trace in day():
        await pbx.play(trace)
        await asyncio.sleep(BETWEEN_CALLS)
    await asyncio.sleep(settings.policy.delay.total_seconds() + BETWEEN_CALLS)
    screen.say(
        f"\nThe day is over: {screen.calls} calls from outside, {screen.missed} missed, {screen.texts} texted back."
        " Answer who wrote, in the inbox."
    )
    command = Path(sys.executable).with_name("textbackd")
    screen.say("\nAsk why somebody was texted, or not, in another terminal while this one runs:")
    screen.command(f"{command} explain {screen.texted} --config {settings.origin.path}")
    screen.say(
        "\nWith your own PBX: [bold]sudo scripts/install[/], which watches and texts nobody at first. Ctrl-C stops."
    )


def _free_port(wanted: int) -> int:
    """Return the wanted port of loopback, or another if something listens there."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted
