"""What goes out with a revision: the revision itself, orders for the updates that it replaces, requests for its pictures.

A revision goes out once. What goes out beside it goes out again whenever its message is handled again: it changes nothing then.
"""

import asyncio
from datetime import datetime

from prometheus_client import Counter, Histogram

from enrich.text.domain.lifecycle import Input
from enrich.text.domain.revision import BuiltRevision
from enrich.text.domain.transition import Transition
from enrich.text.lookups import Lookups
from enrich.text.published.records import Cause, PublishedRecord, headers_of
from shared.consumer.decode import Incoming
from shared.crash_points import reached
from shared.kafka.cloudevents import REPUBLISHED, headers_for, value_of
from shared.kafka.producer import Producer
from shared.messages import EnrichedUpdate, MediaWanted, Order, Refresh
from shared.observability.traces import exemplar_of, traceparent_now
from shared.streams import ENRICHED, MEDIA, RAW

SOURCE = "slugline/enrich/text"
REVISIONS = Counter("slugline_enrich_revisions", "Revisions emitted", ["kind"])
LATENCY = Histogram(
    "slugline_enrich_latency_seconds",
    "From the receipt of a version until its revision was made",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)


async def emit_revision(
    producer: Producer, revision: BuiltRevision, message: Incoming[Input], *, writer: str, now: datetime
) -> "asyncio.Future[object]":
    """Send a revision; the future ends once Kafka has it."""
    update = revision.update
    trace = _trace_of(message)
    headers = headers_for(
        update,
        source=SOURCE,
        event_id=f"{update.update_id}:{update.revision}",
        time=now,
        traceparent=trace,
    )
    headers += headers_of(cause_of(message), writer)
    if isinstance(message.event, Refresh) and message.event.cause == "republish":
        headers.append((REPUBLISHED, b"1"))
    future = await producer.send_bytes(ENRICHED, revision.value, key=update.update_id.encode(), headers=headers)
    reached("enrich.revision-sent")
    REVISIONS.labels(update.kind).inc()
    LATENCY.observe(max((now - update.passport.received_at).total_seconds(), 0), exemplar_of(trace))
    return future


async def emit_beside(
    producer: Producer,
    update: EnrichedUpdate | None,
    transition: Transition,
    message: Incoming[Input],
    *,
    lookups: Lookups,
    now: datetime,
) -> list["asyncio.Future[object]"]:
    """Send what goes out beside a revision, which was published now or when the message was handled before; None if none was."""
    futures: list[asyncio.Future[object]] = []
    wanted = None
    if update is not None and update.media_pending and transition.state.current is not None:
        wanted = _media_wanted(message.event, transition, lookups, now)
    if update is not None and wanted is not None:
        event_id = f"{update.update_id}:{update.revision}:media"
        trace = _trace_of(message)
        futures.append(await producer.send(MEDIA, wanted, key=update.update_id, event_id=event_id, traceparent=trace))
    for replaced in transition.replaced:
        current = transition.state.current_version.raw
        first = update or transition.state.last_published
        order = Order(
            update_id=replaced,
            order="supersede",
            by=f"{current.source}: {current.update_id} takes its place",
            ordered_at=first.first_published_at if first is not None else now,
        )
        event_id = f"{replaced}:superseded:{current.update_id}"
        trace = _trace_of(message)
        futures.append(await producer.send(RAW, order, key=current.source, event_id=event_id, traceparent=trace))
    return futures


async def emit_look_again(producer: Producer, record: PublishedRecord, *, now: datetime) -> "asyncio.Future[object]":
    """Send a refresh of an update to the partition that answers for a record of the log."""
    refresh = Refresh(
        update_id=record.update_id, cause="retry", requested_at=now, detail="published by another process"
    )
    event_id = f"{record.update_id}:published:{record.revision}"
    headers = headers_for(refresh, source=SOURCE, event_id=event_id, traceparent=traceparent_now())
    key = record.update_id.encode()
    return await producer.send_bytes(RAW, value_of(refresh), key=key, headers=headers, partition=record.partition)


def cause_of(message: Incoming[Input]) -> Cause:
    """Where a message stands on `updates.raw`."""
    return Cause(message.record.partition, message.record.offset)


def _trace_of(message: Incoming[Input]) -> str:
    return message.header("traceparent") or traceparent_now()


def _media_wanted(event: Input, transition: Transition, lookups: Lookups, now: datetime) -> MediaWanted | None:
    raw = transition.state.current_version.raw
    lookup = lookups.media.get((raw.update_id, raw.media))
    pending = lookup.pending if lookup is not None else raw.media
    # The refresh by which enrich media reports that it is done is no reason to ask it again, unless nobody has asked it for what
    # is pending: the last revision was made while the index of pictures was away.
    before = transition.state.last_published
    is_report = isinstance(event, Refresh) and event.cause == "media" and not (before and "media" in before.degraded)
    if not pending or is_report:
        return None
    return MediaWanted(update_id=raw.update_id, source=raw.source, media=pending, requested_at=now)
