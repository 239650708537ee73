"""Settled places: up to which offset of `updates.enriched` rows have all that was made from a partition of `updates.raw`."""

from collections.abc import Collection
from dataclasses import dataclass

from shared.postgres.pool import Queryable


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows have everything that was made from these partitions and stands before this offset."""

    partitions: Collection[int]
    place: int


async def read_places(postgres: Queryable, partitions: Collection[int]) -> dict[int, int]:
    """The settled places of partitions, as far as they have one."""
    rows = await postgres.fetch(
        "SELECT partition, place FROM enrich.settled WHERE partition = ANY($1::int[])", sorted(partitions)
    )
    return {row["partition"]: row["place"] for row in rows}


async def write_place(postgres: Queryable, settled: Settled) -> None:
    """Move settled places forward; one that is further stays."""
    await postgres.execute(
        """
        INSERT INTO enrich.settled (partition, place) SELECT unnest($1::int[]), $2::bigint
        ON CONFLICT (partition) DO UPDATE SET place = excluded.place, written_at = now()
        WHERE enrich.settled.place < excluded.place
        """,
        sorted(settled.partitions), settled.place,
    )  # fmt: skip


async def forget_places(postgres: Queryable, partitions: Collection[int]) -> None:
    """Settled places of a log that is gone: the topic was made anew."""
    await postgres.execute("DELETE FROM enrich.settled WHERE partition = ANY($1::int[])", sorted(partitions))


async def read_revisions(postgres: Queryable, update_ids: Collection[str]) -> dict[str, int]:
    """The newest revision that the row of each update knows; updates without a row are not named."""
    rows = await postgres.fetch(
        "SELECT update_id, revision FROM enrich.updates WHERE update_id = ANY($1::text[])", list(update_ids)
    )
    return {row["update_id"]: row["revision"] for row in rows}
