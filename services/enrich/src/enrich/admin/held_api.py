"""The HTTP API of what waits for a desk and of topics that it is suggested, on the port of `enrich text`, with a key."""

from collections.abc import Awaitable, Callable
from typing import get_args

import orjson
from aiokafka.errors import KafkaError
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from enrich.admin.authentication import signature_of
from enrich.admin.held import (
    LISTED_KINDS,
    MOST_LISTED,
    HeldDecision,
    HeldKind,
    HeldOrder,
    HeldTexts,
    HeldUpdate,
    decision_entry,
    held_update,
    held_updates,
    order,
)
from enrich.admin.topics import SuggesterOfEdition, suggested_for
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
KINDS: tuple[HeldKind, ...] = get_args(HeldKind)


class HeldList(BaseModel):
    """What is held, the oldest first."""

    held: list[HeldUpdate]


def held_routes(pool: Pool, keys: Authentication, producer: Producer) -> list[Route]:
    """`GET /v1/held`, `GET /v1/held/{id}`, `POST …/release`, `…/spike` and `…/hold`."""
    api = HeldApi(pool, keys, producer)
    orders: tuple[HeldOrder, ...] = get_args(HeldOrder)
    return [
        Route("/v1/held", api.listed, methods=["GET"]),
        Route("/v1/held/{update_id:str}", api.shown, methods=["GET"]),
        Route("/v1/topics/{update_id:str}", api.topics, methods=["GET"]),
        *(Route(f"/v1/held/{{update_id:str}}/{name}", api.ordering(name), methods=["POST"]) for name in orders),
    ]


class HeldApi:
    """The handlers; each asks for the key first."""

    def __init__(self, pool: Pool, keys: Authentication, producer: Producer) -> None:
        self._pool = pool
        self._keys = keys
        self._producer = producer
        self._suggester = SuggesterOfEdition(pool)

    async def listed(self, request: Request) -> Response:
        """What a desk has to decide about; with `kind` that kind alone, what is spiked and what is never published too."""
        await self._keys.holder(request, "held")
        check_query(request, ("limit", "kind"))
        limit = request.query_params.get("limit", str(LISTED))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:5]) <= MOST_LISTED):
            raise Problem(400, "limit", f"limit is a number from 1 to {MOST_LISTED}", field="limit")
        wanted = request.query_params.get("kind")
        kinds = LISTED_KINDS if wanted is None else tuple(kind for kind in KINDS if kind == wanted)
        if not kinds:
            raise Problem(400, "kind", f"kind is one of {', '.join(KINDS)}", field="kind")
        return _json(HeldList(held=await held_updates(self._pool, int(limit[:5]), kinds)))

    async def shown(self, request: Request) -> Response:
        """What is held of one update, with its words."""
        await self._keys.holder(request, "held")
        check_query(request)
        update_id = _update_id(request)
        held = await held_update(self._pool, update_id)
        if held is None:
            raise Problem(404, "not-held", f"nothing of an update {update_id} is held")
        return _json(held)

    async def topics(self, request: Request) -> Response:
        """The Media Topics that a desk is suggested for an update."""
        await self._keys.holder(request, "held")
        check_query(request)
        update_id = _update_id(request)
        found = await suggested_for(self._pool, await self._suggester.newest(), update_id)
        if found is None:
            raise Problem(404, "no-update", f"no version of an update {update_id} is known")
        return _json(found)

    def ordering(self, name: HeldOrder) -> Callable[[Request], Awaitable[Response]]:
        """The handler of an order."""

        async def ordered(request: Request) -> Response:
            by = await self._keys.author(request, "held")
            check_query(request)
            update_id = _update_id(request)
            wanted = await _decision(request)
            signed_by = signature_of(by.actor, wanted.by)
            held = await held_update(self._pool, update_id)
            _check_can_be(name, update_id, held)
            source = held.source if held is not None else ""
            try:
                given = await order(
                    self._producer,
                    update_id,
                    name,
                    wanted,
                    source=source,
                    signed_by=signed_by,
                    at=await now_of(self._pool),
                )
            except KafkaError as error:
                detail = "Kafka does not answer and may have the order; giving it again is harmless"
                raise Problem(503, "maybe-taken", detail, headers={"Retry-After": "5"}) from error
            await append_after(self._pool, decision_entry(by, signed_by, wanted, given))
            return _json(given, 202)

        return ordered


def _check_can_be(name: HeldOrder, update_id: str, held: HeldTexts | None) -> None:
    if name == "hold":
        return
    if held is None:
        raise Problem(409, "not-held", f"nothing of an update {update_id} is held")
    if name == "release" and held.kind == "never":
        raise Problem(409, "never-published", f"none of {held.source}'s copy is published; its profile says so")


def _update_id(request: Request) -> str:
    update_id: str = request.path_params["update_id"]
    if len(update_id) != 26 or not set(update_id) <= set("abcdefghijklmnopqrstuvwxyz234567"):
        raise Problem(404, "not-held", f"{update_id[:80]!r} is no id of an update")
    return update_id


async def _decision(request: Request) -> HeldDecision:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_DECISION:
            raise Problem(413, "too-large", f"a decision has at most {LARGEST_DECISION} bytes")
    try:
        return validated(HeldDecision, orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise Problem(400, "not-json", f"the body is not JSON: {error}") from error
    except Invalid as failure:
        raise Problem(422, "not-valid", f"{failure.field}: {failure.reason}", pointer=failure.field) from failure


def _json(document: BaseModel, status: int = 200) -> Response:
    return Response(document.model_dump_json(), status, HEADERS, media_type="application/json")
