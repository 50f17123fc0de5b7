"""The settings of any HTTP gateway, by template.   common.py → here → gateways/http.py"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import BasicAuth, WebKind
from textbackd.config.gateways.inward import Incoming, Poll, Reports, Result, Signature
from textbackd.config.section import DEFAULT, Fields, Headers, Listed, Secret, Text, nothing
from textbackd.config.templates import request_template


class HttpGateway(WebKind):
    """Any SMS service that takes a text by one HTTP request.

    `{to}`, `{from}`, `{text}` and `{id}` are filled in, and `${NAME}` from the environment, anywhere in `url`,
    `headers`, `query` and the body; `{to_digits}` and `{from_digits}` are the numbers without their +, `{hook_url}` is
    the whole address of `webhook`. At most one of `json`, `form` and `body` is written.
    """

    type: Literal["http"] = Field(description="Which kind of gateway this is.", examples=["http"])
    url: Annotated[Text, AfterValidator(readers.web_address), AfterValidator(request_template)] = Field(
        repr=False, description="Address of the request.", examples=["http://127.0.0.1:9000/send"]
    )
    method: Literal["GET", "POST", "PUT"] = Field(default="POST", description="HTTP method.")
    headers: Headers = Field(
        default_factory=nothing, repr=False, description="Headers to add.", examples=[{"X-Api-Key": "${SMS_KEY}"}]
    )
    json_body: Fields | None = Field(
        default=None,
        alias="json",
        repr=False,
        description="Body as JSON.",
        examples=[{"to": "{to}", "from": "{from}", "text": "{text}", "id": "{id}"}],
        json_schema_extra={DEFAULT: "as here, if nothing else in the request has a field"},
    )
    form: Fields | None = Field(
        default=None, repr=False, description="Body as a form.", examples=[{"To": "{to}", "Body": "{text}"}]
    )
    query: Fields | None = Field(
        default=None,
        repr=False,
        description="Parameters after the `?` of the address.",
        examples=[{"to": "{to}", "message": "{text}"}],
    )
    body: Annotated[Text, AfterValidator(request_template)] | None = Field(
        default=None,
        repr=False,
        description="Body as it is; its Content-Type under `headers` says how fields are put in.",
        examples=["number={to}&message={text}"],
    )
    basic_auth: BasicAuth | None = Field(
        default=None,
        description="User name and password of HTTP basic authentication.",
        examples=[{"username": "textbackd", "password": "file:sms.password"}],
    )
    bearer: Secret | None = Field(
        default=None, description="Token sent as `Authorization: Bearer …`.", examples=["file:sms.token"]
    )
    success: Listed[Annotated[str, BeforeValidator(readers.status_range)]] = Field(
        default=("200-299",), min_length=1, description="HTTP statuses that mean that the text was accepted."
    )
    reference: Annotated[Text, AfterValidator(readers.reference)] | None = Field(
        default=None,
        description="Where the answer has the gateway's id of the text: a dotted path into JSON, or "
        "`/regular expression/` whose first group it is.",
        examples=["data.id"],
        json_schema_extra={DEFAULT: "the usual places"},
    )

    result: Result | None = Field(default=None, description="What the answer says in words beside its status.")
    poll: Poll | None = Field(default=None, description="A list of texts that came in, to be asked for.")
    receive: Incoming | None = Field(default=None, description="Where a webhook with a text says what.")
    reports: Reports | None = Field(default=None, description="Where a webhook with a delivery report says what.")
    signature: Signature | None = Field(default=None, description="How the gateway signs its webhooks.")
    answer: Text = Field(
        default="", description="What the gateway wants to hear from a webhook, besides 200.", examples=["ok"]
    )

    def success_statuses(self) -> frozenset[int]:
        """Return the HTTP statuses that mean that the text was accepted."""
        return frozenset(status for written in self.success for status in _range(written))


def _range(written: str) -> range:
    first, _, last = written.partition("-")
    return range(int(first), int(last or first) + 1)
