"""The text lane: a batch of messages about updates becomes revisions, then state rows and outcomes (`enrich.text.state_writer`)."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

from enrich.picture_index.lookup import MediaLookup, media_for
from enrich.reference.directory import name_key
from enrich.reference.loader import ReferenceLoader
from enrich.settings import Settings
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.revision import BuiltRevision, build_removal, build_revision, published_state
from enrich.text.domain.state import State
from enrich.text.domain.transition import Transition
from enrich.text.state_store import KnownUpdate, UnknownName, load
from enrich.text.state_writer import EmittedBatch, StateWriter
from enrich.text.steps.budget import MISSED
from enrich.text.steps.runner import StepResults, Steps
from shared.consumer.consumer import StartedBatch
from shared.consumer.decode import Incoming, Rejection, version_of
from shared.failures import Invalid, Permanent
from shared.failures.transient import is_transient, reason_of
from shared.kafka.cloudevents import headers_for
from shared.kafka.producer import Producer
from shared.messages import (
    MediaReference,
    MediaWanted,
    Order,
    Outcome,
    RawUpdate,
    Refresh,
    update_id_for,
)
from shared.observability.logs import traceparent_now
from shared.postgres.pool import Pool
from shared.streams import ENRICHED, MAX_MESSAGE_BYTES, MEDIA, RAW

log = structlog.get_logger(__name__)

STAGE = "enrich.text"
SOURCE = "slugline/enrich/text"
ENVELOPE_BYTES = 2048
"""Left of Kafka's limit for key, headers and framing."""
YIELD_EVERY = 25
"""Messages between two turns of the event loop, so that heartbeats and sends go on while a batch is made."""
AHEAD = 4
"""Messages of a batch so small that a reader waits for it: they are read while Postgres says what is known of them."""
LOADED = {"authors", "tags", "story", "override"}
"""Causes of a refresh that speak of what is kept in memory."""

REVISIONS = Counter("slugline_enrich_revisions", "Revisions emitted", ["kind"])
DECISIONS = Counter("slugline_enrich_outcomes", "What became of messages", ["outcome"])
LATENCY = Histogram(
    "slugline_enrich_latency_seconds",
    "From the receipt of a version until its revision was made",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)

Pictures = Mapping[tuple[str, tuple[MediaReference, ...]], MediaLookup | None]


@dataclass(slots=True)
class _Batch:
    """What a batch does, gathered while it is folded."""

    now: datetime
    known: dict[str, KnownUpdate]
    states: dict[str, State]
    parents: Mapping[str, str | None] | None
    pictures: Pictures
    ahead: Mapping[int, StepResults]
    """By the identity of a version that came."""
    futures: list[Any] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    unknown: dict[tuple[str, str], UnknownName] = field(default_factory=dict)


class TextHandler:
    """Handles the batches of `updates.raw`; collaborators are handed to it."""

    def __init__(
        self,
        *,
        pool: Pool,
        producer: Producer,
        loader: ReferenceLoader,
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._dedicated = pool.dedicated()
        self._producer = producer
        self._loader = loader
        self._settings = settings
        self._steps = Steps(loader.reference, settings)
        self._clock = clock
        self._settlement = StateWriter(pool, producer, STAGE)

    async def handle(self, incoming: Sequence[Incoming[Any]]) -> Sequence[Rejection]:
        """Fold each update's messages in order; emit, await, then record."""
        started = await self.start_batch(incoming)
        await started.completed
        return started.rejections

    async def start_batch(self, incoming: Sequence[Incoming[Any]]) -> StartedBatch:
        """Fold each update's messages in order and emit; what follows is under way when this returns."""
        started, failures = time.monotonic(), self._settlement.failures
        if any(isinstance(each.event, Refresh) and each.event.cause in LOADED for each in incoming):
            await self._loader.catch_up()
        events: list[Input] = [each.event for each in incoming]
        pending = self._settlement.pending()
        rows, ahead = await self._loaded(events)
        known = {
            update_id: replace(each, state=pending[update_id]) if update_id in pending else each
            for update_id, each in rows.items()
        }
        batch = _Batch(
            now=self._clock(),
            known=known,
            states={update_id: each.state for update_id, each in known.items()},
            parents=await self._parents(events, known, pending),
            pictures=await self._pictures(events, known),
            ahead=ahead,
        )
        for number, message in enumerate(incoming, 1):
            await self._one(message, batch)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        if len(incoming) <= AHEAD:
            await self._producer.begin_sending()
        record = incoming[0].record
        emitted = EmittedBatch(
            id=f"{record.partition}:{record.offset}",
            since=started,
            futures=batch.futures,
            states={update_id: batch.states[update_id] for update_id in batch.moved},
            outcomes=batch.outcomes,
            unknown=batch.unknown,
        )
        return StartedBatch(batch.rejections, self._settlement.add(emitted, failures))

    async def _loaded(self, events: Sequence[Input]) -> tuple[dict[str, KnownUpdate], dict[int, StepResults]]:
        """What is known of the updates, and what was read of the versions meanwhile."""
        loading = asyncio.create_task(load(self._dedicated, [event.update_id for event in events]))
        ahead: dict[int, StepResults] = {}
        try:
            if len(events) <= AHEAD:
                # One turn to begin the question, one to send it.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                for event in events:
                    if isinstance(event, RawUpdate) and (event.headline or event.body_html):
                        ahead[id(event)] = self._steps.read(event, (event.headline, event.body_html), {})
            return await loading, ahead
        finally:
            loading.cancel()

    async def _one(self, message: Incoming[Any], batch: _Batch) -> None:
        event: Input = message.event
        try:
            state, revision, transition = self._made(event, _fingerprint(message), batch)
        except Exception as failure:
            if is_transient(failure):
                raise
            log.exception("a message that cannot be handled", update_id=event.update_id)
            batch.rejections.append(Rejection(message.record, _failure(failure)))
            told = _fingerprint(message)
            self._outcome(batch, event, stage="dead", state=None, reason=str(failure), fingerprint=told)
            return
        if revision is not None:
            batch.futures.extend(await self._emit(revision, transition, message, batch))
        if state is not batch.states[event.update_id]:
            batch.states[event.update_id] = state
            batch.moved.add(event.update_id)
        outcome = transition.outcome
        if outcome == "enriched" and revision is None:
            outcome = "duplicate"
        if outcome is None and revision is not None:
            outcome = "enriched"
        if outcome is not None:
            self._outcome(
                batch, event, stage=outcome, state=state, reason=transition.reason, fingerprint=transition.fingerprint
            )

    def _made(self, event: Input, fingerprint: str, batch: _Batch) -> tuple[State, BuiltRevision | None, Transition]:
        """The state after the message, and the revision that it asks for."""
        update_id = event.update_id
        before = batch.states[update_id]
        margin_s = self._settings.margin_s(event.source if isinstance(event, RawUpdate) else _source_of(before))
        transition = decide(event, before, margin_s=margin_s, fingerprint=fingerprint)
        revision = None
        if transition.emit and transition.visibility == "visible":
            assert transition.state.current is not None  # noqa: S101
            raw = transition.state.current.raw
            attachments = self._steps.attach(
                transition.state,
                batch.known[update_id],
                self._parent_story(raw, batch),
                batch.pictures.get(
                    (update_id, raw.media), MediaLookup(pending=raw.media) if raw.media else MediaLookup()
                ),
                batch.ahead.get(id(raw)),
            )
            if raw.evolved_from and batch.parents is None and "story" not in attachments.degraded:
                attachments = replace(attachments, degraded=(*attachments.degraded, "story"))
            revision = build_revision(
                transition, attachments, batch.now, margin_s=margin_s, retry_at=self._retry_at(batch.now)
            )
            if revision is not None:
                counted = before.last_published.unknown_names if before.last_published is not None else ()
                for name in attachments.authorship.unknown:
                    if (key := name_key(name)) and key not in counted:
                        batch.unknown[key[:200], update_id] = UnknownName(
                            name.replace("\x00", ""), update_id, raw.source.replace("\x00", "")
                        )
        elif transition.emit:
            revision = build_removal(transition, batch.now)
        if revision is None:
            return transition.state, None, transition
        if len(revision.value) > MAX_MESSAGE_BYTES - ENVELOPE_BYTES:
            raise Permanent(f"the revision has {len(revision.value)} bytes; {MAX_MESSAGE_BYTES} are the most")
        return published_state(transition.state, revision), revision, transition

    def _retry_at(self, now: datetime) -> Callable[[int], datetime | None]:
        def retry_at(attempts: int) -> datetime | None:
            if attempts >= self._settings.enrich_retries:
                return None
            return now + timedelta(seconds=self._settings.enrich_retry_after_s * 4**attempts)

        return retry_at

    async def _emit(
        self, revision: BuiltRevision, transition: Transition, message: Incoming[Any], batch: _Batch
    ) -> list["asyncio.Future[object]"]:
        update = revision.update
        trace = message.header("traceparent") or traceparent_now()
        headers = headers_for(
            update, source=SOURCE, event_id=f"{update.update_id}:{update.revision}", time=batch.now, traceparent=trace
        )
        futures = [
            await self._producer.send_bytes(ENRICHED, revision.value, key=update.update_id.encode(), headers=headers)
        ]
        REVISIONS.labels(update.kind).inc()
        LATENCY.observe(max((batch.now - update.passport.received_at).total_seconds(), 0))
        if update.media_pending:
            futures.extend(await self._ask_for_media(message.event, transition, batch, trace))
        for replaced in transition.replaced:
            order = Order(
                update_id=replaced,
                order="supersede",
                by=f"{update.source}: {update.update_id} takes its place",
                ordered_at=update.first_published_at,
            )
            futures.append(
                await self._producer.send(
                    RAW, order, key=replaced, event_id=f"{replaced}:superseded:{update.update_id}", traceparent=trace
                )
            )
        return futures

    async def _ask_for_media(
        self, event: Input, transition: Transition, batch: _Batch, trace: str
    ) -> list["asyncio.Future[object]"]:
        assert transition.state.current is not None  # noqa: S101
        raw = transition.state.current.raw
        lookup = batch.pictures.get((raw.update_id, raw.media))
        pending = lookup.pending if lookup is not None else raw.media
        # The media lane tells when it is done, which is not yet another reason to ask it.
        if not pending or (isinstance(event, Refresh) and event.cause != "retry"):
            return []
        wanted = MediaWanted(update_id=raw.update_id, source=raw.source, media=pending, requested_at=batch.now)
        event_id = f"{raw.update_id}:{transition.state.revision + 1}:media"
        return [await self._producer.send(MEDIA, wanted, key=raw.update_id, event_id=event_id, traceparent=trace)]

    async def _pictures(self, events: Sequence[Input], known: Mapping[str, KnownUpdate]) -> Pictures:
        """What the media index knows; None for all where it cannot be asked within its budget."""
        lists: dict[str, list[tuple[MediaReference, ...]]] = {}
        for event in events:
            raws = [event] if isinstance(event, RawUpdate) else []
            state = known[event.update_id].state
            raws += [version.raw for version in (state.current, state.held) if version is not None]
            for raw in raws:
                if raw.media and raw.media not in (mine := lists.setdefault(event.update_id, [])):
                    mine.append(raw.media)
        found: dict[tuple[str, tuple[MediaReference, ...]], MediaLookup | None] = {}
        for layer in range(max(map(len, lists.values()), default=0)):
            wanted = {update_id: mine[layer] for update_id, mine in lists.items() if len(mine) > layer}
            try:
                async with asyncio.timeout(self._settings.enrich_media_budget_ms / 1000):
                    looked_up: Mapping[str, MediaLookup] = await media_for(self._pool, wanted)
            except Exception as failure:  # noqa: BLE001 -- the text never waits for a picture
                log.warning(
                    "media index away; updates go without pictures", error=reason_of(failure), fold="media index"
                )
                MISSED.labels("media", "late" if isinstance(failure, TimeoutError) else "failed").inc(len(wanted))
                looked_up = {}
            for update_id, references in wanted.items():
                found[update_id, references] = looked_up.get(update_id)
        return found

    async def _parents(
        self, events: Sequence[Input], known: Mapping[str, KnownUpdate], pending: Mapping[str, State]
    ) -> Mapping[str, str | None] | None:
        """The stories of the updates that those of the batch grew out of; None where they cannot be had in time."""
        wanted = set()
        for event in events:
            state = known[event.update_id].state
            raws = [event] if isinstance(event, RawUpdate) else [state.current.raw] if state.current else []
            wanted |= {update_id_for(raw.source, raw.evolved_from) for raw in raws if raw.evolved_from}
        if not wanted:
            return {}
        try:
            async with asyncio.timeout(self._settings.enrich_story_budget_ms / 1000):
                rows = await self._pool.fetch(
                    "SELECT update_id, story FROM enrich.updates WHERE update_id = ANY($1::text[])", list(wanted)
                )
        except TimeoutError:
            log.warning("stories of parents are late; updates go without them", fold="parents")
            MISSED.labels("story", "late").inc(len(wanted))
            return None
        stories = {row["update_id"]: row["story"] for row in rows}
        for update_id in wanted & pending.keys():
            shown = pending[update_id].last_published
            stories[update_id] = shown.story if shown is not None else None
        return stories

    def _parent_story(self, raw: RawUpdate, batch: _Batch) -> str | None:
        if not raw.evolved_from:
            return None
        parent = update_id_for(raw.source, raw.evolved_from)
        if parent in batch.states and (shown := batch.states[parent].last_published) is not None:
            return shown.story
        return batch.parents.get(parent) if batch.parents is not None else None

    def _outcome(
        self, batch: _Batch, event: Input, *, stage: Any, state: State | None, reason: str, fingerprint: str = ""
    ) -> None:
        DECISIONS.labels(stage).inc()
        batch.outcomes.append(
            Outcome(
                update_id=event.update_id,
                fingerprint=fingerprint or (event.fingerprint() if isinstance(event, RawUpdate) else ""),
                stage=stage,
                at=batch.now,
                revision=(state.revision or None) if state is not None else None,
                reason=reason[:500],
            )
        )


def _fingerprint(message: Incoming[Any]) -> str:
    """Of a version, as ingest told it; empty where the record does not say."""
    named = version_of(message.record)
    return named[1] if named is not None and named[0] == message.event.update_id else ""


def _failure(failure: Exception) -> Invalid | Permanent:
    if isinstance(failure, Invalid | Permanent):
        return failure
    return Permanent(f"{type(failure).__name__}: {failure}")


def _source_of(state: State) -> str:
    version = state.held or state.current
    return version.raw.source if version is not None else ""
