"""The HTTP API of corrections: what is in conflict, and a desk's decision; on the port of `enrich text`, with a key."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import orjson
from aiokafka.errors import KafkaError
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from enrich.admin.authentication import signature_of
from enrich.admin.corrections import (
    MOST_LISTED,
    Correction,
    CorrectionDecision,
    CorrectionTexts,
    Decision,
    correction_of,
    decide,
    decision_entry,
    open_corrections,
)
from enrich.documents import validated
from shared.access.authentication import Authentication
from shared.audit.log import append_after
from shared.failures import Invalid
from shared.http.problem import Problem
from shared.http.query import check_query
from shared.kafka.producer import Producer
from shared.postgres.clock import now_of
from shared.postgres.pool import Pool

LARGEST_DECISION = 16 * 1024
LISTED = 100
HEADERS = {"Cache-Control": "no-store"}


class CorrectionList(BaseModel):
    """Corrections with conflicts, the oldest first."""

    corrections: list[Correction]


def correction_routes(pool: Pool, keys: Authentication, producer: Producer) -> list[Route]:
    """`GET /v1/corrections`, `GET /v1/corrections/{id}`, `POST …/accept` and `…/keep`."""
    api = CorrectionApi(pool, keys, producer)
    return [
        Route("/v1/corrections", api.listed, methods=["GET"]),
        Route("/v1/corrections/{update_id}", api.shown, methods=["GET"]),
        Route("/v1/corrections/{update_id}/accept", api.deciding("accept"), methods=["POST"]),
        Route("/v1/corrections/{update_id}/keep", api.deciding("keep"), methods=["POST"]),
    ]


class CorrectionApi:
    """The handlers; each asks for the key first."""

    def __init__(self, pool: Pool, keys: Authentication, producer: Producer) -> None:
        self._pool = pool
        self._keys = keys
        self._producer = producer

    async def listed(self, request: Request) -> Response:
        """The corrections that a desk has to decide about."""
        await self._keys.holder(request, "corrections")
        check_query(request, ("limit",))
        limit = request.query_params.get("limit", str(LISTED))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:5]) <= MOST_LISTED):
            raise Problem(400, "limit", f"limit is a number from 1 to {MOST_LISTED}", field="limit")
        return _json(CorrectionList(corrections=await open_corrections(self._pool, int(limit[:5]))))

    async def shown(self, request: Request) -> Response:
        """One correction, with both texts."""
        await self._keys.holder(request, "corrections")
        return _json(await self._correction(request))

    def deciding(self, decision: Decision) -> Callable[[Request], Awaitable[Response]]:
        """The handler of a decision."""

        async def decided(request: Request) -> Response:
            by = await self._keys.author(request, "corrections")
            correction = await self._correction(request)
            wanted = await _decision(request)
            signed_by = signature_of(by.actor, wanted.by)
            if not correction.conflicts:
                raise Problem(
                    409, "no-conflict", f"nothing is in conflict with the correction of {correction.update_id}"
                )
            at = await now_of(self._pool)
            try:
                ordered = await decide(self._producer, correction, decision, wanted, signed_by, at=at)
            except KafkaError as error:
                detail = "Kafka does not answer and may have the order; giving it again is harmless"
                raise Problem(503, "maybe-taken", detail, headers={"Retry-After": "5"}) from error
            entry = decision_entry(replace(by, reason=wanted.reason), signed_by, correction, ordered)
            await append_after(self._pool, entry)
            return _json(ordered, 202)

        return decided

    async def _correction(self, request: Request) -> CorrectionTexts:
        check_query(request)
        update_id: str = request.path_params["update_id"]
        correction = await correction_of(self._pool, update_id) if "\x00" not in update_id else None
        if correction is None:
            raise Problem(404, "no-correction", f"no correction of an update {update_id[:80]!r}")
        return correction


async def _decision(request: Request) -> CorrectionDecision:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_DECISION:
            raise Problem(413, "too-large", f"a decision has at most {LARGEST_DECISION} bytes")
    try:
        return validated(CorrectionDecision, orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise Problem(400, "not-json", f"the body is not JSON: {error}") from error
    except Invalid as failure:
        raise Problem(422, "not-valid", f"{failure.field}: {failure.reason}", pointer=failure.field) from failure


def _json(document: BaseModel, status: int = 200) -> Response:
    return Response(document.model_dump_json(), status, HEADERS, media_type="application/json")
