"""Runs commands for the tests: each is a process of its own, forked from one that has imported everything already.

Reads an order per line, `{"args": [...], "in": FILE, "out": FILE, "err": FILE, "env": {...}}`, and answers with the exit code.
`out` may be null: a pipe whose reader has gone.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from textbackd.cli import COMMANDS, main


def serve() -> None:
    for module, _ in COMMANDS.values():
        importlib.import_module(module)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
            _end(main, leave_at_once=order["out"] is not None)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201  # is the answer


def _end(work: Callable[[], None], *, leave_at_once: bool) -> None:
    """Work and leave with its exit code; at once, without taking down all that was imported, if its output went well."""
    code: Any = 0
    try:
        work()
    except SystemExit as end:
        code = end.code
    if leave_at_once:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)
    sys.exit(code)


def _become(order: dict[str, Any]) -> None:
    os.environ.update(order["env"])
    sys.argv = ["textbackd", *(os.fsdecode(bytes.fromhex(arg)) for arg in order["args"])]
    os.dup2(os.open(order["in"], os.O_RDONLY), 0)
    os.dup2(_written(order["out"]), 1)
    os.dup2(_written(order["err"]), 2)


def _written(path: str | None) -> int:
    if path is not None:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    reader, writer = os.pipe()
    os.close(reader)
    return writer
