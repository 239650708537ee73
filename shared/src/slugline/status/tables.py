"""What Postgres says of an installation's state: each question by itself, so that an older schema spoils one answer only."""

import asyncpg

from slugline.servers import ReadConnection
from slugline.status.report import AsideCount, SourceState, UncleanTakedown

SERVICES = ("ingest", "enrich", "publish")
_SOURCES = """
SELECT s.name, s.kind, s.silence_after_s, s.paused_at, s.paused_because, a.last_heard_at, a.last_accepted_at
FROM ingest.sources s LEFT JOIN ingest.activity a ON a.source = s.name ORDER BY s.name
"""
_TAKEDOWNS = """
SELECT update_id, array_agg(sink ORDER BY sink) AS sinks, min(checked_at) AS checked_at
FROM publish.takedowns WHERE clean_at IS NULL GROUP BY update_id ORDER BY 3 LIMIT 100
"""
_SET_ASIDE = """
SELECT loop, count(*)::int AS rows, min(first_at) AS first_at, (array_agg(reason ORDER BY last_at DESC))[1] AS reason
FROM {schema}.set_aside GROUP BY loop ORDER BY loop
"""


async def sources(database: ReadConnection) -> list[SourceState]:
    """Every source and when it was last heard; what was counted lately may be seconds old."""
    return [
        SourceState(
            name=row["name"],
            kind=row["kind"],
            newest_at=row["last_accepted_at"],
            heard_at=row["last_heard_at"],
            silence_after_s=row["silence_after_s"],
            paused_because=row["paused_because"] if row["paused_at"] is not None else None,
        )
        for row in await database.fetch(_SOURCES)
    ]


async def takedowns(database: ReadConnection) -> list[UncleanTakedown]:
    """Killed updates that are not known to be gone."""
    rows = await database.fetch(_TAKEDOWNS)
    return [UncleanTakedown(row["update_id"], row["sinks"], row["checked_at"]) for row in rows]


async def set_aside(database: ReadConnection) -> list[AsideCount]:
    """What the loops have set aside, of each service whose schema this role may read; of none, that is the answer."""
    found: list[AsideCount] = []
    refused: list[asyncpg.InsufficientPrivilegeError] = []
    for schema in SERVICES:
        try:
            rows = await database.fetch(_SET_ASIDE.format(schema=schema))
        except asyncpg.InsufficientPrivilegeError as error:
            refused.append(error)
            if len(refused) == len(SERVICES):
                raise
            continue
        for row in rows:
            found.append(AsideCount(schema, row["loop"], row["rows"], row["first_at"], row["reason"]))  # noqa: PERF401
    return found


async def refreshes_waiting(database: ReadConnection) -> list[int]:
    """Updates that stand in line for a refresh."""
    return [int(await database.fetchval("SELECT count(*) FROM enrich.pending_refreshes"))]
