"""`slugline audit verify|list|export|erase`."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import asyncpg
import click
import orjson

from shared.audit import log
from shared.audit.author import of_command
from shared.audit.entry import ERASABLE, Row
from shared.audit.verify import Verification
from shared.commands import to_json
from shared.failures.transient import is_transient, reason_of
from shared.observability.logs import configure_logging
from shared.postgres.pool import Connection, connect
from shared.settings import Connections
from slugline.deadletters.arguments import as_moment

T = TypeVar("T")

SERVICES = ("ingest", "enrich", "publish")
"""The schemas that have a log of their own, each with its own chain."""

Head = tuple[str, int, bytes]

chosen = click.option("--service", "services", multiple=True, type=click.Choice(SERVICES), help="Only of this service.")


@click.group()
def audit() -> None:
    """See who changed what, when, from where and why; and whether the log of it is whole."""


def _heads(_: click.Context, __: click.Parameter, given: Sequence[str]) -> list[Head]:
    """Heads as `verify` prints them: `service:number:hash`."""
    found: list[Head] = []
    for text in given:
        service, *rest = text.split(":")
        try:
            number, digest = rest
            if service not in SERVICES or len(digest) != 64:
                raise ValueError
            found.append((service, int(number), bytes.fromhex(digest)))
        except ValueError:
            raise click.BadParameter(f"{text!r} is no head, such as ingest:12:<64 hexadecimal digits>") from None
    return found


@audit.command("verify")
@chosen
@click.option(
    "--head", "heads", multiple=True, callback=_heads, help="A head that was noted earlier must still be there."
)
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An export, in the place of Postgres."
)
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object a line.")
def verify(services: Sequence[str], heads: Sequence[Head], file: Path | None, json_wanted: bool) -> None:
    """Check every entry and the chain of them; prints each log's head, to be noted elsewhere. Exit code 1 where one is at fault.

    Whoever may write to the whole database could write a whole new chain: only a head that was noted outside of it shows that.
    """
    if file is not None:
        checks = _verified_file(file, heads)
    else:

        async def work(connection: Connection, service: str) -> Verification:
            return await _verified(service, log.rows(connection, service), heads)

        checks = asyncio.run(_each(services, work))
    for check in checks:
        number, digest = check.head
        if json_wanted:
            head = f"{check.service}:{number}:{digest.hex()}"
            faults = [str(each) for each in check.faults]
            said = {"service": check.service, "entries": number, "erased": check.erased, "head": head, "faults": faults}
            click.echo(to_json(said))
            continue
        state = "whole" if not check.faults else f"{len(check.faults)} faults"
        erased = f", {check.erased} values erased" if check.erased else ""
        click.echo(f"{state:8} {number} entries{erased}, head {check.service}:{number}:{digest.hex()}")
        for fault in check.faults[:100]:
            click.echo(f"  {fault}")
    sys.exit(any(check.faults for check in checks))


async def _verified(service: str, rows: AsyncIterator[Row], heads: Sequence[Head]) -> Verification:
    check = Verification(service)
    noted = {number: digest for name, number, digest in heads if name == service}
    seen: dict[int, bytes] = {}
    async for row in rows:
        check.add(row)
        if row.seq in noted:
            seen[row.seq] = row.hash
    check.check_heads(noted.items(), seen)
    return check


def _verified_file(file: Path, heads: Sequence[Head]) -> list[Verification]:
    by_service: dict[str, list[Row]] = {}
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            kept = orjson.loads(line)
            row = Row(
                kept["seq"],
                kept["entry"],
                kept["erasable"],
                bytes.fromhex(kept["previous"]),
                bytes.fromhex(kept["hash"]),
            )
            by_service.setdefault(kept["service"], []).append(row)
        except (ValueError, KeyError, TypeError) as error:
            raise click.ClickException(f"{file}: line {number} is no entry of an export: {error}") from error

    async def given(rows: Sequence[Row]) -> AsyncIterator[Row]:
        for row in rows:
            yield row

    async def body() -> list[Verification]:
        return [await _verified(service, given(rows), heads) for service, rows in by_service.items()]

    return asyncio.run(body())


@audit.command("list")
@chosen
@click.option("--subject", default="", help="What was changed: the id of an update, a key, an alert; a source's name.")
@click.option("--action", default="", help="What was done, or how that begins: order, key-, source-paused.")
@click.option("--key", "key_id", default="", help="The public id of the key that it was done with.")
@click.option("--person", default="", help="Who did it.")
@click.option(
    "--since", callback=as_moment, metavar="WHEN", help="From then on: 2h, 30m, 3d ago, or a time in ISO 8601, UTC."
)
@click.option("--until", callback=as_moment, metavar="WHEN", help="Before then.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="The newest of each service."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(
    *, services: Sequence[str], subject: str, action: str, key_id: str, person: str, since: datetime | None,
    until: datetime | None, limit: int, as_json: bool,
) -> None:  # fmt: skip
    """Print the newest entries, the oldest of them first."""

    async def work(connection: Connection, service: str) -> list[Row]:
        return await log.newest(
            connection, service, limit=limit, subject=subject, action=action, key_id=key_id, person=person,
            since=since, before=until,
        )  # fmt: skip

    shown = [row.shown() for rows in asyncio.run(_each(services, work)) for row in rows]
    for entry in sorted(shown, key=lambda entry: str(entry["at"])):
        click.echo(to_json(entry) if as_json else _line(entry))


def _line(entry: dict[str, object]) -> str:
    who = f"{entry.get('person') or '–'} ({entry['holder']}, {entry['key_id']}) at {entry.get('address') or '–'}"
    lines = [
        f"{str(entry['at'])[:19]}  {entry['service']}:{entry['seq']}  {entry['action']} {entry['subject']}  by {who}"
    ]
    lines += [f"    {name:7} {_text(entry[name])}" for name in ("reason", "before", "after") if entry.get(name)]
    return "\n".join(lines)


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@audit.command("export")
@chosen
@click.option("--after", type=click.IntRange(0), default=0, help="Only entries behind this number.")
def export(services: Sequence[str], after: int) -> None:
    """Print all entries as JSON lines, with what the chain covers: `slugline audit verify --file` checks them anywhere."""

    async def work(connection: Connection, service: str) -> None:
        async for row in log.rows(connection, service, after=after):
            kept = {
                "service": service, "seq": row.seq, "entry": row.entry, "erasable": row.erasable,
                "previous": row.previous.hex(), "hash": row.hash.hex(),
            }  # fmt: skip
            click.echo(to_json(kept))

    asyncio.run(_each(services, work))


@audit.command("erase")
@click.argument("person")
@chosen
@click.option(
    "--also",
    multiple=True,
    type=click.Choice([n for n in ERASABLE if n not in ("person", "address")]),
    help="Of these entries, this too.",
)
@click.option("--because", default="", help="Kept in the audit log.")
@click.confirmation_option(prompt="The name cannot be brought back. Erase it?")
def erase(person: str, services: Sequence[str], also: Sequence[str], because: str) -> None:
    """Erase PERSON, and the addresses of what PERSON did, from the entries. The chain stays whole; that it was done is an entry itself."""

    async def work(connection: Connection, service: str) -> int:
        numbers = await log.erase(connection, service, person=person, names=["person", "address", *also])
        if numbers:
            after = {"entries": numbers, "erased": ["person", "address", *also]}
            await log.append(connection, of_command(because).entry("person-erased", "audit", None, after))
        return len(numbers)

    for service, count in zip(services or SERVICES, asyncio.run(_each(services, work)), strict=False):
        click.echo(f"{service}: {count} entries")


async def _each(services: Sequence[str], work: Callable[[Connection, str], Awaitable[T]]) -> list[T]:
    """Do the work in a transaction on each service's schema; a schema that is not there yet has no log."""
    settings = Connections()
    configure_logging(settings, "slugline.audit")
    results: list[T] = []
    for service in services or SERVICES:
        stop = asyncio.Event()
        stop.set()
        try:
            pool = await connect(settings, schema=service, stop=stop, max_size=1, for_command=True)
        except Exception as error:
            if not is_transient(error):
                raise
            raise click.ClickException(f"Postgres does not answer: {reason_of(error)}") from None
        try:
            async with pool.acquire() as connection, connection.transaction():
                results.append(await work(connection, service))
        except asyncpg.UndefinedTableError:
            click.echo(f"{service} has no audit log yet: python -m {service} migrate", err=True)
        except asyncpg.InsufficientPrivilegeError as error:
            raise click.ClickException(f"{service}: {error}") from None
        finally:
            await pool.close()
    return results
