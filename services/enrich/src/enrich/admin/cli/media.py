"""`python -m enrich media…`: pictures, their rights, and what the renderer makes of one."""

import asyncio
import hashlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from enrich.media.errors import PictureRefused
from enrich.media.operations import allow, references, remove, retry_refused, set_rights, summary
from enrich.media.process import media as serve
from enrich.media.process import renderer_pool
from enrich.media.render.image_hash import ImageHash
from enrich.media.render.rendered import Rendered
from enrich.media.store import open_store
from enrich.settings import Settings
from shared.audit.author import of_command
from shared.commands import to_json
from shared.failures import Transient
from shared.kafka.producer import Producer, new_producer
from shared.observability.logs import configure_logging
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.process import run

STATES = ("withheld", "failed", "pending", "ready")


@click.command("media")
def media() -> None:
    """Fetch, judge and render the pictures that updates refer to."""
    settings = Settings()
    run(settings, "enrich.media", lambda stop: serve(settings, stop))


@click.command("render")
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def render(image: Path, folder: Path) -> None:
    """Do with IMAGE what enrich media does, without a server: write the renditions into FOLDER and print one JSON object.

    Exit code 1, and `refused` with the reason in the object, where the picture is not taken.
    """
    settings = Settings()
    configure_logging(settings, "enrich.render")
    try:
        size = image.stat().st_size
        if size > settings.enrich_media_max_bytes:
            raise PictureRefused(f"too large: {size:,} bytes, the limit is {settings.enrich_media_max_bytes:,}")
        data = image.read_bytes()
        rendered = asyncio.run(_rendered(data, settings))
    except PictureRefused as refusal:
        _print({"file": str(image), "refused": refusal.reason})
        sys.exit(1)
    except Transient as failure:
        raise click.ClickException(failure.reason) from None
    except OSError as error:
        raise click.ClickException(f"{image}: {error.strerror}") from None
    written = []
    for each in rendered.renditions:
        path = folder / f"{each.width}.{each.extension}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.data)
        except OSError as error:
            raise click.ClickException(f"{path}: {error.strerror}") from None
        written.append(
            {
                "path": str(path), "mime_type": each.mime_type, "width": each.width, "height": each.height,
                "size_bytes": len(each.data),
            }
        )  # fmt: skip
    _print(
        {
            "file": str(image),
            "sha256": hashlib.sha256(data).hexdigest(),
            "mime_type": rendered.mime_type,
            "width": rendered.width,
            "height": rendered.height,
            "metadata": {name: text for name, text in asdict(rendered.embedded).items() if text},
            "credentials": rendered.credentials.model_dump(mode="json") if rendered.credentials else None,
            "focal_point": rendered.focal_point,
            "placeholder": rendered.placeholder,
            "phash": _hex(rendered.image_hash),
            "renditions": written,
        }
    )


@click.command("media-report")
@click.option("--state", type=click.Choice(STATES), multiple=True, default=("withheld", "failed"), show_default=True)
@click.option("--source", default="", help="Only this source's pictures.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many of the newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
def media_report(state: tuple[str, ...], source: str, limit: int, as_json: bool) -> None:
    """Show which pictures readers do not see, and why."""

    async def read(pool: Pool) -> None:
        rows = await references(pool, states=state, source=source, limit=limit)
        if as_json:
            for row in rows:
                _print(row)
            return
        for row in rows:
            click.echo(f"{row.state:9} {row.source:20.20} {row.update_id}  {row.reason}\n          {row.url}")
        counts = await summary(pool, source=source)
        click.echo("in all: " + (", ".join(f"{count} {name}" for name, count in counts.items()) or "no pictures"))

    _with_pool(read)


@click.command("media-rights")
@click.argument("source")
@click.option("--forbid", multiple=True, metavar="PHRASE", help="Withhold pictures whose terms contain PHRASE.")
@click.option("--allow", multiple=True, metavar="PHRASE", help="PHRASE is settled by contract and forbids nothing.")
@click.option("--credit", default=None, help="Credit of this source's pictures that carry none.")
@click.option("--clear", is_flag=True, help="Forget what was set before.")
def media_rights(source: str, forbid: tuple[str, ...], allow: tuple[str, ...], credit: str | None, clear: bool) -> None:
    """Show or change what SOURCE's pictures may be used for. Takes effect with each update's next revision."""

    async def change(pool: Pool) -> None:
        _print(await set_rights(pool, source, forbid=forbid, allow=allow, credit=credit, clear=clear, by=of_command()))

    _with_pool(change)


@click.command("media-allow")
@click.argument("update_id")
@click.option("--url", default="", help="Only this picture of the update; all that are withheld without it.")
@click.option("--by", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Kept with the picture: a contract, a call.")
def media_allow(update_id: str, url: str, by: str, reason: str) -> None:
    """Show the withheld pictures of UPDATE_ID although their terms forbid it. A credit is needed all the same.

    Exit code 1 where none of them is withheld.
    """

    async def permit(pool: Pool) -> None:
        count = await allow(pool, update_id=update_id, url=url, name=by, by=of_command(reason))
        click.echo(f"{count} pictures are allowed")
        if not count:
            sys.exit(1)

    _with_pool(permit)


@click.command("media-retry")
@click.option("--source", default="", help="Only this source's pictures.")
@click.option("--update", "update_id", default="", help="Only this update's pictures.")
def media_retry(source: str, update_id: str) -> None:
    """Ask once more for the pictures that failed, and render refused ones again."""
    if not source and not update_id:
        raise click.UsageError("say which: --source or --update")

    async def again(pool: Pool) -> None:
        click.echo(f"{await retry_refused(pool, source=source, update_id=update_id)} pictures will be tried again")

    _with_pool(again)


@click.command("media-remove")
@click.argument("picture")
@click.option("--reason", required=True, help="Kept in the index and shown in the report.")
def media_remove(picture: str, reason: str) -> None:
    """Take PICTURE (its id, or the sha256 of one copy) and all copies of it out of the store and off every page.

    A copy that comes later, from whichever source, is withheld.
    """

    async def take_away(pool: Pool) -> None:
        settings = Settings()
        kafka_producer = new_producer(settings, "slugline-operator")
        await kafka_producer.start()
        try:
            producer = Producer(kafka_producer, source="/slugline/enrich/media", topic_prefix=settings.topic_prefix)
            result = await remove(
                pool, open_store(settings), producer, picture=picture, by=of_command(reason), now=datetime.now(UTC)
            )
        finally:
            await kafka_producer.stop()
        _print(result)
        if not result.copies:
            sys.exit(1)

    _with_pool(take_away)


async def _rendered(data: bytes, settings: Settings) -> Rendered:
    async with renderer_pool(settings, 1) as renderers:
        return await renderers.render(data)


def _with_pool(body: Callable[[Pool], Awaitable[None]]) -> None:
    settings = Settings()
    configure_logging(settings, "enrich.operator")

    async def connected() -> None:
        pool = await connect(settings, schema="enrich", max_size=2, for_command=True)
        try:
            await migrate(pool, "enrich")
            await body(pool)
        finally:
            await pool.close()

    asyncio.run(connected())


def _hex(image_hash: ImageHash | None) -> str | None:
    return f"{image_hash.phash:016x}" if image_hash is not None else None


def _print(value: object) -> None:
    click.echo(to_json(value))
