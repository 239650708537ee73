"""`ingest api`: copy that is pushed, the desk's orders, and the sender's question where its item is now."""

import math
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import orjson
import structlog
from prometheus_client import Histogram
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ingest.intake import items, orders
from ingest.intake.deadline import OutcomeUnknown, Unavailable
from ingest.intake.items import State
from ingest.intake.orders import OrderGiven
from ingest.intake.receive import DocumentOutcomeUnknown, DocumentRejected, Intake, Receipt, Result, Status
from ingest.settings import Settings
from ingest.sources import signing
from ingest.sources.rate_limit import SourceRateLimit
from ingest.sources.registry import Registry, Source
from ingest.transports.api import idempotency
from ingest.transports.api.body import encoding_of, plain, read_body
from ingest.transports.api.unauthenticated import UnauthenticatedBodies
from shared.http.problem import PROBLEM_HANDLERS, Problem, problem_response
from shared.http.query import check_query, with_query
from shared.http.routing import application
from shared.messages import update_id_for
from shared.observability.health import Health, health_routes

log = structlog.get_logger(__name__)

T = TypeVar("T")

UPDATE_ID = re.compile(r"[a-z2-7]{26}")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
JSON_TYPE = re.compile(r"(application|text)/([a-z0-9.+-]+\+)?json", re.IGNORECASE)
KEPT_HEADERS = frozenset(
    ["content-type", "content-encoding", "content-length", "user-agent", "date", "last-modified", "webhook-id"]
)
RETRY_AFTER_S = 2
MAX_ORDER_BYTES = 1_048_576
STATUS_OF_CODE = {
    "unknown-format": 415,
    "too-large": 413,
    "too-many-items": 413,
    "too-slow-to-read": 413,
    "reader-crashed": 413,
}

REQUEST_SECONDS = Histogram(
    "slugline_ingest_request_seconds",
    "Time from a request's arrival to its answer",
    ["route", "status"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)


class ItemResult(BaseModel):
    """What became of one item of a document."""

    index: int = Field(description="Its place in the document, from 0")
    status: Status
    id: str | None = Field(default=None, description="The update's id: the same for every version of it")
    guid: str | None = None
    code: str | None = Field(
        default=None,
        description="Stable, kebab case; where it was not taken. Of an error: `not-acknowledged` (it was not taken and will "
        "not be) or `maybe-taken` (Kafka may have it); both may be sent again",
    )
    pointer: str | None = Field(default=None, description="JSON pointer, XPath or line of what is at fault")
    reason: str | None = None
    status_url: str | None = Field(
        default=None,
        description="Where to ask how far it is: a path of this API, with its address where INGEST_PUBLIC_URL names one",
    )


class PushReceipt(BaseModel):
    """What became of a document: every item of it is told of."""

    original: uuid.UUID = Field(description="The bytes as received are kept under this id")
    format: str
    accepted: int
    duplicate: int
    failed: int
    results: list[ItemResult]


class VersionStatus(BaseModel):
    """One version of an update and how far it came."""

    state: State = Field(description="`unacknowledged`: Kafka was given it and may have it; its sender was told so")
    fingerprint: str
    version: str | None = None
    version_created: datetime | None = None
    received_at: datetime | None = None
    emitted_at: datetime | None = Field(default=None, description="When Kafka had it")
    held_at: datetime | None = None
    enriched_at: datetime | None = None
    published_at: datetime | None = None
    ended_at: datetime | None = Field(
        default=None, description="When it was set aside as duplicate, superseded, suppressed or dead"
    )
    reason: str
    revision: int | None = None
    position: str | None = Field(default=None, description="The cursor of its publication")
    original: uuid.UUID | None = None
    original_index: int | None = None


class ItemStatus(BaseModel):
    """Where an update is now; `state` is that of the version that came last."""

    id: str
    source: str
    guid: str
    state: State
    versions: list[VersionStatus]
    orders: list[OrderGiven] = Field(default_factory=list, description="What desks ordered, newest first")
    look_closer: str = Field(description="A command for the operator that shows how the original was read")


class OriginalStatus(BaseModel):
    """What was made of a document."""

    id: uuid.UUID
    source: str
    transport: Literal["api", "poll", "watch", "websub"]
    received_at: datetime
    content_type: str | None = None
    sha256: str
    size_bytes: int
    format: str | None = None
    parser_version: str | None = None
    updates: int | None = None
    refused: list[dict[str, Any]]
    read_at: datetime | None = None
    look_closer: str


class ProblemDocument(BaseModel):
    """RFC 9457: the one shape of every error."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable, kebab case")
    detail: str
    field: str | None = Field(default=None, description="The parameter, header or JSON pointer at fault")
    original: uuid.UUID | None = None
    results: list[ItemResult] | None = None


@dataclass
class Api:
    """The collaborators of the routes."""

    settings: Settings
    registry: Registry
    intake: Intake
    rate_limit: SourceRateLimit
    unauthenticated: UnauthenticatedBodies = field(default_factory=UnauthenticatedBodies)

    async def push_updates(self, request: Request) -> Response:
        """`POST /v1/updates`: one update or a batch in the native format, under the name of the key's source."""
        source = await self._sender(request)
        content_type = request.headers.get("content-type", "")
        if content_type and not JSON_TYPE.fullmatch(content_type.partition(";")[0].strip()):
            raise Problem(
                415, "unsupported-type", f"{content_type[:100]!r} is not JSON; other formats go to /v1/wire/{source.name}",
                field="Content-Type",
            )  # fmt: skip
        return await self._take(request, source, format_name="native")

    async def push_wire(self, request: Request) -> Response:
        """`POST /v1/wire/{source}`: a document in any format that is read."""
        named = request.path_params["source"]
        if signing.is_signed(request.headers) and not _key(request):
            return await self._push_signed(request, named)
        source = await self._sender(request)
        if named != source.name:
            if await self._within(self.registry.source_named(named, self.intake.pool)) is None:
                raise Problem(404, "unknown-source", f"there is no source {named[:100]!r}", field="source")
            raise Problem(403, "other-source", f"the key belongs to {source.name!r}, not to {named!r}", field="source")
        return await self._take(request, source, format_name=None)

    async def _push_signed(self, request: Request, named: str) -> Response:
        """A push that shows a signature instead of a key; its body is read before it is known who sends."""
        encoding = encoding_of(request)
        source = await self._within(self.registry.source_named(named, self.intake.pool))
        master = self.settings.ingest_signing_secret
        secrets = signing.live_secrets(master, named, source.signing_generation) if source and master else []
        # What no body could make good is not read; the connection ends with the answer.
        try:
            signing.claimed(request.headers, secrets, time.time())
        except Problem as problem:
            problem.headers["Connection"] = "close"
            raise
        assert source is not None  # noqa: S101 -- without a source there are no secrets, and nothing is good
        limit = self._limit(source)
        async with self.unauthenticated.body(request, limit, self.settings.ingest_body_timeout_s) as raw:
            signing.verify(request.headers, raw, secrets, time.time())
        self._let_in(source)
        digest = idempotency.digest_of(source.name, request.headers["webhook-id"], raw)
        body = await plain(raw, encoding, limit)

        async def take(known: frozenset[int]) -> Receipt:
            return await self._taken(request, source, body, format_name=None, known=known)

        timeout_s = self.settings.ingest_dependency_timeout_s
        return self._answer(await idempotency.receive_once(self._pool(), digest, timeout_s, take))

    async def item(self, request: Request) -> Response:
        """`GET /v1/items/{id}`: where an update is now, or why it is not out."""
        source = await self._authenticated(request)
        return await self._told(source, _update_id(request))

    async def item_by_guid(self, request: Request) -> Response:
        """`GET /v1/items`: the same for the update that the key's source calls `guid`."""
        source = await self._authenticated(request)
        guid = request.query_params.get("guid", "")
        if not guid:
            raise Problem(400, "missing-parameter", "say which: ?guid=…", field="guid")
        return await self._told(source, update_id_for(source.name, guid))

    async def _told(self, source: Source, update_id: str) -> Response:
        found = await self._within(items.one(self._pool(), update_id))
        if found is None or not (source.desk or found.source == source.name):
            raise Problem(404, "unknown-item", "this source has sent no such item", field="id")
        newest = found.versions[0]
        status = ItemStatus(
            id=found.update_id,
            source=found.source,
            guid=found.guid,
            state=newest.state,
            versions=[VersionStatus(**asdict(each)) for each in found.versions],
            orders=await self._within(orders.given(self._pool(), update_id)),
            look_closer=_look_closer(newest.original, found.source),
        )
        return _json(status, 200)

    async def original(self, request: Request) -> Response:
        """`GET /v1/originals/{id}`: what was made of a document, the refused items included."""
        source = await self._authenticated(request)
        try:
            wanted = uuid.UUID(request.path_params["id"])
        except ValueError as error:
            raise Problem(404, "unknown-original", "the id of an original is a UUID", field="id") from error
        row = await self._within(
            self._pool().fetchrow(
                "SELECT id, source, transport, received_at, content_type, sha256, octet_length(body) AS size_bytes, format, "
                "parser_version, updates, refused, read_at FROM ingest.originals WHERE id = $1",
                wanted,
            )
        )
        if row is None or not (source.desk or row["source"] == source.name):
            raise Problem(404, "unknown-original", "this source has sent no such document", field="id")
        return _json(OriginalStatus(**dict(row), look_closer=_look_closer(wanted, row["source"])), 200)

    async def order(self, request: Request) -> Response:
        """`POST /v1/updates/{id}/orders`: a desk's order; other sources may give orders about their own updates."""
        source = await self._authenticated(request)
        update_id = _update_id(request)
        queue = self.intake.queue()
        if queue is not None:
            queue.probe_brokers()
        if not source.desk:
            found = await self._within(items.one(self._pool(), update_id, 1))
            if found is None or found.source != source.name:
                raise Problem(403, "not-a-desk", "only a desk gives orders about the updates of others", field="id")
        body = await read_body(request, MAX_ORDER_BYTES, self.settings.ingest_body_timeout_s)
        try:
            wanted = orders.OrderRequest.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            pointer = "".join(f"/{step}" for step in first["loc"])
            status = 400 if first["type"] == "json_invalid" else 422
            raise Problem(status, "invalid-order", first["msg"].removeprefix("Value error, "), field=pointer) from error
        receipt = await orders.give(
            queue,
            update_id,
            wanted,
            by=source.name,
            timeout_s=self.settings.ingest_dependency_timeout_s,
            pool=self.intake.pool,
            traceparent=_traceparent(request),
        )
        log.info("order", update_id=update_id, order=receipt.order, by=wanted.by or source.name, reason=wanted.reason)
        return _json(receipt, 202)

    async def _take(self, request: Request, source: Source, *, format_name: str | None) -> Response:
        received_at = datetime.now(UTC)
        try:
            body = await read_body(request, self._limit(source), self.settings.ingest_body_timeout_s)
        except Problem as problem:
            self.intake.statistics.refused(source.name, problem.code)
            raise
        return await self._take_body(request, source, body, format_name=format_name, received_at=received_at)

    def _limit(self, source: Source) -> int:
        return min(source.max_body_bytes or self.settings.ingest_max_body_bytes, self.settings.ingest_max_body_bytes)

    async def _take_body(
        self,
        request: Request,
        source: Source,
        body: bytes,
        *,
        format_name: str | None,
        received_at: datetime | None = None,
    ) -> Response:
        receipt = await self._taken(request, source, body, format_name=format_name, received_at=received_at)
        return self._answer(receipt)

    async def _taken(
        self,
        request: Request,
        source: Source,
        body: bytes,
        *,
        format_name: str | None,
        received_at: datetime | None = None,
        known: frozenset[int] = frozenset(),
    ) -> Receipt:
        try:
            return await self.intake.take(
                source,
                body,
                content_type=request.headers.get("content-type"),
                transport="api",
                received_at=received_at,
                headers=_kept(request),
                format=format_name,
                traceparent=_traceparent(request),
                known=known,
            )
        except DocumentRejected as refusal:
            raise Problem(
                STATUS_OF_CODE.get(refusal.code, 400), refusal.code, refusal.reason,
                field=refusal.place, original=str(refusal.original),
            ) from refusal  # fmt: skip
        except DocumentOutcomeUnknown as doubt:
            results = [self._result(each).model_dump(exclude_none=True) for each in doubt.receipt.results]
            raise _maybe_taken(doubt, original=str(doubt.receipt.original), results=results) from doubt

    def _answer(self, receipt: Receipt) -> Response:
        results = [self._result(result) for result in receipt.results]
        taken = receipt.count("accepted", "duplicate")
        failed = len(results) - taken
        if failed and not taken:
            first = results[0]
            raise Problem(
                422, first.code or "invalid", first.reason or "nothing could be taken", field=first.pointer or "",
                original=str(receipt.original), results=[each.model_dump(exclude_none=True) for each in results],
            )  # fmt: skip
        answer = PushReceipt(
            original=receipt.original,
            format=receipt.format,
            accepted=receipt.count("accepted"),
            duplicate=receipt.count("duplicate"),
            failed=failed,
            results=results,
        )
        return _json(answer, 207 if failed else 202)

    def _result(self, result: Result) -> ItemResult:
        known = result.status in ("accepted", "duplicate") or result.code == "maybe-taken"
        # Without a public address a path: what the request calls us is the sender's word, and may be anybody's host.
        base = self.settings.ingest_public_url.rstrip("/")
        return ItemResult(
            index=result.index,
            status=result.status,
            id=result.id,
            guid=result.guid,
            code=result.code or None,
            pointer=result.pointer or None,
            reason=result.reason or None,
            status_url=f"{base}/v1/items/{result.id}" if known else None,
        )

    async def _authenticated(self, request: Request) -> Source:
        key = _key(request)
        challenge = {"WWW-Authenticate": 'Bearer realm="slugline ingest"'}
        if not key:
            raise Problem(
                401, "key-missing", "send the source's key as 'Authorization: Bearer …' or 'X-API-Key'",
                headers=challenge, field="Authorization",
            )  # fmt: skip
        source = self.registry.known_of_key(key)
        if source is None:
            source = await self._within(self.registry.source_of_key(key, self.intake.pool))
        if source is None:
            if not self.registry.loaded:
                raise Unavailable("the sources are not known yet")
            raise Problem(401, "key-wrong", "the key is not known", headers=challenge, field="Authorization")
        return source

    async def _sender(self, request: Request) -> Source:
        source = await self._authenticated(request)
        self._let_in(source)
        return source

    def _let_in(self, source: Source) -> None:
        """Raises where the source is known but may not send now."""
        if source.paused:
            because = f": {source.paused_because}" if source.paused_because else ""
            raise Problem(403, "source-paused", f"{source.name} is paused{because}", field="source")
        wait_s = self.rate_limit.wait_s(source)
        if wait_s > 0:
            raise Problem(
                429, "too-fast", f"{source.name} may send {source.rate_per_s:g} requests a second",
                headers={"Retry-After": str(math.ceil(wait_s))}, field="source",
            )  # fmt: skip

    async def _within(self, work: Awaitable[T]) -> T:
        return await self.intake.within(work)

    def _pool(self) -> Any:
        if self.intake.pool is None:
            raise Unavailable("Postgres does not answer")
        return self.intake.pool


def _key(request: Request) -> str:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "").strip()


def _update_id(request: Request) -> str:
    update_id: str = request.path_params["id"]
    if not UPDATE_ID.fullmatch(update_id):
        raise Problem(404, "unknown-item", "the id of an update is 26 characters of a-z and 2-7", field="id")
    return update_id


def _kept(request: Request) -> dict[str, str]:
    """Of the headers what may explain the copy later; of one that comes more than once the first."""
    kept: dict[str, str] = {}
    for name, value in request.headers.items():
        if name in KEPT_HEADERS:
            kept.setdefault(name, value)
    return kept


def _traceparent(request: Request) -> str:
    given = request.headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else ""


def _look_closer(original: uuid.UUID | None, source: str) -> str:
    if original is None:
        return ""
    return f"python -m ingest originals show {original} --body > copy && python -m ingest read copy --source {source}"


def _json(model: BaseModel, status: int) -> Response:
    body = model.model_dump_json(exclude_none=True)
    return Response(body, status, {"Cache-Control": "no-store"}, media_type="application/json")


def _maybe_taken(error: OutcomeUnknown, **members: Any) -> Problem:
    return Problem(503, "maybe-taken", str(error), headers={"Retry-After": str(RETRY_AFTER_S)}, **members)


async def _on_away(_: Request, error: Exception) -> Response:
    log.warning("push refused for now", reason=str(error), fold="push")
    if isinstance(error, OutcomeUnknown):
        return problem_response(_maybe_taken(error))
    return problem_response(
        Problem(503, "unavailable", f"{error}; send it again", headers={"Retry-After": str(RETRY_AFTER_S)})
    )


class Timed:
    """Measures each request; outermost, so that what it says includes everything."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def noting(message: Mapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = scope.get("route")
            path = route.path if isinstance(route, Route) else "unknown"
            REQUEST_SECONDS.labels(path, str(status)).observe(time.perf_counter() - started)


PROBLEMS: dict[int, str] = {
    400: "Not what it claims to be: malformed, cut short, empty",
    401: "Key missing or wrong",
    403: "Not allowed: another source's, or paused",
    404: "Unknown",
    408: "The body did not arrive in time",
    413: "Larger than the source's limit",
    415: "A type, encoding or format that is not read",
    422: "Understood, and nothing of it could be taken",
    429: "Faster than the source's rate",
    503: "Kafka or Postgres is away. Code `unavailable`: nothing was taken, and nothing will be; send it again. Code `maybe-taken`: "
    "it was under way when they fell silent; ask GET /v1/items?guid=… (or the status_url of its item) how far it is, or send it "
    "again, which is harmless",
}


@dataclass(frozen=True)
class Operation:
    """One operation of the API: the route and its description come from the same place, so that they agree."""

    method: Literal["get", "post"]
    path: str
    endpoint: str
    """The method of `Api`."""
    answers: Mapping[int, type[BaseModel]]
    problems: tuple[int, ...]
    takes: type[BaseModel] | Literal["native", "wire"] | None = None
    query: tuple[str, ...] = ()
    """The query parameters that it knows."""


PUSH_PROBLEMS = (400, 401, 403, 408, 413, 415, 422, 429, 503)

OPERATIONS: tuple[Operation, ...] = (
    Operation("post", "/v1/updates", "push_updates", {202: PushReceipt, 207: PushReceipt}, PUSH_PROBLEMS, "native"),
    Operation(
        "post", "/v1/wire/{source}", "push_wire", {202: PushReceipt, 207: PushReceipt}, (*PUSH_PROBLEMS, 404), "wire"
    ),
    Operation("get", "/v1/items/{id}", "item", {200: ItemStatus}, (400, 401, 404, 503)),
    Operation("get", "/v1/items", "item_by_guid", {200: ItemStatus}, (400, 401, 404, 503), query=("guid",)),
    Operation("get", "/v1/originals/{id}", "original", {200: OriginalStatus}, (400, 401, 404, 503)),
    Operation(
        "post", "/v1/updates/{id}/orders", "order", {202: orders.OrderReceipt},
        (400, 401, 403, 404, 408, 413, 415, 422, 503), orders.OrderRequest,
    ),
)  # fmt: skip


def build(
    api: Api,
    health: Health,
    openapi: Callable[[], Mapping[str, Any]],
    more: tuple[BaseRoute, ...] = (),
) -> Any:
    """The application of `ingest api`."""

    async def describe(request: Request) -> Response:
        check_query(request)
        return Response(orjson.dumps(openapi()), media_type="application/json")

    routes: list[BaseRoute] = [
        Route(each.path, with_query(getattr(api, each.endpoint), *each.query), methods=[each.method.upper()])
        for each in OPERATIONS
    ]
    app = application(
        [*routes, *more, Route("/openapi.json", describe), *health_routes(health)],
        {**PROBLEM_HANDLERS, Unavailable: _on_away},
    )
    return Timed(app)


__all__ = ["OPERATIONS", "PROBLEMS", "Api", "ProblemDocument", "build"]
