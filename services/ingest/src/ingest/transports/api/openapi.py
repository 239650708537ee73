"""The OpenAPI document of `ingest api`, made of its operations and of the models that they answer with."""

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version

from ingest.formats.json.native import NativeBatch, NativeUpdate
from ingest.transports.api.app import OPERATIONS, PROBLEMS, ApiOperation, IngestProblem
from shared.http.openapi import (
    PROBLEM_JSON,
    ApiDescription,
    Content,
    JsonObject,
    Operation,
    Parameter,
    SharedResponse,
    json_content,
    ref,
)
from shared.http.openapi import (
    document as openapi_document,
)

UPDATE_ID = Parameter("id", "path", {"type": "string", "pattern": "^[a-z2-7]{26}$"}, "The update's id")
KEY_ID = Parameter("key_id", "path", description="The key's public id")
PARAMETERS: Mapping[tuple[str, str], Sequence[Parameter]] = {
    ("", "/v1/wire/{source}"): [
        Parameter(
            "source",
            "path",
            {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"},
            "The name of the key's source",
        )
    ],
    ("", "/v1/items/{id}"): [UPDATE_ID],
    ("", "/v1/items"): [Parameter("guid", "query", required=True)],
    ("", "/v1/updates/{id}/orders"): [UPDATE_ID],
    ("", "/v1/originals/{id}"): [
        Parameter("id", "path", {"type": "string", "format": "uuid"}, "The original's id"),
    ],
    ("get", "/v1/keys"): [
        Parameter("holder", "query", description="Only the keys of this source"),
        Parameter("ended", "query", {"type": "boolean", "default": False}, "Those that work no longer, too"),
    ],
    ("", "/v1/keys/{key_id}/rotate"): [KEY_ID],
    ("", "/v1/keys/{key_id}"): [KEY_ID],
}
"""By method and path; an empty method is any."""
WIRE = Content(
    "A document of any format that is read; recognised from its content where the type does not say.",
    {"*/*": {"type": "string", "format": "binary"}},
)
NATIVE = json_content(
    {"anyOf": [ref("NativeUpdate"), {"type": "array", "items": ref("NativeUpdate")}, ref("NativeBatch")]}
)
SUCCESSES = {202: "Kafka has it", 207: "Some of it was taken"}
RETRY_AFTER: JsonObject = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}


def _body(operation: ApiOperation) -> Content | None:
    if operation.takes is None:
        return None
    if operation.takes == "wire":
        return WIRE
    return NATIVE if operation.takes == "native" else json_content(operation.takes)


def _described(operation: ApiOperation) -> Operation:
    sentence = inspect.cleandoc(operation.handler.__doc__ or "").partition(": ")[2]
    successes = {
        str(status): Content("Done") if model is None else json_content(model, SUCCESSES.get(status, "As asked"))
        for status, model in operation.answers.items()
    }
    return Operation(
        operation.method,
        operation.path,
        sentence[:1].upper() + sentence[1:].replace("\n", " "),
        successes | {str(status): SharedResponse(f"Problem{status}") for status in sorted(operation.problems)},
        PARAMETERS.get((operation.method, operation.path)) or PARAMETERS.get(("", operation.path), ()),
        _body(operation),
        operation_id=operation.handler.__name__,
        security=("key", "header", "signature") if operation.takes == "wire" else None,
    )


@cache
def document() -> JsonObject:
    """The whole document."""
    api = ApiDescription(
        title="Slugline ingest",
        version=version("slugline-ingest"),
        description="Takes copy in from wires and desks.",
        security=("key", "header"),
        security_schemes={
            "key": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "signature": {
                "type": "apiKey",
                "in": "header",
                "name": "webhook-signature",
                "description": "Standard Webhooks, with webhook-id and webhook-timestamp",
            },
        },
        responses={
            f"Problem{status}": Content(description, {PROBLEM_JSON: IngestProblem})
            for status, description in PROBLEMS.items()
        },
        response_headers={"Problem429": RETRY_AFTER, "Problem503": RETRY_AFTER},
        models=(NativeUpdate, NativeBatch),
    )
    return openapi_document(api, [_described(operation) for operation in OPERATIONS])
