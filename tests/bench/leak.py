"""How long `textbackd leak` takes for a million call records, beside `sqlite3` that only imports them.   scripts/bench leak → here

Both read the same Master.csv, in turn, so that a slower moment of the machine meets both. What is compared is the time that passes; the
processor's is shown beside it, for a large file is read by as many processes as there are cores.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from tests.bench.leak_rows import Shop

ROWS: Final = 1_000_000
ROUNDS: Final = 3
MOST_TIMES: Final = 2.0  # as long as the import
MOST_MEMORY: Final = 150  # MB
COLUMNS: Final = ", ".join(f"c{number}" for number in range(18))
CLI: Final = "from textbackd.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Run:
    """What one command needed, with the processes that it started."""

    cpu: float
    wall: float
    peak_mb: float
    out: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; leave with 1 if a goal is missed."""
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory(prefix="textbackd-bench-") as folder:
        records = Path(folder) / "Master.csv"
        with records.open("w") as file:
            file.writelines(islice(Shop().rows(asked.rows), asked.rows))
        imports, leaks = [], []
        for number in range(asked.rounds):
            imports.append(_import(records, Path(folder) / f"{number}.db"))
            leaks.append(_leak(records))
    _tell(asked.rows, imports, leaks)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench leak", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    return parser.parse_args(arguments)


def _import(records: Path, database: Path) -> Run:
    done = _run(["sqlite3", str(database), f"CREATE TABLE cdr ({COLUMNS})", ".mode csv", f".import {records} cdr"])
    database.unlink()
    return done


def _leak(records: Path) -> Run:
    return _run([sys.executable, "-c", CLI, "leak", "--cdr", str(records), "--timezone", "UTC", "--json"])


def _run(command: Sequence[str]) -> Run:
    """Run a command; its peak is that of its largest process, as the kernel counts it."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{command[0]} failed")
        out.seek(0)
        return Run(used.ru_utime + used.ru_stime, time.monotonic() - began, _megabytes(used), out.read())


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024  # Linux counts in KiB (getrusage(2))


def _median(runs: Sequence[Run], what: str) -> float:
    return float(statistics.median(getattr(run, what) for run in runs))


def _tell(rows: int, imports: Sequence[Run], leaks: Sequence[Run]) -> None:
    times, peak = _median(leaks, "wall") / _median(imports, "wall"), max(run.peak_mb for run in leaks)
    told = json.loads(leaks[-1].out)
    lines = (
        f"{rows:,} rows, {told['calls']:,} calls, {told['missed']:,} missed; medians of {len(leaks)}",
        "                    elapsed   processor",
        f"  sqlite3 .import   {_median(imports, 'wall'):6.2f} s   {_median(imports, 'cpu'):6.2f} s",
        f"  textbackd leak    {_median(leaks, 'wall'):6.2f} s   {_median(leaks, 'cpu'):6.2f} s   peak {peak:.0f} MB (goal {MOST_MEMORY})",
        f"  times as long     {times:6.2f}     {_median(leaks, 'cpu') / _median(imports, 'cpu'):6.2f}     (goal {MOST_TIMES:.0f})",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    if rows >= ROWS and (times > MOST_TIMES or peak > MOST_MEMORY):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
