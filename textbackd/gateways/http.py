"""Send a text by one HTTP request, written as the shop's gateway wants it.   flow/texts_out → here → any HTTP gateway

The request is a template of the configuration; the answer's status says what became of the text (`BY_STATUS`,
`BY_HUNDRED`). Without an answer it is the moment that counts: before the first byte of the request could leave, nothing
was sent; afterwards nobody knows. Redirects are not followed, connections not reused and requests never repeated: one
send is one request at most.
"""

import asyncio
import base64
import json as json_format
import os
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType, SimpleNamespace
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit, urlunsplit
from xml.sax.saxutils import escape as xml_escape

import aiohttp
from yarl import URL

from textbackd import __version__
from textbackd.core.phone import E164
from textbackd.errors import TextbackdError
from textbackd.gateways.base import (
    Accepted,
    Arrival,
    Fate,
    Health,
    OutboundText,
    SendFailed,
)

DEFAULT_TIMEOUT: Final = timedelta(seconds=30)
DEFAULT_JSON: Final = MappingProxyType({"to": "{to}", "from": "{from}", "text": "{text}", "id": "{id}"})
ANSWER_LIMIT: Final = 65_536  # bytes read of an answer; a gateway's id stands in far fewer, and memory is the shop's
REFERENCE_LIMIT: Final = 200  # characters; the longest id seen (Amazon) has 36, a page of HTML is none
# Where gateways put their id of a text when the configuration does not say.
USUAL_REFERENCES: Final = (
    *("id", "message_id", "messageId", "message-id", "sid", "uuid", "data.id", "message.id", "message_uuid.0"),
    *("messages.0.id", "messages.0.message_id", "messages.0.message-id", "data.0.id"),
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer's status says of the text."""

    fate: Fate
    words: str


_MAYBE: Final = "the text may have gone out"
_REFUSED: Final = "it refuses this text"
_MOVED: Final = "redirects are not followed with a text, put the final address into `url`"
BY_STATUS: Final = MappingProxyType({
    # "An indirect response to the original request" (RFC 9110 §15.4.4): it may have done the work.
    303: Meaning(Fate.UNKNOWN, _MAYBE),
    401: Meaning(Fate.GATEWAY_UNFIT, "it does not accept the credentials"),
    402: Meaning(Fate.GATEWAY_UNFIT, "the account has no credit"),
    403: Meaning(Fate.GATEWAY_UNFIT, "these credentials may not send"),
    # The standard means the server's wait for us, programs also mean their own wait for others (RFC 9110 §15.5.9).
    408: Meaning(Fate.UNKNOWN, _MAYBE),
    # How a gateway that knows our id says that it has this text already (android-sms-gateway).
    409: Meaning(Fate.UNKNOWN, _MAYBE),
    429: Meaning(Fate.NOT_SENT, "it takes no more texts for now"),
})  # fmt: skip
BY_HUNDRED: Final = MappingProxyType({
    2: Meaning(Fate.UNKNOWN, "that is none of the `success` statuses, " + _MAYBE),
    3: Meaning(Fate.GATEWAY_UNFIT, _MOVED),
    4: Meaning(Fate.REFUSED, _REFUSED),
    5: Meaning(Fate.UNKNOWN, _MAYBE),
})  # fmt: skip
_ODD: Final = Meaning(Fate.UNKNOWN, _MAYBE)
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}

_NO_CONNECTION: Final = "there is no connection to it"
# The first class that fits. The library's own sentences hold the whole address with its query, so they are not shown.
WHY_NO_ANSWER: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "its name is not found in the DNS"),
    (aiohttp.ClientConnectorCertificateError, "its TLS certificate is not trusted"),
    (aiohttp.ClientSSLError, "it does not agree on TLS"),
    (aiohttp.ClientConnectorError, _NO_CONNECTION),
    (TimeoutError, "it did not answer in time"),
    (aiohttp.ClientResponseError, "what it answered is not HTTP"),
    (aiohttp.InvalidURL, "its address is not valid"),
    (Exception, "the connection broke before an answer came"),
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
_PLACEHOLDER: Final = re.compile(r"\{(to|from|text|id)\}")
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
    return value == "{from}" and not words["from"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, ready to go."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


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
    said = {name for string in template.strings() for name in _PLACEHOLDER.findall(string)}
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
        content = _parsed(said)
        found_ids = (_as_reference(_at(content, path)) for path in self._paths)
        return next((found_id for found_id in found_ids if found_id is not None), None)


def _parsed(answer: str) -> object:
    try:
        return json_format.loads(answer)
    # A few thousand opening brackets are enough for the second.
    except (ValueError, RecursionError):
        return None


def _at(content: object, path: str) -> object:
    for step in path.split("."):
        if isinstance(content, Mapping):
            content = content.get(step)
        elif isinstance(content, list) and step.isdecimal() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content


def _as_reference(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    written = str(value).strip()
    return written if 0 < len(written) <= REFERENCE_LIMIT and written.isprintable() else None


class _NeverTwice(aiohttp.ClientError):
    """Stops the library's own second try."""


@dataclass(slots=True)
class _Attempt:
    """How far one request got."""

    left: bool = False  # the first byte of the request may be on the network


def _watched() -> aiohttp.TraceConfig:
    """Return the trace that notes in an `_Attempt` when the request leaves, and keeps it from leaving twice."""

    async def connecting(_session: object, context: SimpleNamespace, _what: object) -> None:
        # aiohttp repeats a GET, PUT or DELETE once when the connection breaks, also a fresh one (IDEMPOTENT_METHODS).
        if context.trace_request_ctx.left:
            raise _NeverTwice

    async def leaving(_session: object, context: SimpleNamespace, _what: object) -> None:
        context.trace_request_ctx.left = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(connecting)
    # Called before the headers are written, and they go out together with the body: from here on nothing is proved.
    trace.on_request_headers_sent.append(leaving)
    return trace


class HttpGateway:
    """A gateway that takes a text as one HTTP request."""

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
        number: E164 | None = None,
    ) -> None:
        """Raise TextbackdError with every fault of the template, a sentence per line.

        `success` None is every 2xx. `reference` is a dotted path (`messages.0.id`) or a `/regular expression/`.
        `number` is the number of ours that the gateway sends from, for texts that name none.
        """
        self.name = name
        authorizations = _authorizations(url, basic_auth, bearer)
        self._template = RequestTemplate(
            method=method.upper(),
            url=_without_credentials(url),
            headers=_authorized(headers or {}, authorizations),
            json=_json_or_default(url, json, form=form, query=query, body=body, headers=headers),
            form=form,
            query=query,
            body=body,
        )
        self._check(reference, authorizations, headers or {})
        self._reference = Reference(reference)
        self._success = success
        # aiohttp takes 0 for "wait for ever".
        self._timeout = timeout or DEFAULT_TIMEOUT
        self._number = number
        self._where = _shown(url)
        self._health = Health.UNKNOWN
        self._session: aiohttp.ClientSession | None = None
        self._sending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def _check(self, reference: str | None, authorizations: list[str], headers: Mapping[str, str]) -> None:
        faults = list(template_faults(self._template))
        written = sum(name.lower() == "authorization" for name in headers)
        if len(authorizations) + written > 1:
            faults.append("basic_auth, bearer: the credentials are given more than once. Keep one of them.")
        try:
            Reference(reference)
        except re.error as exc:
            faults.append(f"reference: this regular expression cannot be read: {exc}.")
        if faults:
            raise TextbackdError("\n".join(f"gateways.{self.name}.{fault}" for fault in faults))

    async def start(self) -> None:
        """Open the session; connects nowhere."""
        self._session = aiohttp.ClientSession(
            # On a kept connection that the gateway has closed meanwhile, nobody would know how far a request got.
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=self._timeout.total_seconds()),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_watched()],
            # Without unpacking, an answer is never larger than what was read of it.
            headers={"Accept-Encoding": "identity", "User-Agent": f"textbackd/{__version__}"},
            auto_decompress=False,
        )

    async def send(self, text: OutboundText) -> Accepted:
        """Try once. Raises SendFailed; its sentence shows no text, no credentials and no query of the address."""
        session = self._session
        if session is None:
            raise SendFailed(f"{self.name}: the gateway is not started, nothing was sent.", fate=Fate.NOT_SENT)
        request = self._request(text)
        attempt = _Attempt()
        with self._counted():
            try:
                status, answer = await _exchange(session, request, attempt)
            except (aiohttp.ClientError, OSError, ValueError) as exc:
                self._health = Health.DOWN
                # Not `from exc`: its words hold the whole address, and so may a log.
                raise self._unanswered(exc, attempt) from None
        return self._judged(status, answer)

    def _request(self, text: OutboundText) -> Request:
        sender = text.sender or self._number or ""
        try:
            return self._template.fill({"to": text.to, "from": sender, "text": text.body, "id": text.id})
        except UnicodeEncodeError:
            why = "the text holds half a character"
        except ValueError as exc:
            why = str(exc)
        raise SendFailed(f"{self.name}: nothing was sent: {why}.", fate=Fate.NOT_SENT)

    def _unanswered(self, exc: Exception, attempt: _Attempt) -> SendFailed:
        why = _why(exc)
        if attempt.left:
            return SendFailed(f"{self.name}: {_MAYBE}: {self._where} was asked, but {why}.", fate=Fate.UNKNOWN)
        return SendFailed(f"{self.name}: nothing was sent to {self._where}: {why}.", fate=Fate.NOT_SENT)

    def _judged(self, status: int, answer: bytes | None) -> Accepted:
        meaning = BY_STATUS.get(status) or BY_HUNDRED.get(status // 100, _ODD)
        is_success = status in self._success if self._success is not None else 200 <= status <= 299
        if is_success and answer is not None:
            self._health = Health.UP
            return Accepted(reference=self._reference.find(answer))
        if is_success:
            meaning = Meaning(Fate.UNKNOWN, f"its answer broke off, {_MAYBE}")
        self._health = Health.PAUSED if meaning.fate is Fate.GATEWAY_UNFIT else Health.UP
        said = f"{self.name}: {self._where} answered {_named(status)}: {meaning.words}."
        raise SendFailed(said, fate=meaning.fate, code=f"HTTP {status}")

    async def incoming(self) -> AsyncIterator[Arrival]:
        """Yield nothing, for ever."""
        await asyncio.Event().wait()
        yield  # type: ignore[misc]  # never reached; makes this a generator

    def health(self) -> Health:
        """Return UNKNOWN before the first answer, DOWN after none, PAUSED while a person must mend it."""
        return self._health

    async def close(self) -> None:
        """Wait for sends in flight, at most their time-out, and let go. Later sends are refused."""
        session, self._session = self._session, None
        await self._idle.wait()
        if session is not None:
            await session.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._sending += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._sending -= 1
            if not self._sending:
                self._idle.set()


def _why(exc: Exception) -> str:
    words = next(words for kind, words in WHY_NO_ANSWER if isinstance(exc, kind))
    # Errors of TLS and DNS have numbers of their own, which would read as other errors of the system.
    number = exc.errno if isinstance(exc, OSError) and words == _NO_CONNECTION else None
    return f"{words} ({os.strerror(number)})" if number else words


async def _exchange(session: aiohttp.ClientSession, request: Request, attempt: _Attempt) -> tuple[int, bytes | None]:
    """Return the answer's status and content; None where the content broke off or hung. Raises where no status came."""
    async with session.request(
        request.method,
        request.url,
        headers=request.headers,
        data=request.body,
        allow_redirects=False,
        trace_request_ctx=attempt,
    ) as response:
        return response.status, await _content(response)


async def _content(response: aiohttp.ClientResponse) -> bytes | None:
    try:
        return await response.content.readexactly(ANSWER_LIMIT)
    except asyncio.IncompleteReadError as ended:
        return ended.partial
    except (aiohttp.ClientError, OSError):
        return None


def _named(status: int) -> str:
    return f"{status} {_PHRASES[status]}" if status in _PHRASES else str(status)


def _authorized(headers: Mapping[str, str], authorizations: list[str]) -> Mapping[str, str]:
    return {**headers, "Authorization": authorizations[0]} if authorizations else headers


def _json_or_default(url: str, json: Mapping[str, object] | None, **elsewhere: object) -> Mapping[str, object] | None:
    """Return `json`, or `DEFAULT_JSON` where nothing in the configuration speaks of the text."""
    said = [url, *(string for part in elsewhere.values() for string in _strings_within(part))]
    is_silent = not any(_PLACEHOLDER.search(string) for string in said)
    return DEFAULT_JSON if json is None and elsewhere["body"] is None and is_silent else json
