"""A connection outside the pool, for statements that run again and again."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import asyncpg

from shared.failures.transient import TRANSIENT

if TYPE_CHECKING:
    from asyncpg.prepared_stmt import PreparedStatement

CLOSE_TIMEOUT_S = 2


class DedicatedConnection:
    """Runs statements one at a time on a connection of its own, each prepared once.

    Taking a connection from a pool, finding the statement and giving the connection back costs as much as a small statement
    itself. A statement that fails for another reason than its values, or is cancelled, closes the connection, and the next one
    opens another. What was cancelled may still be done.
    """

    def __init__(self, connect: Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._prepared: dict[str, PreparedStatement[asyncpg.Record]] = {}

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        """All rows of a statement."""
        return (await self._run(query, values))[0]

    async def fetchrow(self, query: str, *values: object) -> asyncpg.Record | None:
        """The first row of a statement."""
        return next(iter(await self.fetch(query, *values)), None)

    async def fetchval(self, query: str, *values: object) -> object:
        """The first column of the first row of a statement."""
        row = await self.fetchrow(query, *values)
        return None if row is None else row[0]

    async def execute(self, query: str, *values: object) -> str:
        """Run a statement; its command tag."""
        return (await self._run(query, values))[1]

    async def _run(self, query: str, values: Sequence[object]) -> tuple[list[asyncpg.Record], str]:
        try:
            return await self._run_prepared(query, values)
        except asyncpg.InvalidCachedStatementError:
            # A migration has changed the columns of the result.
            return await self._run_prepared(query, values)

    async def _run_prepared(self, query: str, values: Sequence[object]) -> tuple[list[asyncpg.Record], str]:
        try:
            prepared = self._prepared.get(query)
            if prepared is None:
                if self._connection is None:
                    self._connection = await self._connect()
                prepared = self._prepared[query] = await self._connection.prepare(query)
            return await prepared.fetch(*values), prepared.get_statusmsg() or ""
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            raise
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Close the connection at once; the next statement opens another."""
        if (connection := self._detach()) is not None:
            connection.terminate()

    async def close(self) -> None:
        """Close the connection in order."""
        if (connection := self._detach()) is not None:
            with contextlib.suppress(*TRANSIENT):
                await connection.close(timeout=CLOSE_TIMEOUT_S)

    def _detach(self) -> "asyncpg.Connection[asyncpg.Record] | None":
        connection, self._connection = self._connection, None
        self._prepared.clear()
        return connection
