"""The handler of `updates.raw`: a batch of messages about updates becomes revisions, then state rows and outcomes."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from enrich.reference.directory import name_key
from enrich.reference.loader import ReferenceLoader
from enrich.settings import Settings
from enrich.text.domain.adoption import after_adoption
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.revision import BuiltRevision, build_removal, build_revision, published_state
from enrich.text.domain.state import State
from enrich.text.domain.transition import Transition
from enrich.text.emission import cause_of, emit_beside, emit_look_again, emit_revision
from enrich.text.forwarding import forward, source_elsewhere
from enrich.text.lookups import SMALL_BATCH, LookupReader, Lookups
from enrich.text.published.adopted import adopt_record
from enrich.text.published.follower import LogFollower
from enrich.text.published.recovery import Recovery
from enrich.text.state_store import UnknownName
from enrich.text.state_writer import EmittedBatch, SentRevision, StateWriter, taken
from enrich.text.steps.runner import Steps
from shared.consumer.batches.effects import StartedBatch
from shared.consumer.decode import Incoming, Rejection, version_of
from shared.failures import Invalid, Permanent, Transient
from shared.failures.transient import is_transient
from shared.kafka.producer import Producer, acknowledged
from shared.messages import EnrichedUpdate, Outcome, RawUpdate, Refresh, Stage
from shared.postgres.clock import Clock, wall_clock
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
LOOK_EVERY_S = 1.0
"""From one look at whether recovery is due, if nothing wakes it, to the next."""
SETTLED_WHEN_IDLE_S = 30.0
"""From one note of the settled place of an idle process to the next: recovery then reads no more than was published within it."""
ASK_AFTER_S = 2.0
"""After which what recovery found and no message has come for is asked for by a refresh: most comes by itself."""
ASK_AGAIN_S = 60.0

OUTCOMES = Counter("slugline_enrich_outcomes", "What became of messages", ["outcome"])


@dataclass(slots=True)
class _Batch:
    """What becomes of a batch while its messages are handled one after another."""

    now: datetime
    lookups: Lookups
    states: dict[str, State]
    published_from: int
    """Where the log was read up to when the batch was begun."""
    futures: list["asyncio.Future[object]"] = field(default_factory=list)
    revisions: list[SentRevision] = field(default_factory=list)
    turns_before: dict[str, int] = field(default_factory=dict)
    """Of the updates whose state has changed, by id."""
    outcomes: list[Outcome] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    unknown: dict[tuple[str, str], UnknownName] = field(default_factory=dict)

    def move(self, state: State) -> None:
        """An update has another state from now on."""
        before = self.states[state.update_id]
        if state is not before:
            self.turns_before.setdefault(state.update_id, before.state_version)
            self.states[state.update_id] = state

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


@dataclass(frozen=True, slots=True)
class _Step:
    """What a message means for its update."""

    transition: Transition
    state: State
    """After the message and what of the log was adopted, before `revision`."""
    revision: BuiltRevision | None = None
    """To be published now."""
    adopted: EnrichedUpdate | None = None
    """The last that was adopted; it is in the log already."""
    is_published: bool = False
    """Whether the message has a revision, of now or of before."""
    is_repeat: bool = False
    """Whether the message, or one behind it, was handled before: what went out beside revisions may be lost."""


class TextHandler:
    """Handles the batches of `updates.raw`."""

    def __init__(
        self,
        *,
        pool: Pool,
        producer: Producer,
        loader: ReferenceLoader,
        settings: Settings,
        follower: LogFollower,
        recovery: Recovery,
        clock: Clock = wall_clock,
    ) -> None:
        self._producer = producer
        self._loader = loader
        self._settings = settings
        self._steps = Steps(loader.reference, settings)
        self._clock = clock
        self._lookups = LookupReader(pool, self._steps, settings)
        self._follower = follower
        self._recovery = recovery
        self._writer = StateWriter(
            pool,
            producer,
            STAGE,
            published=follower,
            settled=recovery.settled,
            on_written=recovery.note_written,
        )
        self._failures_seen = 0
        self._asked_at = 0.0
        self._idle_since = time.monotonic()
        self._working = asyncio.Lock()
        """Held while a batch is started, or what was published is read."""

    async def handle(self, incoming: Sequence[Incoming[Input]]) -> Sequence[Rejection]:
        """Handle each update's messages in order: emit, await, then record."""
        started = await self.start_batch(incoming)
        self._writer.write_at_once()
        await started.completed
        return started.rejections

    async def start_batch(self, incoming: Sequence[Incoming[Input]]) -> StartedBatch:
        """Handle each update's messages in order and emit; acknowledgements and rows are under way when this returns."""
        async with self._working:
            await self._recover({message.record.partition for message in incoming})
            self._writer.begun_at = self._follower.position
            try:
                return await self._start_batch(incoming)
            finally:
                self._writer.begun_at = None

    async def keep_recovered(self) -> None:
        """Recover if that is due though no message comes, and note the settled place of a process that has little to do."""
        async with self._working:
            await self._recover(set())
        await self._ask_for_waiting()
        if time.monotonic() > self._idle_since + SETTLED_WHEN_IDLE_S:
            self._idle_since = time.monotonic()
            await self.settle_now()

    async def settle_now(self) -> None:
        """Note the settled place, unless a batch in flight does."""
        await self._writer.settle()

    async def wait_for_recovery(self) -> None:
        """Return once recovery may be due though no message comes, or after a moment."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._recovery.wake.wait(), LOOK_EVERY_S)
        self._recovery.wake.clear()

    def assigned(self, partitions: frozenset[int]) -> None:
        """These partitions of `updates.raw`, and no others, are this process's from now on."""
        self._recovery.assign(partitions)

    def why_not_ready(self) -> str | None:
        """For `Health.ready`."""
        return self._recovery.why_not_ready()

    async def _ask_for_waiting(self) -> None:
        """What another process published is adopted when a message of its update comes: have one come."""
        now, asked_at = time.monotonic(), max(self._asked_at, self._recovery.recovered_at)
        again_s = ASK_AGAIN_S if self._asked_at > self._recovery.recovered_at else ASK_AFTER_S
        if not self._recovery.ahead or now < asked_at + again_s:
            return
        records = self._recovery.ahead.newest()
        await acknowledged([await emit_look_again(self._producer, record, now=self._clock()) for record in records])
        self._asked_at = now
        log.info("asked for updates that another process has published", updates=len(records))

    async def _recover(self, partitions: set[int]) -> None:
        if self._writer.failures != self._failures_seen:
            self._failures_seen = self._writer.failures
            self._recovery.invalidate("a batch failed")
        if not self._recovery.is_due(partitions):
            return
        # Rows must not move meanwhile, and what fails meanwhile is read again before what comes now.
        await self._writer.wait_for_all()
        if self._writer.failures != self._failures_seen:
            raise Transient("a batch before this one failed")
        await self._recovery.recover(partitions)

    async def _start_batch(self, incoming: Sequence[Incoming[Input]]) -> StartedBatch:
        started_at, failures = time.monotonic(), self._writer.failures
        events = [message.event for message in incoming]
        if any(isinstance(event, Refresh) and event.cause in REFERENCE_CAUSES for event in events):
            await self._loader.catch_up()
        pending = self._writer.pending()
        lookups = await self._lookups.read(events, pending)
        states = {update_id: known.state for update_id, known in lookups.updates.items()}
        if self._recovery.ahead:
            self._recovery.ahead.settle({each: states[each].revision for each in states.keys() - pending.keys()})
        batch = _Batch(now=self._clock(), lookups=lookups, states=states, published_from=self._follower.position)
        try:
            for number, message in enumerate(incoming, 1):
                await self._handle_message(message, batch)
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        except BaseException:
            if batch.revisions:
                # They may be in the log, and no row will have them.
                self._recovery.invalidate("a batch failed")
            raise
        if len(incoming) <= SMALL_BATCH:
            await self._producer.begin_sending()
        record = incoming[0].record
        emitted = EmittedBatch(
            id=f"{record.partition}:{record.offset}",
            since=started_at,
            futures=batch.futures,
            revisions=batch.revisions,
            published_from=batch.published_from,
            states={update_id: batch.states[update_id] for update_id in batch.turns_before},
            turns_before=batch.turns_before,
            outcomes=batch.outcomes,
            unknown=batch.unknown,
        )
        return StartedBatch(batch.rejections, self._writer.add(emitted, failures))

    async def _handle_message(self, message: Incoming[Input], batch: _Batch) -> None:
        event, fingerprint = message.event, _fingerprint(message)
        if (source := source_elsewhere(self._producer, message, batch.states[event.update_id])) is not None:
            batch.futures.append(await forward(self._producer, message, source))
            return
        try:
            step = self._step(message, fingerprint, batch)
        except Exception as failure:
            if is_transient(failure):
                raise
            log.exception("a message that cannot be handled", update_id=event.update_id)
            batch.rejections.append(Rejection(message.record, _as_rejection(failure)))
            batch.report(event, "dead", reason=str(failure), fingerprint=fingerprint, revision=None)
            return
        transition, state = step.transition, step.state
        if step.revision is not None:
            await self._emit(step.revision, message, batch)
            state = published_state(state, step.revision)
        if step.is_published or step.is_repeat:
            update = step.revision.update if step.revision is not None else step.adopted
            batch.futures += await emit_beside(
                self._producer, update, transition, message, lookups=batch.lookups, now=batch.now
            )
        batch.move(state)
        outcome = transition.outcome
        if outcome in (None, "enriched"):
            outcome = "enriched" if step.is_published else "duplicate" if outcome else None
        if outcome is not None:
            batch.report(
                event,
                outcome,
                reason=transition.reason,
                fingerprint=transition.fingerprint,
                revision=state.revision or None,
            )
        if transition.conflicts:
            batch.report(
                event, "conflict", reason=transition.told_conflicts, fingerprint=transition.fingerprint,
                revision=state.revision or None,
            )  # fmt: skip

    async def _emit(self, revision: BuiltRevision, message: Incoming[Input], batch: _Batch) -> None:
        update_id, number = revision.update.update_id, revision.update.revision
        if self._follower.is_taken(update_id, number):
            self._recovery.invalidate("another writer")
            raise taken(update_id, number)
        future = await emit_revision(self._producer, revision, message, writer=self._recovery.writer, now=batch.now)
        self._recovery.note_sent(future)
        batch.futures.append(future)
        batch.revisions.append(SentRevision(update_id, number, future))

    def _step(self, message: Incoming[Input], fingerprint: str, batch: _Batch) -> _Step:
        """What a message means for its update. What the log has of it already is adopted, and the next step made from there."""
        event = message.event
        before = batch.states[event.update_id]
        due = self._recovery.ahead.due(event.update_id, before.revision, cause_of(message))
        adopted: EnrichedUpdate | None = None
        for record in due.before:
            before, adopted = adopt_record(before, record, "another process")
        source = event.source if isinstance(event, RawUpdate) else before.source
        transition = decide(event, before, margin_s=self._settings.margin_s(source), fingerprint=fingerprint)
        state, revision = transition.state, None
        for record in due.repeated:
            state, adopted = adopt_record(state, record, "before")
        if not due.is_later:
            if not due.repeated:
                revision = self._build(transition, source, batch)
            if revision is None and due.adopted:
                revision = self._build(after_adoption(state, batch.now), source, batch)
        return _Step(
            transition,
            state,
            revision,
            adopted,
            is_published=revision is not None or bool(due.repeated),
            is_repeat=bool(due.adopted) or due.is_later,
        )

    def _build(self, transition: Transition, source: str, batch: _Batch) -> BuiltRevision | None:
        """The revision that a transition asks for."""
        revision = None
        if transition.emit and transition.visibility == "visible":
            attachments = self._attach(transition.state, batch)
            revision = build_revision(
                transition,
                attachments,
                batch.now,
                margin_s=self._settings.margin_s(source),
                retry_at=self._retry_at(batch.now),
            )
            if revision is not None:
                before = batch.states[transition.state.update_id]
                batch.unknown |= _newly_unknown(attachments, before, source)
        elif transition.emit:
            revision = build_removal(transition, batch.now)
        if revision is not None and len(revision.value) > MAX_MESSAGE_BYTES - ENVELOPE_BYTES:
            raise Permanent(f"the revision has {len(revision.value)} bytes; {MAX_MESSAGE_BYTES} are the most")
        return revision

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
