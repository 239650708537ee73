"""Migrations of one service's schema."""

import asyncio
import contextlib
import functools
import hashlib
from importlib.resources import files

import structlog

from shared.background import until_answered
from shared.failures.transient import TRANSIENT
from shared.postgres.pool import Connection, Pool, connect
from shared.postgres.session import LEADER_IDLE_S, milliseconds
from shared.settings import Connections

log = structlog.get_logger(__name__)

MIGRATION_TIMEOUT_S = 3600.0


async def migrate(pool: Pool, schema: str) -> list[str]:
    """Apply the service's `migrations/*.sql` that are not applied yet, in order of name; the names of those applied.

    Every process may run it at once: an advisory lock lets one at a time in. A file that has changed since it was applied is an
    error, because other installations have its old text.
    """
    lock = int.from_bytes(hashlib.sha256(f"slugline.{schema}".encode()).digest()[:8], "big", signed=True)
    async with pool.acquire() as connection:
        # A process that freezes between two files must not hold the lock, and so block every start, for ever.
        await connection.execute(f"SET idle_session_timeout = {milliseconds(LEADER_IDLE_S)}")
        await connection.execute("SELECT pg_advisory_lock($1)", lock)
        try:
            applied = await _apply_missing(connection, schema)
        finally:
            with contextlib.suppress(*TRANSIENT):
                await connection.execute("SELECT pg_advisory_unlock($1)", lock)
                await connection.execute("RESET ROLE")
                await connection.execute("RESET idle_session_timeout")
    if applied:
        log.info("migrated", schema=schema, applied=applied)
    return applied


async def _apply_missing(connection: Connection, schema: str) -> list[str]:
    # A role that owns no more than its schema may not even ask for one that is there.
    if not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema):
        await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    # What an administrator's command makes is the service's, which may have a role of its own.
    owner = await connection.fetchval(
        "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = $1 AND pg_has_role(nspowner, 'MEMBER')",
        schema,
    )
    if owner is not None:
        await connection.execute(f"SET ROLE {owner}")
    await connection.execute(
        f'CREATE TABLE IF NOT EXISTS "{schema}".migrations '
        "(name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = await connection.fetch(f'SELECT name, sha256 FROM "{schema}".migrations')
    done: dict[str, str] = {row["name"]: row["sha256"] for row in rows}
    applied = []
    for name, script in _scripts(schema):
        digest = hashlib.sha256(script.encode()).hexdigest()
        if name in done:
            if done[name] != digest:
                raise RuntimeError(f"migration {schema}/{name} was changed after it was applied")
            continue
        async with connection.transaction():
            await connection.execute(f"SET LOCAL statement_timeout = {milliseconds(MIGRATION_TIMEOUT_S)}")
            await connection.execute(script, timeout=MIGRATION_TIMEOUT_S)
            await connection.execute(f'INSERT INTO "{schema}".migrations (name, sha256) VALUES ($1, $2)', name, digest)
        applied.append(name)
    return applied


def _scripts(schema: str) -> list[tuple[str, str]]:
    folder = files(schema) / "migrations"
    return sorted((entry.name, entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".sql"))


async def open_pool(
    settings: Connections,
    *,
    schema: str,
    stop: asyncio.Event,
    max_size: int = 8,
    stateless: bool = False,
    by_keys: bool = False,
) -> Pool:
    """A pool as `connect` makes it, on a schema that is migrated; waits for a server that goes away meanwhile, too."""
    pool = await connect(settings, schema=schema, stop=stop, max_size=max_size, stateless=stateless, by_keys=by_keys)
    await until_answered(f"migrations of {schema}", functools.partial(migrate, pool, schema), stop)
    return pool
