"""Third part of `textbackd setup`: what sends the texts.   business.py → here → words.py

A modem is found by looking; any other gateway is asked for key by key, out of its settings. None yet is an answer, too.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from textbackd.cli.modem import READY, facts
from textbackd.cli.setup.interview import NONE, Interview
from textbackd.setup.document import NOWHERE
from textbackd.setup.draft import NO_GATEWAY, Draft
from textbackd.setup.kinds import Asked, Kind, kinds

if TYPE_CHECKING:
    from textbackd.gateways.modem.scan import Finding

KEEP, MODEM, OTHER = "keep", "modem", "other"
PIN_WANTED: Final = "SIM PIN"
OWN_PREFIXES: Final = ("file:", "credential:", "${")


def ask_gateway(interview: Interview, draft: Draft, ports: tuple[str, ...]) -> Draft:
    """Return the draft with what sends the texts."""
    interview.head("What sends the texts")
    if "gateway" in interview.given and interview.given["gateway"] != "gsm_modem":
        return _named(interview, draft, interview.given["gateway"])
    if "imei" in _set(interview) or "port" in _set(interview):
        return _fields(interview, draft, kinds()["gsm_modem"])
    return _chosen(interview, draft, _look(interview, ports), told=bool(ports))


def real(draft: Draft) -> dict[str, Mapping[str, Any]]:
    """Return the gateways that are some."""
    return {name: section for name, section in draft.at("gateways").items() if dict(section) != dict(NOWHERE)}


def check_kind(interview: Interview) -> None:
    """Raise UsageError before anything is asked, if the flag names no kind of gateway."""
    kind = interview.given.get("gateway", NONE)
    if kind != NONE and kind not in kinds():
        raise click.UsageError(f"--gateway {kind}: the kinds are {', '.join(kinds())}, and none.")


def _named(interview: Interview, draft: Draft, kind: str) -> Draft:
    return _without(interview, draft) if kind == NONE else _fields(interview, draft, kinds()[kind])


# ---- modems


def _look(interview: Interview, ports: tuple[str, ...]) -> list["Finding"]:
    """Look for modems, and tell of each port what is there."""
    from textbackd.gateways.modem.ports import PATTERNS, candidates  # noqa: PLC0415  # these cost start-up time
    from textbackd.gateways.modem.scan import Finding, scan  # noqa: PLC0415

    interview.tell("Looking for modems …")
    modems: list[Finding] = []
    for one in scan(candidates(ports or PATTERNS)):
        if isinstance(one, Finding) and one.imei not in {known.imei for known in modems}:
            modems.append(one)
        elif not isinstance(one, Finding) and one.held_by:
            interview.tell(f"{one.port}: {one.words}")
    return modems


def _chosen(interview: Interview, draft: Draft, modems: list["Finding"], *, told: bool) -> Draft:
    """Show what there is, and have one chosen. `told`: modems were looked for where somebody said."""
    choices = dict(_choices(draft, modems))
    if not modems:
        interview.tell("No modem is plugged in.")
    for number, what in enumerate(choices.values(), 1):
        interview.tell(what, f"  {number}  ")
    first = next(name for name in choices if name != OTHER)
    named = _only(modems) if "gateway" in interview.given else None
    picked = named or interview.choose("which", "Which", list(choices), default=first, listed=True)
    if picked == KEEP:
        return draft
    if picked == NONE:
        return _without(interview, draft)
    if picked == OTHER:
        return _other(interview, draft)
    return _modem(interview, draft, modems[int(picked.removeprefix(MODEM)) - 1], told=told)


def _only(modems: list["Finding"]) -> str:
    """Return the modem that `--gateway gsm_modem` means. Raises UsageError if that is not one."""
    if len(modems) != 1:
        found = (
            f"these are plugged in: {', '.join(str(modem.imei) for modem in modems)}"
            if modems
            else "none is plugged in"
        )
        raise click.UsageError(f"--gateway gsm_modem: {found}. Say which: --set imei=IMEI")
    return f"{MODEM}1"


def _choices(draft: Draft, modems: list["Finding"]) -> Iterator[tuple[str, str]]:
    if kept := real(draft):
        named = [f"{name} ({section['type']})" for name, section in kept.items()]
        yield KEEP, f"as it is: {', '.join(named)}"
    for number, modem in enumerate(modems, 1):
        yield f"{MODEM}{number}", ", ".join(facts(modem))
    yield OTHER, "an SMS service, a phone, or another gateway"
    yield NONE, "nothing yet: watch, and see what would have been sent"


def _modem(interview: Interview, draft: Draft, modem: "Finding", *, told: bool) -> Draft:
    """Write a modem down by its IMEI; by its port where it has none, or is where nobody would look for it."""
    found = {"imei": modem.imei} if modem.imei else {}
    found |= {"port": modem.port} if told or not modem.imei else {}
    name = kinds()["gsm_modem"].name
    draft = _alone(draft, name, {"type": "gsm_modem", **found})
    if modem.sim == PIN_WANTED:
        draft = _pin(interview, draft, name)
    elif modem.sim != READY:
        interview.trouble(f"The SIM is not ready: {modem.sim}.")
    return _more(interview, draft, kinds()["gsm_modem"], name, skip=("imei", "port"))


def _pin(interview: Interview, draft: Draft, name: str) -> Draft:
    """Ask for the PIN. It is not tried here: three wrong ones lock the card."""
    pin = Asked(key="pin", what="The PIN of its SIM card, tried once", example="", is_needed=True, is_secret=True)
    return _field(interview, draft, pin, name)


# ---- any other


def _other(interview: Interview, draft: Draft) -> Draft:
    known = kinds()
    width = max(map(len, known))
    for number, kind in enumerate(known.values(), 1):
        interview.tell(f"{kind.type:{width}}  {kind.what}", f"  {number:2}  ")
    picked = interview.choose("kind", "Which kind", list(known), default="http", listed=True)
    return _fields(interview, draft, known[picked])


def _fields(interview: Interview, draft: Draft, kind: Kind) -> Draft:
    """Ask for the keys of a gateway, and for those that its other keys turn out to need."""
    interview.tell(f"{kind.what} docs/gateways/{kind.type}.md has all of it.")
    draft = _alone(draft, kind.name, {"type": kind.type})
    draft = _more(interview, draft, kind, kind.name)
    if faults := draft.faults("gateways", kind.name):
        raise click.UsageError(f"The gateway {kind.name}: {' '.join(faults)}")
    return draft


def _more(interview: Interview, draft: Draft, kind: Kind, name: str, skip: tuple[str, ...] = ()) -> Draft:
    for asked in kind.asked:
        if asked.key not in skip:
            draft = _field(interview, draft, asked, name)
    known = {asked.key for asked in kind.asked}
    for key, value in _set(interview).items():
        if key not in known and key != "pin":
            draft = draft.put(value, "gateways", name, key)
    return draft


def _field(interview: Interview, draft: Draft, asked: Asked, name: str) -> Draft:
    """Return the draft with one key of a gateway."""
    loc, given = ("gateways", name, asked.key), _set(interview).get(asked.key)
    while True:
        said = _said(interview, asked, given)
        fuller = draft.put(said, *loc)
        faults = fuller.faults(*loc) if said is not None else []
        if not faults:
            return _hidden(draft, asked, name, said) if asked.is_secret and said else fuller
        if given is not None or interview.silent:
            raise click.UsageError(f"--set {asked.key}=…: {' '.join(faults)}")
        interview.complain(*faults)


def _said(interview: Interview, asked: Asked, given: str | None) -> str | None:
    if given is not None:
        return given
    if interview.silent:
        if asked.is_needed:
            raise click.UsageError(f"--set {asked.key}=… is missing, and nobody is asked. {asked.what}")
        return None
    such = f" Such as {asked.example}" if asked.example and not asked.is_secret else ""
    interview.tell(f"{asked.key}: {asked.what}{such}")
    said = interview.ask("", asked.key, default=None if asked.is_needed else NONE, hidden=asked.is_secret)
    return None if said.casefold() in ("", NONE) else said


def _hidden(draft: Draft, asked: Asked, name: str, said: str) -> Draft:
    """Return the draft with a secret in a file beside it, unless it was told where it is."""
    loc = ("gateways", name, asked.key)
    if said.startswith(OWN_PREFIXES):
        return draft.put(said, *loc)
    file = f"{name}.{'secret' if asked.key != 'pin' else 'pin'}"
    return draft.put(f"file:{file}", *loc).hide(file, said)


def _set(interview: Interview) -> dict[str, str]:
    pairs = (each.partition("=") for each in interview.given.get("set", "").splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _without(interview: Interview, draft: Draft) -> Draft:
    interview.tell("Then it watches, and `textbackd outbox` shows what it would have sent.")
    return _lines_by(draft.put({NO_GATEWAY: dict(NOWHERE)}, "gateways"), None)


def _alone(draft: Draft, name: str, section: Mapping[str, Any]) -> Draft:
    """Return the draft with a gateway, in place of the stand-in; those that are real stay, behind it."""
    others = {each: known for each, known in real(draft).items() if each != name}
    return _lines_by(draft.put({name: dict(section), **others}, "gateways"), name)


def _lines_by(draft: Draft, name: str | None) -> Draft:
    """Have each line that names its gateways name only such as there are."""
    for line, section in draft.at("lines").items():
        if named := section.get("gateways"):
            kept = [each for each in named if each in draft.at("gateways") and each != name]
            draft = draft.put([*([name] if name else []), *kept] or None, "lines", line, "gateways")
    return draft
