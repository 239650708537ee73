"""The OpenAPI 3.1 document of a port, from a table of its operations.

FastAPI would make it of its own routing, injection and validation of every request, which our hot answers and hand-written
limits go past; spectree and apispec check requests too, or want a plugin for each framework. Schemas are pydantic's work
(`models_json_schema`); what is left is this file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema

JsonObject = dict[str, JsonValue]
REF = "#/components/schemas/{model}"
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"

Schema = type[BaseModel] | JsonObject
"""A model, whose schema goes to the components and is referred to, or a schema as it is."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation. Those of the path are required."""

    name: str
    place: Literal["path", "query", "header"]
    schema: JsonObject = field(default_factory=lambda: {"type": "string"})
    description: str = ""
    required: bool = False
    example: JsonValue = None


@dataclass(frozen=True, slots=True)
class Content:
    """A body, of a request or a response: its schema for each media type. Without one it has no body."""

    description: str = ""
    content: Mapping[str, Schema] = field(default_factory=dict)
    examples: Mapping[str, JsonValue] = field(default_factory=dict)
    """By media type; what is no string stands in the document as JSON."""


@dataclass(frozen=True, slots=True)
class SharedResponse:
    """A response that the document's components describe, by its name there."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method of a path takes and answers."""

    method: str
    path: str
    summary: str
    responses: Mapping[str, Content | SharedResponse]
    """By status, or by its class (`4XX`)."""
    parameters: Sequence[Parameter] = ()
    body: Content | None = None
    operation_id: str = ""
    description: str = ""
    tags: Sequence[str] = ()
    security: Sequence[str] | None = None
    """Any one of these schemes lets in, an empty name without any; an empty sequence is open to all, None is as the document says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDescription:
    """What a document says beside its operations."""

    title: str
    version: str
    description: str = ""
    server: str = ""
    security: Sequence[str] = ()
    security_schemes: Mapping[str, JsonObject] = field(default_factory=dict)
    responses: Mapping[str, Content] = field(default_factory=dict)
    """Those that operations share."""
    response_headers: Mapping[str, JsonObject] = field(default_factory=dict)
    """Headers of shared responses, by the response's name."""
    models: Sequence[type[BaseModel]] = ()
    """Those that no operation names, but a schema refers to."""
    schemas: Mapping[str, JsonValue] = field(default_factory=dict)
    """Besides those of models."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Groups of operations, with what each is."""


def json_content(schema: Schema, description: str = "") -> Content:
    """A JSON body."""
    return Content(description, {JSON: schema})


def ref(name: str) -> JsonObject:
    """A reference to a schema of the components."""
    return {"$ref": REF.format(model=name)}


def document(api: ApiDescription, operations: Sequence[Operation]) -> JsonObject:
    """The whole document."""
    paths: dict[str, JsonValue] = {}
    for operation in operations:
        methods = paths.setdefault(operation.path, {})
        assert isinstance(methods, dict)  # noqa: S101 -- made a line above
        methods[operation.method.lower()] = _operation(operation)
    info: JsonObject = {"title": api.title, "version": api.version}
    if api.description:
        info["description"] = api.description
    components: JsonObject = {"schemas": {**_model_schemas(_models(api, operations)), **api.schemas}}
    if api.security_schemes:
        components["securitySchemes"] = dict(api.security_schemes)
    if api.responses:
        components["responses"] = {
            name: {**_content(response), **_headers(api.response_headers.get(name))}
            for name, response in api.responses.items()
        }
    made: JsonObject = {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}
    if api.server:
        made["servers"] = [{"url": api.server}]
    if api.tags:
        made["tags"] = [{"name": name, "description": description} for name, description in api.tags.items()]
    if api.security:
        made["security"] = _security(api.security)
    return made


def _operation(operation: Operation) -> JsonObject:
    made: JsonObject = {
        "summary": operation.summary,
        "responses": {
            status: {"$ref": f"#/components/responses/{response.name}"}
            if isinstance(response, SharedResponse)
            else _content(response)
            for status, response in operation.responses.items()
        },
    }
    if operation.description:
        made["description"] = operation.description
    if operation.tags:
        made["tags"] = list(operation.tags)
    if operation.operation_id:
        made["operationId"] = operation.operation_id
    if operation.parameters:
        made["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body is not None:
        made["requestBody"] = {"required": True, **_content(operation.body)}
    if operation.security is not None:
        made["security"] = _security(operation.security)
    return made


def _parameter(parameter: Parameter) -> JsonObject:
    made: JsonObject = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required or parameter.place == "path",
        "schema": parameter.schema,
    }
    if parameter.description:
        made["description"] = parameter.description
    if parameter.example is not None:
        made["example"] = parameter.example
    return made


def _content(content: Content) -> JsonObject:
    made: JsonObject = {}
    if content.description:
        made["description"] = content.description
    if content.content:
        made["content"] = {
            media_type: {
                "schema": _schema(schema),
                **({"example": content.examples[media_type]} if media_type in content.examples else {}),
            }
            for media_type, schema in content.content.items()
        }
    return made


def _schema(schema: Schema) -> JsonObject:
    return ref(schema.__name__) if isinstance(schema, type) else schema


def _headers(headers: JsonObject | None) -> JsonObject:
    return {"headers": headers} if headers else {}


def _security(schemes: Sequence[str]) -> JsonValue:
    return [{scheme: []} if scheme else {} for scheme in schemes]


def _models(api: ApiDescription, operations: Sequence[Operation]) -> list[type[BaseModel]]:
    contents = [*api.responses.values(), *(operation.body for operation in operations)]
    contents += [each for operation in operations for each in operation.responses.values() if isinstance(each, Content)]
    schemas = [schema for content in contents if content is not None for schema in content.content.values()]
    models = {schema for schema in schemas if isinstance(schema, type)} | set(api.models)
    return sorted(models, key=lambda model: model.__name__)


def _model_schemas(models: Sequence[type[BaseModel]]) -> JsonObject:
    _, made = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    schemas: JsonObject = made.get("$defs", {})
    return schemas
