"""Postgres for the length of one command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import click

from ingest.settings import Settings
from shared.failures.transient import TRANSIENT, reason_of
from shared.observability.logs import configure_logging
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect

T = TypeVar("T")

CONNECT_ERRORS: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError)


async def connect_once(settings: Settings, max_size: int, *, for_command: bool = False) -> Pool:
    """A pool, or one of `CONNECT_ERRORS` at once where Postgres does not answer."""
    stop = asyncio.Event()
    stop.set()
    return await connect(settings, schema="ingest", stop=stop, max_size=max_size, for_command=for_command)


def with_postgres(work: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `work(pool)` on a schema that is up to date. Fails at once if Postgres does not answer."""

    async def body() -> T:
        settings = Settings()
        configure_logging(settings, "ingest")
        try:
            pool = await connect_once(settings, 2, for_command=True)
        except CONNECT_ERRORS as error:
            raise click.ClickException(f"Postgres does not answer: {reason_of(error)}") from error
        try:
            await migrate(pool, "ingest")
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(body())
