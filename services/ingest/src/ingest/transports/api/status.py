"""A sender's questions: where an item is now, and what was made of a document."""

import uuid
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, Field, JsonValue
from starlette.requests import Request
from starlette.responses import Response

from ingest.intake import items, orders, originals
from ingest.intake.items import State
from ingest.intake.orders import OrderGiven
from ingest.intake.originals import Transport
from ingest.sources.source import Source
from ingest.transports.api.authentication import Api
from ingest.transports.api.responses import inspect_command, json_response, update_id_of
from shared.http.problem import Problem
from shared.messages import update_id_for


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
    transport: Transport
    received_at: datetime
    content_type: str | None = None
    sha256: str
    size_bytes: int
    format: str | None = None
    parser_version: str | None = None
    updates: int | None = None
    refused: list[dict[str, JsonValue]]
    read_at: datetime | None = None
    look_closer: str


async def item(api: Api, request: Request) -> Response:
    """`GET /v1/items/{id}`: where an update is now, or why it is not out."""
    source, _ = await api.authenticate(request, "status")
    return await _status(api, source, update_id_of(request))


async def item_by_guid(api: Api, request: Request) -> Response:
    """`GET /v1/items`: the same for the update that the key's source calls `guid`."""
    source, _ = await api.authenticate(request, "status")
    guid = request.query_params.get("guid", "")
    if not guid:
        raise Problem(400, "missing-parameter", "say which: ?guid=…", field="guid")
    return await _status(api, source, update_id_for(source.name, guid))


async def _status(api: Api, source: Source, update_id: str) -> Response:
    pool = api.intake.postgres()
    found = await api.intake.within(items.find(pool, update_id))
    if found is None or not (source.desk or found.source == source.name):
        raise Problem(404, "unknown-item", "this source has sent no such item", field="id")
    latest = found.versions[0]
    status = ItemStatus(
        id=found.update_id,
        source=found.source,
        guid=found.guid,
        state=latest.state,
        versions=[VersionStatus(**asdict(each)) for each in found.versions],
        orders=await api.intake.within(orders.orders_of(pool, update_id)),
        look_closer=inspect_command(latest.original, found.source),
    )
    return json_response(status, 200)


async def original(api: Api, request: Request) -> Response:
    """`GET /v1/originals/{id}`: what was made of a document, the refused items included."""
    source, _ = await api.authenticate(request, "status")
    try:
        wanted = uuid.UUID(request.path_params["id"])
    except ValueError as error:
        raise Problem(404, "unknown-original", "the id of an original is a UUID", field="id") from error
    found = await api.intake.within(originals.summary(api.intake.postgres(), wanted))
    if found is None or not (source.desk or found.source == source.name):
        raise Problem(404, "unknown-original", "this source has sent no such document", field="id")
    status = OriginalStatus.model_validate({**asdict(found), "look_closer": inspect_command(wanted, found.source)})
    return json_response(status, 200)
