"""Runs the clients and the replay beside each other and tells how they compare.   scripts/bench → here → server.py, clients.py

Everything runs in processes of its own, in turn: A B C A B C …, so that a slower moment of the machine meets all of them. What is
compared are medians of the same run, in processor time: another program on the machine takes wall time away, and not from all the
same. Figures of two runs, or of two machines, do not compare.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tests.bench.stream import Stream, stream

HERE: Final = Path(__file__).parent
TIMEOUT: Final = 180  # seconds for one client
EVENTS: Final = 200_000
QUICK_EVENTS: Final = 30_000
ROUNDS: Final = 5
QUICK_ROUNDS: Final = 2
REPLAYED: Final = 60_000_000  # bytes of the file that is replayed
MOST_MEMORY: Final = 150  # MB while replaying
CLI: Final = "from textbackd.cli import main; main()"
TITLES: Final = {
    "split": "only split at the blank line",
    "look": "the same, and look at each name",
    "tracker": "textbackd: wire and tracker",
    "client": "textbackd: AMI client and tracker",
    "panoramisk": "panoramisk, counting",
    "cacofonisk": "cacofonisk, telling nobody",
}
# How fast wire and tracker must be, as a share or a multiple of another.
GOALS: Final = {"split": 1 / 3, "panoramisk": 5.0, "cacofonisk": 8.0}
REPLAY_GOAL: Final = 0.15  # of a loop that only splits the file


@dataclass(frozen=True, slots=True)
class Run:
    """What one client needed for one stream."""

    seconds: float
    cpu: float
    peak_mb: float
    calls: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """The middle of several runs."""

    name: str
    seconds: float
    cpu: float
    peak_mb: float
    spread: float  # slowest less fastest, as a share of the middle

    @classmethod
    def of(cls, name: str, runs: Sequence[Run]) -> "Row":
        """Return the medians."""
        seconds = [run.seconds for run in runs]
        middle = statistics.median(seconds)
        spread = (max(seconds) - min(seconds)) / middle
        cpu = statistics.median(run.cpu for run in runs)
        return cls(name, middle, cpu, max(run.peak_mb for run in runs), spread)


class Clients:
    """Where each client's interpreter is; cacofonisk lives in an environment of its own."""

    def __init__(self, cacofonisk: Path | None) -> None:
        self._pythons = {name: Path(sys.executable) for name in TITLES}
        if cacofonisk is None:
            del self._pythons["cacofonisk"]
        else:
            self._pythons["cacofonisk"] = cacofonisk

    @property
    def names(self) -> list[str]:
        """Return those that can run, in the order of the table."""
        return list(self._pythons)

    def run(self, name: str, server: "subprocess.Popen[str]", port: str, sent: Stream) -> Run:
        """Let one client take the whole stream. Raises RuntimeError if it fails or finds other calls than there are."""
        command = [str(self._pythons[name]), "-W", "ignore", str(HERE / "clients.py"), name, port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        if done.returncode or not done.stdout:
            raise RuntimeError(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}")
        said = json.loads(done.stdout)
        began = float(_line_of(server))
        if said["calls"] not in (None, sent.calls):
            raise RuntimeError(f"{name} made {said['calls']} calls of {sent.calls}")
        return Run(said["done"] - began, said["cpu"], said["peak_kib"] / 1024, said["calls"])


def _line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@contextmanager
def _serving(file: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    server = subprocess.Popen([sys.executable, str(HERE / "server.py"), str(file)], stdout=subprocess.PIPE, text=True)
    try:
        yield server, _line_of(server)
    finally:
        server.terminate()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def over_loopback(sent: Stream, clients: Clients, rounds: int) -> list[Row]:
    """Let every client take the stream so many times, in turn."""
    runs: dict[str, list[Run]] = {name: [] for name in clients.names}
    with tempfile.NamedTemporaryFile(suffix=".ami") as file:
        file.write(sent.data)
        file.flush()
        with _serving(Path(file.name)) as (server, port):
            for _ in range(rounds):
                for name, done in runs.items():
                    done.append(clients.run(name, server, port, sent))
    return [Row.of(name, done) for name, done in runs.items()]


SPLIT_FILE: Final = """
import sys
frames = 0
with open(sys.argv[1], "rb") as file:
    for frame in file.read().split(b"\\r\\n\\r\\n"):
        frames += 1
"""


def replaying(rounds: int) -> list[Row]:
    """Replay a file of `REPLAYED` bytes, beside a loop over its frames; start-up included, and the loop's and ours alone."""
    sent = stream(REPLAYED // 440, all_classes=True)
    with tempfile.TemporaryDirectory() as folder:
        file, short = Path(folder) / "replay.ami", Path(folder) / "short.ami"
        file.write_bytes(sent.data[:REPLAYED])
        short.write_bytes(sent.data[:1000])
        ours = [sys.executable, "-c", CLI, "replay"]
        commands = {
            "split": [sys.executable, "-c", SPLIT_FILE, str(file)],
            "replay": [*ours, str(file)],
            "replay of nothing": [*ours, str(short)],
        }
        runs: dict[str, list[Run]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                runs[name].append(_measured(command))
    return [Row.of(name, done) for name, done in runs.items()]


# A small process between, since a child's peak begins at the size of its parent.
LAUNCHER: Final = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(json.dumps([status, time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def _measured(command: Sequence[str]) -> Run:
    """Run a command to its end; its time, processor time and peak memory. Raises RuntimeError if it fails."""
    done = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, *command], capture_output=True, text=True, check=True)
    status, seconds, cpu, peak = json.loads(done.stdout)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return Run(seconds, cpu, peak, None)


def machine() -> dict[str, Any]:
    """Say on what it was measured."""
    cores = os.sched_getaffinity(0)
    return {
        "cores": len(cores),
        "load": os.getloadavg()[0],
        "processor": _processor(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "panoramisk": version("panoramisk"),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _stream_table(title: str, sent: Stream, rows: Sequence[Row]) -> Iterator[str]:
    ours = next(row for row in rows if row.name == "tracker").cpu
    yield f"\n{title}: {sent.events:,} events, {len(sent.data) / 1e6:.0f} MB, {sent.calls:,} calls"
    yield f"  {'client':36}{'events/s':>12}{'per CPU s':>12}{'spread':>8}{'peak MB':>9}{'we are':>9}  goal"
    for row in rows:
        goal = GOALS.get(row.name)
        ratio = row.cpu / ours
        verdict = "" if goal is None else f"{goal:.2f} {'reached' if ratio >= goal else 'MISSED'}"
        speeds = f"{sent.events / row.seconds:>12,.0f}{sent.events / row.cpu:>12,.0f}"
        yield f"  {TITLES[row.name]:36}{speeds}{row.spread:>8.0%}{row.peak_mb:>9.0f}{ratio:>9.2f}  {verdict}"


def _as_they_log_in(
    everything: Stream, all_rows: Sequence[Row], ours: Stream, our_rows: Sequence[Row]
) -> Iterator[str]:
    """Say what one call costs: we ask for our classes only, the others for every event."""
    per_call = {row.name: row.cpu / everything.calls for row in all_rows}
    own = next(row.cpu for row in our_rows if row.name == "tracker") / ours.calls
    yield f"\none call, each as it logs in: wire and tracker {own * 1e6:,.0f} CPU µs"
    for name in ("split", "panoramisk", "cacofonisk"):
        if name in per_call:
            yield f"  {TITLES[name]:36}{per_call[name] * 1e6:>8,.0f} CPU µs{per_call[name] / own:>9.2f}"


def _replay_table(rows: Sequence[Row]) -> Iterator[str]:
    split, ours, nothing = (row.cpu for row in rows)
    ratio, alone = split / ours, split / (ours - nothing)
    verdict = "reached" if ratio >= REPLAY_GOAL else "MISSED"
    yield f"\nreplay of {REPLAYED / 1e6:.0f} MB of all classes, whole processes"
    for row in rows:
        yield f"  {row.name:36}{row.seconds:>9.2f} s{row.cpu:>9.2f} CPU s{row.peak_mb:>9.0f} MB"
    yield f"  replay is {ratio:.2f} of the split, {alone:.2f} without its start; goal {REPLAY_GOAL} {verdict}"
    memory = rows[1].peak_mb
    yield f"  its peak is {memory:.0f} MB; goal under {MOST_MEMORY} {'reached' if memory < MOST_MEMORY else 'MISSED'}"


def main() -> None:
    """Measure, print the tables, and write them as JSON if asked."""
    options = _options()
    clients = Clients(options.cacofonisk)
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    said = machine()
    print(", ".join(f"{name} {value}" for name, value in said.items()))  # noqa: T201
    results: dict[str, Any] = {"machine": said}
    measured: list[tuple[Stream, list[Row]]] = []
    for title, all_classes in (("all classes", True), ("call,agent,system", False)):
        sent = stream(QUICK_EVENTS if options.quick else EVENTS, all_classes=all_classes)
        rows = over_loopback(sent, clients, rounds)
        print("\n".join(_stream_table(title, sent, rows)), flush=True)  # noqa: T201
        measured.append((sent, rows))
        results[title] = {"events": sent.events, "bytes": len(sent.data), "rows": [asdict(row) for row in rows]}
    print("\n".join(_as_they_log_in(*measured[0], *measured[1])))  # noqa: T201
    rows = replaying(rounds)
    print("\n".join(_replay_table(rows)))  # noqa: T201
    results["replay"] = {"bytes": REPLAYED, "rows": [asdict(row) for row in rows]}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["tracker"], default="tracker")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="fewer events and rounds, under a minute")
    parser.add_argument("--cacofonisk", type=Path, help="the interpreter that has cacofonisk")
    return parser.parse_args()


if __name__ == "__main__":
    main()
