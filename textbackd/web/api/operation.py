"""One thing that a program can ask for, as data; and how it is answered.   routes.py → here → the handlers

A handler gets what it asked for, checked, and returns a model. Everything else is here: the pace of each program, reading what came in, and
telling what is wrong with it (RFC 9457), always in a sentence for a person.
"""

import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPMethod, HTTPStatus
from math import ceil
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from textbackd.flow.desk import Refused
from textbackd.web.access import auth
from textbackd.web.health import VITALS, Vitals
from textbackd.web.pace import Pace
from textbackd.web.shop import SHOP, Shop

log = logging.getLogger(__name__)

PREFIX: Final = "/api/v1"
JSON: Final = "application/json"
PACE: Final = web.AppKey("pace", Pace)
# A program that looks every few seconds never notices; one that runs wild leaves the machine to calls and texts.
OF_A_PROGRAM: Final = (200, timedelta(seconds=0.1))
MOST_FAULTS: Final = 20  # told of one request

TOO_OFTEN: Final = "Too many requests. Wait for the seconds in Retry-After."
NOT_STORED: Final = "The database cannot be written just now. Please try again."
NOT_JSON: Final = "What was sent is not JSON. Send it as application/json, in UTF-8."
NO_BODY: Final = "Nothing can be sent with this. Leave the body empty."
NOT_VALID: Final = "Something in the request is not as it should be; see errors."


class Given(BaseModel):
    """What comes in. An unknown name is a fault, since it would do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """What goes out."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Nothing(Given):
    """No parameters."""


class ToldError(Exception):
    """It cannot be done; with the status and the sentence to tell."""

    def __init__(self, status: HTTPStatus, sentence: str, errors: tuple[Mapping[str, str], ...] = ()) -> None:
        self.status, self.sentence, self.errors = status, sentence, errors
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, checked."""

    shop: Shop
    vitals: Vitals
    visitor: auth.Visitor
    id: int  # from the path; 0 where it names none
    query: Any  # of the operation's `query`
    body: Any  # of the operation's `body`; None without one
    key: str | None  # the Idempotency-Key; None: none was given


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that a program can ask for."""

    method: HTTPMethod
    path: str  # behind the prefix; {id} is a whole number
    name: str  # what OpenAPI calls operationId
    summary: str
    answer: type[Answer]
    handler: Callable[[Asked], Awaitable[Answer]]
    query: type[Given] = Nothing
    body: type[Given] | None = None
    takes_key: bool = False  # an Idempotency-Key makes sending it twice harmless
    can_be_refused: bool = False  # with 409 and a sentence
    status: HTTPStatus = HTTPStatus.OK

    @property
    def has_id(self) -> bool:
        """Return whether the path names something that may not be there."""
        return "{id}" in self.path

    def route(self) -> web.RouteDef:
        """Return the route."""
        path = PREFIX + self.path.replace("{id}", r"{id:[1-9][0-9]{0,17}}")

        async def handle(request: web.Request) -> web.Response:
            return await _answered(self, request)

        return web.route(self.method, path, handle, name=f"api_{self.name}")


async def _answered(operation: Operation, request: web.Request) -> web.Response:
    wait = request.app[PACE].wait(_whose(request))
    if wait:
        return auth.problem(HTTPStatus.TOO_MANY_REQUESTS, TOO_OFTEN, {"Retry-After": str(ceil(wait))})
    try:
        answer = await operation.handler(await _asked(operation, request))
    except ToldError as told:
        return auth.problem(told.status, told.sentence, errors=told.errors)
    except Refused as refused:
        return auth.problem(HTTPStatus.CONFLICT, str(refused))
    except sqlite3.Error as error:
        log.error("the API cannot reach the database", extra={"operation": operation.name, "error": str(error)})
        return auth.problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_STORED, {"Retry-After": "5"})
    return web.Response(body=answer.model_dump_json().encode(), content_type=JSON, status=operation.status)


def _whose(request: web.Request) -> str:
    """Return what a pace is kept for: a token, however it was written, or a session."""
    visitor = auth.staff_of(request)
    return f"session {visitor.session}" if visitor.token is None else f"token {visitor.token}"


async def _asked(operation: Operation, request: web.Request) -> Asked:
    return Asked(
        shop=request.app[SHOP],
        vitals=request.app[VITALS],
        visitor=auth.staff_of(request),
        id=int(request.match_info.get("id", "0")),
        query=_query(operation, request),
        body=await _body(operation, request),
        key=_key(request) if operation.takes_key else None,
    )


def _query(operation: Operation, request: web.Request) -> Given:
    twice = sorted({name for name in request.query if len(request.query.getall(name)) > 1})
    if twice:
        raise ToldError(HTTPStatus.UNPROCESSABLE_ENTITY, NOT_VALID, (_fault(twice[0], "it is given twice"),))
    try:
        return operation.query.model_validate(dict(request.query))
    except ValidationError as error:
        raise _invalid(error) from error


async def _body(operation: Operation, request: web.Request) -> Given | None:
    if "Content-Encoding" in request.headers:  # it may be a bomb
        raise ToldError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, NOT_JSON)
    written = await request.read()
    if operation.body is None:
        if written.strip() not in (b"", b"{}"):
            raise ToldError(HTTPStatus.UNPROCESSABLE_ENTITY, NO_BODY)
        return None
    if request.content_type != JSON:
        raise ToldError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, NOT_JSON)
    try:
        return operation.body.model_validate_json(written.decode(), strict=True)
    except UnicodeDecodeError:
        raise ToldError(HTTPStatus.BAD_REQUEST, NOT_JSON) from None
    except ValidationError as error:
        is_json = all(fault["type"] != "json_invalid" for fault in error.errors(include_url=False))
        raise _invalid(error) if is_json else ToldError(HTTPStatus.BAD_REQUEST, NOT_JSON) from error


def _invalid(error: ValidationError) -> ToldError:
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FAULTS]
    told = tuple(_fault(".".join(map(str, fault["loc"])), fault["msg"]) for fault in faults)
    return ToldError(HTTPStatus.UNPROCESSABLE_ENTITY, NOT_VALID, told)


def _fault(where: str, what: str) -> Mapping[str, str]:
    """Return one fault; a name that somebody else chose is shown as far as it can be."""
    shown = json.dumps(where)[1:-1]
    return {"where": shown[:100], "what": what}


def _key(request: web.Request) -> str | None:
    """Return the Idempotency-Key (draft-ietf-httpapi-idempotency-key-header)."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        what = f"it has to have 1 to {LONGEST_KEY} printable ASCII characters"
        raise ToldError(HTTPStatus.UNPROCESSABLE_ENTITY, NOT_VALID, (_fault(KEY_HEADER, what),))
    return key


KEY_HEADER: Final = "Idempotency-Key"
LONGEST_KEY: Final = 200
