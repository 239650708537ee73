"""A restore: Postgres as it was, groups set back to where they were, and what was killed since out of sight."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiokafka.errors import KafkaError

from shared.kafka.producer import Producer, acknowledged, new_producer
from shared.messages import Order
from shared.postgres.pool import Pool
from shared.settings import Connections
from shared.streams import RAW
from slugline.recovery import manifest, media, offsets, removals
from slugline.recovery.backup import Told, server_version
from slugline.recovery.offsets import SetBack
from slugline.recovery.programs import SCHEMAS, NotPossible, check_version, program, run

BY = "slugline restore"
ASIDE = "_before_restore"
"""Behind the name of a schema that is replaced, until what replaces it is there."""
REASON = "killed before the restore of an older dump"
_PROCESSES = (
    "SELECT application_name, count(*) AS sessions FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND application_name LIKE 'slugline-%' AND application_name <> 'slugline-slugline' GROUP BY 1 ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to."""

    made_at: datetime
    set_back: Sequence[SetBack]
    hidden: Sequence[str]
    """Updates that were killed after the dump, and are out of sight again."""
    media_files: int | None
    seconds: float

    @property
    def lost(self) -> int:
        """Records since the dump that no topic holds any more."""
        return sum(each.lost for each in self.set_back)


async def restore(
    settings: Connections,
    pool: Pool,
    folder: Path,
    *,
    pg_bin: Path | None,
    killed_in: Sequence[Path],
    with_roles: bool,
    told: Told,
) -> Restored:
    """Restore what a folder holds in the place of what is there; raises NotPossible, and what was there is back then.

    The same command again goes on where one ended. Groups are set back first: should no restore follow, what they handle again
    changes nothing.

    Every process must have ended: one that runs on would write rows of today over rows of then.
    """
    began = time.monotonic()
    made = manifest.read(folder)
    if made.topic_prefix != settings.topic_prefix:
        raise NotPossible(
            f"the backup is of TOPIC_PREFIX {made.topic_prefix!r}, this installation's is {settings.topic_prefix!r}"
        )
    await _refuse_while_processes_run(pool)
    client = program("pg_restore", pg_bin)
    await check_version(client, await server_version(pool), settings.postgres_dsn)
    await _bring_back(pool)
    killed = await removals.removals(pool)
    for path in (folder / manifest.REMOVALS, *killed_in):
        killed |= {key: value for key, value in removals.read(path).items() if killed.get(key) != "taken-down"}
    # Should this die half-way, the next run must know what the database of today knew.
    with contextlib.suppress(OSError):
        removals.write(folder / manifest.REMOVALS, killed)
    told("setting consumer groups back")
    moved = await offsets.set_back(settings, made.places)
    told("restoring Postgres")
    await _set_aside(pool, made.migrations)
    try:
        await run(
            [
                client,
                f"--dbname={_database(settings)}",
                *([] if with_roles else ["--no-owner", "--no-acl"]),
                "--single-transaction",
                str(folder / manifest.DUMP),
            ],
            settings.postgres_dsn,
        )
    except NotPossible:
        await _bring_back(pool)
        raise
    async with pool.acquire() as connection, connection.transaction():
        hidden = await removals.hide(connection, killed)
        sources = await removals.sources_of(connection, hidden)
    if hidden:
        told(f"killing {len(hidden)} updates again")
        await _order(settings, {key: killed[key] for key in hidden}, sources)
    for schema in made.migrations:
        await pool.execute(f'DROP SCHEMA IF EXISTS "{schema}{ASIDE}" CASCADE')
    files = await _media(settings, folder)
    return Restored(made.made_at, moved, sorted(hidden), files, round(time.monotonic() - began, 3))


def _database(settings: Connections) -> str:
    return settings.postgres_dsn.rsplit("/", 1)[-1].partition("?")[0]


async def _set_aside(pool: Pool, schemas: Iterable[str]) -> None:
    """Rename what is there: a schema of today may hold tables that the dump does not know, and a failure brings it back."""
    async with pool.acquire() as connection, connection.transaction():
        for schema in schemas:
            await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}{ASIDE}" CASCADE')
            if await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema):
                await connection.execute(f'ALTER SCHEMA "{schema}" RENAME TO "{schema}{ASIDE}"')


async def _bring_back(pool: Pool) -> None:
    """Rename back what a restore that failed, or died, has set aside."""
    async with pool.acquire() as connection, connection.transaction():
        for schema in SCHEMAS:
            missing = await connection.fetchval("SELECT to_regnamespace($1) IS NULL", schema)
            if missing and await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", f"{schema}{ASIDE}"):
                await connection.execute(f'ALTER SCHEMA "{schema}{ASIDE}" RENAME TO "{schema}"')


async def _refuse_while_processes_run(pool: Pool) -> None:
    rows = await pool.fetch(_PROCESSES)
    if rows:
        names = ", ".join(f"{row['application_name']} ({row['sessions']})" for row in rows)
        raise NotPossible(f"processes are connected to this database: {names}. End them all, then restore")


async def _order(settings: Connections, killed: Mapping[str, str], sources: Mapping[str, str]) -> None:
    """Have enrich know of it too, whatever the log still holds: an order that was carried out before changes nothing."""
    kafka = new_producer(settings, "slugline-restore")
    await kafka.start()
    try:
        producer = Producer(kafka, source="slugline/restore", topic_prefix=settings.topic_prefix)
        futures = [
            await producer.send(
                RAW, order_of(update_id, removal), key=sources.get(update_id, ""), event_id=f"{update_id}:restore"
            )
            for update_id, removal in sorted(killed.items())
        ]
        await acknowledged(futures)
    except KafkaError as error:
        raise NotPossible(
            f"Kafka does not take the orders that kill again ({type(error).__name__}); run the same command again"
        ) from error
    finally:
        await kafka.stop()


def order_of(update_id: str, removal: str, at: datetime | None = None) -> Order:
    """The order that kills an update again."""
    return Order(
        update_id=update_id, order="takedown" if removal == "taken-down" else "kill", by=BY, reason=REASON,
        ordered_at=at or datetime.now(UTC),
    )  # fmt: skip


async def _media(settings: Connections, folder: Path) -> int | None:
    target, source = media.folder_of(settings), folder / manifest.MEDIA_FOLDER
    if target is None or not source.is_dir():
        return None
    _, copied = await asyncio.to_thread(media.copy_missing, source, target)
    return copied
