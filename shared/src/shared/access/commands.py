"""The commands `keys` of a service."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import asyncpg
import click

from shared.access import store
from shared.access.holder import OPERATE
from shared.access.management import KeyManagement, NoSuchHolder
from shared.access.store import LONGEST_OVERLAP, OVERLAP, NewKey, UnknownScope
from shared.audit.author import of_command
from shared.commands import to_json
from shared.failures.transient import is_transient, reason_of
from shared.observability.logs import configure_logging
from shared.postgres.migrations import migrate
from shared.postgres.pool import Connection, connect
from shared.settings import Connections

T = TypeVar("T")

HOUR_S = 3600


def in_transaction(schema: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do `work(connection)` in one transaction on a schema that is up to date; ends the command where Postgres does not answer."""

    async def body() -> T:
        settings = Connections()
        configure_logging(settings, f"{schema}.operator")
        stop = asyncio.Event()
        stop.set()
        pool = await connect(settings, schema=schema, stop=stop, max_size=2, for_command=True)
        try:
            await migrate(pool, schema)
            async with pool.acquire() as connection, connection.transaction():
                return await work(connection)
        finally:
            await pool.close()

    try:
        return asyncio.run(body())
    except (UnknownScope, NoSuchHolder) as error:
        raise click.UsageError(str(error)) from None
    except asyncpg.InvalidAuthorizationSpecificationError:
        raise click.ClickException("Postgres refuses the account of POSTGRES_DSN") from None
    except Exception as error:
        if not is_transient(error):
            raise
        raise click.ClickException(f"Postgres does not answer: {reason_of(error)}") from None


def key_commands(management: KeyManagement, *options: click.Option) -> click.Group:
    """`keys list`, `add`, `rotate` and `revoke` of a service; `options` of `add` are for further columns of its table, by name."""
    scopes = ", ".join(f"{name} ({what})" for name, what in management.table.scopes.items())
    group = click.Group("keys", help=f"Keys: who may do what. Scopes: {scopes}, {OPERATE} (all of it, and keys).")
    adding = _add(management)
    adding.params.extend(options)
    for command in (_list(management), adding, _rotate(management), _revoke(management)):
        group.add_command(command)
    return group


because = click.option("--because", default="", help="Kept in the audit log.")


def _list(management: KeyManagement) -> click.Command:
    @click.command("list")
    @click.option("--holder", default="", help="Only the keys of this source, desk or partner.")
    @click.option("--all", "ended", is_flag=True, help="Those that work no longer, too.")
    def list_(holder: str, ended: bool) -> None:
        """Print the keys, one JSON object a line: their ids, never the keys."""
        table = management.table
        for key in in_transaction(
            table.schema, lambda connection: store.listed(connection, table, holder=holder, ended=ended)
        ):
            _print(key.shown())

    return list_


def _add(management: KeyManagement) -> click.Command:
    table = management.table

    @click.command("add")
    @click.argument("holder")
    @click.option("--kind", type=click.Choice(table.kinds), default=table.kinds[0], show_default=True)
    @click.option("--scope", "chosen", multiple=True, type=click.Choice([*table.scopes, OPERATE]), required=True)
    @click.option("--person", default="", help="Who has it; what is done with the key is signed by this name.")
    @click.option("--label", default="", help="What it is for.")
    @click.option(
        "--days", type=click.FloatRange(min=0, min_open=True), help="Works for so many days; for ever when left out."
    )
    @because
    def add(
        *,
        holder: str,
        kind: str,
        chosen: tuple[str, ...],
        person: str,
        label: str,
        days: float | None,
        because: str,
        **more: object,
    ) -> None:
        """Make a key for HOLDER and print it: it is shown only now."""
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
        the_kind = next(each for each in table.kinds if each == kind)
        new = NewKey(the_kind, holder, frozenset(chosen), person, label, expires_at, more)
        made, token = in_transaction(
            table.schema, lambda connection: management.make(connection, new, of_command(because))
        )
        _print({**made.shown(), "key": token})

    return add


def _rotate(management: KeyManagement) -> click.Command:
    hours = OVERLAP.total_seconds() / HOUR_S
    most = LONGEST_OVERLAP.total_seconds() / HOUR_S

    @click.command("rotate")
    @click.argument("key_id")
    @click.option(
        "--overlap-h",
        type=click.FloatRange(0, most),
        default=hours,
        show_default=True,
        help="Hours for which the old key works yet.",
    )
    @because
    def rotate(key_id: str, overlap_h: float, because: str) -> None:
        """Make a key in the place of KEY_ID and print it; the old one works for a while yet."""
        overlap = timedelta(hours=overlap_h)
        rotated = in_transaction(
            management.table.schema,
            lambda connection: management.rotate(connection, key_id, of_command(because), overlap),
        )
        if rotated is None:
            raise click.ClickException(f"there is no live key {key_id}")
        old, made, token = rotated
        _print({**made.shown(), "key": token})
        click.echo(f"{old.id} works until {old.expires_at:%Y-%m-%d %H:%M:%S} UTC", err=True)

    return rotate


def _revoke(management: KeyManagement) -> click.Command:
    @click.command("revoke")
    @click.argument("key_id")
    @because
    def revoke(key_id: str, because: str) -> None:
        """End the key KEY_ID now."""
        revoked = in_transaction(
            management.table.schema, lambda connection: management.revoke(connection, key_id, of_command(because))
        )
        if revoked is None:
            raise click.ClickException(f"there is no live key {key_id}")
        click.echo("revoked")

    return revoke


def _print(value: object) -> None:
    click.echo(to_json(value))
