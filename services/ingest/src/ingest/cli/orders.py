"""`python -m ingest order`: a desk's orders without HTTP, for when `ingest api` cannot be reached."""

import asyncio
import contextlib
import getpass
import re
import typing

import click
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from ingest.cli.database import CONNECT_ERRORS, connect_once
from ingest.intake import orders
from ingest.intake.deadline import OutcomeUnknown, Unavailable
from ingest.intake.emit import SendQueue
from ingest.intake.known_sources import KnownSources
from ingest.settings import Settings
from shared.audit.author import of_command
from shared.kafka.producer import Producer, new_producer
from shared.messages import OrderName, Signature
from shared.observability.logs import configure_logging
from shared.postgres.clock import now_of, wall_clock

TIMEOUT_S = 10.0


@click.command()
@click.argument("order", type=click.Choice(typing.get_args(OrderName)))
@click.argument("update_id")
@click.option("--reason", default="", help="Shown to readers of a correction; kept in the report of a removal.")
@click.option("--by", default=getpass.getuser, show_default="your user name", help="Who orders it.")
@click.option("--headline", help="A correction's new headline.")
@click.option("--body-html", help="A correction's new body.")
@click.option("--revision", type=int, help="The revision that a correction was made from; the newest when left out.")
def order(
    *,
    order: OrderName,
    update_id: str,
    reason: str,
    by: str,
    headline: str | None,
    body_html: str | None,
    revision: int | None,
) -> None:
    """Give ORDER about the update UPDATE_ID; returns once Kafka has it."""
    if not re.fullmatch(r"[a-z2-7]{26}", update_id):
        raise click.BadParameter("26 characters of a-z and 2-7 are needed", param_hint="UPDATE_ID")
    try:
        request = orders.OrderRequest(
            order=order, by=by, reason=reason, headline=headline, body_html=body_html, revision=revision
        )
    except ValidationError as error:
        raise click.UsageError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error

    async def send() -> orders.OrderReceipt:
        settings = Settings()
        configure_logging(settings, "ingest")
        pool = None
        kafka_producer = new_producer(settings, "slugline-ingest-order")
        await kafka_producer.start()
        try:
            # What takes an update away does not depend on Postgres.
            with contextlib.suppress(*CONNECT_ERRORS):
                pool = await connect_once(settings, 1)
            producer = Producer(kafka_producer, source="slugline/ingest", topic_prefix=settings.topic_prefix)
            return await orders.send(
                SendQueue(producer), update_id, request, signed_by=Signature(holder="command line", person=by), timeout_s=TIMEOUT_S, pool=pool,
                ordered_at=wall_clock() if pool is None else await now_of(pool),
                source=await KnownSources().source_of(update_id, pool, needed=order not in orders.REMOVALS), author=of_command(),
            )  # fmt: skip
        finally:
            await kafka_producer.stop()
            if pool is not None:
                await pool.close()

    try:
        receipt = asyncio.run(send())
    except OutcomeUnknown as error:
        raise click.ClickException(str(error)) from error
    except (Unavailable, KafkaError, OSError) as error:
        raise click.ClickException(f"the order was not given: {error}") from error
    click.echo(f"{receipt.order} of {receipt.update_id} given, {receipt.ordered_at.isoformat()}")
