"""Postgres for the length of one command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import click

from ingest.settings import Settings
from shared.failures.transient import TRANSIENT
from shared.observability.logs import configure_logging
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect

T = TypeVar("T")


def with_postgres(work: Callable[[Any], Awaitable[T]]) -> T:
    """Run `work(pool)` on an up-to-date schema; a person at a terminal is told at once that Postgres is away."""

    async def body() -> T:
        settings = Settings()
        configure_logging(settings, "ingest")
        stop = asyncio.Event()
        stop.set()
        try:
            pool = await connect(settings, schema="ingest", stop=stop, max_size=2, for_command=True)
        except (*TRANSIENT, asyncpg.PostgresError) as error:
            raise click.ClickException(f"Postgres does not answer: {error or type(error).__name__}") from error
        try:
            await migrate(pool, "ingest")
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(body())
