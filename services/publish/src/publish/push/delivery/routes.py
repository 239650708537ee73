"""The HTTP of the push process for those who are pushed to: webhook endpoints, with a key."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.push.delivery import keys
from publish.push.delivery.endpoints import ChangedEndpoint, Endpoints, NewEndpoint
from publish.push.delivery.keys import Key
from shared.http.problem import Problem
from shared.http.query import check_query
from shared.postgres.pool import Pool

MAX_BODY_BYTES = 65_536
MAX_DEPTH = 20

QUERIES: dict[tuple[str, str], tuple[str, ...]] = {
    ("GET", "/v1/push/endpoints/{endpoint_id}/deliveries"): ("state", "limit", "before"),
    ("GET", "/v1/push/alerts"): ("state", "limit"),
    ("GET", "/v1/push/mutes"): ("ended", "limit"),
}
"""The query parameters that are known, by method and path; no other route has any."""

M = TypeVar("M", bound=BaseModel)


def answer(value: Any, status: int = 200) -> Response:
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


async def model_of(request: Request, model: type[M]) -> M:
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


def number_of(request: Request, name: str, default: int | None, most: int) -> int | None:
    """A query parameter that is a whole number."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", given) or not 1 <= int(given) <= most:
        raise Problem(400, "bad-parameter", f"{name}: a whole number from 1 to {most} is needed", field=name)
    return int(given)


class Keyed:
    """Opens routes to holders of a key with a scope."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def key(self, request: Request, scope: str) -> Key:
        """The key of a request."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = await keys.find(self._pool, token.strip()) if scheme.lower() == "bearer" and token.strip() else None
        if found is None:
            raise Problem(
                401, "key", "a key is needed: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"}
            )
        if scope not in found.scopes and "operate" not in found.scopes:
            raise Problem(403, "scope", f"this key does not open {scope}")
        return found

    def route(
        self,
        path: str,
        method: str,
        scope: str,
        act: Callable[[Request, Key], Awaitable[Response]],
    ) -> Route:
        """A route that runs `act` with the key of the request."""
        query = QUERIES.get((method, path), ())

        async def endpoint(request: Request) -> Response:
            check_query(request, query)
            return await act(request, await self.key(request, scope))

        return Route(path, endpoint, methods=[method])


class Since(BaseModel):
    """From when on what was missed is wanted."""

    since: datetime


class EndpointRoutes:
    """`/v1/push/endpoints`: what a consumer of webhooks does for itself."""

    def __init__(self, pool: Pool, endpoints: Endpoints, wake: Callable[[], None]) -> None:
        self._keyed = Keyed(pool)
        self._endpoints = endpoints
        self._wake = wake

    def routes(self) -> list[Route]:
        """Where each is."""
        one = "/v1/push/endpoints/{endpoint_id}"
        return [
            self._keyed.route(path, method, "webhooks", act)
            for path, method, act in (
                ("/v1/push/endpoints", "POST", self.add),
                ("/v1/push/endpoints", "GET", self.all),
                (one, "GET", self.one),
                (one, "PATCH", self.change),
                (one, "DELETE", self.remove),
                (one + "/secret", "GET", self.secret),
                (one + "/secret/rotate", "POST", self.rotate),
                (one + "/test", "POST", self.test),
                (one + "/recover", "POST", self.recover),
                (one + "/deliveries", "GET", self.deliveries),
                (one + "/deliveries/{delivery_id:int}/redeliver", "POST", self.redeliver),
            )
        ]

    async def add(self, request: Request, key: Key) -> Response:
        """Subscribe an endpoint."""
        return answer(await self._endpoints.add(await model_of(request, NewEndpoint), key), 201)

    async def all(self, _: Request, key: Key) -> Response:
        """One's endpoints."""
        return answer({"endpoints": await self._endpoints.all(key)})

    async def one(self, request: Request, key: Key) -> Response:
        """One endpoint and its health."""
        return answer(await self._endpoints.one(request.path_params["endpoint_id"], key))

    async def change(self, request: Request, key: Key) -> Response:
        """Change, disable or activate an endpoint."""
        changes = await model_of(request, ChangedEndpoint)
        changed = await self._endpoints.change(request.path_params["endpoint_id"], changes, key)
        self._wake()
        return answer(changed)

    async def remove(self, request: Request, key: Key) -> Response:
        """End an endpoint."""
        await self._endpoints.remove(request.path_params["endpoint_id"], key)
        return Response(None, 204)

    async def secret(self, request: Request, key: Key) -> Response:
        """The current secret."""
        return answer({"secret": await self._endpoints.secret(request.path_params["endpoint_id"], key)})

    async def rotate(self, request: Request, key: Key) -> Response:
        """A new secret, with an overlap."""
        return answer(await self._endpoints.rotate(request.path_params["endpoint_id"], key))

    async def test(self, request: Request, key: Key) -> Response:
        """Queue a test event."""
        queued = await self._endpoints.test(request.path_params["endpoint_id"], key)
        self._wake()
        return answer(queued, 202)

    async def recover(self, request: Request, key: Key) -> Response:
        """Queue again what was missed since `since`."""
        since = (await model_of(request, Since)).since
        if since.tzinfo is None:
            raise Problem(422, "not-valid", "/since: an offset is needed", field="/since")
        queued = await self._endpoints.recover(request.path_params["endpoint_id"], since, key)
        self._wake()
        return answer(queued, 202)

    async def deliveries(self, request: Request, key: Key) -> Response:
        """The delivery log."""
        state = request.query_params.get("state")
        if state is not None and state not in ("waiting", "delivered", "failed", "skipped"):
            raise Problem(400, "bad-parameter", "state: waiting, delivered, failed or skipped", field="state")
        limit = number_of(request, "limit", 50, 200) or 50
        found = await self._endpoints.deliveries(
            request.path_params["endpoint_id"], key,
            before=number_of(request, "before", None, 2**62), state=state, limit=limit,
        )  # fmt: skip
        return answer({"deliveries": found, "next": found[-1]["id"] if len(found) == limit else None})

    async def redeliver(self, request: Request, key: Key) -> Response:
        """Deliver a message again."""
        delivery_id = request.path_params["delivery_id"]
        if delivery_id > 2**62:
            raise Problem(404, "no-such-delivery", "the log of this endpoint has no such delivery")
        queued = await self._endpoints.redeliver(request.path_params["endpoint_id"], delivery_id, key)
        self._wake()
        return answer(queued, 202)
