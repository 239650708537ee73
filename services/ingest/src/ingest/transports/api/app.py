"""The application of `ingest api`: its operations, their routes and their description."""

import functools
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import orjson
from prometheus_client import Histogram
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.intake.deadline import Unavailable
from ingest.intake.orders import OrderReceipt, OrderRequest
from ingest.transports.api import keys, orders, push, status
from ingest.transports.api.authentication import Api
from ingest.transports.api.responses import on_unavailable
from shared.access.routes import KeyList, KeyMade, Revocation, Rotation, WantedKey
from shared.http.problem import PROBLEM_HANDLERS, ProblemDocument
from shared.http.query import check_query, with_query
from shared.http.routing import application
from shared.observability.health import Health, open_health_routes

REQUEST_SECONDS = Histogram(
    "slugline_ingest_request_seconds",
    "Time from a request's arrival to its answer",
    ["route", "status"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)

PROBLEMS: dict[int, str] = {
    400: "Not what it claims to be: malformed, cut short, empty",
    401: "Key missing or wrong",
    403: "Not allowed: another source's, not among the key's scopes, or paused",
    404: "Unknown",
    408: "The body did not arrive in time",
    413: "Larger than the source's limit",
    415: "A type, encoding or format that is not read",
    422: "Understood, and nothing of it could be taken",
    429: "Faster than the source's rate, or too many wrong keys from this address",
    503: "Kafka or Postgres is unavailable. Code `unavailable`: nothing was taken, and nothing will be; send it again. Code `maybe-taken`: "
    "it was in flight when they fell silent; ask GET /v1/items?guid=… (or the status_url of its item) how far it is, or send it "
    "again, which is harmless",
}


class IngestProblem(ProblemDocument):
    """RFC 9457: the one shape of every error."""

    field: str | None = Field(default=None, description="The parameter, header or JSON pointer at fault")
    original: uuid.UUID | None = None
    results: list[push.ItemResult] | None = None


@dataclass(frozen=True)
class ApiOperation:
    """One operation of the API, from which both its route and its description are made."""

    method: Literal["get", "post", "delete"]
    path: str
    handler: Callable[[Api, Request], Awaitable[Response]]
    answers: Mapping[int, type[BaseModel] | None]
    """By status; None where there is no body."""
    problems: tuple[int, ...]
    takes: type[BaseModel] | Literal["native", "wire"] | None = None
    query: tuple[str, ...] = ()
    """The query parameters that it knows."""


PUSH_PROBLEMS = (400, 401, 403, 408, 413, 415, 422, 429, 503)
PUSH_ANSWERS = {202: push.PushReceipt, 207: push.PushReceipt}

OPERATIONS: tuple[ApiOperation, ...] = (
    ApiOperation("post", "/v1/updates", push.push_updates, PUSH_ANSWERS, PUSH_PROBLEMS, "native"),
    ApiOperation("post", "/v1/wire/{source}", push.push_wire, PUSH_ANSWERS, (*PUSH_PROBLEMS, 404), "wire"),
    ApiOperation("get", "/v1/items/{id}", status.item, {200: status.ItemStatus}, (400, 401, 403, 404, 429, 503)),
    ApiOperation(
        "get", "/v1/items", status.item_by_guid, {200: status.ItemStatus}, (400, 401, 403, 404, 429, 503), query=("guid",)
    ),
    ApiOperation("get", "/v1/originals/{id}", status.original, {200: status.OriginalStatus}, (400, 401, 403, 404, 429, 503)),
    ApiOperation(
        "post", "/v1/updates/{id}/orders", orders.order, {202: OrderReceipt},
        (400, 401, 403, 404, 408, 413, 415, 422, 429, 503), OrderRequest,
    ),
    ApiOperation("get", "/v1/keys", keys.keys, {200: KeyList}, (400, 401, 403, 429, 503), query=("holder", "ended")),
    ApiOperation("post", "/v1/keys", keys.make_key, {201: KeyMade}, (400, 401, 403, 413, 422, 429, 503), WantedKey),
    ApiOperation(
        "post", "/v1/keys/{key_id}/rotate", keys.rotate_key, {201: KeyMade},
        (400, 401, 403, 404, 413, 422, 429, 503), Rotation,
    ),
    ApiOperation(
        "delete", "/v1/keys/{key_id}", keys.revoke_key, {204: None},
        (400, 401, 403, 404, 413, 422, 429, 503), Revocation,
    ),
)  # fmt: skip


class RequestTimer:
    """Measures each request; outermost, so that the measure includes everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status_code = 500

        async def note_status(message: Message) -> None:
            nonlocal status_code
            if message["type"] == "http.response.start":
                status_code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            route = scope.get("route")
            path = route.path if isinstance(route, Route) else "unknown"
            REQUEST_SECONDS.labels(path, str(status_code)).observe(time.perf_counter() - started)


def routes_of(api: Api) -> list[BaseRoute]:
    """A route for each operation."""
    return [
        Route(each.path, with_query(functools.partial(each.handler, api), *each.query), methods=[each.method.upper()])
        for each in OPERATIONS
    ]


def build(
    api: Api,
    health: Health,
    openapi: Callable[[], Mapping[str, object]],
    more: tuple[BaseRoute, ...] = (),
) -> ASGIApp:
    """The application of `ingest api`."""

    async def describe(request: Request) -> Response:
        check_query(request)
        return Response(orjson.dumps(openapi()), media_type="application/json")

    routes = [*routes_of(api), *more, Route("/openapi.json", describe), *open_health_routes(health, api.settings)]
    return RequestTimer(application(routes, {**PROBLEM_HANDLERS, Unavailable: on_unavailable}))
