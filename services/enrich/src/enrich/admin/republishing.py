"""Republish: updates are made again out of what is known now, through the line of refreshes, and nobody is told of it.

What is asked for is put in line by the processes of enrich text, and sent by them behind live copy, so that it goes on when the
command that asked has ended, and is resumed by whoever starts next. An update whose revision would say nothing new emits none.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from enrich.reference.changes import ask_refresh
from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed

SLICE = 5_000
"""Updates of one cause: causes take turns in line, so that an author's three updates do not wait for a million of these."""

_SLICE = """
SELECT update_id, written_at FROM enrich.updates
WHERE status = 'live' AND ($1 = '' OR source = $1)
  AND ($2::timestamptz IS NULL OR written_at >= $2) AND ($3::timestamptz IS NULL OR written_at < $3)
  AND ($4::timestamptz IS NULL OR (written_at, update_id) < ($4, $5))
ORDER BY written_at DESC, update_id DESC LIMIT $6
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which updates: single ones, or all that readers see, of a source, changed within a window."""

    update_ids: Sequence[str] = ()
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None


async def slices(pool: Pool, selection: Selection) -> AsyncIterator[list[str]]:
    """The updates that are meant, those that changed last first."""
    if selection.update_ids:
        rows = await pool.fetch(
            "SELECT update_id FROM enrich.updates WHERE status = 'live' AND update_id = ANY($1::text[])",
            list(selection.update_ids),
        )
        yield [row["update_id"] for row in rows]
        return
    at, update_id = None, ""
    while True:
        rows = await pool.fetch(_SLICE, selection.source, selection.since, selection.until, at, update_id, SLICE)
        if rows:
            yield [row["update_id"] for row in rows]
        if len(rows) < SLICE:
            return
        at, update_id = rows[-1]["written_at"], rows[-1]["update_id"]


async def ask(pool: Pool, update_ids: Sequence[str]) -> None:
    """Have some made again."""
    await ask_refresh(pool, "republish", update_ids=update_ids, repeat=False)


async def waiting(pool: Pool) -> int:
    """How many of those that were asked for are still to be sent."""
    return narrowed(
        int,
        await pool.fetchval(
            "SELECT (SELECT count(*) FROM enrich.pending_refreshes WHERE cause = 'republish') + coalesce((SELECT "
            "sum(greatest(cardinality(update_ids) - queued, 0)) FROM enrich.refreshes WHERE cause = 'republish'), 0)::bigint"
        ),
    )


async def stop(pool: Pool) -> int:
    """Take those that still wait out of line; how many those were."""
    before = await waiting(pool)
    await pool.execute("DELETE FROM enrich.refreshes WHERE cause = 'republish'")
    await pool.execute("DELETE FROM enrich.pending_refreshes WHERE cause = 'republish'")
    return before
