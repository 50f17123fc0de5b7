"""What two keys say that cannot both hold.   yaml_source.py → here → load.py

Done on what is written, before it is known whether each key is right by itself, so that one fault never hides another.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from textbackd.config.readers import Context
from textbackd.config.templates import REQUEST_FIELDS, request_fields
from textbackd.config.values import listed, shown
from textbackd.config.yaml_source import Fault, Loc, Source
from textbackd.core.phone import read_number

SWITCHES: Final = ("freepbx_daynight", "device", "hint", "astdb")
BODIES: Final = ("json", "form", "body")
# Kind of gateway → the key that its webhooks are checked with.
SIGNED_WITH: Final = {"android_sms_gateway": "signing_key", "telnyx": "public_key"}
SENDS_FROM: Final = {"plivo": "powerpack", "telnyx": "profile"}  # kind of gateway → what may stand in for `number`
HOOK_KEYS: Final = ("receive", "reports", "signature", "answer")
# A block of an http gateway → its lists of words, of which none may share one.
WORD_LISTS: Final = {
    "result": ("accepted", "refused", "opted_out", "unfit", "later"),
    "reports": ("delivered", "failed"),
}
THROUGH_PBX: Final = ("asterisk_dongle", "asterisk_message")
Found = Iterator[tuple[Loc, str]]


def crossed(source: Source, context: Context) -> Iterator[Fault]:
    """Yield every fault that lies between two keys."""
    found = (
        *_doubled_dids(source, context),
        *_deaf_trunks(source),
        *_requests(source),
        *_nowhere(source),
        *_unsigned(source),
        *_senderless(source),
        *_which_pbx(source),
        *_switches(source),
        *_undialled(source),
        *_mailless(source),
        *_queueless(source),
        *_shared_phones(source, context),
    )
    for loc, sentence in found:
        yield Fault(source.line(loc), loc, sentence)


def _doubled_dids(source: Source, context: Context) -> Found:
    owners: dict[tuple[str, str], str] = {}
    for name, line in _entries(source, "lines"):
        trunks = str(listed(line.get("trunks")) or "")  # lines of different trunks may share a DID
        for number, did in enumerate(_dids(line)):
            owner = owners.setdefault((_same_did(did, context), trunks), name)
            if owner != name:
                sentence = f"{did} belongs to the line {owner} already. Take it out of {owner} or out of {name}."
                yield ("lines", name, "dids", number), sentence


def _dids(line: Mapping[str, Any]) -> list[str]:
    # A line that names no DIDs takes them all.
    written = listed(line.get("dids"))
    return ["*"] if written is None else [str(did) for did in written] if isinstance(written, list) else []


def _switches(source: Source) -> Found:
    for name, line in _entries(source, "lines"):
        switch = line.get("night_switch")
        named = [key for key in SWITCHES if switch.get(key) is not None] if isinstance(switch, Mapping) else ["?"]
        if switch is not None and len(named) != 1:
            many = f"{' and '.join(named)} are two switches" if named else "no switch is named"
            yield ("lines", name, "night_switch"), f"{many}. Write one of {', '.join(SWITCHES)}."


def _same_did(did: str, context: Context) -> str:
    return read_number(did, context.country or "ZZ").e164 or did.strip()


def _deaf_trunks(source: Source) -> Found:
    for name, pbx in _entries(source, "pbx"):
        trunks = pbx.get("trunks")
        if isinstance(trunks, Mapping) and trunks.get("contexts") == [] and not trunks.get("channels"):
            yield ("pbx", name, "trunks"), "no call would come from outside. Name contexts or channels of your trunks."


def _requests(source: Source) -> Found:
    for name, gateway in _entries(source, "gateways"):
        if gateway.get("type") == "http":
            loc = ("gateways", name)
            yield from _bodies(gateway, loc)
            yield from _silent(gateway, loc)
            yield from _unheard(gateway, loc)
            yield from _ambiguous(gateway, loc)
            if gateway.get("basic_auth") is not None and gateway.get("bearer") is not None:
                yield (*loc, "bearer"), "basic_auth is written too. Keep one of the two."


def _nowhere(source: Source) -> Found:
    """Webhooks that no vendor could be told the address of."""
    webhooks = source.data.get("webhooks")
    if isinstance(webhooks, Mapping) and webhooks.get("url"):
        return
    for name, gateway in _entries(source, "gateways"):
        if gateway.get("webhook") is not None:
            yield (
                ("gateways", name, "webhook"),
                "webhooks.url is missing. Write how the world reaches this machine there.",
            )


def _unsigned(source: Source) -> Found:
    """Webhooks of a vendor who signs them, without the key to check the signature."""
    for name, gateway in _entries(source, "gateways"):
        key = SIGNED_WITH.get(str(gateway.get("type")))
        if key and gateway.get("webhook") is not None and gateway.get(key) is None:
            yield ("gateways", name, "webhook"), f"{key} is missing, so nobody could tell whether a webhook is genuine."


def _senderless(source: Source) -> Found:
    """Gateways that would not know from which number to text."""
    for name, gateway in _entries(source, "gateways"):
        other = SENDS_FROM.get(str(gateway.get("type")))
        if other and gateway.get("number") is None and gateway.get(other) is None:
            yield ("gateways", name), f"number is missing. Write the number that its texts come from, or {other}."


def _which_pbx(source: Source) -> Found:
    """Gateways that send through a PBX, where there are several."""
    several = [name for name, _ in _entries(source, "pbx")]
    for name, gateway in _entries(source, "gateways"):
        if len(several) > 1 and gateway.get("type") in THROUGH_PBX and gateway.get("pbx") is None:
            yield ("gateways", name), f"it does not say through which PBX it sends. Write `pbx: {several[0]}`."


def _undialled(source: Source) -> Found:
    """Phones that are to ring where nothing may be dialled."""
    if any(pbx.get("dial") for _, pbx in _entries(source, "pbx")):
        return
    for name, line in _entries(source, "lines"):
        reply = line.get("reply")
        steps = reply.get("escalate") if isinstance(reply, Mapping) else None
        for step, written in steps.items() if isinstance(steps, Mapping) else ():
            if isinstance(written, Mapping) and written.get("ring") is not None:
                loc = ("lines", name, "reply", "escalate", step, "ring")
                yield loc, "no PBX has `dial`, so nothing can ring. Write it there: `dial: {context: from-internal}`."


def _mailless(source: Source) -> Found:
    """E-mails that no server would take."""
    for name, person in _entries(source, "staff"):
        if person.get("email") is not None and not source.data.get("email"):
            yield ("staff", name, "email"), "there is no mail server. Write it under `email`, or take this out."
        if person.get("weekly") is True and person.get("email") is None:
            yield (
                ("staff", name, "weekly"),
                "the figures go by e-mail. Write their address as `email`, or take this out.",
            )


def _queueless(source: Source) -> Found:
    """A queue of which nobody is known to be a member."""
    phones = [person for _, person in _entries(source, "staff") if person.get("phone") is not None]
    for name, line in _entries(source, "lines"):
        if line.get("queue") is not None and not phones:
            yield ("lines", name, "queue"), "nobody of the staff has a `phone`, so nobody is known to be logged in."


def _shared_phones(source: Source, context: Context) -> Found:
    """Phones from which an answer could be either one's."""
    for key in ("mobile", "sip"):
        owners: dict[str, str] = {}
        for name, person in _entries(source, "staff"):
            written = str(person.get(key) or "")
            owner = owners.setdefault(_same_did(written, context) if key == "mobile" else written, name)
            if written and owner != name:
                yield ("staff", name, key), f"{written} is {owner}'s already. Write it for one of them."


def _bodies(gateway: Mapping[str, Any], loc: Loc) -> Found:
    bodies = [key for key in BODIES if gateway.get(key) is not None]
    for extra in bodies[1:]:
        yield (*loc, extra), f"a request has one body, and {bodies[0]} is written too. Keep one of the two."
    if bodies and gateway.get("method") == "GET":
        yield (*loc, bodies[0]), "a GET request has no body. Write it as query, or write method: POST."


def _silent(gateway: Mapping[str, Any], loc: Loc) -> Found:
    """A request that names fields must name the number and the text; one that names none gets a JSON body with all."""
    said = {field for key in ("url", "headers", "query", *BODIES) for field in request_fields(gateway.get(key))}
    if said - {*REQUEST_FIELDS}:
        return  # a field is mistyped, which is told where it stands
    said = {field.removesuffix("_digits") for field in said}
    if said or gateway.get("body") is not None or gateway.get("json") is not None:
        for field in ("to", "text"):
            if field not in said:
                yield loc, f"nothing in the request says {{{field}}}. Put it where the gateway expects it."
    elif gateway.get("method") == "GET":
        yield loc, "nothing in the request says {to} and {text}. Put them into query."


def _unheard(gateway: Mapping[str, Any], loc: Loc) -> Found:
    """Keys of a webhook that does not exist, a webhook that says nothing, and what could not be told from its repetition."""
    if gateway.get("webhook") is None:
        for key in HOOK_KEYS:
            if gateway.get(key) is not None:
                yield (*loc, key), "there is no webhook. Write webhook: file:NAME with its secret, or take this out."
    elif gateway.get("receive") is None and gateway.get("reports") is None:
        yield (*loc, "webhook"), "nothing says what it tells. Write receive, reports or both."
    reports, poll = gateway.get("reports"), gateway.get("poll")
    if isinstance(reports, Mapping) and reports.get("reference") is None and reports.get("id") is None:
        yield (*loc, "reports"), "nothing says which text it is about. Write reference, or id if {id} comes back."
    if isinstance(poll, Mapping) and poll.get("id") is None and poll.get("at") is None:
        yield (*loc, "poll"), "nothing tells a text from its repetition in the next answer. Write id, or at."


def _ambiguous(gateway: Mapping[str, Any], loc: Loc) -> Found:
    """Words that would mean two things."""
    for key, lists in WORD_LISTS.items():
        section, owners = gateway.get(key), dict[str, str]()
        if not isinstance(section, Mapping):
            continue
        for name in lists:
            words = listed(section.get(name))
            for word in words if isinstance(words, list) else ():
                owner = owners.setdefault(str(word).strip().casefold(), name)
                if owner != name:
                    yield (*loc, key, name), f"{shown(word)} stands in {owner} too. Take it out of one of them."


def _entries(source: Source, section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    entries = source.data.get(section)
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        if entry is None or isinstance(entry, Mapping):
            yield name, entry or {}
