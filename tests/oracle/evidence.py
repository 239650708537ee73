"""What is kept of an update about which something differs: its records on both logs, its rows, and what its sender sent.

Rows of `publish` tell what became of each delivery, and of what a channel could not queue; dead letters, what a stage gave up.
"""

import json
from collections.abc import Collection
from typing import Any

import asyncpg

from oracle.model import Model
from oracle.newsroom import Newsroom
from shared.streams import ENRICHED, MEDIA, RAW
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
LETTER = ("stage", "reason", "offset", "failed_at")
ROWS = {
    "archive": "SELECT update_id, revision, epoch, log_offset, kind, removal, channels FROM publish.revisions WHERE update_id = ANY($1)",
    "pushed": "SELECT * FROM publish.pushed WHERE update_id = ANY($1)",
    "deliveries": "SELECT * FROM publish.deliveries WHERE update_id = ANY($1) ORDER BY id",
    "pictures": "SELECT * FROM enrich.media_references WHERE update_id = ANY($1)",
    "set aside": (
        "SELECT w.update_id, s.* FROM unnest($1::text[]) AS w (update_id) "
        "JOIN publish.set_aside s ON position(w.update_id IN s.key) > 0"
    ),
}
"""By name, what services have of updates; each row with its `update_id`."""


async def evidence(newsroom: Newsroom, model: Model, update_ids: Collection[str]) -> dict[str, Any]:
    """By update id."""
    wanted = sorted(update_ids)[:MOST]
    found: dict[str, Any] = {
        update_id: {
            "raw": [],
            "enriched": [],
            "wanted": [],
            "dead": [],
            "row": None,
            "inputs": [],
            **{name: [] for name in ROWS},
        }
        for update_id in wanted
    }
    await _read_logs(newsroom, found)
    connection = await asyncpg.connect(newsroom.settings.postgres_dsn)
    try:
        rows = await connection.fetch("SELECT * FROM enrich.updates WHERE update_id = ANY($1::text[])", wanted)
        for row in rows:
            found[row["update_id"]]["row"] = _as_text(row)
        for name, query in ROWS.items():
            for row in await connection.fetch(query, wanted):
                found[row["update_id"]][name].append(_as_text(row))
        if wanted:
            found["endpoints"] = [_as_text(row) for row in await connection.fetch("SELECT * FROM publish.endpoints")]
    finally:
        await connection.close()
    for update_id in wanted:
        if (update := model.updates.get(update_id)) is not None:
            found[update_id]["inputs"] = update.inputs
    return found


async def _read_logs(newsroom: Newsroom, found: dict[str, Any]) -> None:
    for stream, name in ((RAW, "raw"), (ENRICHED, "enriched"), (MEDIA, "wanted")):
        for record in await everything_in(newsroom.settings, stream):
            value = json.loads(record.value or b"{}")
            if (about := value.get("update_id")) in found:
                headers = {key: bytes(said or b"").decode() for key, said in record.headers if key in TOLD}
                said = {key: value[key] for key in SHORT if value.get(key) is not None}
                place = f"{record.partition}:{record.offset}"
                found[about][name].append({"place": place, "at": record.timestamp / 1000} | headers | said)
    for stream in (RAW, ENRICHED):
        for record in await everything_in(newsroom.settings, stream.dead_letters):
            letter = json.loads(record.value or b"{}")
            for update_id in found.keys() & {letter.get("key")}:
                found[update_id]["dead"].append({name: letter.get(name) for name in LETTER})


def _as_text(row: asyncpg.Record) -> dict[str, str]:
    return {key: str(value)[:4000] for key, value in row.items()}
