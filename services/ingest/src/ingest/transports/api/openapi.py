"""The OpenAPI 3.1 document of `ingest api`, made of its operations and of the models that they answer with."""

import inspect
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ingest.formats.json.native import NativeBatch, NativeUpdate
from ingest.intake.orders import OrderRequest
from ingest.transports.api.app import OPERATIONS, PROBLEMS, Operation, ProblemDocument

PATH_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/wire/{source}": ("The name of the key's source", {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"}),
    "/v1/items/{id}": ("The update's id", {"type": "string", "pattern": "^[a-z2-7]{26}$"}),
    "/v1/updates/{id}/orders": ("The update's id", {"type": "string", "pattern": "^[a-z2-7]{26}$"}),
    "/v1/originals/{id}": ("The original's id", {"type": "string", "format": "uuid"}),
}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _body(takes: Any) -> dict[str, Any]:
    if takes == "wire":
        described = {"schema": {"type": "string", "format": "binary"}}
        return {
            "required": True,
            "description": "A document of any format that is read; recognised from its content where the type does not say.",
            "content": {"*/*": described},
        }
    if takes == "native":
        one = _ref(NativeUpdate)
        schema: Mapping[str, Any] = {"anyOf": [one, {"type": "array", "items": one}, _ref(NativeBatch)]}
    else:
        schema = _ref(takes)
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _operation(each: Operation) -> dict[str, Any]:
    sentence = inspect.cleandoc(each.handler.__doc__ or "").partition(": ")[2]
    responses: dict[str, Any] = {
        str(status): {
            "description": {202: "Kafka has it", 207: "Some of it was taken"}.get(status, "As asked"),
            "content": {"application/json": {"schema": _ref(model)}},
        }
        for status, model in each.answers.items()
    }
    for status in sorted(each.problems):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    described: dict[str, Any] = {
        "operationId": each.handler.__name__,
        "summary": sentence[:1].upper() + sentence[1:].replace("\n", " "),
        "responses": responses,
    }
    if (parameter := PATH_PARAMETERS.get(each.path)) is not None:
        name = re.findall(r"{(\w+)}", each.path)[0]
        described["parameters"] = [
            {"name": name, "in": "path", "required": True, "description": parameter[0], "schema": parameter[1]}
        ]
    if each.path == "/v1/items":
        described["parameters"] = [{"name": "guid", "in": "query", "required": True, "schema": {"type": "string"}}]
    if each.takes == "wire":
        described["security"] = [{"key": []}, {"header": []}, {"signature": []}]
    if each.takes is not None:
        described["requestBody"] = _body(each.takes)
    return described


@cache
def document() -> Mapping[str, Any]:
    """The whole document."""
    answers = {model for each in OPERATIONS for model in each.answers.values()} | {ProblemDocument}
    taken: list[type[BaseModel]] = [NativeUpdate, NativeBatch, OrderRequest]
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(answers, key=lambda model: model.__name__)]
        + [(model, "validation") for model in taken],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method] = _operation(each)
    retry = {
        "Retry-After": {"description": "Seconds", "schema": {"type": "integer"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Slugline ingest",
            "version": version("slugline-ingest"),
            "description": "Takes copy in from wires and desks.",
        },
        "security": [{"key": []}, {"header": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "webhook-signature",
                    "description": "Standard Webhooks, with webhook-id and webhook-timestamp",
                },
            },
            "responses": {
                f"Problem{status}": {
                    "description": description,
                    "content": {"application/problem+json": {"schema": _ref(ProblemDocument)}},
                    **({"headers": retry} if status in (429, 503) else {}),
                }
                for status, description in PROBLEMS.items()
            },
            "schemas": schemas["$defs"],
        },
    }
