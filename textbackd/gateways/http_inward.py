"""What any HTTP gateway tells, by the names that the configuration gives: webhooks and lists of texts.   http.py → here

Without a signature a webhook is believed for the secret in its address. What came without an id is known by a hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import quote, unquote_plus

from yarl import URL

from textbackd import config
from textbackd.config.gateways.inward import Incoming, Poll, Reports, Signature
from textbackd.gateways.base import Arrival, DeliveryReport, Hook, HookRefused, HookReply, InboundText
from textbackd.gateways.web.dialect import Heard
from textbackd.gateways.web.exchange import LIST_LIMIT, Answer, Request
from textbackd.gateways.web.fields import (
    REFERENCE_LIMIT,
    at,
    fingerprint,
    hook_form,
    hook_json,
    hook_query,
    items_at,
    moment,
    text_at,
)
from textbackd.gateways.web.gateway import DEFAULT_POLL
from textbackd.gateways.web.signatures import base64_mac, mac, require

LONGEST_DETAIL: Final = 100  # characters kept of a status
_ALGORITHMS: Final[Mapping[str, Literal["sha256", "sha1"]]] = {"hmac-sha256": "sha256", "hmac-sha1": "sha1"}


@dataclass(frozen=True, slots=True)
class Told:
    """What one webhook, or one entry of a list, says."""

    content: object = None  # JSON
    fields: Mapping[str, str] = field(default_factory=dict)  # of the form and of the address

    def text(self, name: str | None) -> str:
        """Return what stands under a name, "" where there is nothing."""
        if name is None:
            return ""
        return self.fields[name] if name in self.fields else text_at(self.content, name)

    def reference(self, name: str | None) -> str | None:
        """Return an id under a name, None for what can be none."""
        written = self.text(name).strip()
        return written if 0 < len(written) <= REFERENCE_LIMIT and written.isprintable() else None

    def has(self, name: str | None) -> bool:
        """Return whether something stands under a name that is not false, nothing or empty."""
        return name is not None and bool(self.fields.get(name) or at(self.content, name))

    def count(self, name: str | None) -> int:
        """Return a number under a name, or how long the list there is; words are one thing."""
        found = at(self.content, name) if name is not None else None
        if isinstance(found, list):
            return len(found)
        written = self.text(name).strip()
        return int(written) if written.isdecimal() and len(written) < 4 else int(bool(written))


def told_by(hook: Hook) -> Told:
    """Return what a webhook says, whether in its address, as a form or as JSON. Raises HookRefused."""
    fields = dict(hook_query(hook))
    if hook.body.lstrip()[:1] in (b"{", b"["):
        return Told(hook_json(hook), fields)
    return Told(None, fields | dict(hook_form(hook)))


def text_of(told: Told, names: Incoming, now: datetime) -> InboundText | None:
    """Return the text that came in; None if there is none."""
    sender, body, came_at = told.text(names.sender).strip(), told.text(names.text), moment(told.text(names.at))
    media = told.count(names.media)
    if told.has(names.unless) or not sender or not (body or media):
        return None
    body = unquote_plus(body) if names.encoding == "url" else body
    return InboundText(
        # Without a time of its own, the same words on another day are another text.
        id=told.reference(names.id) or fingerprint(sender, body, came_at or now),
        sender=sender,
        recipient=told.text(names.to) or None,
        body=body,
        received_at=came_at or now,
        media=media,
    )


def report_of(told: Told, names: Reports) -> DeliveryReport | None:
    """Return the delivery report; None if there is none."""
    status, reference, ours = told.text(names.status).strip(), told.reference(names.reference), told.reference(names.id)
    if not status or not (reference or ours):
        return None
    delivered = _is_one_of(status, names.delivered)
    return DeliveryReport(
        reference=reference,
        id=ours,
        recipient=told.text(names.to) or None,
        delivered=delivered,
        final=delivered or _is_one_of(status, names.failed),
        detail="".join(filter(str.isprintable, status))[:LONGEST_DETAIL],
    )


def _is_one_of(status: str, words: Sequence[str]) -> bool:
    return status.casefold() in {word.casefold() for word in words}


class Hooks:
    """The webhooks of one gateway."""

    def __init__(self, section: config.HttpGateway) -> None:
        self._receive, self._reports, self._signature = section.receive, section.reports, section.signature
        self._reply = HookReply(body=section.answer)

    def read(self, hook: Hook, *, now: datetime) -> Heard:
        """Return what a webhook tells. Raises HookRefused."""
        if self._signature is not None:
            _require_signature(hook, self._signature)
        told = told_by(hook)
        arrival = self._arrival(told, now)
        if arrival is None and self._receive is not None and told.has(self._receive.unless):
            return Heard(arrivals=(), reply=self._reply)
        if arrival is None:
            raise HookRefused("The webhook has nothing under the names in `receive` and `reports`.", status=400)
        return Heard(arrivals=[arrival], reply=self._reply)

    def _arrival(self, told: Told, now: datetime) -> Arrival | None:
        report = report_of(told, self._reports) if self._reports is not None else None
        if report is not None and report.final:
            return report
        # Some gateways give a text that came in a status too, "received": it is no report.
        text = text_of(told, self._receive, now) if self._receive is not None else None
        return text if text is not None else report


def _require_signature(hook: Hook, signature: Signature) -> None:
    key, algorithm = signature.secret.get_secret_value(), _ALGORITHMS[signature.algorithm]
    given = hook.headers.get(signature.header.lower(), "").strip()
    bare = given.removeprefix(f"{algorithm}=")  # as GitHub writes it, and many after it
    if signature.encoding == "hex":
        require(bare.lower(), [mac(key, hook.body, algorithm).hex()])
    else:
        require(bare, [base64_mac(key, hook.body, algorithm)])


class List:
    """The list of texts of one gateway, as it is asked for."""

    def __init__(self, section: Poll, headers: Mapping[str, str] | None = None) -> None:
        self._section, self._headers = section, headers or {}
        self.every = section.every or DEFAULT_POLL

    def with_headers(self, headers: Mapping[str, str]) -> "List":
        """Return the list asked with these headers."""
        return List(self._section, headers)

    def poll(self, since: datetime) -> Request:
        written = quote(f"{since:%Y-%m-%dT%H:%M:%SZ}", safe="")
        url = URL(self._section.url.replace("{since}", written), encoded=True)
        return Request(method="GET", url=url, headers=self._headers, most=LIST_LIMIT)

    def polled(self, answer: Answer) -> Sequence[Arrival] | None:
        content = answer.json
        found = at(content, self._section.items) if self._section.items else content
        if not 200 <= answer.status <= 299 or not isinstance(found, list):
            return None
        now = datetime.now(UTC)  # for what has no time of its own
        told = (text_of(Told(item), self._section, now) for item in items_at(content, self._section.items))
        return sorted((text for text in told if text is not None), key=lambda text: text.received_at)
