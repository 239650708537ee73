"""The pool of Postgres connections, and what its users may ask of it."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypedDict

import asyncpg
import orjson
import structlog

from shared.background import BACKOFF
from shared.failures import Unanswered
from shared.failures.transient import is_transient, reason_of
from shared.postgres.dedicated_connection import DedicatedConnection
from shared.postgres.session import (
    BY_KEYS,
    CLIENT_MARGIN_S,
    COMMAND_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    MISCONFIGURED,
    session_settings,
)
from shared.settings import Connections

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

log = structlog.get_logger(__name__)

COMMAND_WAITS_S = 10.0
"""For Postgres, of a command that a person typed: a restart is waited out, an outage is said."""
Row = asyncpg.Record
Connection: TypeAlias = "asyncpg.Connection[Row] | PoolConnectionProxy[Row]"


class Queryable(Protocol):
    """What runs statements: a pool, a dedicated connection, or a connection in a transaction."""

    async def fetch(self, query: str, *values: object) -> list[Row]:
        """All rows of a statement."""

    async def fetchrow(self, query: str, *values: object) -> Row | None:
        """The first row of a statement."""

    async def fetchval(self, query: str, *values: object) -> object:
        """The first column of the first row of a statement; see `rows.narrowed`."""

    async def execute(self, query: str, *values: object) -> str:
        """Run a statement; its command tag."""


class _ConnectOptions(TypedDict):
    timeout: float
    command_timeout: float
    server_settings: dict[str, str]


class Pool:
    """asyncpg's pool, and the dedicated connections opened beside it, which are closed with it."""

    def __init__(self, pool: "asyncpg.Pool[Row]", dsn: str, options: _ConnectOptions) -> None:
        self._pool = pool
        self._dsn = dsn
        self._options = options
        self._dedicated: list[DedicatedConnection] = []

    async def fetch(self, query: str, *values: object) -> list[Row]:
        """All rows of a statement."""
        return await self._pool.fetch(query, *values)

    async def fetchrow(self, query: str, *values: object) -> Row | None:
        """The first row of a statement."""
        return await self._pool.fetchrow(query, *values)

    async def fetchval(self, query: str, *values: object) -> object:
        """The first column of the first row of a statement; see `rows.narrowed`."""
        return await self._pool.fetchval(query, *values)

    async def execute(self, query: str, *values: object) -> str:
        """Run a statement; its command tag."""
        return await self._pool.execute(query, *values)

    async def executemany(
        self, query: str, values: Iterable[Sequence[object]], *, timeout: float | None = None
    ) -> None:
        """Run a statement once for each of the values, all or none."""
        await self._pool.executemany(query, values, timeout=timeout)

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator["PoolConnectionProxy[Row]"]:
        """A connection for the block, for a transaction or a lock."""
        async with self._pool.acquire() as connection:
            yield connection

    def dedicated(self, extra_settings: Mapping[str, str] | None = None) -> DedicatedConnection:
        """A connection beside the pool, opened when it is first used; its session has `extra_settings` too."""
        options = self._options.copy()
        options["server_settings"] = {**options["server_settings"], **(extra_settings or {})}
        connection = DedicatedConnection(functools.partial(_connect, self._dsn, options))
        self._dedicated.append(connection)
        return connection

    async def close(self) -> None:
        """Close all connections, once their users have given them back."""
        for connection in self._dedicated:
            await connection.close()
        await self._pool.close()


async def _prepare(connection: "asyncpg.Connection[Row]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
        )


async def _keep_session(_: object) -> None:
    """For a pool whose users leave no state on a session: skips the round trip that resets it."""


async def _connect(dsn: str, options: _ConnectOptions) -> "asyncpg.Connection[Row]":
    connection = await asyncpg.connect(dsn, **options)
    await _prepare(connection)
    return connection


async def connect(
    settings: Connections,
    *,
    schema: str,
    stop: asyncio.Event | None = None,
    max_size: int = 8,
    stateless: bool = False,
    by_keys: bool = False,
    for_command: bool = False,
) -> Pool:
    """A pool whose search path is `schema`, with json and jsonb as Python values.

    Waits until Postgres answers, with a bounded pause between attempts; raises `Unanswered` once `stop` is set, and after
    `COMMAND_WAITS_S` where a person waits.

    `stateless`: nobody sets a parameter, takes a lock or listens for longer than a transaction. A connection then goes back to
    the pool without the round trip that resets its session.
    `by_keys`: statements find rows by their keys and are planned once. Postgres would otherwise plan a statement anew each
    time its array holds a single key, which takes longer than running it.
    `for_command`: a person started the process, so statements may take their time.
    """
    options: _ConnectOptions = {
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": (COMMAND_TIMEOUT_S if for_command else settings.postgres_statement_timeout_s)
        + CLIENT_MARGIN_S,
        "server_settings": {
            "search_path": schema,
            "application_name": f"slugline-{schema}",
            **session_settings(settings, for_command=for_command),
            **(BY_KEYS if by_keys else {}),
        },
    }
    failures = 0
    ends_at = time.monotonic() + COMMAND_WAITS_S if for_command else None
    while True:
        try:
            pool = await asyncpg.create_pool(
                settings.postgres_dsn,
                min_size=1,
                max_size=max_size,
                init=_prepare,
                reset=_keep_session if stateless else None,
                **options,
            )
        except Exception as error:
            if not is_transient(error) or isinstance(error, MISCONFIGURED):
                raise
            if (stop is not None and stop.is_set()) or (ends_at is not None and time.monotonic() > ends_at):
                raise Unanswered(reason_of(error)) from error
            failures += 1
            pause_s = BACKOFF.pause_s(failures)
            log.warning("postgres away", error=reason_of(error), retry_in_s=round(pause_s, 1), fold=schema)
            await asyncio.sleep(pause_s)
        else:
            return Pool(pool, settings.postgres_dsn, options)
