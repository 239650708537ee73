"""A pool of Postgres connections and the migrations of one service's schema."""

import asyncio
import hashlib
import random
from importlib.resources import files
from typing import Any

import asyncpg
import orjson
import structlog

from shared.settings import Connections

log = structlog.get_logger(__name__)

Pool = asyncpg.Pool
Connection = asyncpg.Connection
Row = asyncpg.Record


async def _prepare(connection: Any) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
        )


_BY_KEYS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""One plan for every call, by the indexes: made on an empty table, it would read the whole table for as long as it is kept.
What no index serves then looks so costly that it would be compiled first."""


async def _leave_as_is(_: Any) -> None:
    """For a pool whose users leave nothing behind on a session."""


class Unanswered(OSError):
    """Postgres had not answered when it was time to stop waiting."""


async def connect(
    settings: Connections,
    *,
    schema: str,
    stop: asyncio.Event | None = None,
    max_size: int = 8,
    stateless: bool = False,
    by_keys: bool = False,
) -> Any:
    """A pool whose search path is `schema`; json and jsonb are Python values. Waits, with a bounded pause, until Postgres answers,
    or raises `Unanswered` once `stop` is set.

    `stateless` says that nobody sets, locks or listens for longer than a transaction: then a connection goes back to the
    pool without the round trip that would clean its session. `by_keys` is for statements that find rows by their keys,
    however many: they are planned once. Postgres would plan one anew each time that its array holds a single key, which
    takes longer than to run it.
    """
    pause_s = 0.2
    while True:
        try:
            return await asyncpg.create_pool(
                settings.postgres_dsn,
                min_size=1,
                max_size=max_size,
                timeout=5,
                command_timeout=30,
                init=_prepare,
                reset=_leave_as_is if stateless else None,
                server_settings={
                    "search_path": schema,
                    "application_name": f"slugline-{schema}",
                    **(_BY_KEYS if by_keys else {}),
                },
            )
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, TimeoutError) as error:
            if stop is not None and stop.is_set():
                raise Unanswered(str(error) or type(error).__name__) from error
            log.warning("postgres away", error=str(error) or type(error).__name__, retry_in_s=round(pause_s, 1))
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))
            pause_s = min(pause_s * 2, 5.0)


async def migrate(pool: Any, schema: str) -> list[str]:
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
                    await connection.execute(script)
                    await connection.execute(
                        f'INSERT INTO "{schema}".migrations (name, sha256) VALUES ($1, $2)', name, digest
                    )
                applied.append(name)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", lock)
    if applied:
        log.info("migrated", schema=schema, applied=applied)
    return applied
