"""A pool of Postgres connections, and the connections beside it that are its processes' own."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict

import asyncpg
import orjson
import structlog

from shared.background import pause_after
from shared.failures import Unanswered
from shared.failures.transient import is_transient, reason_of
from shared.postgres.dedicated_connection import DedicatedConnection
from shared.postgres.session import (
    BY_KEYS,
    CLIENT_MARGIN_S,
    COMMAND_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    REFUSED,
    session_settings,
)
from shared.settings import Connections

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

log = structlog.get_logger(__name__)

Row = asyncpg.Record
Connection: TypeAlias = "asyncpg.Connection[Row] | PoolConnectionProxy[Row]"


class Queryable(Protocol):
    """What answers statements: a pool, or one connection in a transaction."""

    async def fetch(self, query: str, *values: object) -> list[Row]:
        """All rows."""

    async def fetchrow(self, query: str, *values: object) -> Row | None:
        """The first row."""

    async def fetchval(self, query: str, *values: object) -> Any:
        """The first column of the first row."""

    async def execute(self, query: str, *values: object) -> str:
        """Run a statement; its command tag."""


class _Connecting(TypedDict):
    timeout: float
    command_timeout: float
    server_settings: dict[str, str]


class Pool:
    """asyncpg's pool, and the dedicated connections that were opened beside it: they end with it, and take no connection from it."""

    def __init__(self, pool: "asyncpg.Pool[Row]", dsn: str, connecting: _Connecting) -> None:
        self._pool = pool
        self._dsn = dsn
        self._connecting = connecting
        self._dedicated: list[DedicatedConnection] = []

    async def fetch(self, query: str, *values: object) -> list[Row]:
        """All rows of a statement."""
        return await self._pool.fetch(query, *values)

    async def fetchrow(self, query: str, *values: object) -> Row | None:
        """The first row of a statement."""
        return await self._pool.fetchrow(query, *values)

    async def fetchval(self, query: str, *values: object) -> Any:
        """The first column of the first row of a statement."""
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

    def dedicated(self, more: Mapping[str, str] | None = None) -> DedicatedConnection:
        """A connection beside the pool, made as the pool's are when it is first used; its session has `more` settings."""
        connecting = self._connecting.copy()
        connecting["server_settings"] = {**connecting["server_settings"], **(more or {})}
        connection = DedicatedConnection(functools.partial(_connected, self._dsn, connecting))
        self._dedicated.append(connection)
        return connection

    async def close(self) -> None:
        """Return once all connections have come back and are closed."""
        for connection in self._dedicated:
            await connection.close()
        await self._pool.close()


async def _prepare(connection: "asyncpg.Connection[Row]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
        )


async def _leave_as_is(_: object) -> None:
    """For a pool whose users leave nothing behind on a session."""


async def _connected(dsn: str, connecting: _Connecting) -> "asyncpg.Connection[Row]":
    connection = await asyncpg.connect(dsn, **connecting)
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
    """A pool whose search path is `schema`; json and jsonb are Python values. Waits, with a bounded pause, until Postgres answers,
    or raises `Unanswered` once `stop` is set.

    `stateless` says that nobody sets, locks or listens for longer than a transaction: then a connection goes back to the
    pool without the round trip that would clean its session. `by_keys` is for statements that find rows by their keys,
    however many: they are planned once. Postgres would plan one anew each time that its array holds a single key, which
    takes longer than to run it. `for_command` is for what a person started, which may take its time.
    """
    connecting: _Connecting = {
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
    while True:
        try:
            pool = await asyncpg.create_pool(
                settings.postgres_dsn,
                min_size=1,
                max_size=max_size,
                init=_prepare,
                reset=_leave_as_is if stateless else None,
                **connecting,
            )
        except Exception as error:
            if not is_transient(error) or isinstance(error, REFUSED):
                raise
            if stop is not None and stop.is_set():
                raise Unanswered(reason_of(error)) from error
            failures += 1
            pause_s = pause_after(failures)
            log.warning("postgres away", error=reason_of(error), retry_in_s=round(pause_s, 1), fold=schema)
            await asyncio.sleep(pause_s)
        else:
            return Pool(pool, settings.postgres_dsn, connecting)
