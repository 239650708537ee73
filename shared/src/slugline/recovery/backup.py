"""A backup: where the log is, a dump of Postgres behind that, what is killed, and the renditions."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed
from shared.settings import Connections
from slugline.recovery import manifest, media, offsets, removals
from slugline.recovery.manifest import Manifest
from slugline.recovery.programs import SCHEMAS, NotPossible, check_version, program, run

Told = Callable[[str], None]


async def schemas_of(pool: Pool) -> dict[str, int]:
    """The schemas of ours that there are, with how many migrations each has."""
    found = {}
    for schema in SCHEMAS:
        if await pool.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{schema}.migrations"):
            count = await pool.fetchval(f"SELECT count(*) FROM {schema}.migrations")  # noqa: S608 -- ours
            found[schema] = narrowed(int, count)
    return found


def prepare(folder: Path) -> None:
    """Make the folder, for its owner alone; raises NotPossible where it holds a backup."""
    if (folder / manifest.FILE).exists():
        raise NotPossible(f"{folder} holds a backup already: give each a folder of its own")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


async def server_version(pool: Pool) -> int:
    """As `server_version_num` has it."""
    return int(narrowed(str, await pool.fetchval("SHOW server_version_num")))


async def backup(
    settings: Connections, pool: Pool, folder: Path, *, pg_bin: Path | None, with_media: bool, told: Told
) -> Manifest:
    """Back up into a folder that holds none yet; raises NotPossible. Processes go on meanwhile."""
    began, made_at = time.monotonic(), datetime.now(UTC)
    prepare(folder)
    dump = program("pg_dump", pg_bin)
    await check_version(dump, await server_version(pool), settings.postgres_dsn)
    schemas = await schemas_of(pool)
    if not schemas:
        raise NotPossible("there is nothing of ours in this database")
    # First the offsets: what is between them and the dump is handled twice after a restore, and nothing is left out.
    places = await offsets.read_places(settings)
    told("dumping Postgres")
    target = folder / manifest.DUMP
    arguments = [f"--schema={schema}" for schema in schemas]
    await run([dump, "--format=custom", f"--file={target}", *arguments], settings.postgres_dsn)
    removals.write(folder / manifest.REMOVALS, await removals.removals(pool))
    files = await _media(settings, folder, told) if with_media else None
    made = Manifest(
        made_at, settings.topic_prefix, manifest.digest(target), target.stat().st_size, places, schemas, files,
        round(time.monotonic() - began, 3),
    )  # fmt: skip
    made.write(folder)
    return made


async def _media(settings: Connections, folder: Path, told: Told) -> int | None:
    source = media.folder_of(settings)
    if source is None:
        told("the media store is no folder: its own versions and backups hold the renditions")
        return None
    told("copying renditions")
    there, _ = await asyncio.to_thread(media.copy_missing, source, folder / manifest.MEDIA_FOLDER)
    return there
