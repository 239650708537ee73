"""A connection outside the pool, for statements that are run again and again."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import asyncpg

from shared.failures.transient import TRANSIENT

if TYPE_CHECKING:
    from asyncpg.prepared_stmt import PreparedStatement

CLOSE_S = 2


class DedicatedConnection:
    """A connection of its own for statements that are run again and again, one at a time.

    To take a connection from a pool, find the statement and give the connection back costs as much as a small statement
    itself. After a failure that is not of the values given, or a statement that was cut off, the next one connects anew;
    what was cut off may still be done.
    """

    def __init__(self, connect: Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._prepared: dict[str, PreparedStatement[asyncpg.Record]] = {}

    async def fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """The rows of a statement; raises what a pool's `fetch` does."""
        try:
            return await self._run(statement, values)
        except asyncpg.InvalidCachedStatementError:
            # A migration has changed what the statement gives.
            return await self._run(statement, values)

    async def execute(self, statement: str, *values: object) -> None:
        """Run a statement that gives nothing."""
        await self.fetch(statement, *values)

    async def _run(self, statement: str, values: Sequence[object]) -> list[asyncpg.Record]:
        try:
            prepared = self._prepared.get(statement)
            if prepared is None:
                if self._connection is None:
                    self._connection = await self._connect()
                prepared = self._prepared[statement] = await self._connection.prepare(statement)
            return await prepared.fetch(*values)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            raise
        except BaseException:
            self.hang_up()
            raise

    def hang_up(self) -> None:
        """End the connection at once; the next statement makes another."""
        if (connection := self._taken_away()) is not None:
            connection.terminate()

    async def close(self) -> None:
        """End the connection as Postgres likes it."""
        if (connection := self._taken_away()) is not None:
            with contextlib.suppress(*TRANSIENT):
                await connection.close(timeout=CLOSE_S)

    def _taken_away(self) -> "asyncpg.Connection[asyncpg.Record] | None":
        connection, self._connection = self._connection, None
        self._prepared.clear()
        return connection
