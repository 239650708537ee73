"""The migrations of one service's schema."""

import asyncio
import contextlib
import functools
import hashlib
from importlib.resources import files

import structlog

from shared.background import until_answered
from shared.failures.transient import TRANSIENT
from shared.postgres.pool import Pool, connect
from shared.postgres.session import LEADER_IDLE_S, milliseconds
from shared.settings import Connections

log = structlog.get_logger(__name__)

MIGRATION_TIMEOUT_S = 3600.0


async def migrate(pool: Pool, schema: str) -> list[str]:
    """Apply what is missing of the service's `migrations/*.sql`, in order of name, each in a transaction of its own.

    Safe to run from every process at once: an advisory lock lets one do it. A file that was applied and has changed
    since is an error, since another installation has its old text. Returns the names that were applied.
    """
    scripts = sorted(
        (entry.name, entry.read_text())
        for entry in (files(schema) / "migrations").iterdir()
        if entry.name.endswith(".sql")
    )
    applied: list[str] = []
    lock = int.from_bytes(hashlib.sha256(f"slugline.{schema}".encode()).digest()[:8], "big", signed=True)
    async with pool.acquire() as connection:
        # A process that freezes between two files would hold the lock, and every start, for ever.
        await connection.execute(f"SET idle_session_timeout = {milliseconds(LEADER_IDLE_S)}")
        await connection.execute("SELECT pg_advisory_lock($1)", lock)
        try:
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            await connection.execute(
                f'CREATE TABLE IF NOT EXISTS "{schema}".migrations '
                "(name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            done = {
                row["name"]: row["sha256"]
                for row in await connection.fetch(f'SELECT name, sha256 FROM "{schema}".migrations')
            }
            for name, script in scripts:
                digest = hashlib.sha256(script.encode()).hexdigest()
                if name in done:
                    if done[name] != digest:
                        raise RuntimeError(f"migration {schema}/{name} was changed after it was applied")
                    continue
                async with connection.transaction():
                    await connection.execute(f"SET LOCAL statement_timeout = {milliseconds(MIGRATION_TIMEOUT_S)}")
                    await connection.execute(script, timeout=MIGRATION_TIMEOUT_S)
                    await connection.execute(
                        f'INSERT INTO "{schema}".migrations (name, sha256) VALUES ($1, $2)', name, digest
                    )
                applied.append(name)
        finally:
            with contextlib.suppress(*TRANSIENT):
                await connection.execute("SELECT pg_advisory_unlock($1)", lock)
                await connection.execute("RESET idle_session_timeout")
    if applied:
        log.info("migrated", schema=schema, applied=applied)
    return applied


async def open_pool(
    settings: Connections,
    *,
    schema: str,
    stop: asyncio.Event,
    max_size: int = 8,
    stateless: bool = False,
    by_keys: bool = False,
) -> Pool:
    """A pool as of `connect` on a schema that is up to date; a server that goes away meanwhile is waited for too."""
    pool = await connect(settings, schema=schema, stop=stop, max_size=max_size, stateless=stateless, by_keys=by_keys)
    await until_answered(f"migrations of {schema}", functools.partial(migrate, pool, schema), stop)
    return pool
