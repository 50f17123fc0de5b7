"""One HTTP request, and how far it got.   gateway.py → here → the network

Without an answer it is the moment that counts: before the first byte of the request could leave, nothing was sent; afterwards
nobody knows. Redirects are not followed, connections not reused and requests never repeated: one call is one request at most.
"""

import asyncio
import base64
import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Final

import aiohttp
from yarl import URL

from textbackd import __version__

LIST_LIMIT: Final = (
    1_048_576  # bytes read of a list: 500 texts of 2 KiB; one that is longer is cut and so not understood
)
ANSWER_LIMIT: Final = 65_536  # bytes read of an answer; a gateway's id stands in far fewer, and memory is the shop's

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, ready to go."""

    method: str
    url: URL
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    most: int = ANSWER_LIMIT  # bytes to read of the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; a large content is cut where the request says."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    whole: bool = True  # False: the content broke off or hung

    @property
    def text(self) -> str:
        """The content, whatever its bytes are."""
        return self.body.decode("utf-8-sig", errors="replace")

    @property
    def json(self) -> object:
        """The content read as JSON; None where it is none."""
        return parsed(self.text)


class NoAnswer(Exception):  # it says what happened
    """No status came back; the words are half a sentence. They hold neither the address nor what was sent."""

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.left = left  # the request may have reached the other side


class _NeverTwice(aiohttp.ClientError):
    """Stops the library's own second try."""


@dataclass(slots=True)
class _Attempt:
    """How far one request got."""

    left: bool = False  # the first byte of the request may be on the network


class Exchange:
    """Makes requests, each on a connection of its own."""

    def __init__(self, timeout: timedelta) -> None:
        """Open the session; connects nowhere. To be called in a running loop."""
        self._session = aiohttp.ClientSession(
            # On a kept connection that the other side has closed meanwhile, nobody would know how far a request got.
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=timeout.total_seconds()),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_watched()],
            # Without unpacking, an answer is never larger than what was read of it.
            headers={"Accept-Encoding": "identity", "User-Agent": f"textbackd/{__version__}"},
            auto_decompress=False,
        )

    async def ask(self, request: Request) -> Answer:
        """Make one request. Raises NoAnswer."""
        attempt = _Attempt()
        try:
            return await self._ask(request, attempt)
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            # Not `from exc`: its words hold the whole address, and so may a log.
            raise NoAnswer(_why(exc), left=attempt.left) from None

    async def _ask(self, request: Request, attempt: _Attempt) -> Answer:
        async with self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            trace_request_ctx=attempt,
        ) as response:
            content = await _content(response, request.most)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status, body=content or b"", headers=headers, whole=content is not None)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()


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


async def _content(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    try:
        return await response.content.readexactly(most)
    except asyncio.IncompleteReadError as ended:
        return ended.partial
    except (aiohttp.ClientError, OSError):
        return None


async def reach(url: URL, patience: timedelta) -> str:
    """Return in half a sentence why nobody can be reached at an address, "" if somebody can. Connects, and says nothing."""
    secure = url.scheme == "https"
    host, port = url.host or "", url.port or 0
    try:
        async with asyncio.timeout(patience.total_seconds()):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context() if secure else None)
    except ssl.SSLCertVerificationError:
        return "its TLS certificate is not trusted"
    except ssl.SSLError:
        return "it does not agree on TLS"
    except socket.gaierror:
        return "its name is not found in the DNS"
    except TimeoutError:
        return "it did not answer in time"
    except OSError as exc:
        return f"{_NO_CONNECTION} ({os.strerror(exc.errno)})" if exc.errno else _NO_CONNECTION
    writer.close()
    return ""


def _why(exc: Exception) -> str:
    words = next(words for kind, words in WHY_NO_ANSWER if isinstance(exc, kind))
    # Errors of TLS and DNS have numbers of their own, which would read as other errors of the system.
    number = exc.errno if isinstance(exc, OSError) and words == _NO_CONNECTION else None
    return f"{words} ({os.strerror(number)})" if number else words


def parsed(text: str) -> object:
    """Return what JSON says; None where it is none."""
    try:
        return json.loads(text)
    # A few thousand opening brackets are enough for the second.
    except (ValueError, RecursionError):
        return None


def basic_auth(username: str, password: str) -> str:
    """Return the value of an Authorization header (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
