"""Send a text by one HTTP request, written as the shop's gateway wants it.   flow/texts_out → here → any HTTP gateway

The request is a template of the configuration; the answer's status says what became of the text (web/meaning.py), and its words
where the configuration tells them. What arrives is read in http_inward.py.
"""

import base64
import json as json_format
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit, urlunsplit
from xml.sax.saxutils import escape as xml_escape

from yarl import URL

from textbackd import config
from textbackd.config.gateways.inward import Result as ResultSection
from textbackd.core.phone import E164
from textbackd.errors import TextbackdError
from textbackd.gateways.base import Accepted, Fate, Hook, HookRefused, Lent, OutboundText
from textbackd.gateways.http_inward import Hooks, List
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import Answer, Request, parsed
from textbackd.gateways.web.fields import REFERENCE_LIMIT, at
from textbackd.gateways.web.gateway import DEFAULT_TIMEOUT, WebGateway
from textbackd.gateways.web.meaning import MAYBE, REFUSED, Meaning, by_status

DEFAULT_JSON: Final = MappingProxyType({"to": "{to}", "from": "{from}", "text": "{text}", "id": "{id}"})
# Where gateways put their id of a text when the configuration does not say.
USUAL_REFERENCES: Final = (
    *("id", "message_id", "messageId", "message-id", "sid", "uuid", "data.id", "message.id", "message_uuid.0"),
    *("messages.0.id", "messages.0.message_id", "messages.0.message-id", "data.0.id"),
)


def _as_it_is(value: str) -> str:
    return value


def _in_url(value: str) -> str:
    return quote(value, safe="")


def _in_json(value: str) -> str:
    return json_format.dumps(value)[1:-1]


def _in_xml(value: str) -> str:
    return xml_escape(value, {'"': "&quot;", "'": "&apos;"})


Encoder = Callable[[str], str]
# How a value is written inside a raw `body`, by the end of its Content-Type.
BODY_ENCODERS: Final[Mapping[str, Encoder]] = MappingProxyType({
    "json": _in_json,
    "xml": _in_xml,
    "x-www-form-urlencoded": _in_url,
})  # fmt: skip

# Other braces stay: JSON has its own, passwords may, and unknown names are told by the configuration.
_PLACEHOLDER: Final = re.compile(r"\{(to|from|text|id|to_digits|from_digits|hook_url)\}")
OPTIONAL: Final = ("{from}", "{from_digits}", "{hook_url}")  # what is left out, with its key, where it is not known
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # what no header value may hold (RFC 9110 §5.5)
_FORM: Final = "application/x-www-form-urlencoded"
Words = Mapping[str, str]  # placeholder → its value for one text


def _filled(template: str, words: Words, encode: Encoder = _as_it_is) -> str:
    # One pass: a caller's text that itself says "{to}" stays as it is.
    return _PLACEHOLDER.sub(lambda found: encode(words[found[1]]), template)


def _filled_within(value: object, words: Words) -> object:
    """Return `value` with the placeholders of every string in it replaced, however deep."""
    if isinstance(value, str):
        return _filled(value, words)
    if isinstance(value, Mapping):
        return {key: _filled_within(inner, words) for key, inner in value.items() if not _is_absent(inner, words)}
    if isinstance(value, list | tuple):
        return [_filled_within(inner, words) for inner in value]
    return value


def _is_absent(value: object, words: Words) -> bool:
    # Most gateways take a missing sender for their own number, and an empty one for a mistake.
    return value in OPTIONAL and not words[str(value)[1:-1]]


def _strings_within(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings_within(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings_within(inner)


def _form_encoded(fields: Mapping[str, object], words: Words) -> str:
    present = {key: value for key, value in fields.items() if not _is_absent(value, words)}
    return urlencode({key: _form_value(_filled_within(value, words)) for key, value in present.items()}, doseq=True)


def _form_value(value: object) -> object:
    if isinstance(value, list):
        return [_form_value(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else value


# No repr: the address and the headers hold credentials.
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RequestTemplate:
    """The request as the configuration writes it, with placeholders."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    form: Mapping[str, object] | None = None
    query: Mapping[str, object] | None = None
    body: str | None = None

    def fill(self, words: Words) -> Request:
        """Return the request for one text. Raises ValueError, with a sentence, where a value cannot stand."""
        default_type, body = self._filled_body(words)
        headers = {name: _header(name, _filled(value, words)) for name, value in self.headers.items()}
        if default_type and not _content_type(headers):
            headers["Content-Type"] = default_type
        return Request(method=self.method, url=self._filled_url(words), headers=headers, body=body)

    def _filled_url(self, words: Words) -> URL:
        url = _filled(self.url, words, _in_url)
        if self.query:
            url += ("&" if "?" in url else "?") + _form_encoded(self.query, words)
        return URL(url, encoded=True)

    def _filled_body(self, words: Words) -> tuple[str | None, bytes | None]:
        """Return the Content-Type that the body has unless the headers say another, and the body."""
        if self.json is not None:
            return "application/json", json_format.dumps(_filled_within(self.json, words)).encode()
        if self.form is not None:
            return _FORM, _form_encoded(self.form, words).encode()
        if self.body is not None:
            return "text/plain; charset=utf-8", _filled(self.body, words, self._body_encoder()).encode()
        return None, None

    def _body_encoder(self) -> Encoder:
        written = _content_type(self.headers).partition(";")[0].strip().lower()
        return next((encode for end, encode in BODY_ENCODERS.items() if written.endswith(end)), _as_it_is)

    def fixed_headers(self) -> Mapping[str, str]:
        """Return the headers that do not depend on a text, such as the credentials."""
        return {name: value for name, value in self.headers.items() if not _PLACEHOLDER.search(value)}

    def strings(self) -> Iterator[str]:
        """Yield every string that may hold placeholders."""
        for part in (self.url, self.headers, self.json, self.form, self.query, self.body):
            yield from _strings_within(part)


def _header(name: str, value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError(f"the header {name} cannot hold a line break or another control character")
    return value


def _content_type(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "content-type"), "")


def template_faults(template: RequestTemplate) -> Iterator[str]:
    """Yield what is wrong with a template, each a sentence that starts with its key."""
    yield from _address_faults(template.url)
    if sum(part is not None for part in (template.json, template.form, template.body)) > 1:
        yield "json, form, body: a request has one of them. Take the others out."
    said = {name.removesuffix("_digits") for string in template.strings() for name in _PLACEHOLDER.findall(string)}
    for name in ("to", "text"):
        if name not in said:
            yield f"json, form, query, body: nothing says {{{name}}}. Put it where the gateway expects it."
    for header in template.headers:
        if not _TOKEN.fullmatch(header):
            yield f"headers: {header!r} is not the name of a header. It has letters, digits and hyphens."


def _address_faults(url: str) -> Iterator[str]:
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield "url: this is not an address. Write it as http://host:port/path or https://…"
    if _PLACEHOLDER.search(parts.netloc):
        yield "url: a placeholder cannot stand in the host. Put it into the path, the query or the body."
    if not url.isascii() or not url.isprintable() or " " in url:
        yield "url: it holds a space or a character that addresses cannot hold. Write a space as %20."


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for "http://host:port/"
    except ValueError:
        return urlsplit("")
    return parts


def _without_credentials(url: str) -> str:
    parts = _split(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _shown(url: str) -> str:
    """Return the address as people may see it: queries hold passwords, and paths the filled-in text."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _authorizations(url: str, basic_auth: tuple[str, str] | None, bearer: str | None) -> list[str]:
    """Return the values of the Authorization header that the configuration asks for."""
    parts = _split(url)
    in_url = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    basic = [base64.b64encode(":".join(pair).encode()).decode() for pair in (in_url, basic_auth) if pair]
    return [f"Basic {value}" for value in basic] + ([f"Bearer {bearer}"] if bearer else [])


class Reference:
    """Finds the gateway's id of a text in its answer: by a dotted path into JSON, or by `/regular expression/`."""

    def __init__(self, written: str | None) -> None:
        is_pattern = written is not None and len(written) > 2 and written[0] == written[-1] == "/"
        self._pattern = re.compile(written[1:-1]) if written is not None and is_pattern else None
        self._paths = (written,) if written is not None else USUAL_REFERENCES

    def find(self, answer: bytes) -> str | None:
        """Return the id, or None where the answer has none; never raises."""
        said = answer.decode("utf-8-sig", errors="replace")
        if self._pattern:
            found = self._pattern.search(said)
            return _as_reference(found[1] if found and found.re.groups else found and found[0])
        content = parsed(said)
        found_ids = (_as_reference(at(content, path)) for path in self._paths)
        return next((found_id for found_id in found_ids if found_id is not None), None)


def _as_reference(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    written = str(value).strip()
    return written if 0 < len(written) <= REFERENCE_LIMIT and written.isprintable() else None


RESULTS: Final[Mapping[str, Meaning]] = MappingProxyType({
    "refused": Meaning(Fate.REFUSED, REFUSED),
    "opted_out": Meaning(Fate.OPTED_OUT, "the number has told it STOP"),
    "unfit": Meaning(Fate.GATEWAY_UNFIT, "it says that it cannot send"),
    "later": Meaning(Fate.NOT_SENT, "it takes no more texts for now"),
})  # fmt: skip
NO_RESULT: Final = Meaning(Fate.UNKNOWN, f"its answer has none of the words in `result`, {MAYBE}")


class Result:
    """What an answer says in words, beside its status."""

    def __init__(self, path: str, accepted: Iterable[str], others: Mapping[str, Iterable[str]]) -> None:
        """`others` is from a key of `RESULTS` to its words."""
        self._path = Reference(path)
        self._accepted = {word.casefold() for word in accepted}
        self._meanings = {word.casefold(): RESULTS[key] for key, words in others.items() for word in words}

    def meaning(self, body: bytes, *, is_success: bool) -> Meaning | None:
        """Return what a word of failure means; None for acceptance, and where a failure says no word that is known."""
        word = (self._path.find(body) or "").casefold()
        if word in self._meanings:
            meaning = self._meanings[word]
            return Meaning(meaning.fate, meaning.words, word[:40])
        return NO_RESULT if is_success and word not in self._accepted else None


class Template:
    """The dialect that the configuration writes itself."""

    def __init__(
        self,
        template: RequestTemplate,
        *,
        where: str,
        success: Collection[int] | None,
        reference: Reference,
        sender_for: Callable[[E164 | None], E164 | None],
        result: Result | None = None,
        hooks: Hooks | None = None,
        hook_url: str | None = None,
    ) -> None:
        self.where = where
        self._template, self._success, self._reference, self._sender_for = template, success, reference, sender_for
        self._result, self._hooks, self._hook_url = result, hooks, hook_url

    def request(self, text: OutboundText, *, now: datetime) -> Request:
        sender = self._sender_for(text.sender) or ""
        words = {"to": text.to, "from": sender, "text": text.body, "id": text.id, "hook_url": self._hook_url or ""}
        return self._template.fill(words | {f"{name}_digits": words[name].lstrip("+") for name in ("to", "from")})

    def outcome(self, answer: Answer) -> Accepted | Meaning:
        is_success = answer.status in self._success if self._success is not None else 200 <= answer.status <= 299
        said = self._result.meaning(answer.body, is_success=is_success) if self._result is not None else None
        if said is not None:
            return said
        return Accepted(reference=self._reference.find(answer.body)) if is_success else by_status(answer.status)

    def read_hook(self, hook: Hook, *, now: datetime) -> Heard:
        if self._hooks is None:
            raise HookRefused("This gateway has no webhook.", status=403)
        return self._hooks.read(hook, now=now)


class HttpGateway(WebGateway):
    """A gateway that takes a text as one HTTP request of the shop's own writing."""

    def __init__(
        self,
        *,
        name: str,
        url: str,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, object] | None = None,
        form: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        body: str | None = None,
        basic_auth: tuple[str, str] | None = None,
        bearer: str | None = None,
        success: Collection[int] | None = None,
        reference: str | None = None,
        timeout: timedelta = DEFAULT_TIMEOUT,
        sender_for: Callable[[E164 | None], E164 | None] = lambda _called: None,
        result: Result | None = None,
        hooks: Hooks | None = None,
        hook_url: str | None = None,
        poll: List | None = None,
    ) -> None:
        """Raise TextbackdError with every fault of the template, a sentence per line.

        `success` None is every 2xx. `reference` is a dotted path (`messages.0.id`) or a `/regular expression/`.
        `sender_for` chooses the number of ours to send from by the one that was called.
        """
        authorizations = _authorizations(url, basic_auth, bearer)
        template = RequestTemplate(
            method=method.upper(),
            url=_without_credentials(url),
            headers=_authorized(headers or {}, authorizations),
            json=_json_or_default(url, json, form=form, query=query, body=body, headers=headers),
            form=form,
            query=query,
            body=body,
        )
        _check(name, template, reference, authorizations, headers or {})
        found = Reference(reference)
        dialect = Template(
            template,
            where=_shown(url),
            success=success,
            reference=found,
            sender_for=sender_for,
            result=result,
            hooks=hooks,
            hook_url=hook_url,
        )
        if poll is None:
            super().__init__(name=name, dialect=dialect, timeout=timeout)
        else:
            asked = poll.with_headers(template.fixed_headers())
            super().__init__(name=name, dialect=dialect, timeout=timeout, polls=(asked,), poll_every=poll.every)


def build(name: str, section: config.HttpGateway, lent: Lent) -> HttpGateway:
    """Return the gateway of a section. Raises TextbackdError with every fault of its template."""
    auth = section.basic_auth
    return HttpGateway(
        name=name,
        url=section.url,
        method=section.method,
        headers=section.headers,
        json=section.json_body,
        form=section.form,
        query=section.query,
        body=section.body,
        basic_auth=(auth.username, auth.password.get_secret_value()) if auth else None,
        bearer=section.bearer.get_secret_value() if section.bearer else None,
        success=section.success_statuses(),
        reference=section.reference,
        timeout=section.timeout,
        sender_for=section.sender_for,
        result=_result(section.result) if section.result else None,
        hooks=Hooks(section) if section.webhook else None,
        hook_url=lent.hook_url,
        poll=List(section.poll) if section.poll else None,
    )


def _result(section: ResultSection) -> Result:
    return Result(section.path, section.accepted, {key: getattr(section, key) for key in RESULTS})


def _check(
    name: str,
    template: RequestTemplate,
    reference: str | None,
    authorizations: list[str],
    headers: Mapping[str, str],
) -> None:
    faults = list(template_faults(template))
    written = sum(key.lower() == "authorization" for key in headers)
    if len(authorizations) + written > 1:
        faults.append("basic_auth, bearer: the credentials are given more than once. Keep one of them.")
    try:
        Reference(reference)
    except re.error as exc:
        faults.append(f"reference: this regular expression cannot be read: {exc}.")
    if faults:
        raise TextbackdError("\n".join(f"gateways.{name}.{fault}" for fault in faults))


def _authorized(headers: Mapping[str, str], authorizations: list[str]) -> Mapping[str, str]:
    return {**headers, "Authorization": authorizations[0]} if authorizations else headers


def _json_or_default(url: str, json: Mapping[str, object] | None, **elsewhere: object) -> Mapping[str, object] | None:
    """Return `json`, or `DEFAULT_JSON` where nothing in the configuration speaks of the text."""
    said = [url, *(string for part in elsewhere.values() for string in _strings_within(part))]
    is_silent = not any(_PLACEHOLDER.search(string) for string in said)
    return DEFAULT_JSON if json is None and elsewhere["body"] is None and is_silent else json
