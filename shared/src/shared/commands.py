"""The command line of a service: each command lives elsewhere and is imported when it is asked for, so that a process loads only what it runs."""

import asyncio
import dataclasses
import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import click
import orjson
from pydantic import ValidationError

from shared.terminal import escaping_output


def to_json(value: object, *, indented: bool = False) -> str:
    """What a command prints as JSON: times are ISO 8601, sets are sorted, and what JSON has no form for (UUIDs and addresses of asyncpg) is text."""
    options = orjson.OPT_NON_STR_KEYS | (orjson.OPT_INDENT_2 if indented else 0)
    return orjson.dumps(value, option=options, default=_plain).decode()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


class Commands(click.Group):
    """A group with commands at places, `module:attribute`, beside those that are added to it."""

    def __init__(self, *arguments: Any, places: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted({*super().list_commands(ctx), *self.places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None where there is none, which click tells the user."""
        place = self.places.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; what strangers said is shown, and gives a terminal no orders."""
        with escaping_output():
            return super().main(*arguments, **options)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; of a name that does not exist, what it may have been."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; settings that make no sense, and a Postgres that does not let it in, are named in one line."""
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if not error.title.endswith(("Settings", "Connections")):
                raise
            wrong = [f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors(include_input=False)]
            raise click.UsageError("; ".join(wrong)) from error
        except Exception as error:
            if (told := _of_postgres(error)) is None:
                raise
            raise click.ClickException(told) from error


def _of_postgres(error: Exception) -> str | None:
    """What a person reads of a Postgres that is away or refuses the role; None of any other error."""
    from shared.failures import Unanswered  # noqa: PLC0415 -- a command line that only asks for help stays fast
    from shared.postgres.session import MISCONFIGURED  # noqa: PLC0415

    if isinstance(error, Unanswered):
        return f"Postgres does not answer: {error}\n     -> slugline status"
    if isinstance(error, MISCONFIGURED):
        return f"Postgres refuses: {error}\n     -> correct POSTGRES_DSN, or see `python -m shared roles apply`"
    return None


def migration(schema: str) -> click.Command:
    """The command `migrate` of the service with that schema."""

    @click.command(name="migrate", help=f"Bring the schema `{schema}` of Postgres up to date.")
    def migrate() -> None:
        from shared.postgres.migrations import migrate  # noqa: PLC0415 -- a command line that only asks for help stays fast
        from shared.postgres.pool import connect  # noqa: PLC0415 -- a command line that only asks for help stays fast
        from shared.settings import Connections  # noqa: PLC0415

        async def body() -> list[str]:
            pool = await connect(Connections(), schema=schema, for_command=True)
            try:
                return await migrate(pool, schema)
            finally:
                await pool.close()

        applied = asyncio.run(body())
        click.echo("applied: " + ", ".join(applied) if applied else "the schema is up to date")

    return migrate


def set_aside(schema: str) -> click.Command:
    """The command `set-aside` of the service with that schema."""

    @click.command(name="set-aside")
    @click.option("--loop", default="", help="Only what this loop has set aside.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    def set_aside(loop: str, as_json: bool) -> None:
        """List what the processes could not handle: since when, why, and when it is tried again."""

        from shared.postgres.pool import connect  # noqa: PLC0415
        from shared.postgres.set_aside import Entry, listed  # noqa: PLC0415
        from shared.settings import Connections  # noqa: PLC0415

        async def body() -> list[Entry]:
            pool = await connect(Connections(), schema=schema, max_size=2, for_command=True)
            try:
                return await listed(pool, schema, loop)
            finally:
                await pool.close()

        entries = asyncio.run(body())
        if not entries:
            click.echo(f"nothing is set aside in {schema}", err=True)
        for each in entries:
            if as_json:
                click.echo(to_json(each))
                continue
            click.echo(
                f"{each.loop}  {each.key}  {each.attempts} times since {each.first_at:%Y-%m-%d %H:%M:%S}, "
                f"again at {each.next_at:%H:%M:%S}\n    {each.reason}"
            )

    return set_aside
