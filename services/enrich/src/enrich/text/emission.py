"""What goes out with a revision: the revision itself, orders for the updates that it replaces, requests for its pictures."""

import asyncio
from datetime import datetime

from prometheus_client import Counter, Histogram

from enrich.text.domain.lifecycle import Input
from enrich.text.domain.revision import BuiltRevision
from enrich.text.domain.transition import Transition
from enrich.text.lookups import Lookups
from shared.consumer.decode import Incoming
from shared.crash_points import reached
from shared.kafka.cloudevents import headers_for
from shared.kafka.producer import Producer
from shared.messages import MediaWanted, Order, Refresh
from shared.observability.traces import traceparent_now
from shared.streams import ENRICHED, MEDIA, RAW

SOURCE = "slugline/enrich/text"
REVISIONS = Counter("slugline_enrich_revisions", "Revisions emitted", ["kind"])
LATENCY = Histogram(
    "slugline_enrich_latency_seconds",
    "From the receipt of a version until its revision was made",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)


async def emit(
    producer: Producer,
    revision: BuiltRevision,
    transition: Transition,
    message: Incoming[Input],
    *,
    lookups: Lookups,
    now: datetime,
) -> list["asyncio.Future[object]"]:
    """Send a revision and what goes with it; the futures end once Kafka has them."""
    update = revision.update
    trace = message.header("traceparent") or traceparent_now()
    headers = headers_for(
        update, source=SOURCE, event_id=f"{update.update_id}:{update.revision}", time=now, traceparent=trace
    )
    futures = [await producer.send_bytes(ENRICHED, revision.value, key=update.update_id.encode(), headers=headers)]
    reached("enrich.revision-sent")
    REVISIONS.labels(update.kind).inc()
    LATENCY.observe(max((now - update.passport.received_at).total_seconds(), 0))
    wanted = _media_wanted(message.event, transition, lookups, now) if update.media_pending else None
    if wanted is not None:
        event_id = f"{update.update_id}:{update.revision}:media"
        futures.append(await producer.send(MEDIA, wanted, key=update.update_id, event_id=event_id, traceparent=trace))
    for replaced in transition.replaced:
        order = Order(
            update_id=replaced,
            order="supersede",
            by=f"{update.source}: {update.update_id} takes its place",
            ordered_at=update.first_published_at,
        )
        event_id = f"{replaced}:superseded:{update.update_id}"
        futures.append(await producer.send(RAW, order, key=update.source, event_id=event_id, traceparent=trace))
    return futures


def _media_wanted(event: Input, transition: Transition, lookups: Lookups, now: datetime) -> MediaWanted | None:
    raw = transition.state.current_version.raw
    lookup = lookups.media.get((raw.update_id, raw.media))
    pending = lookup.pending if lookup is not None else raw.media
    # The refresh by which enrich media reports that it is done is no reason to ask it again.
    if not pending or (isinstance(event, Refresh) and event.cause != "retry"):
        return None
    return MediaWanted(update_id=raw.update_id, source=raw.source, media=pending, requested_at=now)
