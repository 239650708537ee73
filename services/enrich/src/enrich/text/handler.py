"""The handler of `updates.raw`: a batch of messages about updates becomes revisions, then state rows and outcomes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter

from enrich.reference.directory import name_key
from enrich.reference.loader import ReferenceLoader
from enrich.settings import Settings
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.revision import BuiltRevision, build_removal, build_revision, published_state
from enrich.text.domain.state import State
from enrich.text.domain.transition import Transition
from enrich.text.emission import emit
from enrich.text.forwarding import forward, source_elsewhere
from enrich.text.lookups import SMALL_BATCH, LookupReader, Lookups
from enrich.text.state_store import UnknownName
from enrich.text.state_writer import EmittedBatch, StateWriter
from enrich.text.steps.runner import Steps
from shared.consumer.batches.effects import StartedBatch
from shared.consumer.decode import Incoming, Rejection, version_of
from shared.failures import Invalid, Permanent
from shared.failures.transient import is_transient
from shared.kafka.producer import Producer
from shared.messages import Outcome, RawUpdate, Refresh, Stage
from shared.postgres.pool import Pool
from shared.streams import MAX_MESSAGE_BYTES

log = structlog.get_logger(__name__)

STAGE = "enrich.text"
ENVELOPE_BYTES = 2048
"""Left of Kafka's limit for key, headers and framing."""
YIELD_EVERY = 25
"""Messages between two turns of the event loop, so that heartbeats and sends go on during a batch."""
REFERENCE_CAUSES = {"authors", "tags", "story", "override"}
"""Causes of a refresh that concern the reference data in memory."""
LONGEST_KEY = 200
"""Characters of an unknown name's key."""
LONGEST_REASON = 500

OUTCOMES = Counter("slugline_enrich_outcomes", "What became of messages", ["outcome"])


@dataclass(slots=True)
class _Batch:
    """What becomes of a batch while its messages are handled one after another."""

    now: datetime
    lookups: Lookups
    states: dict[str, State]
    futures: list["asyncio.Future[object]"] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    """Ids of the updates whose state has changed."""
    unknown: dict[tuple[str, str], UnknownName] = field(default_factory=dict)

    def report(self, event: Input, stage: Stage, *, reason: str, fingerprint: str, revision: int | None) -> None:
        """Note what became of a message."""
        OUTCOMES.labels(stage).inc()
        self.outcomes.append(
            Outcome(
                update_id=event.update_id,
                fingerprint=fingerprint or (event.fingerprint() if isinstance(event, RawUpdate) else ""),
                stage=stage,
                at=self.now,
                revision=revision,
                reason=reason[:LONGEST_REASON],
            )
        )


class TextHandler:
    """Handles the batches of `updates.raw`."""

    def __init__(
        self,
        *,
        pool: Pool,
        producer: Producer,
        loader: ReferenceLoader,
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._producer = producer
        self._loader = loader
        self._settings = settings
        self._steps = Steps(loader.reference, settings)
        self._clock = clock
        self._lookups = LookupReader(pool, self._steps, settings)
        self._writer = StateWriter(pool, producer, STAGE)

    async def handle(self, incoming: Sequence[Incoming[Input]]) -> Sequence[Rejection]:
        """Handle each update's messages in order: emit, await, then record."""
        started = await self.start_batch(incoming)
        await started.completed
        return started.rejections

    async def start_batch(self, incoming: Sequence[Incoming[Input]]) -> StartedBatch:
        """Handle each update's messages in order and emit; acknowledgements and rows are under way when this returns."""
        started_at, failures = time.monotonic(), self._writer.failures
        events = [message.event for message in incoming]
        if any(isinstance(event, Refresh) and event.cause in REFERENCE_CAUSES for event in events):
            await self._loader.catch_up()
        lookups = await self._lookups.read(events, self._writer.pending())
        batch = _Batch(
            now=self._clock(),
            lookups=lookups,
            states={update_id: known.state for update_id, known in lookups.updates.items()},
        )
        for number, message in enumerate(incoming, 1):
            await self._handle_message(message, batch)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        if len(incoming) <= SMALL_BATCH:
            await self._producer.begin_sending()
        record = incoming[0].record
        emitted = EmittedBatch(
            id=f"{record.partition}:{record.offset}",
            since=started_at,
            futures=batch.futures,
            states={update_id: batch.states[update_id] for update_id in batch.changed},
            outcomes=batch.outcomes,
            unknown=batch.unknown,
        )
        return StartedBatch(batch.rejections, self._writer.add(emitted, failures))

    async def _handle_message(self, message: Incoming[Input], batch: _Batch) -> None:
        event, fingerprint = message.event, _fingerprint(message)
        if (source := source_elsewhere(message, batch.states[event.update_id])) is not None:
            batch.futures.append(await forward(self._producer, message, source))
            return
        try:
            transition, revision = self._transition(event, fingerprint, batch)
        except Exception as failure:
            if is_transient(failure):
                raise
            log.exception("a message that cannot be handled", update_id=event.update_id)
            batch.rejections.append(Rejection(message.record, _as_rejection(failure)))
            batch.report(event, "dead", reason=str(failure), fingerprint=fingerprint, revision=None)
            return
        state = transition.state
        if revision is not None:
            batch.futures += await emit(
                self._producer, revision, transition, message, lookups=batch.lookups, now=batch.now
            )
            state = published_state(state, revision)
        if state is not batch.states[event.update_id]:
            batch.states[event.update_id] = state
            batch.changed.add(event.update_id)
        outcome = transition.outcome
        if outcome in (None, "enriched"):
            outcome = "enriched" if revision is not None else "duplicate" if outcome else None
        if outcome is not None:
            batch.report(
                event,
                outcome,
                reason=transition.reason,
                fingerprint=transition.fingerprint,
                revision=state.revision or None,
            )

    def _transition(self, event: Input, fingerprint: str, batch: _Batch) -> tuple[Transition, BuiltRevision | None]:
        """What a message means for its update, and the revision that it asks for."""
        before = batch.states[event.update_id]
        source = event.source if isinstance(event, RawUpdate) else before.source
        margin_s = self._settings.margin_s(source)
        transition = decide(event, before, margin_s=margin_s, fingerprint=fingerprint)
        revision = None
        if transition.emit and transition.visibility == "visible":
            attachments = self._attach(transition.state, batch)
            revision = build_revision(
                transition, attachments, batch.now, margin_s=margin_s, retry_at=self._retry_at(batch.now)
            )
            if revision is not None:
                batch.unknown |= _newly_unknown(attachments, before, source)
        elif transition.emit:
            revision = build_removal(transition, batch.now)
        if revision is not None and len(revision.value) > MAX_MESSAGE_BYTES - ENVELOPE_BYTES:
            raise Permanent(f"the revision has {len(revision.value)} bytes; {MAX_MESSAGE_BYTES} are the most")
        return transition, revision

    def _attach(self, state: State, batch: _Batch) -> Attachments:
        raw, lookups = state.current_version.raw, batch.lookups
        attachments = self._steps.attach(
            state,
            lookups.updates[state.update_id],
            lookups.parent_story(raw, batch.states),
            lookups.media_of(raw),
            lookups.ahead.get(id(raw)),
        )
        if lookups.is_parent_missed(raw) and "story" not in attachments.degraded:
            return replace(attachments, degraded=(*attachments.degraded, "story"))
        return attachments

    def _retry_at(self, now: datetime) -> Callable[[int], datetime | None]:
        def retry_at(attempts: int) -> datetime | None:
            if attempts >= self._settings.enrich_retries:
                return None
            return now + timedelta(seconds=self._settings.enrich_retry_after_s * 4**attempts)

        return retry_at


def _newly_unknown(attachments: Attachments, before: State, source: str) -> dict[tuple[str, str], UnknownName]:
    """The names that the directory does not know, by key and update, without those that were counted for it before."""
    counted = before.last_published.unknown_names if before.last_published is not None else ()
    return {
        (key[:LONGEST_KEY], before.update_id): UnknownName(
            name.replace("\x00", ""), before.update_id, source.replace("\x00", "")
        )
        for name in attachments.authorship.unknown
        if (key := name_key(name)) and key not in counted
    }


def _fingerprint(message: Incoming[Input]) -> str:
    """The fingerprint of a version as ingest gave it; empty where the record names no version."""
    named = version_of(message.record)
    return named[1] if named is not None and named[0] == message.event.update_id else ""


def _as_rejection(failure: Exception) -> Invalid | Permanent:
    if isinstance(failure, Invalid | Permanent):
        return failure
    return Permanent(f"{type(failure).__name__}: {failure}")
