"""From a document to messages on Kafka, step by step, the same for every transport."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Histogram

from ingest.formats import ReadResult, RefusedItem, Unreadable
from ingest.intake import aliases, deduplicate, emit, items, linked_texts, originals
from ingest.intake.deadline import Deadline, OutcomeUnknown, Unavailable
from ingest.intake.known_sources import KnownSources
from ingest.intake.originals import Original, Transport
from ingest.intake.read import Candidate, as_received, is_large, prepare, read_original
from ingest.intake.receipt import DocumentOutcomeUnknown, DocumentRejected, Receipt, Result
from ingest.intake.resends import Resends
from ingest.intake.turns import Turn, Turns
from ingest.parsers.pool import ParserPool
from ingest.sources.source import Source
from ingest.sources.statistics import SourceStatistics
from shared.crash_points import reached
from shared.failures.transient import TRANSIENT
from shared.kafka.producer import Producer
from shared.messages import RawUpdate
from shared.observability.traces import spans_are_recorded, traceparent_now
from shared.postgres.batching import Batcher
from shared.postgres.clock import SharedClock
from shared.postgres.dedicated_connection import DedicatedConnection
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

T = TypeVar("T")

PROPAGATOR = TraceContextTextMapPropagator()
TRACER = trace.get_tracer(__name__)

READ_TIMEOUT_S = 20.0
BATCH_BYTES = 1_048_576
BATCH_ITEMS = 1000

ASK = "GET /v1/items?guid=… tells how far it is, and sending it again is harmless: what was taken is then a duplicate"

UNACKNOWLEDGED: Mapping[emit.SendStatus, tuple[str, str]] = {
    "not-sent": ("not-acknowledged", "Kafka did not answer; it was not taken and will not be, send it again"),
    "unknown": (
        "maybe-taken",
        "Kafka has not acknowledged it in time and may have it; ask for its status, or send it again, which is harmless",
    ),
}
"""Code and reason of an item that Kafka has not acknowledged."""

STEP_SECONDS = Histogram(
    "slugline_ingest_step_seconds",
    "Time of one document in each step: store, read, deduplicate, turn, emit, record",
    ["step"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
STEPS = {step: STEP_SECONDS.labels(step) for step in ("store", "read", "deduplicate", "turn", "emit", "record")}

_Fingerprinted = Sequence[tuple[RawUpdate, str]]
_History = dict[tuple[str, str], deduplicate.EmittedHistory]


@dataclass(frozen=True, slots=True)
class _Connections:
    """A connection for each statement that every document needs."""

    pool: Pool
    store: DedicatedConnection
    deduplicate: DedicatedConnection
    record: DedicatedConnection


@dataclass(slots=True)
class _Version:
    """One version of an update after deduplication, and how sending it went."""

    candidate: Candidate
    duplicate: bool
    queued: emit.QueuedMessage | None = None
    status: emit.SendStatus = "acknowledged"

    @property
    def accepted(self) -> bool:
        return not self.duplicate and self.status == "acknowledged"


@dataclass
class Intake:
    """Takes documents, with the collaborators that this needs. `pool` and `producer` are None until their server has answered."""

    statistics: SourceStatistics
    timeout_s: float
    """How long one document waits for Kafka and Postgres together before they count as unavailable."""
    pool: Pool | None = None
    producer: Producer | None = None
    parsers: ParserPool = field(default_factory=lambda: ParserPool(READ_TIMEOUT_S))
    clock: SharedClock = field(default_factory=SharedClock)

    def __post_init__(self) -> None:
        """Statements of documents that are taken at the same time are combined."""
        self._connections: _Connections | None = None
        self._queue: emit.SendQueue | None = None
        self.turns = Turns()
        self.known_sources = KnownSources()
        self._resends = Resends()
        timeout_s = self.timeout_s
        self._stores = Batcher(
            self._store_batch, timeout_s=timeout_s, weight=lambda kept: len(kept[0].body), heaviest=BATCH_BYTES
        )
        self._histories = Batcher(self._history_batch, timeout_s=timeout_s, weight=len, heaviest=BATCH_ITEMS)
        self._records = Batcher(
            self._record_batch, timeout_s=timeout_s, weight=lambda document: len(document.sent), heaviest=BATCH_ITEMS
        )

    async def take(
        self,
        source: Source,
        body: bytes,
        *,
        content_type: str | None,
        transport: Transport,
        received_at: datetime | None = None,
        headers: Mapping[str, str] | None = None,
        format: str | None = None,  # noqa: A002 -- the field's word
        traceparent: str = "",
        taken_before: frozenset[int] = frozenset(),
        again: bool = False,
        turn: Turn | None = None,
    ) -> Receipt:
        """Keep the document, read it, and emit what is new in it.

        `taken_before` are the places of items that were taken when the same document came before. With `again` it was read
        before, as in `process`. Its `turn` is the one that it has been given; else it is received now.

        Raises `DocumentRejected` where nothing can be made of it, and `Unavailable` where Kafka or Postgres is: then nothing of
        it was taken, nor will be, unless it is an `OutcomeUnknown`. Sending it again is harmless.
        """
        if (queue := self.queue()) is not None:
            queue.probe_brokers()
        original = Original(
            originals.new_original_id(),
            source.name,
            transport,
            received_at or self.clock(),
            _storable(content_type),
            body,
            {name: _storable(value) or "" for name, value in (headers or {}).items()},
            format,
        )
        with turn or self.turns.take(source.name) as its_turn:
            return await self._traced(source, original, its_turn, traceparent, taken_before=taken_before, again=again)

    async def _traced(
        self,
        source: Source,
        original: Original,
        turn: Turn,
        traceparent: str,
        *,
        taken_before: frozenset[int],
        again: bool,
    ) -> Receipt:
        if not traceparent and not spans_are_recorded():
            return await self._keep_and_process(source, original, turn, taken_before=taken_before, again=again)
        context = PROPAGATOR.extract({"traceparent": traceparent})
        attributes = {
            "slugline.source": source.name,
            "slugline.transport": original.transport,
        }
        with TRACER.start_as_current_span("ingest.take", context, attributes=attributes):
            return await self._keep_and_process(source, original, turn, taken_before=taken_before, again=again)

    async def _keep_and_process(
        self, source: Source, original: Original, turn: Turn, *, taken_before: frozenset[int], again: bool
    ) -> Receipt:
        deadline = Deadline(self.timeout_s)
        sha256 = original.sha256
        original = self._resends.as_before(original, sha256)
        trace.get_current_span().set_attribute("slugline.original", str(original.id))
        with self._resends.watching(original, sha256) as told:
            with STEPS["store"].time():
                await deadline.wait_for(self._stores.ask((original, sha256)))
            reached("ingest.original-stored")
            steps = self.process(source, original, sha256, deadline, turn, taken_before=taken_before, again=again)
            return told(await steps)

    async def process(
        self,
        source: Source,
        original: Original,
        sha256: str,
        deadline: Deadline | None = None,
        turn: Turn | None = None,
        *,
        taken_before: frozenset[int] = frozenset(),
        again: bool = False,
    ) -> Receipt:
        """The steps that follow once the original is kept.

        With `again` it was read before: then whatever it gave at any time is a duplicate, even where its source has no
        versions, since an old document that is read again must not pass for a return to an older wording.
        """
        deadline = deadline or Deadline(self.timeout_s)
        reading = await self._read(source, original, sha256, deadline)
        traceparent = traceparent_now()
        if is_large(original.body):
            candidates, results = await asyncio.to_thread(prepare, reading, traceparent)
        else:
            candidates, results = prepare(reading, traceparent)
        refused = [
            RefusedItem(index=each.index, code=each.code, place=each.pointer, reason=each.reason) for each in results
        ]
        versions = await self._deduplicate(candidates, original, sha256, traceparent, deadline, again=again)
        for version in versions:
            version.duplicate = version.duplicate or version.candidate.index in taken_before
        new = [version.candidate.update for version in versions if not version.duplicate]
        if linked_texts.are_to_be_fetched(source, new):
            await deadline.run(linked_texts.want(self.postgres(), source.name, new))
        await self._emit(source, versions, deadline, turn)
        reached("ingest.emitted")
        document = items.DocumentRecord(
            original_id=original.id,
            source=source.name,
            format=reading.format,
            parser_version=reading.parser_version,
            updates=len(candidates),
            refused=refused,
            sent=[_sent(version) for version in versions if not version.duplicate and version.status != "not-sent"],
        )
        await self._record(document, versions, deadline)
        reached("ingest.recorded")
        self._count(source, versions, refused)
        results.extend(_result(version) for version in versions)
        results.sort(key=lambda result: result.index)
        receipt = Receipt(original.id, reading.format, results, _oldest(reading))
        if document.sent and not any(version.accepted for version in versions):
            raise DocumentOutcomeUnknown(f"Kafka has not acknowledged it in time and may have it; {ASK}", receipt)
        return receipt

    async def oldest_in(self, source: Source, body: bytes, content_type: str | None) -> datetime | None:
        """The earliest time that an item of a document gives for itself. Nothing is kept or emitted; raises `Unreadable`."""
        original = Original(
            originals.new_original_id(), source.name, "poll", self.clock(), _storable(content_type), body
        )
        return _oldest(await read_original(self.parsers, source, original, original.sha256))

    async def _read(self, source: Source, original: Original, sha256: str, deadline: Deadline) -> ReadResult:
        try:
            with STEPS["read"].time():
                reading = await read_original(self.parsers, source, original, sha256)
        except Unreadable as cause:
            self.statistics.record_rejection(source.name, cause.code)
            log.warning(
                "document refused", source=source.name, original=str(original.id), code=cause.code,
                place=cause.place, reason=cause.reason,
            )  # fmt: skip
            refused = RefusedItem(index=0, code=cause.code, place=cause.place, reason=cause.reason)
            await deadline.run(originals.record_unreadable(self.postgres(), original.id, refused))
            raise DocumentRejected(original.id, cause) from cause
        if not aliases.needed(reading):
            return reading
        updates = await deadline.run(aliases.resolved(self.postgres(), source.name, reading))
        return reading.model_copy(update={"updates": updates})

    async def _deduplicate(
        self,
        candidates: Sequence[Candidate],
        original: Original,
        sha256: str,
        traceparent: str,
        deadline: Deadline,
        *,
        again: bool,
    ) -> list[_Version]:
        fingerprinted = [(candidate.update, candidate.fingerprint) for candidate in candidates]
        with STEPS["deduplicate"].time():
            history = await deadline.wait_for(self._histories.ask(fingerprinted)) if fingerprinted else {}
            if not again and (overtaken := deduplicate.overtaken_at(fingerprinted, history)) is not None:
                offered = originals.first_offered(self.postgres(), original, sha256, overtaken)
                history = deduplicate.offered(history, await deadline.run(offered))
        results = deduplicate.classify(fingerprinted, history, seen_suffices=again)
        return [
            _Version(as_received(candidate, result, traceparent), result.duplicate)
            for candidate, result in zip(candidates, results, strict=True)
        ]

    async def _emit(self, source: Source, versions: Sequence[_Version], deadline: Deadline, turn: Turn | None) -> None:
        """Send what is new. Whatever Kafka says later, a version keeps the status that it has when the deadline is over."""
        new = [version for version in versions if not version.duplicate]
        messages = [version.candidate.message for version in new]
        if new and turn is not None:
            with STEPS["turn"].time():
                await turn.comes()
        with STEPS["emit"].time():
            # Waiting for Kafka holds up no other document.
            queued = await emit.emit(self.queue(), messages, deadline.left_s, turn.end if turn else lambda: None)
        self.known_sources.add(source.name, [version.candidate.update.update_id for version in new])
        for version, message in zip(new, queued, strict=True):
            version.queued, version.status = message, message.status
        if new and all(version.status == "not-sent" for version in new):
            raise Unavailable("Kafka does not answer; nothing of it was taken, and nothing will be")

    async def _record(self, document: items.DocumentRecord, versions: Sequence[_Version], deadline: Deadline) -> None:
        queue = self.queue()
        with STEPS["record"].time():
            for version in versions:
                if queue is not None and version.queued is not None and version.status == "unknown":
                    late = replace(document, sent=[replace(_sent(version), acknowledged=True)])
                    queue.when_acknowledged(version.queued, partial(self._record_late, late))
            try:
                await deadline.wait_for(self._records.ask(document))
            except Unavailable as error:
                if any(version.accepted for version in versions):
                    raise OutcomeUnknown(f"Kafka has it, which could not be written down ({error}); {ASK}") from error
                log.warning("what Kafka may have is not written down", source=document.source, reason=str(error))

    async def _record_late(self, document: items.DocumentRecord) -> None:
        """Record that Kafka has a version after all. Where this fails, later stages still report it."""
        try:
            await self._records.ask(document)
        except TRANSIENT as error:
            log.warning("not written down that Kafka has it", source=document.source, reason=str(error))

    def _count(self, source: Source, versions: Sequence[_Version], refused: Sequence[RefusedItem]) -> None:
        accepted = [version for version in versions if version.accepted]
        self.statistics.record_document(
            source.name,
            accepted=len(accepted),
            duplicate=sum(version.duplicate for version in versions),
            repaired=sum(bool(version.candidate.update.repairs) for version in accepted),
        )
        for item in refused:
            self.statistics.record_rejection(source.name, item.code)
            log.warning("item refused", source=source.name, **item.model_dump())

    async def _store_batch(self, kept: Sequence[tuple[Original, str]]) -> Sequence[None]:
        await originals.store(self._dedicated().store, kept)
        return [None] * len(kept)

    async def _history_batch(self, documents: Sequence[_Fingerprinted]) -> Sequence[_History]:
        fingerprinted = [each for document in documents for each in document]
        history = await items.history(self._dedicated().deduplicate, fingerprinted)
        return [history] * len(documents)

    async def _record_batch(self, documents: Sequence[items.DocumentRecord]) -> Sequence[None]:
        await items.record(self._dedicated().record, documents)
        return [None] * len(documents)

    def queue(self) -> emit.SendQueue | None:
        """The queue of messages to Kafka; None until Kafka has answered."""
        if self.producer is None:
            return None
        if self._queue is None or self._queue.producer is not self.producer:
            self._queue = emit.SendQueue(self.producer)
        return self._queue

    def _dedicated(self) -> _Connections:
        pool = self.postgres()
        if self._connections is None or self._connections.pool is not pool:
            self._connections = _Connections(
                pool, store=pool.dedicated(), deduplicate=pool.dedicated(), record=pool.dedicated()
            )
        return self._connections

    def postgres(self) -> Pool:
        """The pool; raises `Unavailable` until Postgres has answered."""
        if self.pool is None:
            raise Unavailable("Postgres does not answer")
        return self.pool

    async def within(self, work: Awaitable[T]) -> T:
        """The result of one statement; raises `Unavailable` where it does not come in time."""
        return await Deadline(self.timeout_s).run(work)


def _oldest(reading: ReadResult) -> datetime | None:
    moments = (update.first_created or update.version_created for update in reading.updates)
    return min((moment for moment in moments if moment is not None), default=None)


def _sent(version: _Version) -> items.SentVersion:
    candidate = version.candidate
    return items.SentVersion(
        candidate.update, candidate.fingerprint, candidate.index, acknowledged=version.status == "acknowledged"
    )


def _result(version: _Version) -> Result:
    candidate = version.candidate
    result = Result(candidate.index, "accepted", candidate.update.update_id, candidate.update.guid)
    if version.accepted:
        return result
    if version.duplicate:
        return replace(result, status="duplicate")
    code, reason = UNACKNOWLEDGED[version.status]
    return replace(result, status="error", code=code, reason=reason)


def _storable(text: str | None) -> str | None:
    """Header text as Postgres can hold it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:1000] if text is not None else None
