"""`python -m enrich held`: what waits for a desk."""

import asyncio
import getpass
from datetime import datetime
from typing import get_args

import click
from aiokafka.errors import KafkaError

from enrich.admin.cli import on_postgres, update_id
from enrich.admin.held import (
    LISTED_KINDS,
    MOST_LISTED,
    HeldDecision,
    HeldKind,
    HeldOrder,
    HeldOrdered,
    HeldUpdate,
    decision_entry,
    held_update,
    held_updates,
    order,
)
from enrich.settings import Settings
from shared.audit.author import of_command
from shared.audit.log import append
from shared.kafka.producer import Producer, new_producer
from shared.messages import Signature
from shared.messages.limits import LONGEST
from shared.postgres.clock import now_of

KAFKA_TIMEOUT_S = 20.0
_BY = click.option("--by", default=getpass.getuser, help="Who decides; the user when it is left out.")
_REASON = click.option("--reason", default="", help="Kept with the order.")
_JSON = click.option("--json", "as_json", is_flag=True, help="As a JSON object.")


@click.group()
def held() -> None:
    """What waits for a desk: advisories, and sources whose copy somebody looks at first."""


@held.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, MOST_LISTED), help="How many.")
@click.option("--kind", type=click.Choice(get_args(HeldKind)), help="This kind alone; what is spiked, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(limit: int, kind: HeldKind | None, as_json: bool) -> None:
    """Print what is held, the oldest first: why, since when, and its headline."""
    kinds = LISTED_KINDS if kind is None else (kind,)
    for one in on_postgres(lambda connection: held_updates(connection, limit, kinds)):
        click.echo(one.model_dump_json() if as_json else _lines(one))


@held.command()
@click.argument("update_id", callback=update_id)
@_JSON
def show(update_id: str, as_json: bool) -> None:
    """Print what is held of UPDATE_ID with its words. Exit code 1 where nothing is."""
    found = on_postgres(lambda connection: held_update(connection, update_id))
    if found is None:
        raise click.ClickException(f"nothing of {update_id} is held")
    if as_json:
        click.echo(found.model_dump_json())
        return
    click.echo(_lines(found))
    for name in ("source_headline", "summary", "body_html", "source_body_html", "byline", "private_note"):
        click.echo(f"  {name}: {getattr(found, name)}")


@held.command()
@click.argument("update_id", callback=update_id)
@_BY
@_REASON
@_JSON
def release(update_id: str, by: str, reason: str, as_json: bool) -> None:
    """Let readers have what is held of UPDATE_ID, with what desks corrected (`ingest order correct`). Exit code 1 where nothing is."""
    _ordered(update_id, "release", by, reason, as_json=as_json)


@held.command()
@click.argument("update_id", callback=update_id)
@_BY
@_REASON
@_JSON
def spike(update_id: str, by: str, reason: str, as_json: bool) -> None:
    """Decide against what is held of UPDATE_ID; what is out of it stays out. Exit code 1 where nothing is."""
    _ordered(update_id, "spike", by, reason, as_json=as_json)


@held.command()
@click.argument("update_id", callback=update_id)
@_BY
@_REASON
@_JSON
def hold(update_id: str, by: str, reason: str, as_json: bool) -> None:
    """Hold what comes of UPDATE_ID from now on, whether it is known yet or not; what is out of it stays out."""
    _ordered(update_id, "hold", by, reason, as_json=as_json)


def _ordered(update_id: str, name: HeldOrder, by: str, reason: str, *, as_json: bool) -> None:
    if len(reason) > LONGEST["correction_reason"]:
        raise click.BadParameter(f"at most {LONGEST['correction_reason']} characters", param_hint="--reason")
    found = on_postgres(lambda connection: held_update(connection, update_id))
    if found is None and name != "hold":
        raise click.ClickException(f"nothing of {update_id} is held")
    if found is not None and found.kind == "never" and name == "release":
        raise click.ClickException(f"none of {found.source}'s copy is published; its profile says so")
    wanted, at = HeldDecision(by=by, reason=reason), on_postgres(now_of)
    source = found.source if found is not None else ""
    try:
        given = asyncio.run(asyncio.wait_for(_order(update_id, source, name, wanted, at), KAFKA_TIMEOUT_S))
    except (KafkaError, OSError, TimeoutError) as error:
        raise click.ClickException(
            f"Kafka has not acknowledged the order; giving it again is harmless: {error}"
        ) from error
    entry = decision_entry(of_command(), _signature(by), wanted, given)
    on_postgres(lambda connection: append(connection, entry))
    click.echo(given.model_dump_json() if as_json else f"{name} of {update_id} given, {given.ordered_at.isoformat()}")


def _signature(by: str) -> Signature:
    return Signature(holder="command line", person=by)


async def _order(update_id: str, source: str, name: HeldOrder, wanted: HeldDecision, at: datetime) -> HeldOrdered:
    settings = Settings()
    kafka_producer = new_producer(settings, "slugline-enrich-held")
    await kafka_producer.start()
    try:
        producer = Producer(kafka_producer, source="slugline/enrich/admin", topic_prefix=settings.topic_prefix)
        return await order(producer, update_id, name, wanted, source=source, signed_by=_signature(wanted.by), at=at)
    finally:
        await kafka_producer.stop()


def _lines(one: HeldUpdate) -> str:
    since = one.since.isoformat(timespec="seconds") if one.since is not None else "-"
    out = "  (an earlier version is out)" if one.is_out else ""
    return f"{one.update_id}  {since}  {one.source}  {one.kind}{out}\n  {one.headline}\n  {one.because}"
