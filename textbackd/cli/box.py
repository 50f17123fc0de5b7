"""What scripts/install and scripts/upgrade ask of a release:  python -m textbackd.cli.box first|state|healthy|storage|migrate

They run as the user textbackd, so that what they say of files and rights is what the service meets.
"""

import json
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click
import sqlite_utils

from textbackd.cli.options import config_option
from textbackd.config import Settings, load, loads
from textbackd.config.first import first
from textbackd.config.zones import machine_zone
from textbackd.errors import TextbackdError
from textbackd.store.database import open_database
from textbackd.store.migrations import MIGRATIONS

ASK_SECONDS: Final = 10  # /healthz itself waits 5 s for the database
POLL_SECONDS: Final = 0.5
MAX_ANSWER: Final = 64 * 1024
RANK: Final = {"connected": 2, "connecting": 1}  # of a PBX; anything else is 0: nothing can be heard there
WHY: Final = {
    "connecting": "it has not answered yet",
    "refused": "it refuses the login: compare the secret with Asterisk's manager account",
    "away": "nothing answers there: is Asterisk running, with `enabled = yes` in manager.conf?",
}


@click.group()
def box() -> None:
    """What the scripts that install and upgrade ask of a release."""


@box.command(name="first")
def first_configuration() -> None:
    """Print a first configuration that watches and texts nobody."""
    text = first(machine_zone())
    loads(text)
    click.echo(text, nl=False)


@box.command()
@config_option
def state(config: Path) -> None:
    """Print what /healthz says, as one line of JSON; {} if nobody answers."""
    click.echo(json.dumps(asked(address(load(config)))))


@box.command()
@config_option
@click.option("--seconds", type=float, default=60, help="How long to wait for it.")
@click.option("--before", default="", help="What `state` printed earlier: no PBX may be worse off now.")
@click.pass_context
def healthy(ctx: click.Context, config: Path, seconds: float, before: str) -> None:
    """Wait until the service is well: its database answers, each PBX is connected, or no worse than before."""
    where, until = address(load(config)), time.monotonic() + seconds
    earlier = json.loads(before) if before else None
    while not is_well(answer := asked(where), earlier) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    click.echo("\n".join(sentences(answer)))
    ctx.exit(0 if is_well(answer, earlier) else 1)


@box.command()
@config_option
def storage(config: Path) -> None:
    """Print where the database is, or will be."""
    click.echo(load(config).storage)


@box.command()
@config_option
def migrate(config: Path) -> None:
    """Bring the database up to date; print the steps that were needed."""
    path = load(config).storage
    if not path.exists():
        return
    for name in pending(path):
        click.echo(name)
    open_database(path).conn.close()


def address(settings: Settings) -> str:
    """Return where /healthz is; who listens everywhere is asked on this box."""
    host = settings.web.host
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{local}]' if ':' in local else local}:{settings.web.port}/healthz"


def asked(url: str) -> dict[str, Any]:
    """Return what /healthz answers, whatever its status; nothing if nobody answers in its words."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy of the box has no say here
    try:
        with opener.open(url, timeout=ASK_SECONDS) as reply:
            return _read(reply.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        return _read(error.read(MAX_ANSWER))
    except OSError:
        return {}


def _read(raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) and "database" in answer else {}


def is_well(answer: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> bool:
    """Return whether the database answers and each PBX is connected; with `earlier`, each as near as it was."""
    if answer.get("database") != "ok":
        return False
    wanted = dict.fromkeys(answer["pbx"], "connected") if earlier is None else earlier.get("pbx", {})
    return all(RANK.get(now, 0) >= RANK.get(wanted.get(name, ""), 0) for name, now in answer["pbx"].items())


def sentences(answer: Mapping[str, Any]) -> list[str]:
    """Return how the service is, for a person."""
    if not answer:
        return ["The service does not answer. Look at: journalctl -u textbackd -n 20"]
    if answer["database"] != "ok":
        return [f"The service runs, but its database does not work ({answer['database']})."]
    return ["The service runs.", *(_pbx(name, now) for name, now in answer["pbx"].items())]


def _pbx(name: str, now: str) -> str:
    return f"PBX {name}: connected." if now == "connected" else f"PBX {name}: {WHY.get(now, now)}."


def pending(path: Path) -> list[str]:
    """Return the names of the steps that the database at `path` still needs. Raises TextbackdError if it is none."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return [step.name for step in MIGRATIONS.pending(sqlite_utils.Database(connection))]
    except sqlite3.Error as error:
        raise TextbackdError(f"{path}: cannot be read as database ({error}).") from error


def main() -> None:
    """Run one of them; what a person can mend is a sentence."""
    try:
        box()
    except TextbackdError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
