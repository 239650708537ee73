"""The documentation page: a short guide, and the API as its OpenAPI document describes it. It is served by us, without a script."""

from collections.abc import Mapping
from functools import cache
from typing import TypeGuard

import orjson
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.web.response_cache import ReadyAnswer
from publish.web.routes.answers import Answers, ReadyResponse
from publish.web.routes.openapi import document
from shared.http.query import with_query

METHODS = ("get", "post", "put", "patch", "delete")
REF = "#/components/schemas/"


class Docs:
    """`/docs` of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self._page = cache(self._render)

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route("/docs", with_query(self.docs))]

    async def docs(self, _: Request) -> Response:
        """`GET /docs`."""
        return ReadyResponse(self._page())

    def _render(self) -> ReadyAnswer:
        site = self.answers.renderer.site
        description = document(site.url)
        groups = [
            {
                "name": tag["name"],
                "description": tag["description"],
                "operations": _operations(description, tag["name"]),
            }
            for tag in _objects(description.get("tags"))
        ]
        components = description["components"]
        schemas = components.get("schemas") if _is_object(components) else None
        body = self.answers.renderer.render(
            "docs.html",
            canonical=f"{site.url}/docs",
            url=site.url,
            groups=groups,
            schemas=[
                _schema(name, schema)
                for name, schema in (sorted(schemas.items()) if _is_object(schemas) else ())
                if _is_object(schema)
            ],
        )
        return self.answers.page(body, channel="")


def _is_object(value: JsonValue) -> TypeGuard[dict[str, JsonValue]]:
    return isinstance(value, dict)


def _objects(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [each for each in value if _is_object(each)] if isinstance(value, list) else []


def _operations(description: Mapping[str, JsonValue], tag: JsonValue) -> list[dict[str, object]]:
    paths = description["paths"]
    assert _is_object(paths)  # noqa: S101 -- for the type checker
    found: list[dict[str, object]] = []
    for path, methods in paths.items():
        for method, operation in methods.items() if _is_object(methods) else ():
            tags = operation.get("tags") if _is_object(operation) else None
            if method in METHODS and _is_object(operation) and isinstance(tags, list) and tag in tags:
                found.append(_operation(method, path, operation))
    return found


def _operation(method: str, path: str, operation: Mapping[str, JsonValue]) -> dict[str, object]:
    responses = operation["responses"]
    return {
        "id": operation.get("operationId"),
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary"),
        "description": operation.get("description", ""),
        "parameters": [
            {
                "name": each["name"],
                "place": each["in"],
                "required": each.get("required"),
                "type": type_of(each.get("schema")),
                "description": each.get("description", ""),
                "example": _plain(each.get("example")),
            }
            for each in _objects(operation.get("parameters"))
        ],
        "responses": [
            {"status": status, "description": response.get("description", ""), "contents": _contents(response)}
            for status, response in (responses.items() if _is_object(responses) else ())
            if _is_object(response)
        ],
    }


def _contents(response: Mapping[str, JsonValue]) -> list[dict[str, object]]:
    content = response.get("content")
    return [
        {"media_type": media_type, "type": type_of(each.get("schema")), "example": _plain(each.get("example"))}
        for media_type, each in (content.items() if _is_object(content) else ())
        if _is_object(each)
    ]


def _schema(name: str, schema: Mapping[str, JsonValue]) -> dict[str, object]:
    properties, required = schema.get("properties"), schema.get("required")
    examples = schema.get("examples")
    return {
        "name": name,
        "description": schema.get("description", ""),
        "type": type_of({key: value for key, value in schema.items() if key != "properties"}),
        "members": [
            {
                "name": member,
                "type": type_of(of_member),
                "required": isinstance(required, list) and member in required,
                "description": of_member.get("description", "") if _is_object(of_member) else "",
            }
            for member, of_member in (properties.items() if _is_object(properties) else ())
        ],
        "example": _plain(examples[0]) if isinstance(examples, list) and examples else "",
    }


def type_of(schema: JsonValue) -> str:
    """A schema in a few words."""
    if not _is_object(schema):
        return ""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return reference.removeprefix(REF)
    for several in ("anyOf", "oneOf", "allOf"):
        parts = schema.get(several)
        if isinstance(parts, list):
            return " | ".join(dict.fromkeys(filter(None, map(type_of, parts))))
    if "const" in schema:
        return _plain(schema["const"])
    return _kind_of(schema)


def _kind_of(schema: Mapping[str, JsonValue]) -> str:
    values, kind = schema.get("enum"), schema.get("type")
    if isinstance(values, list):
        return " | ".join(map(_plain, values))
    if kind == "array":
        return f"{type_of(schema.get('items')) or 'any'}[]"
    return kind if isinstance(kind, str) else ""


def _plain(value: JsonValue) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
