"""A desk's orders."""

import structlog
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from ingest.intake import items, orders
from ingest.sources.source import Source
from ingest.transports.api.authentication import Api
from ingest.transports.api.body import read_body
from ingest.transports.api.responses import json_response, traceparent_of, update_id_of
from shared.access.holder import KeyHolder
from shared.audit.author import Author
from shared.http.problem import Problem
from shared.messages import Signature

log = structlog.get_logger(__name__)

MAX_ORDER_BYTES = 1_048_576


async def order(api: Api, request: Request) -> Response:
    """`POST /v1/updates/{id}/orders`: a desk's order; other sources may give orders about their own updates."""
    source, key = await api.authenticate(request, "orders")
    update_id = update_id_of(request)
    queue = api.intake.queue()
    if queue is not None:
        queue.probe_brokers()
    if not source.desk:
        found = await api.intake.within(items.find(api.intake.postgres(), update_id, 1))
        if found is None or found.source != source.name:
            raise Problem(403, "not-a-desk", "only a desk gives orders about the updates of others", field="id")
    body = await read_body(request, MAX_ORDER_BYTES, api.settings.ingest_body_timeout_s)
    try:
        wanted = orders.OrderRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        pointer = "".join(f"/{step}" for step in first["loc"])
        status = 400 if first["type"] == "json_invalid" else 422
        raise Problem(status, "invalid-order", first["msg"].removeprefix("Value error, "), field=pointer) from error
    signed_by = _signature(source, key, wanted)
    whose = source.name if not source.desk else await _source_of(api, update_id, wanted)
    receipt = await orders.send(
        queue,
        update_id,
        wanted,
        signed_by=signed_by,
        ordered_at=api.intake.clock(),
        timeout_s=api.settings.ingest_dependency_timeout_s,
        pool=api.intake.pool,
        source=whose,
        traceparent=traceparent_of(request),
        author=Author(key, api.keys.wrong.address_of(request)),
    )
    log.info(
        "order", update_id=update_id, order=receipt.order, by=signed_by.person or signed_by.holder,
        key_id=signed_by.key_id, holder=signed_by.holder, reason=wanted.reason,
    )  # fmt: skip
    return json_response(receipt, 202)


async def _source_of(api: Api, update_id: str, wanted: orders.OrderRequest) -> str | None:
    """Whose an update is. What takes it away goes out without that, if need be; what is to stand between other orders does not."""
    is_removal = wanted.order in orders.REMOVALS
    return await api.intake.known_sources.source_of(update_id, api.intake.pool, needed=not is_removal)


def _signature(source: Source, key: KeyHolder, wanted: orders.OrderRequest) -> Signature:
    """Who signs an order; raises a `Problem` (403) where the key may not give it, or not in that name."""
    if not source.desk:
        if wanted.order in orders.OF_DESKS:
            raise Problem(403, "not-a-desk", f"only a desk gives the order {wanted.order}", field="/order")
        if wanted.by and wanted.by != source.name:
            raise Problem(403, "not-a-desk", f"{source.name} signs as itself: its key is no desk's", field="/by")
    power = orders.NEEDS.get(wanted.order)
    if power is not None and power not in source.powers:
        raise Problem(403, "not-permitted", f"{source.name} may not: {power}", field="/order")
    if key.person and wanted.by not in ("", key.person):
        raise Problem(403, "not-this-person", f"this key is {key.person}'s, who signs as nobody else", field="/by")
    person = key.person or (wanted.by if source.desk else "")
    return Signature(key_id=key.key_id, holder=key.holder, person=person)
