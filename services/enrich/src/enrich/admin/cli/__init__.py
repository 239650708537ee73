"""The commands of editors and operators, for `python -m enrich`."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import click

from enrich.settings import Settings
from shared.audit.entry import Entry
from shared.audit.log import append
from shared.failures import Invalid
from shared.postgres.migrations import migrate
from shared.postgres.pool import Connection, connect

T = TypeVar("T")


def update_id(_: click.Context, __: click.Parameter, value: str) -> str:
    """For click: checks the id of an update, whether or not it has come yet."""
    if not re.fullmatch(r"[a-z2-7]{26}", value):
        raise click.BadParameter(f"{value!r} is no id of an update, which has 26 letters and digits")
    return value


def command_error(failure: Invalid, where: str = "") -> click.ClickException:
    """Ends a command with the reason and the place of what is invalid."""
    return click.ClickException(f"{where}{failure.reason}{f' at {failure.field}' if failure.field else ''}")


def on_postgres(work: Callable[[Connection], Awaitable[T]], entry: Entry | None = None) -> T:
    """Do `work(connection)` in one transaction on a schema that is up to date; a failure ends the command with its reason.

    `entry` goes into the audit log with it, unless the work says False: that nothing was changed.
    """

    async def body() -> T:
        settings = Settings()
        pool = await asyncio.wait_for(connect(settings, schema="enrich", max_size=2, for_command=True), 30)
        try:
            await migrate(pool, "enrich")
            async with pool.acquire() as connection, connection.transaction():
                result = await work(connection)
                if entry is not None and result is not False:
                    await append(connection, entry)
                return result
        finally:
            await pool.close()

    try:
        return asyncio.run(body())
    except TimeoutError:
        raise click.ClickException("Postgres does not answer; see POSTGRES_DSN") from None
    except Invalid as failure:
        raise command_error(failure) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise click.ClickException(f"Postgres: {error}") from None
