"""What Postgres knows of one update: each answer becomes events, and the facts that the verdict rests on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from shared.messages import update_id_for
from slugline.servers import ReadConnection
from slugline.where.trail import EnrichState, Event, Version

MOST = 200
"""Rows of one kind, the newest."""
Row = asyncpg.Record


async def of_guid(database: ReadConnection, guid: str, source: str) -> list[tuple[str, str]]:
    """The updates, each with its source, that a source calls so: an id follows from the two, so nothing is searched."""
    rows = await database.fetch("SELECT name FROM ingest.sources WHERE $1 = '' OR name = $1", source)
    names = [str(row["name"]) for row in rows] or ([source] if source else [])
    aliases = await database.fetch(
        "SELECT source, guid FROM ingest.aliases WHERE source = ANY($1::text[]) AND alias = $2", names, guid
    )
    meant = {update_id_for(name, guid): name for name in names}
    meant |= {update_id_for(row["source"], row["guid"]): row["source"] for row in aliases}
    found = await database.fetch(
        "SELECT update_id FROM ingest.items WHERE update_id = ANY($1::text[]) "
        "UNION SELECT update_id FROM enrich.updates WHERE update_id = ANY($1::text[]) "
        "UNION SELECT update_id FROM publish.updates WHERE update_id = ANY($1::text[])",
        list(meant),
    )
    return [(row["update_id"], meant[row["update_id"]]) for row in found]


async def of_original(database: ReadConnection, original_id: str) -> tuple[list[Event], list[str], list[str]]:
    """A document as it was received: what happened to it, the updates that it became, and what of it was refused."""
    events, refused = await originals(database, [original_id])
    rows = await database.fetch(
        "SELECT DISTINCT update_id FROM ingest.items WHERE original_id = $1::uuid LIMIT 100", original_id
    )
    return events, [row["update_id"] for row in rows], refused


async def originals(database: ReadConnection, ids: Sequence[str]) -> tuple[list[Event], list[str]]:
    """Documents as they were received, and what of them was refused."""
    rows = await database.fetch(
        "SELECT id, source, transport, received_at, read_at, format, updates, refused::text AS refused, octet_length(body) AS size "
        "FROM ingest.originals WHERE id = ANY($1::uuid[])",
        list(ids),
    )
    events, refused = [], []
    for row in rows:
        detail = f"{row['source']} by {row['transport']}, {row['size']} bytes, original {row['id']}"
        events.append(Event(row["received_at"], "ingest", "document received", detail))
        if row["read_at"] is not None:
            detail = f"as {row['format']}: {row['updates']} updates"
            events.append(Event(row["read_at"], "ingest", "document read", detail))
        refused += [
            f"original {row['id']} refused an item: {json.dumps(each, ensure_ascii=False)[:300]}"
            for each in json.loads(row["refused"])
        ]
    return events, refused


@dataclass(frozen=True, slots=True)
class Sent:
    """What a source has sent of an update."""

    versions: Sequence[Version] = ()
    """Oldest first."""
    events: Sequence[Event] = ()
    originals: Sequence[str] = ()
    """The ids of the documents that they were in."""
    source: str = ""
    guid: str = ""


@dataclass(frozen=True, slots=True)
class Stands:
    """What the archive has of it."""

    revision: int | None = None
    """The newest one; None where it has none."""
    removal: str | None = None
    events: Sequence[Event] = ()


async def versions(database: ReadConnection, update_id: str) -> Sent:
    """What its source has sent."""
    rows = await database.fetch(
        "SELECT * FROM (SELECT fingerprint, source, guid, version, original_id, received_at, emitted_at, held_at, enriched_at, "
        "published_at, ended, ended_at, reason, position FROM ingest.items WHERE update_id = $1 "
        "ORDER BY sequence DESC LIMIT $2) AS newest ORDER BY received_at NULLS FIRST",
        update_id, MOST,
    )  # fmt: skip
    found = [
        Version(
            row["fingerprint"], row["received_at"], row["emitted_at"], row["held_at"], row["enriched_at"], row["published_at"],
            row["ended"], row["reason"], row["version"],
        )
        for row in rows
    ]  # fmt: skip
    events: list[Event] = []
    for row in rows:
        events += _of_version(row)
    ids = [str(row["original_id"]) for row in rows if row["original_id"] is not None]
    first = next((row for row in rows if row["source"] is not None), None)
    return Sent(found, events, ids, first["source"] if first else "", first["guid"] if first else "")


def _of_version(row: Row) -> list[Event]:
    name = f"version {row['version'] or row['fingerprint'][:8]}"
    steps: list[tuple[datetime | None, str, str, str]] = [
        (row["received_at"], "ingest", f"{name} received", ""),
        (row["emitted_at"], "ingest", f"{name} sent to updates.raw", ""),
        (row["held_at"], "enrich", f"{name} held", row["reason"]),
        (row["enriched_at"], "enrich", f"{name} enriched", ""),
        (row["published_at"], "archive", f"{name} published", row["position"] or ""),
        (row["ended_at"], "enrich", f"{name} is {row['ended']}", row["reason"]),
    ]
    return [Event(at, room, what, detail) for at, room, what, detail in steps if at is not None]


async def state(database: ReadConnection, update_id: str) -> tuple[EnrichState | None, list[Event]]:
    """What enrich text holds, and what it still has to do."""
    row = await database.fetchrow(
        "SELECT status, revision, due_at, due_for, written_at FROM enrich.updates WHERE update_id = $1", update_id
    )
    waiting = await database.fetchrow(
        "SELECT cause, asked_at FROM enrich.pending_refreshes WHERE update_id = $1", update_id
    )
    events = []
    if waiting is not None:
        events.append(Event(waiting["asked_at"], "enrich", "stands in line for a refresh", waiting["cause"]))
    if row is None:
        return None, events
    if row["due_at"] is not None:
        events.append(Event(row["due_at"], "enrich", f"to be looked at again for its {row['due_for']}"))
    return EnrichState(row["status"], row["revision"], row["due_at"], row["due_for"], row["written_at"]), events


async def archive(database: ReadConnection, update_id: str) -> Stands:
    """The newest revision, why it is out of sight, and when each was archived."""
    rows = await database.fetch(
        "SELECT revision, kind, removal, epoch, log_offset, written_at FROM publish.revisions "
        "WHERE update_id = $1 ORDER BY revision DESC LIMIT $2",
        update_id, MOST,
    )  # fmt: skip
    events = [
        Event(
            row["written_at"],
            "archive",
            f"revision {row['revision']} archived",
            f"{row['kind']}{': ' + row['removal'] if row['removal'] else ''}, at {row['epoch']}-{row['log_offset']}",
        )
        for row in rows
    ]
    row = await database.fetchrow("SELECT revision, removal FROM publish.updates WHERE update_id = $1", update_id)
    return Stands(row["revision"], row["removal"], events) if row is not None else Stands(events=events)


async def orders(database: ReadConnection, update_id: str) -> list[Event]:
    """What desks have ordered."""
    rows = await database.fetch(
        "SELECT name, by, reason, ordered_at FROM ingest.orders WHERE update_id = $1 ORDER BY ordered_at DESC LIMIT $2",
        update_id, MOST,
    )  # fmt: skip
    return [
        Event(row["ordered_at"], "desk", row["name"], f"by {row['by']}{': ' + row['reason'] if row['reason'] else ''}")
        for row in rows
    ]


async def pushes(database: ReadConnection, update_id: str) -> tuple[list[Event], list[str]]:
    """What was delivered and alerted, and what of it did not leave."""
    events, failed = [], []
    for row in await database.fetch(
        "SELECT revision, readable, pushed_at FROM publish.pushed WHERE update_id = $1 ORDER BY pushed_at DESC LIMIT $2",
        update_id, MOST,
    ):  # fmt: skip
        detail = "" if row["readable"] else "before it was known to be readable"
        events.append(
            Event(row["pushed_at"], "push", f"revision {row['revision']} handed to webhooks, feeds and alerts", detail)
        )
    for row in await database.fetch(
        "SELECT d.type, d.revision, d.state, d.created_at, d.ended_at, d.attempts, d.last_error, e.kind, e.url, e.id "
        "FROM publish.deliveries d JOIN publish.endpoints e ON e.id = d.endpoint_id WHERE d.update_id = $1 AND d.update_id <> '' "
        "ORDER BY d.id DESC LIMIT $2",
        update_id, MOST,
    ):  # fmt: skip
        what = f"{row['kind']} {row['id']}: revision {row['revision']} {row['state']}"
        detail = f"{row['url']}, {row['attempts']} attempts{': ' + row['last_error'] if row['last_error'] else ''}"
        events.append(Event(row["ended_at"] or row["created_at"], "push", what, detail))
        if row["state"] == "failed" or (row["state"] == "waiting" and row["attempts"]):
            failed.append(f"{what}: {row['last_error']}")
    for row in await database.fetch(
        "SELECT id, kind, level, state, reason, created_at, first_sent_at FROM publish.alerts WHERE update_id = $1 "
        "ORDER BY created_at DESC LIMIT $2",
        update_id, MOST,
    ):  # fmt: skip
        what = f"{row['kind']} {row['id']}, level {row['level']}: {row['state']}"
        events.append(Event(row["first_sent_at"] or row["created_at"], "alerts", what, row["reason"]))
    return events, failed


async def takedowns(database: ReadConnection, update_id: str) -> tuple[list[Event], list[str]]:
    """Which places were seen without a killed text, and which are not known to be."""
    rows = await database.fetch(
        "SELECT sink, clean_at, checked_at, detail FROM publish.takedowns WHERE update_id = $1", update_id
    )
    events = [Event(row["clean_at"], "takedown", f"{row['sink']} is clean") for row in rows if row["clean_at"]]
    return events, [f"{row['sink']} is not clean: {row['detail']}" for row in rows if not row["clean_at"]]


async def set_aside(database: ReadConnection, update_id: str) -> list[str]:
    """What loops have set aside of it."""
    found = []
    for schema in ("ingest", "enrich", "publish"):
        rows = await database.fetch(
            f"SELECT loop, key, reason, next_at FROM {schema}.set_aside WHERE strpos(key, $1) > 0",  # noqa: S608 -- ours
            update_id,
        )
        found += [f"set aside by {row['loop']}: {row['reason']}; again at {row['next_at']:%H:%M:%S}" for row in rows]
    return found
