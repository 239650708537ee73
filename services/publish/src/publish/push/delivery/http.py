"""What every channel's HTTP shares: JSON answers, bodies as models, query parameters, and keys."""

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.push.delivery.keys import Key
from shared.access.authentication import Authentication
from shared.audit.author import Author
from shared.http.problem import Problem
from shared.http.query import check_query

MAX_BODY_BYTES = 65_536

QUERIES: dict[tuple[str, str], tuple[str, ...]] = {
    ("GET", "/v1/push/endpoints/{endpoint_id}/deliveries"): ("state", "limit", "before"),
    ("GET", "/v1/push/alerts"): ("state", "limit"),
    ("GET", "/v1/push/mutes"): ("ended", "limit"),
    ("GET", "/v1/keys"): ("holder", "ended"),
    ("GET", "/v1/push/monitor"): ("update_id",),
}
"""The query parameters that are known, by method and path; no other route has any."""

Model = TypeVar("Model", bound=BaseModel)


def json_response(value: object, status: int = 200) -> Response:
    """JSON that no cache keeps."""
    return Response(
        orjson.dumps(value),
        status,
        {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        "application/json",
    )


async def body_bytes(request: Request, most: int = MAX_BODY_BYTES) -> bytes:
    """The body, refused past `most`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Problem(413, "too-large", f"the body is at most {most} bytes")
    return bytes(body)


async def body_model(request: Request, model: type[Model]) -> Model:
    """The body as a model; a Problem that names field and reason where it is none."""
    body = await body_bytes(request)
    try:
        value = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise Problem(400, "not-json", f"the body is not JSON: {error.msg} at byte {error.pos}") from None
    if b"\\u0000" in body:
        raise Problem(422, "not-valid", "NUL is allowed in no field")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise Problem(422, "not-valid", f"{pointer or 'the body'}: {first['msg']}", field=pointer) from None


def number_parameter(request: Request, name: str, default: int | None, most: int) -> int | None:
    """A query parameter that is a whole number."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", given) or not 1 <= int(given) <= most:
        raise Problem(400, "bad-parameter", f"{name}: a whole number from 1 to {most} is needed", field=name)
    return int(given)


class KeyedRoutes:
    """Makes routes that only a key with a certain scope opens."""

    def __init__(self, keys: Authentication) -> None:
        self._keys = keys

    def route(
        self,
        path: str,
        method: str,
        scope: str,
        handler: Callable[[Request, Key], Awaitable[Response]],
    ) -> Route:
        """A route that runs `handler` with the key of the request."""
        query = QUERIES.get((method, path), ())

        async def endpoint(request: Request) -> Response:
            check_query(request, query)
            key = await self._keys.key(request, scope)
            return await handler(request, Key.of(key, Author(key.by, self._keys.wrong.address_of(request))))

        return Route(path, endpoint, methods=[method])
