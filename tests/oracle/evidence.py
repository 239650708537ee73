"""What is kept of an update about which something differs: its records on both logs, its row in enrich, and what its sender sent."""

import json
from collections.abc import Collection
from typing import Any

import asyncpg

from oracle.model import Model
from oracle.newsroom import Newsroom
from shared.streams import ENRICHED, RAW
from support.topics import everything_in

MOST = 20
TOLD = ("ce_id", "ce_type", "ce_cause", "ce_writer", "ce_time")
SHORT = (
    "order",
    "cause",
    "reason",
    "due_at",
    "revision",
    "kind",
    "removal",
    "version",
    "received_at",
    "requested_at",
    "signal",
    "status",
)


async def evidence(newsroom: Newsroom, model: Model, update_ids: Collection[str]) -> dict[str, Any]:
    """By update id."""
    wanted = sorted(update_ids)[:MOST]
    found: dict[str, Any] = {update_id: {"raw": [], "enriched": [], "row": None, "inputs": []} for update_id in wanted}
    for stream, name in ((RAW, "raw"), (ENRICHED, "enriched")):
        for record in await everything_in(newsroom.settings, stream):
            value = json.loads(record.value or b"{}")
            if (about := value.get("update_id")) in found:
                headers = {key: bytes(said or b"").decode() for key, said in record.headers if key in TOLD}
                said = {key: value[key] for key in SHORT if value.get(key) is not None}
                place = f"{record.partition}:{record.offset}"
                found[about][name].append({"place": place, "at": record.timestamp / 1000} | headers | said)
    connection = await asyncpg.connect(newsroom.settings.postgres_dsn)
    try:
        rows = await connection.fetch("SELECT * FROM enrich.updates WHERE update_id = ANY($1::text[])", wanted)
        for row in rows:
            found[row["update_id"]]["row"] = {key: str(value)[:4000] for key, value in row.items()}
    finally:
        await connection.close()
    for update_id in wanted:
        if (update := model.updates.get(update_id)) is not None:
            found[update_id]["inputs"] = update.inputs
    return found
