"""`python -m ingest originals`: the bytes as received, and reading them again."""

import asyncio
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click
import orjson
from aiokafka.errors import KafkaError

from ingest.cli.arguments import Moment
from ingest.cli.database import with_postgres
from ingest.intake import originals as kept
from ingest.intake.deadline import Unavailable
from ingest.intake.originals import Original, OriginalFilter
from ingest.intake.receive import DocumentRejected, Intake
from ingest.settings import Settings
from ingest.sources import registry
from ingest.sources.registry import Source
from ingest.sources.statistics import SourceStatistics
from shared.kafka.producer import Producer, new_producer
from shared.postgres.pool import Pool

F = TypeVar("F", bound=Callable[..., Any])

TIMEOUT_S = 15.0
PROGRESS_S = 1.0


def _selection(command: F) -> F:
    """The options that say which originals are meant."""
    for option in (
        click.argument("ids", nargs=-1, type=click.UUID),
        click.option("--source", help="Of this source."),
        click.option(
            "--since", type=Moment(), help="Received at or after: 2026-01-31T12:00Z, or 2h for two hours ago."
        ),
        click.option("--until", type=Moment(), help="Received before."),
        click.option("--format", "format", help="Read as this format."),
        click.option("--parser-version", help="Read by this version of the format's reader."),
        click.option("--refused", is_flag=True, help="Of which something, or all, was refused."),
    ):
        command = option(command)
    return command


def _wanted(
    *,
    ids: tuple[uuid.UUID, ...],
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    format: str | None,  # noqa: A002 -- the name of the option
    parser_version: str | None,
    refused: bool,
) -> OriginalFilter:
    return OriginalFilter(ids, source, since, until, format, parser_version, refused)


@click.group()
def originals() -> None:
    """The bytes as received, and reading them again."""


@originals.command("list")
@_selection
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(*, limit: int, as_json: bool, **selection: Any) -> None:
    """What came in, and what was made of it, newest first."""
    where, values = _wanted(**selection).where()

    async def work(pool: Pool) -> list[dict[str, Any]]:
        rows = await pool.fetch(
            "SELECT id, source, transport, received_at, content_type, sha256, octet_length(body) AS size_bytes, format, "  # noqa: S608 -- conditions are ours
            f"parser_version, updates, refused, read_at FROM ingest.originals WHERE {where} "
            f"ORDER BY received_at DESC, id DESC LIMIT ${len(values) + 1}",
            *values,
            limit,
        )
        return [dict(row) for row in rows]

    for row in with_postgres(work):
        if as_json:
            click.echo(orjson.dumps(row, default=str).decode())
            continue
        made = "not read" if row["read_at"] is None else f"updates {row['updates']}, refused {len(row['refused'])}"
        click.echo(
            f"{row['id']}  {row['received_at']:%Y-%m-%d %H:%M:%S}  {row['source']:20} {row['transport']:6} "
            f"{row['format'] or '-':12} {row['size_bytes']:9} bytes  {made}"
        )


@originals.command("show")
@click.argument("original", type=click.UUID)
@click.option("--body", is_flag=True, help="The bytes themselves, as received.")
def show(original: uuid.UUID, body: bool) -> None:
    """What is known of ORIGINAL, as JSON; with --body the bytes, ready for 'python -m ingest read'."""

    async def work(pool: Pool) -> tuple[Any, list[Any]]:
        row = await pool.fetchrow("SELECT * FROM ingest.originals WHERE id = $1", original)
        items = await pool.fetch(
            "SELECT update_id, guid, version, fingerprint, original_index, emitted_at FROM ingest.items "
            "WHERE original_id = $1 ORDER BY original_index",
            original,
        )
        return row, items

    row, items = with_postgres(work)
    if row is None:
        raise click.ClickException(f"there is no original {original}")
    if body:
        sys.stdout.buffer.write(row["body"])
        return
    told = {name: value for name, value in dict(row).items() if name != "body"}
    told |= {
        "size_bytes": len(row["body"]),
        "items": [dict(item) for item in items],
        "look_closer": f"python -m ingest originals show {original} --body > copy && "
        f"python -m ingest read copy --source {row['source']}",
    }
    click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2, default=str).decode())


@originals.command("reprocess")
@_selection
@click.option("--dry-run", is_flag=True, help="Say how many are meant, and do nothing.")
def reprocess(*, dry_run: bool, **selection: Any) -> None:
    """Read originals again, as their source is set up now, and emit what that changes.

    What comes out as before is a duplicate and is not emitted. What differs takes the place of what was read from the
    same original before, and of nothing that came later.
    """
    wanted = _wanted(**selection)
    if wanted == OriginalFilter():
        raise click.UsageError("say which: ids, --source, --since, --until, --format, --parser-version or --refused")

    async def work(pool: Pool) -> Counter[str]:
        total = await kept.count(pool, wanted)
        if wanted.ids and total == 0:
            raise click.ClickException("there is no such original")
        if dry_run:
            return Counter(meant=total)
        settings = Settings()
        kafka_producer = new_producer(settings, "slugline-ingest-reprocess")
        await kafka_producer.start()
        try:
            producer = Producer(kafka_producer, source="slugline/ingest", topic_prefix=settings.topic_prefix)
            # Not written down: the source has not spoken, and its silence must not seem over.
            intake = Intake(SourceStatistics(), TIMEOUT_S, pool, producer)
            try:
                return await _reprocess(pool, intake, wanted, total)
            finally:
                await intake.parsers.close()
        finally:
            await kafka_producer.stop()

    try:
        counted = with_postgres(work)
    except (KafkaError, Unavailable) as error:
        raise click.ClickException(f"{error}; what was done is done, the same command goes on") from error
    click.echo(", ".join(f"{count} {what}" for what, count in counted.items()) or "nothing is meant")


async def _reprocess(pool: Pool, intake: Intake, wanted: OriginalFilter, total: int) -> Counter[str]:
    known = {source.name: source for source in await registry.all_sources(pool)}
    counted: Counter[str] = Counter(originals=0)
    said = time.monotonic()
    # Collected before the first is read, since reading changes what the selection selects by.
    ids = [row["id"] async for row in kept.iterate(pool, wanted, columns="id, received_at")]
    for identity in ids:
        row = await pool.fetchrow(
            "UPDATE ingest.originals SET reprocessed = reprocessed + 1 WHERE id = $1 RETURNING *", identity
        )
        original = Original(
            row["id"],
            row["source"],
            row["transport"],
            # After what was read from it before, and before all that came later.
            row["received_at"] + timedelta(microseconds=row["reprocessed"]),
            row["content_type"],
            bytes(row["body"]),
            asked_format=row["asked_format"],
        )
        source = known.get(row["source"]) or Source(name=row["source"])
        counted["originals"] += 1
        if time.monotonic() - said > PROGRESS_S:
            said = time.monotonic()
            click.echo(f"{counted['originals']} of {total}, {row['received_at']:%Y-%m-%d %H:%M:%S}", err=True)
        try:
            receipt = await intake.emit_original(source, original, row["sha256"], again=True)
        except DocumentRejected:
            counted["unreadable"] += 1
            continue
        counted.update(result.status for result in receipt.results)
        if receipt.count("error"):
            raise Unavailable("Kafka does not answer")
    return counted


@originals.command("prune")
@click.option("--older-than", type=Moment(), required=True, help="Received before: a time, or 30d for thirty days ago.")
@click.confirmation_option(prompt="Originals that are deleted cannot be read again. Delete them?")
def prune(older_than: datetime) -> None:
    """Delete originals that are old; items and updates stay."""

    async def work(pool: Pool) -> int:
        deleted = 0
        while True:
            rows = await pool.fetch(
                "DELETE FROM ingest.originals WHERE id IN "
                "(SELECT id FROM ingest.originals WHERE received_at < $1 LIMIT 1000) RETURNING 1",
                older_than,
            )
            deleted += len(rows)
            if not rows:
                return deleted
            await asyncio.sleep(0.05)

    click.echo(f"{with_postgres(work)} originals deleted")
