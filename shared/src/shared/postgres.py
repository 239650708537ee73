"""A pool of Postgres connections and the migrations of one service's schema."""

import asyncio
import functools
import hashlib
import random
from collections.abc import Sequence
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


class _StatelessPool(asyncpg.Pool):  # type: ignore[misc]
    """A pool whose connections need no cleaning: they go back at once.

    asyncpg shields the giving back by a task of its own, since cleaning waits for the server; where nothing is waited for,
    nothing can be cancelled, and the three turns of the loop would come after every answer.
    """

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """Give a connection back; one that has to be closed, or that is still cancelling a query, in asyncpg's own way."""
        holder, inner = getattr(connection, "_holder", None), getattr(connection, "_con", None)
        if (
            holder is None
            or inner is None
            or holder._pool is not self  # noqa: SLF001 -- asyncpg has no public way
            or holder._generation != self._generation  # noqa: SLF001
            or inner.is_closed()
            or inner._protocol._is_cancelling()  # noqa: SLF001
            or inner._protocol.queries_count >= holder._max_queries  # noqa: SLF001
        ):
            await super().release(connection, timeout=timeout)
            return
        inner._on_release()  # noqa: SLF001
        await holder.release(timeout)


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
            return await (_StatelessPool if stateless else asyncpg.Pool)(
                settings.postgres_dsn,
                min_size=1,
                max_size=max_size,
                max_queries=50_000,
                max_inactive_connection_lifetime=300.0,
                timeout=5,
                command_timeout=30,
                init=_prepare,
                reset=_leave_as_is if stateless else None,
                server_settings={
                    "search_path": schema,
                    "application_name": f"slugline-{schema}",
                    **(_BY_KEYS if by_keys else {}),
                },
                loop=None,
                connection_class=Connection,
                record_class=Row,
            )
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, TimeoutError) as error:
            if stop is not None and stop.is_set():
                raise Unanswered(str(error) or type(error).__name__) from error
            log.warning("postgres away", error=str(error) or type(error).__name__, retry_in_s=round(pause_s, 1))
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))
            pause_s = min(pause_s * 2, 5.0)


def table(types: str, rows: Sequence[Sequence[Any]], first: int = 1) -> tuple[str, list[Any]]:
    """Rows as a table in a statement's FROM, and its parameters, numbered from `first`; the statement names the columns.

    `types` are those of the columns, parted by spaces. Rows go as an array for each column, so that there is one statement
    for any number of them; one row goes as it is, since to pack and unpack arrays takes longer than to find or write it.
    """
    if len(rows) == 1:
        return _one_row(types, first), list(rows[0])
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in types.split()]
    return _many_rows(types, first), columns


@functools.cache
def _one_row(types: str, first: int) -> str:
    return f"(VALUES ({', '.join(f'${number}::{name}' for number, name in enumerate(types.split(), first))}))"


@functools.cache
def _many_rows(types: str, first: int) -> str:
    return f"unnest({', '.join(f'${number}::{name}[]' for number, name in enumerate(types.split(), first))})"


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
