"""`python -m ingest originals`: the bytes as received, and reading them again."""

import asyncio
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ParamSpec, TypedDict, Unpack

import click
from aiokafka.errors import KafkaError

from ingest.cli.arguments import moment
from ingest.cli.database import with_postgres
from ingest.intake import originals as kept
from ingest.intake.deadline import Unavailable
from ingest.intake.originals import Original, OriginalFilter, OriginalSummary
from ingest.intake.receipt import DocumentRejected
from ingest.intake.receive import Intake
from ingest.settings import Settings
from ingest.sources import store
from ingest.sources.source import Source
from ingest.sources.statistics import SourceStatistics
from ingest.transports.api.responses import inspect_command
from shared.commands import to_json
from shared.kafka.producer import Producer, new_producer
from shared.postgres.pool import Pool

P = ParamSpec("P")

TIMEOUT_S = 15.0
PROGRESS_S = 1.0


class Selection(TypedDict):
    """The options that say which originals are meant: the fields of `OriginalFilter`."""

    ids: tuple[uuid.UUID, ...]
    source: str | None
    since: datetime | None
    until: datetime | None
    format: str | None
    parser_version: str | None
    refused: bool


def _selection(command: Callable[P, None]) -> Callable[P, None]:
    for option in (
        click.argument("ids", nargs=-1, type=click.UUID),
        click.option("--source", help="Of this source."),
        click.option(
            "--since",
            type=moment,
            metavar="TIME",
            help="Received at or after: 2026-01-31T12:00Z, or 2h for two hours ago.",
        ),
        click.option("--until", type=moment, metavar="TIME", help="Received before."),
        click.option("--format", "format", help="Read as this format."),
        click.option("--parser-version", help="Read by this version of the format's reader."),
        click.option("--refused", is_flag=True, help="Of which something, or everything, was refused."),
    ):
        command = option(command)
    return command


@click.group()
def originals() -> None:
    """The bytes as received, and reading them again."""


@originals.command("list")
@_selection
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def list_(*, limit: int, as_json: bool, **selection: Unpack[Selection]) -> None:
    """What came in, and what was made of it, newest first."""
    wanted = OriginalFilter(**selection)

    async def work(pool: Pool) -> list[OriginalSummary]:
        return await kept.newest(pool, wanted, limit)

    for each in with_postgres(work):
        if as_json:
            click.echo(to_json(each))
            continue
        made = "not read" if each.read_at is None else f"updates {each.updates}, refused {len(each.refused)}"
        click.echo(
            f"{each.id}  {each.received_at:%Y-%m-%d %H:%M:%S}  {each.source:20} {each.transport:6} "
            f"{each.format or '-':12} {each.size_bytes:9} bytes  {made}"
        )


@originals.command("show")
@click.argument("original", type=click.UUID)
@click.option("--body", is_flag=True, help="The bytes themselves, as received.")
def show(original: uuid.UUID, body: bool) -> None:
    """What is known of ORIGINAL, as JSON; with --body the bytes, ready for 'python -m ingest read'."""

    async def work(pool: Pool) -> dict[str, object]:
        row = await pool.fetchrow("SELECT * FROM ingest.originals WHERE id = $1", original)
        if row is None:
            raise click.ClickException(f"there is no original {original}")
        items = await pool.fetch(
            "SELECT update_id, guid, version, fingerprint, original_index, emitted_at FROM ingest.items "
            "WHERE original_id = $1 ORDER BY original_index",
            original,
        )
        return dict(row) | {
            "size_bytes": len(row["body"]),
            "items": [dict(item) for item in items],
            "look_closer": inspect_command(original, row["source"]),
        }

    found = with_postgres(work)
    content = found.pop("body")
    if body:
        assert isinstance(content, bytes)  # noqa: S101 -- the column's type
        sys.stdout.buffer.write(content)
        return
    click.echo(to_json(found, indented=True))


@originals.command("reprocess")
@_selection
@click.option("--dry-run", is_flag=True, help="Say how many are meant, and do nothing.")
def reprocess(*, dry_run: bool, **selection: Unpack[Selection]) -> None:
    """Read originals again, as their source is set up now, and emit what that changes.

    What comes out as before is a duplicate and is not emitted. What differs takes the place of what was read from the
    same original before, and of nothing that came later.
    """
    wanted = OriginalFilter(**selection)
    if wanted == OriginalFilter():
        raise click.UsageError("say which: ids, --source, --since, --until, --format, --parser-version or --refused")

    async def work(pool: Pool) -> Counter[str]:
        # Collected before the first is read, since reading changes what the selection selects by.
        ids = await kept.ids(pool, wanted)
        if wanted.ids and not ids:
            raise click.ClickException("there is no such original")
        if dry_run:
            return Counter(meant=len(ids))
        settings = Settings()
        kafka_producer = new_producer(settings, "slugline-ingest-reprocess")
        await kafka_producer.start()
        try:
            producer = Producer(kafka_producer, source="slugline/ingest", topic_prefix=settings.topic_prefix)
            # These statistics are never flushed: the source has sent nothing, and must not seem to have.
            intake = Intake(SourceStatistics(), TIMEOUT_S, pool, producer)
            try:
                return await _reprocess(pool, intake, ids)
            finally:
                await intake.parsers.close()
        finally:
            await kafka_producer.stop()

    try:
        counted = with_postgres(work)
    except (KafkaError, Unavailable) as error:
        raise click.ClickException(f"{error}; what was done is done, the same command goes on") from error
    click.echo(", ".join(f"{count} {what}" for what, count in counted.items()) or "nothing is meant")


async def _reprocess(pool: Pool, intake: Intake, ids: list[uuid.UUID]) -> Counter[str]:
    sources = {source.name: source for source in await store.all_sources(pool)}
    counted: Counter[str] = Counter(originals=0)
    reported = time.monotonic()
    for original_id in ids:
        stored = await kept.begin_reprocessing(pool, original_id)
        if stored is None:
            continue
        original = Original(
            stored.id,
            stored.source,
            stored.transport,
            # After what was read from it before, and before all that came later.
            stored.received_at + timedelta(microseconds=stored.reprocessed),
            stored.content_type,
            stored.body,
            asked_format=stored.asked_format,
        )
        source = sources.get(stored.source) or Source(name=stored.source)
        counted["originals"] += 1
        if time.monotonic() - reported > PROGRESS_S:
            reported = time.monotonic()
            click.echo(f"{counted['originals']} of {len(ids)}, {stored.received_at:%Y-%m-%d %H:%M:%S}", err=True)
        try:
            receipt = await intake.process(source, original, stored.sha256, again=True)
        except DocumentRejected:
            counted["unreadable"] += 1
            continue
        counted.update(result.status for result in receipt.results)
        if receipt.count("error"):
            raise Unavailable("Kafka does not answer")
    return counted


@originals.command("prune")
@click.option(
    "--older-than",
    type=moment,
    metavar="TIME",
    required=True,
    help="Received before: a time, or 30d for thirty days ago.",
)
@click.confirmation_option(prompt="Originals that are deleted cannot be read again. Delete them?")
def prune(older_than: datetime) -> None:
    """Delete originals that are old; items and updates stay."""

    async def work(pool: Pool) -> int:
        deleted = 0
        while some := await kept.delete_some(pool, older_than):
            deleted += some
            await asyncio.sleep(0.05)
        return deleted

    click.echo(f"{with_postgres(work)} originals deleted")
