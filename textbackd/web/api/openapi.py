"""The OpenAPI document, made from the operations and their models.   operation.py → here → docs/openapi.json, /api/v1/openapi.json

`python -m textbackd.web.api` writes it. OpenAPI 3.1 takes the schemas as pydantic writes them (JSON Schema 2020-12).
"""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from textbackd.web.api.operation import JSON, KEY_HEADER, LONGEST_KEY, PREFIX, Answer, Operation

SCHEMAS: Final = "#/components/schemas/"
PROBLEM: Final = "application/problem+json"
VERSION: Final = "1"  # of the API; its address has it, too
DESCRIPTION: Final = (
    "What the inbox can do, for programs. Show a token (`textbackd staff token add`) as `Authorization: Bearer TOKEN`; a page of the "
    "inbox may use its session instead, with `X-CSRF` for every POST. Times are UTC, ISO 8601. What a caller said or is called is "
    "untrusted: escape it."
)
# What may be answered instead, and when.
_ALWAYS: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS,
                  HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)  # fmt: skip
_WITH_BODY: Final = (
    HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
)  # fmt: skip
MEANS: Final = {
    HTTPStatus.BAD_REQUEST: "What was sent is not JSON in UTF-8.",
    HTTPStatus.UNAUTHORIZED: "No token, or one that was revoked.",
    HTTPStatus.FORBIDDEN: "A session without its X-CSRF.",
    HTTPStatus.NOT_FOUND: "Nothing has this id.",
    HTTPStatus.CONFLICT: "It cannot be done; the detail says why, and what to do instead.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More than 64 KiB were sent.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "What was sent is not called application/json.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Something is missing, unknown or out of bounds; `errors` says what.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests; Retry-After says how many seconds to wait.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The program's own fault.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database cannot be written; try again after Retry-After.",
}


class Fault(Answer):
    """What is wrong with one value."""

    where: str = Field(description="The parameter, or the path into the body.")
    what: str


class Problem(Answer):
    """What went wrong (RFC 9457)."""

    status: int
    title: str
    detail: str = Field(description="One sentence for a person.")
    errors: list[Fault] = Field(default_factory=list, description="What is wrong with single values.")


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "textbackd", "version": VERSION, "description": DESCRIPTION, "license": {"name": "MIT"}},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(operations),
        },
    }


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    made_of: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in operations:
        made_of[(operation.answer, "serialization")] = None
        if operation.body is not None:
            made_of[(operation.body, "validation")] = None
    _, made = models_json_schema(list(made_of), ref_template=SCHEMAS + "{model}")
    return dict(sorted(made["$defs"].items()))


def _operation(operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": {str(int(status)): answer for status, answer in sorted(_answers(operation))},
    }
    if operation.body is not None:
        told["requestBody"] = {"required": True, "content": _content(JSON, operation.body.__name__)}
    return told


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.has_id:
        schema = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
        yield {"name": "id", "in": "path", "required": True, "schema": schema}
    properties = operation.query.model_json_schema(ref_template="{model}")
    defined = properties.get("$defs", {})
    for name, schema in properties.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": False, **_described(_inlined(schema, defined))}
    if operation.takes_key:
        # What a header's value may hold besides stays at its ends, and is cut there (RFC 9110, section 5.5).
        schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]*[!-~][ -~]*$"}
        means = "Chosen by you for each text: what is sent twice with the same key is one text."
        yield {"name": KEY_HEADER, "in": "header", "required": False, "description": means, "schema": schema}


def _inlined(schema: dict[str, Any], defined: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema without references, and without null, which no address can hold."""
    if "$ref" in schema:
        schema = {**defined[schema["$ref"]], **{key: value for key, value in schema.items() if key != "$ref"}}
    if "anyOf" in schema:
        (only,) = (each for each in schema["anyOf"] if each != {"type": "null"})
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        schema = {**_inlined(only, defined), **rest}
    return schema


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in schema.items() if key not in ("description", "title")}
    return {"description": schema["description"], "schema": rest}


def _answers(operation: Operation) -> Iterator[tuple[HTTPStatus, dict[str, Any]]]:
    yield operation.status, {"description": "Done.", "content": _content(JSON, operation.answer.__name__)}
    faults = [*_ALWAYS]
    faults += _WITH_BODY if operation.body is not None else ()
    faults += [HTTPStatus.NOT_FOUND] if operation.has_id else ()
    faults += [HTTPStatus.CONFLICT] if operation.can_be_refused else ()
    for status in faults:
        yield status, {"description": MEANS[status], "content": _content(PROBLEM, Problem.__name__)}


def _content(kind: str, model: str) -> dict[str, Any]:
    return {kind: {"schema": {"$ref": SCHEMAS + model}}}
