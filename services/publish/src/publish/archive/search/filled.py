"""How far the search index goes back."""

from shared.postgres.pool import Queryable
from shared.postgres.rows import narrowed


async def is_filled(source: Queryable) -> bool:
    """Whether every visible update is indexed, those too that were archived before there was an index."""
    return narrowed(bool, await source.fetchval("SELECT done FROM publish.search_backfill"))
