"""`python -m enrich corrections`: corrections whose source has said something else since."""

import asyncio
import getpass
from datetime import datetime

import click
from aiokafka.errors import KafkaError

from enrich.admin.cli import on_postgres, update_id
from enrich.admin.corrections import (
    MOST_LISTED,
    Correction,
    CorrectionDecision,
    CorrectionOrdered,
    CorrectionTexts,
    Decision,
    correction_of,
    decide,
    decision_entry,
    open_corrections,
)
from enrich.settings import Settings
from shared.audit.author import of_command
from shared.audit.log import append
from shared.kafka.producer import Producer, new_producer
from shared.messages import Signature
from shared.messages.limits import LONGEST
from shared.postgres.clock import now_of

KAFKA_TIMEOUT_S = 20.0


@click.group()
def corrections() -> None:
    """What desks corrected, where the source says something else now."""


@corrections.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, MOST_LISTED), help="How many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(limit: int, as_json: bool) -> None:
    """Print corrections with conflicts, the oldest conflict first: who corrected, what the desk says, what the source says."""
    for correction in on_postgres(lambda connection: open_corrections(connection, limit)):
        click.echo(correction.model_dump_json() if as_json else _lines(correction))


@corrections.command()
@click.argument("update_id", callback=update_id)
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
def show(update_id: str, as_json: bool) -> None:
    """Print the correction of UPDATE_ID with both texts. Exit code 1 where it has none."""
    correction = _found(update_id)
    if as_json:
        click.echo(correction.model_dump_json())
        return
    click.echo(_lines(correction))
    for name in ("headline", "source_headline", "body_html", "source_body_html"):
        click.echo(f"  {name}: {getattr(correction, name)}")


@corrections.command()
@click.argument("update_id", callback=update_id)
@click.option("--by", default=getpass.getuser, help="Who decides; the user when it is left out.")
@click.option("--reason", default="", help="Shown to readers.")
@click.option("--revision", type=click.IntRange(1), help="The revision that was looked at; the newest when left out.")
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
def accept(update_id: str, by: str, reason: str, revision: int | None, as_json: bool) -> None:
    """Accept the source's words where they are in conflict with the correction of UPDATE_ID.

    What else the desk corrected stands. Exit code 1 where nothing is in conflict.
    """
    _decided(update_id, "accept", by, reason, revision, as_json=as_json)


@corrections.command()
@click.argument("update_id", callback=update_id)
@click.option("--by", default=getpass.getuser, help="Who decides; the user when it is left out.")
@click.option("--reason", default="", help="Kept with the correction.")
@click.option("--revision", type=click.IntRange(1), help="The revision that was looked at; the newest when left out.")
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
def keep(update_id: str, by: str, reason: str, revision: int | None, as_json: bool) -> None:
    """Keep the desk's words in UPDATE_ID. Only what the source changes from now on is told again.

    Exit code 1 where nothing is in conflict.
    """
    _decided(update_id, "keep", by, reason, revision, as_json=as_json)


def _found(update_id: str) -> CorrectionTexts:
    correction = on_postgres(lambda connection: correction_of(connection, update_id))
    if correction is None:
        raise click.ClickException(f"no correction of {update_id}")
    return correction


def _decided(update_id: str, decision: Decision, by: str, reason: str, revision: int | None, *, as_json: bool) -> None:
    if len(reason) > LONGEST["correction_reason"]:
        raise click.BadParameter(f"at most {LONGEST['correction_reason']} characters", param_hint="--reason")
    correction = _found(update_id)
    if not correction.conflicts:
        raise click.ClickException(f"nothing is in conflict with the correction of {update_id}")
    wanted, at = CorrectionDecision(by=by, reason=reason, revision=revision), on_postgres(now_of)
    try:
        ordered = asyncio.run(asyncio.wait_for(_order(correction, decision, wanted, at), KAFKA_TIMEOUT_S))
    except (KafkaError, OSError, TimeoutError) as error:
        raise click.ClickException(
            f"Kafka has not acknowledged the order; giving it again is harmless: {error}"
        ) from error
    entry = decision_entry(of_command(reason), _signature(by), correction, ordered)
    on_postgres(lambda connection: append(connection, entry))
    if as_json:
        click.echo(ordered.model_dump_json())
    else:
        click.echo(f"{ordered.order} of {update_id} given, {ordered.ordered_at.isoformat()}")


def _signature(by: str) -> Signature:
    return Signature(holder="command line", person=by)


async def _order(
    correction: Correction, decision: Decision, wanted: CorrectionDecision, at: datetime
) -> CorrectionOrdered:
    settings = Settings()
    client = new_producer(settings, "slugline-enrich-corrections")
    try:
        await client.start()
        producer = Producer(client, source="slugline/enrich/corrections", topic_prefix=settings.topic_prefix)
        return await decide(producer, correction, decision, wanted, _signature(wanted.by), at=at)
    finally:
        await client.stop()


def _lines(correction: Correction) -> str:
    who = ", ".join(f"{each.matter} by {each.by} at {each.at:%Y-%m-%d %H:%M}" for each in correction.corrected)
    lines = [f"{correction.update_id}  {correction.source}  {correction.guid}  revision {correction.revision}  {who}"]
    for each in correction.conflicts:
        lines += [
            f"  {each.matter}, since {each.since:%Y-%m-%d %H:%M}",
            f"    desk    {each.desk or '–'}",
            f"    source  {each.source or '–'}",
        ]
    return "\n".join(lines)
