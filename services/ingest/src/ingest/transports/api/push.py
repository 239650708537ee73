"""Copy that is pushed: native JSON, or a document of any format, under a key or a signature."""

import re
import uuid
from datetime import datetime

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from ingest.intake.receipt import DocumentOutcomeUnknown, DocumentRejected, Receipt, Result, Status
from ingest.intake.turns import ARRIVAL_S, Turn
from ingest.sources import signing
from ingest.sources.source import Source
from ingest.transports.api import idempotency
from ingest.transports.api.authentication import Api
from ingest.transports.api.body import decoded, encoding_of, read_raw
from ingest.transports.api.responses import json_response, outcome_unknown, traceparent_of
from shared.access.authentication import key_of
from shared.http.problem import Problem

JSON_TYPE = re.compile(r"(application|text)/([a-z0-9.+-]+\+)?json", re.IGNORECASE)
KEPT_HEADERS = frozenset(
    ["content-type", "content-encoding", "content-length", "user-agent", "date", "last-modified", "webhook-id"]
)
STATUS_OF_CODE = {
    "unknown-format": 415,
    "too-large": 413,
    "too-many-items": 413,
    "too-slow-to-read": 413,
    "reader-crashed": 413,
}


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
    """What became of a document, with a result for each of its items."""

    original: uuid.UUID = Field(description="The bytes as received are kept under this id")
    format: str
    accepted: int
    duplicate: int
    failed: int
    results: list[ItemResult]


async def push_updates(api: Api, request: Request) -> Response:
    """`POST /v1/updates`: one update or a batch in the native format, under the name of the key's source."""
    source = await api.authenticate_sender(request)
    content_type = request.headers.get("content-type", "")
    if content_type and not JSON_TYPE.fullmatch(content_type.partition(";")[0].strip()):
        raise Problem(
            415, "unsupported-type", f"{content_type[:100]!r} is not JSON; other formats go to /v1/wire/{source.name}",
            field="Content-Type",
        )  # fmt: skip
    return await _push(api, request, source, format_name="native")


async def push_wire(api: Api, request: Request) -> Response:
    """`POST /v1/wire/{source}`: a document in any format that is read."""
    named = request.path_params["source"]
    if signing.is_signed(request.headers) and not key_of(request):
        return await _push_signed(api, request, named)
    source = await api.authenticate_sender(request)
    if named != source.name:
        if await api.intake.within(api.registry.source_named(named, api.intake.pool)) is None:
            raise Problem(404, "unknown-source", f"there is no source {named[:100]!r}", field="source")
        raise Problem(403, "other-source", f"the key belongs to {source.name!r}, not to {named!r}", field="source")
    return await _push(api, request, source, format_name=None)


async def _push(api: Api, request: Request, source: Source, *, format_name: str | None) -> Response:
    received_at, limit = api.intake.clock(), api.body_limit(source)
    with api.intake.turns.take(source.name, ARRIVAL_S) as turn:
        try:
            encoding = encoding_of(request)
            raw = await read_raw(request, limit, api.settings.ingest_body_timeout_s)
            turn.arrived()
            body = await decoded(raw, encoding, limit)
        except Problem as problem:
            api.intake.statistics.record_rejection(source.name, problem.code)
            raise
        receipt = await _take(
            api, request, source, body, format_name=format_name, received_at=received_at, turn=turn
        )  # fmt: skip
    return _response(api, receipt)


async def _push_signed(api: Api, request: Request, named: str) -> Response:
    """A push with a signature instead of a key. Its body is read before it is known who sends it."""
    encoding = encoding_of(request)
    source = await api.intake.within(api.registry.source_named(named, api.intake.pool))
    master = api.settings.ingest_signing_secret
    secrets = signing.live_secrets(master, named, source.signing_generation) if source and master else []
    # Where no body could make a signature valid, none is read, and the connection ends with the answer.
    try:
        signing.check_headers(request.headers, secrets, api.intake.clock.timestamp())
    except Problem as problem:
        problem.headers["Connection"] = "close"
        raise
    assert source is not None  # noqa: S101 -- without a source there are no secrets, and no signature is valid
    limit = api.body_limit(source)
    async with api.unauthenticated.body(request, limit, api.settings.ingest_body_timeout_s) as raw:
        signing.verify(request.headers, raw, secrets, api.intake.clock.timestamp())
    api.check_may_send(source)
    digest = idempotency.digest_of(source.name, request.headers["webhook-id"], raw)
    # Only what is signed has a turn: nobody else may hold up a source's documents.
    with api.intake.turns.take(source.name) as turn:
        body = await decoded(raw, encoding, limit)

        async def take(taken_before: frozenset[int]) -> Receipt:
            return await _take(api, request, source, body, format_name=None, taken_before=taken_before, turn=turn)

        timeout_s = api.settings.ingest_dependency_timeout_s
        receipt = await idempotency.receive_once(api.intake.postgres(), digest, timeout_s, take)
    return _response(api, receipt)


async def _take(
    api: Api,
    request: Request,
    source: Source,
    body: bytes,
    *,
    format_name: str | None,
    turn: Turn,
    received_at: datetime | None = None,
    taken_before: frozenset[int] = frozenset(),
) -> Receipt:
    try:
        return await api.intake.take(
            source,
            body,
            content_type=request.headers.get("content-type"),
            transport="api",
            received_at=received_at,
            headers=_kept_headers(request),
            format=format_name,
            traceparent=traceparent_of(request),
            taken_before=taken_before,
            turn=turn,
        )
    except DocumentRejected as error:
        raise Problem(
            STATUS_OF_CODE.get(error.code, 400), error.code, error.reason,
            field=error.place, original=str(error.original),
        ) from error  # fmt: skip
    except DocumentOutcomeUnknown as error:
        results = [_item_result(api, each).model_dump(exclude_none=True) for each in error.receipt.results]
        raise outcome_unknown(error, original=str(error.receipt.original), results=results) from error


def _kept_headers(request: Request) -> dict[str, str]:
    """The headers that may explain the copy later; of one that comes more than once the first."""
    kept: dict[str, str] = {}
    for name, value in request.headers.items():
        if name in KEPT_HEADERS:
            kept.setdefault(name, value)
    return kept


def _response(api: Api, receipt: Receipt) -> Response:
    results = [_item_result(api, result) for result in receipt.results]
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
    return json_response(answer, 207 if failed else 202)


def _item_result(api: Api, result: Result) -> ItemResult:
    known = result.status in ("accepted", "duplicate") or result.code == "maybe-taken"
    # Without a public address a path: the host that the request names may be anybody's.
    base = api.settings.ingest_public_url.rstrip("/")
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
