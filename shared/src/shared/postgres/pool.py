"""A pool of Postgres connections and the migrations of one service's schema."""

import asyncio
import contextlib
import functools
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import asyncpg
import orjson
import structlog

from shared.background import pause_after, until_answered
from shared.failures import Unanswered
from shared.failures.transient import TRANSIENT, is_transient, reason_of
from shared.settings import Connections

log = structlog.get_logger(__name__)

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
BY_INDEX = {**_BY_KEYS, "enable_bitmapscan": "off", "enable_sort": "off", "enable_incremental_sort": "off"}
"""The same for statements that read the first few rows in the order of an index: no statistics make Postgres read all rows to
sort them."""


async def _leave_as_is(_: Any) -> None:
    """For a pool whose users leave nothing behind on a session."""


CLOSE_S = 2


class Line:
    """A connection of its own for statements that are run again and again, one at a time.

    To take a connection from a pool, find the statement and give the connection back costs as much as a small statement
    itself. After a failure that is not of the values given, or a statement that was cut off, the next one connects anew;
    what was cut off may still be done.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._connection: Any = None
        self._prepared: dict[str, Any] = {}

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """The rows of a statement; raises what a pool's `fetch` does."""
        try:
            return await self._run(statement, values)
        except asyncpg.InvalidCachedStatementError:
            # A migration has changed what the statement gives.
            return await self._run(statement, values)

    async def execute(self, statement: str, *values: Any) -> None:
        """Run a statement that gives nothing."""
        await self.fetch(statement, *values)

    async def _run(self, statement: str, values: Sequence[Any]) -> list[Any]:
        try:
            prepared = self._prepared.get(statement)
            if prepared is None:
                if self._connection is None:
                    self._connection = await self._connect()
                prepared = self._prepared[statement] = await self._connection.prepare(statement)
            rows: list[Any] = await prepared.fetch(*values)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            raise
        except BaseException:
            self.hang_up()
            raise
        return rows

    def hang_up(self) -> None:
        """End the connection at once; the next statement makes another."""
        if (connection := self._taken_away()) is not None:
            connection.terminate()

    async def close(self) -> None:
        """End the connection as Postgres likes it."""
        if (connection := self._taken_away()) is not None:
            with contextlib.suppress(*TRANSIENT):
                await connection.close(timeout=CLOSE_S)

    def _taken_away(self) -> Any:
        connection, self._connection = self._connection, None
        self._prepared.clear()
        return connection


class Pool(asyncpg.Pool):  # type: ignore[misc]
    """asyncpg's pool, and the lines that were opened beside it: they end with it, and take no connection from it."""

    def __init__(self, dsn: str, *, connecting: Mapping[str, Any], **options: Any) -> None:
        super().__init__(dsn, **connecting, **options)
        self._dsn = dsn
        self._connecting = connecting
        self._lines: list[Line] = []

    def line(self, more: Mapping[str, str] | None = None) -> Line:
        """A line that connects, as the pool does, when it is first used; its sessions have `more` settings."""
        server_settings = {**self._connecting["server_settings"], **(more or {})}
        line = Line(functools.partial(_connected, self._dsn, {**self._connecting, "server_settings": server_settings}))
        self._lines.append(line)
        return line

    async def close(self) -> None:
        """Return once all connections have come back and are closed."""
        for line in self._lines:
            await line.close()
        await super().close()


async def _connected(dsn: str, connecting: Mapping[str, Any]) -> Any:
    connection = await asyncpg.connect(dsn, **connecting)
    await _prepare(connection)
    return connection


REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""At the start of a process: the account or the database of `POSTGRES_DSN` is wrong, which somebody must be told."""
MIGRATION_TIMEOUT_S = 3600.0
COMMAND_TIMEOUT_S, COMMAND_IDLE_S = 3600.0, 600.0
LEADER_IDLE_S = 12.0
"""A session that holds a lock of its process for longer than a transaction ends when it says nothing for so long."""
CONNECT_TIMEOUT_S = 5.0
CLIENT_MARGIN_S = 5.0
"""How much longer we wait for a statement than Postgres does, so that it is Postgres that ends it."""


def session_settings(settings: Connections, *, for_command: bool = False) -> dict[str, str]:
    """What bounds each session, so that a process or a machine that freezes holds nobody up for long.

    A command that somebody started may run long statements, and think between them. Keepalives and `tcp_user_timeout` are Postgres's own, for a client that is gone; they do nothing on a Unix socket.
    """
    every_s = max(settings.postgres_dead_after_s // 3, 1)
    statement_s = COMMAND_TIMEOUT_S if for_command else settings.postgres_statement_timeout_s
    idle_s = COMMAND_IDLE_S if for_command else settings.postgres_idle_in_transaction_s
    return {
        "statement_timeout": _ms(statement_s),
        "lock_timeout": _ms(settings.postgres_lock_timeout_s),
        "idle_in_transaction_session_timeout": _ms(idle_s),
        "tcp_keepalives_idle": str(every_s),
        "tcp_keepalives_interval": str(every_s),
        "tcp_keepalives_count": "2",
        "tcp_user_timeout": _ms(settings.postgres_dead_after_s),
    }


def _ms(seconds: float) -> str:
    return str(int(seconds * 1000))


async def connect(
    settings: Connections,
    *,
    schema: str,
    stop: asyncio.Event | None = None,
    max_size: int = 8,
    stateless: bool = False,
    by_keys: bool = False,
    for_command: bool = False,
) -> Any:
    """A pool whose search path is `schema`; json and jsonb are Python values. Waits, with a bounded pause, until Postgres answers,
    or raises `Unanswered` once `stop` is set.

    `stateless` says that nobody sets, locks or listens for longer than a transaction: then a connection goes back to the
    pool without the round trip that would clean its session. `by_keys` is for statements that find rows by their keys,
    however many: they are planned once. Postgres would plan one anew each time that its array holds a single key, which
    takes longer than to run it. `for_command` is for what a person started, which may take its time.
    """
    connecting = {
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": (COMMAND_TIMEOUT_S if for_command else settings.postgres_statement_timeout_s)
        + CLIENT_MARGIN_S,
        "server_settings": {
            "search_path": schema,
            "application_name": f"slugline-{schema}",
            **session_settings(settings, for_command=for_command),
            **(_BY_KEYS if by_keys else {}),
        },
    }
    failures = 0
    while True:
        try:
            return await Pool(
                settings.postgres_dsn,
                connecting=connecting,
                min_size=1,
                max_size=max_size,
                max_queries=50_000,
                max_inactive_connection_lifetime=300.0,
                init=_prepare,
                reset=_leave_as_is if stateless else None,
                loop=None,
                connection_class=Connection,
                record_class=Row,
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


async def open_pool(settings: Connections, *, schema: str, stop: asyncio.Event, **options: Any) -> Any:
    """A pool as of `connect` on a schema that is up to date; a server that goes away meanwhile is waited for too."""
    pool = await connect(settings, schema=schema, stop=stop, **options)
    await until_answered(f"migrations of {schema}", functools.partial(migrate, pool, schema), stop)
    return pool


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
        # A process that freezes between two files would hold the lock, and every start, for ever.
        await connection.execute(f"SET idle_session_timeout = {_ms(LEADER_IDLE_S)}")
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
                    await connection.execute(f"SET LOCAL statement_timeout = {_ms(MIGRATION_TIMEOUT_S)}")
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
