"""`textbackd replay` and `textbackd record`: AMI streams as files."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from textbackd.cli.options import config_option, load_or_embedded
from textbackd.config import Settings
from textbackd.core.call import Call
from textbackd.flow.conclude import Conclusion
from textbackd.flow.replay import conclusions


@click.command(short_help="Decide recorded calls by this configuration.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per call and line.")
@click.option("--pbx", default=None, metavar="NAME", help="Whose trunks count, if the configuration has several PBXs.")
@config_option
def replay(files: tuple[Path, ...], as_json: bool, pbx: str | None, config: Path) -> None:
    """Decide recorded calls by this configuration, one line per finished call.

    FILES hold the bytes as an Asterisk manager sent them (`textbackd record`). Needs no PBX, no database and no secret.
    """
    settings = load_or_embedded(config)
    name = pbx_of(settings, pbx)
    show = _json_line if as_json else _line
    for file in files:
        for call, conclusion in conclusions(file, settings, pbx=name):
            click.echo(show(file, call, conclusion))


def pbx_of(settings: Settings, wanted: str | None) -> str:
    """Return the PBX that `--pbx` names, the first of the configuration without it. Raises click.UsageError."""
    if wanted is None:
        return next(iter(settings.pbx))
    if wanted not in settings.pbx:
        raise click.UsageError(f"--pbx {wanted}: the configuration has only {', '.join(settings.pbx)}.")
    return wanted


def _json_line(file: Path, call: Call, conclusion: Conclusion) -> str:
    return json.dumps(_fields(file, call, conclusion), ensure_ascii=False)


def _fields(file: Path, call: Call, conclusion: Conclusion) -> dict[str, Any]:
    judgement, decision, numbers = conclusion.judgement, conclusion.decision, conclusion.numbers
    talked = call.talked
    fields: dict[str, Any] = {
        "file": str(file),
        "pbx": call.pbx,
        "linkedid": call.linkedid,
        "direction": call.direction.value,
        "caller": numbers.caller,
        "did": numbers.did,
        "caller_presented": call.caller_presented,
        "did_presented": call.did_presented,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason.value if judgement.reason else None,
        "not_textable": numbers.not_textable.value if numbers.not_textable else None,
        "started_at": _time(call.started_at),
        "ended_at": _time(call.ended_at),
        "talked_s": None if talked is None else round(talked.total_seconds(), 3),
        "decision": decision.action.value,
        "decision_reason": decision.why.value,
    }
    if call.merged:
        fields["merged"] = list(call.merged)
    return fields


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _line(file: Path, call: Call, conclusion: Conclusion) -> str:
    judgement, decision = conclusion.judgement, conclusion.decision
    when = call.started_at.strftime("%H:%M:%S") if call.started_at else "--:--:--"
    who = conclusion.numbers.caller or _printable(call.caller_presented) or "withheld"
    reason = f" {judgement.reason.value}" if judgement.reason else ""
    ended = f"{judgement.verdict.value}{reason}; {decision.action.value} ({decision.why.value})"
    return f"{file.name}: {when} {who} → {_printable(call.did_presented)}: {ended}"


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())


@click.command(short_help="Write what the PBX's manager sends to a file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--anonymise", is_flag=True, help="Keep the verdicts, show nobody's number or name: for a bug report.")
@click.option(
    "--from",
    "trace",
    type=click.Path(path_type=Path),
    metavar="TRACE",
    help="Anonymise this recording into FILE instead of listening to the PBX.",
)
@click.option("--pbx", default=None, metavar="NAME", help="Which PBX, if the configuration has several.")
@config_option
def record(file: Path, anonymise: bool, trace: Path | None, pbx: str | None, config: Path) -> None:
    """Write what the PBX's manager sends to FILE until Ctrl-C; `textbackd replay FILE` reads it back."""
    from textbackd.config import load, resolve_secrets  # noqa: PLC0415
    from textbackd.flow.record import anonymise_trace, record_to  # noqa: PLC0415

    if trace is None:
        settings = resolve_secrets(load(config))
        record_to(file, settings, pbx=pbx_of(settings, pbx), anonymised=anonymise, say=click.echo)
        return
    if not anonymise:
        raise click.UsageError("--from TRACE needs --anonymise: a plain copy is `cp TRACE FILE`.")
    settings = load_or_embedded(config)
    anonymise_trace(trace, file, settings, pbx=pbx_of(settings, pbx), say=click.echo)
