"""`textbackd setup`: the guided first run, or the same by flags.   interview.py, one file per part → here"""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from textbackd.cli import DEFAULT_CONFIG
from textbackd.cli.options import config_option
from textbackd.cli.setup.business import ask_business, ask_lines, ask_you, is_named, likely_country
from textbackd.cli.setup.finish import ask_mode, put_down, show_leak
from textbackd.cli.setup.gateway import ask_gateway, check_kind
from textbackd.cli.setup.interview import Interview
from textbackd.cli.setup.pbx import find_asterisk, find_records
from textbackd.cli.setup.text import try_text
from textbackd.cli.setup.words import ask_words
from textbackd.config.yaml_source import SourceError, read
from textbackd.config.zones import machine_zone
from textbackd.errors import TextbackdError
from textbackd.setup.draft import Draft
from textbackd.setup.files import may_write

INSTALLED: Final = (
    "Your Shop"  # the business of the configuration that scripts/install leaves, which nobody has filled in yet
)
YES_NO: Final = {True: "yes", False: "no"}
LISTED: Final = {"trunk": ", ", "line": "\n", "set": "\n"}
HELLO: Final = (
    "This asks what textbackd has to know, and writes it to {path}. Enter takes what stands in brackets. "
    "Nothing is written before the end without a question; Ctrl-C stops."
)


@click.command(short_help="Write a configuration step by step; send a first text.")
@click.option("--yes", "silent", is_flag=True, help="Ask nothing: what no flag says has its default.")
@click.option("--replace", is_flag=True, help="Go on where there is a configuration; it is kept beside.")
@click.option("--pbx", metavar="HOST:PORT", help="Asterisk's manager.  [127.0.0.1:5038]")
@click.option("--ami-secret", metavar="SECRET", help="Our secret there, or file:NAME, which `ps` does not show.")
@click.option("--write-account", is_flag=True, default=None, help="Add our account to Asterisk's configuration.")
@click.option("--asterisk", type=click.Path(path_type=Path), default=Path("/etc/asterisk"), show_default=True,
              metavar="DIR", help="The folder of Asterisk's configuration.")  # fmt: skip
@click.option("--cdr", metavar="SOURCE", help="Call records, as for `textbackd leak`; or none.")
@click.option(
    "--trunk", multiple=True, metavar="PATTERN", help="What calls from outside come in over. May be repeated."
)
@click.option("--name", metavar="NAME", help="The name that callers know.")
@click.option("--country", metavar="US", help="The country of the business.")
@click.option("--timezone", metavar="ZONE", help="Its time zone.")
@click.option("--hours", metavar="HOURS", help='When somebody is there: "mon-fri 8-17, sat 9-12", or always.')
@click.option("--line", multiple=True, metavar="NAME=NUMBER,…", help="A line and its numbers. May be repeated.")
@click.option("--mobile", metavar="NUMBER", help="Your mobile, for replies and the first text; or none.")
@click.option("--your-name", metavar="NAME", help="How colleagues and callers know you.")
@click.option("--gateway", metavar="KIND", help="What sends: gsm_modem, http, twilio, …; or none.")
@click.option("--set", "set_", multiple=True, metavar="KEY=VALUE", help="A key of the gateway. May be repeated.")
@click.option("--ports", multiple=True, metavar="PATTERN", help="Look for modems at these ports only.")
@click.option("--missed", metavar="TEXT", help="What a caller gets whom nobody answered.")
@click.option("--closed", metavar="TEXT", help="What a caller gets when you are closed.")
@click.option("--test/--no-test", default=None, help="Send a text to your mobile, and wait for the reply.")
@click.option("--wait", default=120, show_default=True, metavar="SECONDS", help="How long to wait for the reply.")
@click.option("--leak/--no-leak", default=None, help="Show what last month's records tell.")
@click.option("--reload/--no-reload", default=None, help="Have the running service read it at once.")
@click.option("--mode", type=click.Choice(["observe", "live"]), help="Only watch, or text.")
@config_option
@click.pass_context
def setup(ctx: click.Context, /, silent: bool, **_: Any) -> None:
    """Write a configuration, step by step, and send a first text.

    Finds Asterisk, its trunks and numbers, and a modem; asks for the rest.
    Exit code 0: all went well; 1: it is written, but something is not well yet.
    """
    interview = Interview(given=_given(ctx.params), silent=silent)
    check_kind(interview)
    try:
        _go_through(interview, ctx.params)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped. The configuration is as it was.", err=True)
        raise
    ctx.exit(1 if interview.troubles else 0)


def _given(params: dict[str, Any]) -> dict[str, str]:
    """Return what the flags say: lists in one text, and yes or no for what is agreed to."""
    given: dict[str, str] = {}
    for parameter, value in params.items():
        flag = parameter.strip("_").replace("_", "-")
        if isinstance(value, tuple) and value:
            given[flag] = LISTED.get(flag, " ").join(value)
        elif isinstance(value, bool):
            given[flag] = YES_NO[value]
        elif isinstance(value, str):
            given[flag] = value
    return given


def _go_through(interview: Interview, params: dict[str, Any]) -> None:
    draft = _begun(interview, params["config"], replace=params["replace"])
    if draft is None:
        return
    machine, folder = machine_zone(), params["asterisk"]
    country = likely_country(draft, machine)
    draft = find_asterisk(interview, draft, folder)
    draft, records = find_records(interview, draft, folder, country, machine)
    draft = ask_business(interview, draft, machine, records.seen)
    draft = ask_lines(interview, draft, records.seen)
    draft = ask_you(interview, draft)
    draft = ask_gateway(interview, draft, params["ports"])
    draft = ask_words(interview, draft)
    tried = try_text(interview, draft, timedelta(seconds=params["wait"]))
    show_leak(interview, draft, records)
    draft = ask_mode(interview, draft, tried)
    put_down(interview, draft)


def _begun(interview: Interview, path: Path, *, replace: bool) -> Draft | None:
    """Return the draft to begin with: what is configured already, as far as it can be used. None: it is left as it is."""
    empty = Draft(path)
    if not may_write(path):
        raise TextbackdError(f"{path} cannot be written by this user, so nothing is asked. Run: sudo textbackd setup")
    if not path.exists():
        interview.tell(HELLO.format(path=path), "")
        return empty
    known, faulty = _known(interview, path)
    untouched = known.at("business", "name") == INSTALLED
    if faulty and not untouched:
        agreed = _begun_anew(interview, path)
    else:
        agreed = _replaced(interview, path, replace=replace, default=untouched or not is_named(known))
    if not agreed:
        interview.tell(f"{path} is left as it is.", "")
        return None
    return empty if faulty or untouched else known


def _known(interview: Interview, path: Path) -> tuple[Draft, bool]:
    """Return what stands in a configuration, and whether it is faulty, so that nothing of it can be gone on with."""
    try:
        known = Draft(path, read(path).data)
    except SourceError as exc:
        interview.complain(f"{path} cannot be used: {exc}")
        return Draft(path), True
    if faults := known.faults():
        many = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        interview.complain(f"{path} has {many}.")
    return known, bool(faults)


def _begun_anew(interview: Interview, path: Path) -> bool:
    """Return whether all that stands in a faulty configuration may be left behind."""
    if interview.silent:
        told = f"`{_check(path)}` tells what is wrong in {path}. Mend it first; setup would lose all that stands there."
        raise click.UsageError(told)
    interview.tell(f"Mend it first: nothing of it can be kept. `{_check(path)}` tells what is wrong.", "")
    return click.confirm(f"Begin anew all the same? The file as it is will be kept as {path.name}.1", default=False)


def _check(path: Path) -> str:
    return "textbackd check" if path == DEFAULT_CONFIG else f"textbackd check --config {path}"


def _replaced(interview: Interview, path: Path, *, replace: bool, default: bool) -> bool:
    """Return whether a configuration that is there may be written anew."""
    if replace:
        return True
    if interview.silent:
        raise click.UsageError(f"{path} is there already. --replace writes it anew and keeps it as {path.name}.1.")
    interview.tell(f"{path} is there already. Its answers are kept where you do not change them.", "")
    return click.confirm(f"Go through it? The file as it is will be kept as {path.name}.1", default=default)
