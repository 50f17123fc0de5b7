"""First part of `textbackd setup`: Asterisk, our account there, and what its records tell.   command.py → here → business.py"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from textbackd.cli.setup.interview import NONE, Interview, optional
from textbackd.config.secrets import SecretMissingError, resolve
from textbackd.errors import TextbackdError
from textbackd.setup import account
from textbackd.setup.asterisk import Asterisk, log_in, look_at
from textbackd.setup.draft import AMI_FILE, Draft
from textbackd.setup.seen import Seen, look, sources

USUAL_HOST: Final = "127.0.0.1"
USUAL_PORT: Final = 5038
OLD: Final = timedelta(days=90)  # what is older tells nothing of the trunks of today
SHOWN: Final = 6  # of each kind, on one line
TRIES: Final = 3  # of typing a secret


def name_of(draft: Draft) -> str:
    """Return the name of the PBX that is asked about: the first."""
    return str(next(iter(draft.at("pbx"))))


# ---- Asterisk


def find_asterisk(interview: Interview, draft: Draft, folder: Path) -> Draft:
    """Find it, and see that it lets us in."""
    interview.head("Asterisk")
    name = name_of(draft)
    host, port = draft.at("pbx", name, "host") or USUAL_HOST, draft.at("pbx", name, "port") or USUAL_PORT
    found = look_at(*_address(interview, host, port), folder)
    if not found.banner and "pbx" not in interview.given:
        interview.tell(f"Nothing answers at {found.host}:{found.port} ({found.trouble}).")
        found = look_at(*_asked(interview, f"{host}:{port}"), folder)
    draft = _placed(draft, name, found.host, found.port)
    interview.tell(_greeting(found)) if found.banner else interview.trouble(_missing(found), account.RELOAD)
    return _let_in(interview, draft, name, found)


def _address(interview: Interview, host: str, port: int) -> tuple[str, int]:
    return _asked(interview, "") if "pbx" in interview.given else (host, port)


def _asked(interview: Interview, usual: str) -> tuple[str, int]:
    while True:
        said = interview.ask("pbx", "Where is Asterisk's manager?", default=usual)
        host, _, port = said.rpartition(":") if not said.endswith("]") else (said, "", "")
        if host and port.isdecimal() and 0 < int(port) < 65536:
            return host.strip("[]"), int(port)
        if said and ":" not in said.strip("[]"):
            return said, USUAL_PORT
        interview.refuse("pbx", said, [f"Write it as {USUAL_HOST}:{USUAL_PORT}."])


def _placed(draft: Draft, name: str, host: str, port: int) -> Draft:
    draft = draft.put(None if host == USUAL_HOST else host, "pbx", name, "host")
    return draft.put(None if port == USUAL_PORT else port, "pbx", name, "port")


def _greeting(found: Asterisk) -> str:
    kind = "FreePBX" if found.freepbx and found.is_here else "Its manager"
    return f"{kind} answers at {found.host}:{found.port}: {found.banner}."


def _missing(found: Asterisk) -> str:
    where = f"Nothing answers at {found.host}:{found.port} ({found.trouble})."
    if found.is_readable and not found.is_enabled:
        return f"{where} Write `enabled = yes` under [general] of {found.folder}/manager.conf, then:"
    return f"{where} Is Asterisk running, and `enabled = yes` in manager.conf? After a change there:"


# ---- our account


def _let_in(interview: Interview, draft: Draft, name: str, found: Asterisk) -> Draft:
    """Return the draft with a secret that Asterisk takes, as far as that can be had."""
    if "ami-secret" in interview.given:
        return _try(interview, _told(draft, name, interview.given["ami-secret"]), name, found)
    known = _known(draft, name) or found.secret
    if known is not None and (not found.banner or not log_in(found.host, found.port, known)):
        draft = draft if _known(draft, name) == known else draft.hide(AMI_FILE, known)
        return _welcome(interview, draft, found)
    if found.secret is not None and not log_in(found.host, found.port, found.secret):
        return _welcome(interview, _told(draft, name, found.secret), found)
    if found.secret is not None and found.banner:
        return _unread(interview, _told(draft, name, found.secret), name, found)
    if found.account and found.banner:
        return _typed(interview, draft, name, found)
    return _new(interview, draft, name, found, known or account.new_secret())


def _welcome(interview: Interview, draft: Draft, found: Asterisk) -> Draft:
    if found.banner:
        interview.tell("It lets us in as textbackd.")
    return draft


def _told(draft: Draft, name: str, secret: str) -> Draft:
    """Return the draft with a secret: where it is kept, or the secret itself, which then goes into a file."""
    if secret.startswith(("file:", "credential:", "${")):
        return draft.put(secret, "pbx", name, "secret")
    return draft.put(f"file:{AMI_FILE}", "pbx", name, "secret").hide(AMI_FILE, secret)


def _known(draft: Draft, name: str) -> str | None:
    """Return the secret that the configuration leads to, if it is there and may be read."""
    written = str(draft.at("pbx", name, "secret") or "")
    if written == f"file:{AMI_FILE}" and AMI_FILE in draft.secrets:
        return draft.secrets[AMI_FILE]
    kind, _, file = written.partition(":")
    with suppress(SecretMissingError):
        return resolve(f"file:{draft.path.parent / file}" if kind == "file" else written, os.environ)
    return None


def _try(interview: Interview, draft: Draft, name: str, found: Asterisk) -> Draft:
    secret = _known(draft, name)
    why = log_in(found.host, found.port, secret) if secret and found.banner else ""
    if why:
        interview.trouble(f"Asterisk: {why}. Compare the secret and `permit` with manager.conf.")
    elif secret:
        return _welcome(interview, draft, found)
    return draft


def _unread(interview: Interview, draft: Draft, name: str, found: Asterisk) -> Draft:
    """Have Asterisk read its accounts: it does not take the secret that stands there."""
    interview.tell("Asterisk has an account textbackd, and does not take its secret: it may not have read it yet.")
    if account.may_write(found) and interview.agree("write-account", "Have it read now?", default=not interview.silent):
        account.reload()
    else:
        interview.tell("Then run:")
        interview.show(account.RELOAD)
        if not interview.press_enter("Press Enter when that is done, or write `later`"):
            interview.troubles.append("Asterisk has not read our account yet.")
            return draft
    return _try(interview, draft, name, found)


def _typed(interview: Interview, draft: Draft, name: str, found: Asterisk) -> Draft:
    """Ask for the secret of an account that is there."""
    interview.tell(f"Asterisk has an account textbackd; its secret stands in {found.target}, which we may not read.")
    for _ in range(0 if interview.silent else TRIES):
        secret = interview.ask("ami-secret", "Its secret", hidden=True)
        why = log_in(found.host, found.port, secret)
        if not why:
            return _welcome(interview, _told(draft, name, secret), found)
        interview.complain(f"{why[0].upper()}{why[1:]}.")
    interview.trouble(f"Without its secret Asterisk does not let us in. Write it into {draft.path.parent / AMI_FILE}.")
    return draft


def _new(interview: Interview, draft: Draft, name: str, found: Asterisk, secret: str) -> Draft:
    """Have an account made: by ourselves, or by whoever looks after Asterisk."""
    interview.tell("Asterisk needs an account for us, which may listen and ask what is running:")
    interview.show(account.lines(secret, found.our_address))
    draft = _told(draft, name, secret)
    may = account.may_write(found)
    if may and interview.agree("write-account", f"Write it into {found.target}?", default=not interview.silent):
        account.put(found, secret)
        interview.tell(f"Written into {found.target}.")
        if not account.reload():
            interview.trouble("Asterisk's console does not answer. When it runs:", account.RELOAD)
    else:
        interview.tell(f"Add these lines to {found.target}, then run:")
        interview.show(account.RELOAD)
        if found.banner and not interview.press_enter("Press Enter when that is done, or write `later`"):
            interview.troubles.append(f"Asterisk has no account for us yet. Add the lines above to {found.target}.")
            return draft
    return _try(interview, draft, name, found)


# ---- its records


@dataclass(frozen=True, slots=True)
class Records:
    """Where they are, and what they tell."""

    source: str | None
    seen: Seen


def find_records(
    interview: Interview, draft: Draft, folder: Path, country: str, zone: ZoneInfo
) -> tuple[Draft, Records]:
    """Find the call records, and show what they tell of trunks and numbers."""
    interview.head("Call records")
    name = name_of(draft)
    there = draft.at("pbx", name, "cdr") or next(sources(folder), NONE)
    if there == NONE and "cdr" not in interview.given:
        interview.tell("None are here that we may read. They are not needed; with them calls are caught up.")
    said = interview.given.get("cdr", there)
    seen = Seen(rows=0) if said == NONE else _looked(interview, said, country, zone)
    draft = draft.put(None if said == NONE else said, "pbx", name, "cdr")
    if faults := draft.faults("pbx", name, "cdr"):
        interview.refuse("cdr", said, faults)
    for title, found in _rows(seen):
        interview.tell(f"{title:12}{found}")
    return _trunks(interview, draft, name, seen), Records(None if said == NONE else said, seen)


def _looked(interview: Interview, source: str, country: str, zone: ZoneInfo) -> Seen:
    try:
        seen = look(source, since=datetime.now(UTC) - OLD, zone=zone, country=country)
    except TextbackdError as exc:
        interview.trouble(f"The call records cannot be read: {exc}")
        return Seen(rows=0)
    interview.tell(f"{shown(source)}: {seen.rows:,} rows looked at.")
    return seen


def shown(source: str) -> str:
    """Return where records are, without a password."""
    head, at, rest = source.rpartition("@")
    return f"{head.partition('://')[0]}://…@{rest}" if at and "://" in head else source


def _rows(seen: Seen) -> Iterator[tuple[str, str]]:
    for title, names in (
        ("Trunks", [trunk.name for trunk in seen.trunks]),
        ("Numbers", [f"{number} ({rows:,})" for number, rows in seen.dids]),
        ("Phones", list(seen.phones)),
        ("Queues", list(seen.queues)),
    ):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield title, ", ".join(names[:SHOWN]) + more


def _trunks(interview: Interview, draft: Draft, name: str, seen: Seen) -> Draft:
    """Name the trunks where the dialplan's contexts would not tell them."""
    proposed = draft.at("pbx", name, "trunks", "channels") or list(seen.unusual_trunks)
    if not proposed and "trunk" not in interview.given:
        return draft
    return interview.answer(
        draft,
        ("pbx", name, "trunks", "channels"),
        "trunk",
        "Calls from outside come in over",
        default=", ".join(proposed),
        read=optional(lambda said: [part.strip() for part in said.split(",") if part.strip()]),
    )
