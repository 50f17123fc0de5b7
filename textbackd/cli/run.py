"""`textbackd run`: the daemon in the foreground, in earnest or as a demonstration."""

from pathlib import Path

import click

from textbackd import logs
from textbackd.cli.options import config_option
from textbackd.config import Settings, load, resolve_secrets
from textbackd.daemon import Daemon, serve


@click.command(short_help="Run the daemon in the foreground.")
@config_option
@click.option("--demo", is_flag=True, help="A small shop's day, from a simulated PBX to a virtual modem.")
def run(config: Path, demo: bool) -> None:
    """Run the daemon in the foreground; it logs to stderr, or to the journal.

    Stops on SIGTERM and Ctrl-C, after the text in hand. Reads FILE again on SIGHUP; with a fault in it the running one stays.
    """
    if demo:
        from textbackd.cli.demo import show  # noqa: PLC0415  # rich and the simulators cost the daemon nothing

        show()
        return
    logs.start()

    def read() -> Settings:
        return resolve_secrets(load(config))

    serve(Daemon(read(), read=read))
