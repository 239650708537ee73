"""JSON documents from files and requests; what is wrong with one is named with its place."""

from typing import TypeVar

import orjson
from pydantic import BaseModel, JsonValue, ValidationError

from shared.failures import Invalid

M = TypeVar("M", bound=BaseModel)


def json_documents(body: bytes) -> list[JsonValue]:
    """The documents of JSON lines, or of one JSON array."""
    try:
        if body.lstrip()[:1] == b"[":
            return list(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise Invalid(f"not JSON: {error}") from error
    documents: list[JsonValue] = []
    for number, line in enumerate(body.splitlines(), 1):
        if line.strip():
            try:
                documents.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise Invalid(f"line {number} is not JSON: {error}") from error
    return documents


def validated(model: type[M], document: object, place: str = "") -> M:
    """The document as a model; `place` is the JSON pointer to it."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(first["msg"], field="/".join([place, *map(str, first["loc"])])) from error
