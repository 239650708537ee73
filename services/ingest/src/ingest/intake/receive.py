"""From a document to messages on Kafka, the same for every transport: keep, read, judge, emit, record."""

import asyncio
import uuid
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TypeVar

import structlog
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Histogram

from ingest.formats import ReadResult, Unreadable, read
from ingest.intake import aliases, deduplicate, emit, items, originals
from ingest.intake.deadline import Deadline, OutcomeUnknown, Unavailable
from ingest.intake.originals import Original, Transport
from ingest.parsers.pool import ParserPool
from ingest.parsers.worker import ReadRequest
from ingest.sources.registry import Source
from ingest.sources.statistics import SourceStatistics
from shared.failures.transient import TRANSIENT
from shared.kafka.producer import Producer
from shared.messages import RawUpdate
from shared.observability.traces import spans_are_recorded, traceparent_now
from shared.postgres.batching import Batcher
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

T = TypeVar("T")

PROPAGATOR = TraceContextTextMapPropagator()
TRACER = trace.get_tracer(__name__)

NEWEST_FIRST = ("rss", "atom", "rdf", "json-feed")
"""Feeds put the newest first; readers are to meet it last."""

LARGE_BYTES = 65_536
MANY_TAGS = 1_500
"""What is larger, or has more tags, is read in a process of its own. The rest takes milliseconds; a broken feed a tenth of a second."""

READ_TIMEOUT_S = 20.0
BATCH_BYTES = 1_048_576
BATCH_ITEMS = 1000

ASK = "GET /v1/items?guid=… tells how far it is, and sending it again is harmless: what was taken is then a duplicate"

UNACKNOWLEDGED = {
    "not-taken": ("not-acknowledged", "Kafka did not answer; it was not taken and will not be, send it again"),
    "maybe-taken": (
        "maybe-taken",
        "Kafka has not acknowledged it in time and may have it; ask for its status, or send it again, which is harmless",
    ),
}
"""Code and reason by fate."""

_Pairs = Sequence[tuple[RawUpdate, str]]

Status = Literal["accepted", "duplicate", "invalid", "error"]

STEP_SECONDS = Histogram(
    "slugline_ingest_step_seconds",
    "Time of one document in each step: store, read, deduplicate, emit, record",
    ["step"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
STEPS = {step: STEP_SECONDS.labels(step) for step in ("store", "read", "deduplicate", "emit", "record")}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item of a document."""

    index: int
    status: Status
    id: str | None = None
    """The update's id."""
    guid: str | None = None
    code: str = ""
    pointer: str = ""
    """Where in the document: a JSON pointer, an XPath or a line."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a document."""

    original: uuid.UUID
    format: str
    results: list[Result] = field(default_factory=list)
    oldest: datetime | None = None
    """The earliest time that one of its items gives for itself."""

    def count(self, *statuses: Status) -> int:
        """How many items ended so."""
        return sum(result.status in statuses for result in self.results)


@dataclass(frozen=True, slots=True)
class _Candidate:
    update: RawUpdate
    index: int
    fingerprint: str
    message: emit.EncodedMessage


@dataclass(frozen=True, slots=True)
class _Lines:
    """A line to Postgres for each question that every document asks."""

    pool: Pool
    store: Any
    classify: Any
    record: Any


class DocumentOutcomeUnknown(OutcomeUnknown):
    """Nothing of the document that is new is known to be with Kafka, and some of it may be."""

    def __init__(self, reason: str, receipt: Receipt) -> None:
        super().__init__(reason)
        self.receipt = receipt


class DocumentRejected(Exception):
    """Nothing can be made of the document, for ever; it is kept as the original of that id."""

    def __init__(self, original: uuid.UUID, cause: Unreadable) -> None:
        super().__init__(cause.reason)
        self.original = original
        self.code = cause.code
        self.place = cause.place
        self.reason = cause.reason


@dataclass
class Intake:
    """The collaborators of the way from a document to Kafka. A pool or an producer is None until its server has answered."""

    statistics: SourceStatistics
    timeout_s: float
    """How long one document waits for Kafka and Postgres together before they count as away."""
    pool: Pool | None = None
    producer: Producer | None = None
    parsers: ParserPool = field(default_factory=lambda: ParserPool(READ_TIMEOUT_S))

    def __post_init__(self) -> None:
        """What senders ask of Postgres at the same time goes together."""
        self._drawn: _Lines | None = None
        self._queue: emit.SendQueue | None = None
        timeout_s = self.timeout_s
        self._stores = Batcher(
            self._store, timeout_s=timeout_s, weight=lambda kept: len(kept[0].body), heaviest=BATCH_BYTES
        )
        self._judges = Batcher(self._judge, timeout_s=timeout_s, weight=len, heaviest=BATCH_ITEMS)
        self._records = Batcher(
            self._record, timeout_s=timeout_s, weight=lambda made: len(made.sent), heaviest=BATCH_ITEMS
        )

    async def _store(self, kept: Sequence[tuple[Original, str]]) -> Sequence[None]:
        await originals.store(self._lines().store, kept)
        return [None] * len(kept)

    async def _judge(self, documents: Sequence[_Pairs]) -> Sequence[dict[tuple[str, str], deduplicate.EmittedHistory]]:
        pairs = [pair for pairs in documents for pair in pairs]
        known = await items.known(self._lines().classify, pairs)
        return [known] * len(documents)

    async def _record(self, documents: Sequence[items.DocumentRecord]) -> Sequence[None]:
        await items.record(self._lines().record, documents)
        return [None] * len(documents)

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
        known: frozenset[int] = frozenset(),
        again: bool = False,
    ) -> Receipt:
        """Keep the document, read it, and emit what is new in it.

        `known` are the places of items that were taken when the same document came before. With `again` it was read before,
        as `emit_original` has it.

        Raises `DocumentRejected` where nothing can be made of it, and `Unavailable` where Kafka or Postgres is: then nothing of it was
        taken, nor will be, unless it is `DocumentOutcomeUnknown`. The repeat is harmless.
        """
        if (queue := self.queue()) is not None:
            queue.probe_brokers()
        original = Original(
            originals.new_original_id(),
            source.name,
            transport,
            received_at or datetime.now(UTC),
            _storable(content_type),
            body,
            {name: _storable(value) or "" for name, value in (headers or {}).items()},
            format,
        )
        sha256 = original.sha256
        if not traceparent and not spans_are_recorded():
            return await self._keep_and_emit(source, original, sha256, known=known, again=again)
        context = PROPAGATOR.extract({"traceparent": traceparent})
        attributes = {
            "slugline.source": source.name,
            "slugline.transport": transport,
            "slugline.original": str(original.id),
        }
        with TRACER.start_as_current_span("ingest.take", context, attributes=attributes):
            return await self._keep_and_emit(source, original, sha256, known=known, again=again)

    async def _keep_and_emit(
        self, source: Source, original: Original, sha256: str, *, known: frozenset[int], again: bool
    ) -> Receipt:
        patience = Deadline(self.timeout_s)
        with STEPS["store"].time():
            await patience.answered(self._stores.ask((original, sha256)))
        return await self.emit_original(source, original, sha256, known=known, again=again, patience=patience)

    async def emit_original(
        self,
        source: Source,
        original: Original,
        sha256: str,
        *,
        known: frozenset[int] = frozenset(),
        again: bool = False,
        patience: Deadline | None = None,
    ) -> Receipt:
        """What follows once the original is kept.

        With `again` it was read before: then whatever it gave at any time is a duplicate, even where its source has no
        versions, since an old document that is read again must not pass for a return to an older wording.
        """
        patience = patience or Deadline(self.timeout_s)
        try:
            with STEPS["read"].time():
                reading = await self._read(source, original, sha256)
        except Unreadable as cause:
            self.statistics.refused(source.name, cause.code)
            log.warning(
                "document refused", source=source.name, original=str(original.id), code=cause.code,
                place=cause.place, reason=cause.reason,
            )  # fmt: skip
            refused = {"index": 0, "code": cause.code, "place": cause.place, "reason": cause.reason}
            await patience.within(originals.record_unreadable(self._postgres(), original.id, refused))
            raise DocumentRejected(original.id, cause) from cause
        return await self._emit(source, original, reading, traceparent_now(), patience, known=known, again=again)

    async def _read(self, source: Source, original: Original, sha256: str) -> ReadResult:
        """What is understood of a document; one that takes long must hold up neither the others nor our heartbeats."""
        asked_format = original.asked_format or source.format
        if _is_large(original.body):
            request = ReadRequest(
                content_type=original.content_type,
                source=source.name,
                received_at=original.received_at,
                original_id=str(original.id),
                sha256=sha256,
                profile=source.profile,
                format=asked_format,
            )
            return await self.parsers.read(request, original.body)
        return read(
            original.body,
            content_type=original.content_type,
            source=source.name,
            received_at=original.received_at,
            original_id=str(original.id),
            sha256=sha256,
            profile=source.profile,
            format=asked_format,
        )

    async def _emit(
        self,
        source: Source,
        original: Original,
        reading: ReadResult,
        traceparent: str,
        patience: Deadline,
        *,
        known: frozenset[int],
        again: bool,
    ) -> Receipt:
        if aliases.concerns(reading):
            updates = await patience.within(aliases.resolved(self._postgres(), source.name, reading))
            reading = reading.model_copy(update={"updates": updates})
        if _is_large(original.body):
            candidates, results = await asyncio.to_thread(_prepared, reading, traceparent)
        else:
            candidates, results = _prepared(reading, traceparent)
        pairs = [(candidate.update, candidate.fingerprint) for candidate in candidates]
        with STEPS["deduplicate"].time():
            emitted = await patience.answered(self._judges.ask(pairs)) if pairs else {}
        judged = deduplicate.classify(pairs, emitted, seen_suffices=again)
        candidates = [_as_judged(*each, traceparent) for each in zip(candidates, judged, strict=True)]
        verdicts: list[deduplicate.Verdict] = [
            "duplicate" if candidate.index in known else each.verdict
            for candidate, each in zip(candidates, judged, strict=True)
        ]
        fresh = [candidate for candidate, verdict in zip(candidates, verdicts, strict=True) if verdict == "new"]
        queue = self.queue()
        with STEPS["emit"].time():
            queued = await emit.emit(queue, [candidate.message for candidate in fresh], patience.left_s)
        # What has not been acknowledged by now is told as it is now, whatever Kafka says later.
        fates = {id(candidate): each.fate for candidate, each in zip(fresh, queued, strict=True)}
        if fresh and set(fates.values()) == {"not-taken"}:
            raise Unavailable("Kafka does not answer; nothing of it was taken, and nothing will be")
        acknowledged = [candidate for candidate in fresh if fates[id(candidate)] == "acknowledged"]
        refused = [
            {"index": result.index, "code": result.code, "place": result.pointer, "reason": result.reason}
            for result in results
        ]
        with STEPS["record"].time():
            made = items.DocumentRecord(
                original_id=original.id,
                source=source.name,
                format=reading.format,
                parser_version=reading.parser_version,
                updates=len(candidates),
                refused=refused,
                sent=[
                    items.SentVersion(each.update, each.fingerprint, each.index, acknowledged=fate == "acknowledged")
                    for each in fresh
                    if (fate := fates[id(each)]) != "not-taken"
                ],
            )
            for candidate, each in zip(fresh, queued, strict=True):
                if queue is not None and fates[id(candidate)] == "maybe-taken":
                    queue.when_acknowledged(each, partial(self._note_late, made, candidate))
            recording = self._records.ask(made)
            try:
                await patience.answered(recording)
            except Unavailable as away:
                if acknowledged:
                    raise OutcomeUnknown(f"Kafka has it, which could not be written down ({away}); {ASK}") from away
                log.warning("what Kafka may have is not written down", source=source.name, reason=str(away))
        for candidate, verdict in zip(candidates, verdicts, strict=True):
            fate = fates.get(id(candidate), "acknowledged")
            if fate == "acknowledged":
                results.append(_result(candidate, "accepted" if verdict == "new" else "duplicate"))
            else:
                code, reason = UNACKNOWLEDGED[fate]
                results.append(_result(candidate, "error", code=code, reason=reason))
        self._count(source, acknowledged, verdicts.count("duplicate"), refused)
        moments = [moment for update in reading.updates if (moment := update.first_created or update.version_created)]
        receipt = Receipt(
            original.id, reading.format, sorted(results, key=lambda result: result.index), min(moments, default=None)
        )
        if fresh and not acknowledged:
            raise DocumentOutcomeUnknown(f"Kafka has not acknowledged it in time and may have it; {ASK}", receipt)
        return receipt

    async def _note_late(self, made: items.DocumentRecord, candidate: _Candidate) -> None:
        """Kafka has what its sender was told that it may have. Where this fails, the later stages tell of it."""
        sent = items.SentVersion(candidate.update, candidate.fingerprint, candidate.index)
        try:
            await self._records.ask(replace(made, sent=[sent]))
        except TRANSIENT as error:
            log.warning("not written down that Kafka has it", source=made.source, reason=str(error))

    def _count(
        self, source: Source, acknowledged: list[_Candidate], duplicates: int, refused: list[dict[str, Any]]
    ) -> None:
        self.statistics.took(
            source.name,
            accepted=len(acknowledged),
            duplicate=duplicates,
            repaired=sum(bool(each.update.repairs) for each in acknowledged),
        )
        for each in refused:
            self.statistics.refused(source.name, each["code"])
            log.warning("item refused", source=source.name, **each)

    def queue(self) -> emit.SendQueue | None:
        """The way to Kafka; None until it has answered."""
        if self.producer is None:
            return None
        if self._queue is None or self._queue.producer is not self.producer:
            self._queue = emit.SendQueue(self.producer)
        return self._queue

    def _lines(self) -> "_Lines":
        pool = self._postgres()
        if self._drawn is None or self._drawn.pool is not pool:
            self._drawn = _Lines(pool, store=pool.dedicated(), classify=pool.dedicated(), record=pool.dedicated())
        return self._drawn

    def _postgres(self) -> Any:
        if self.pool is None:
            raise Unavailable("Postgres does not answer")
        return self.pool

    async def within(self, work: Awaitable[T]) -> T:
        """The answer of Postgres to one question, or `Unavailable` where it does not come in time."""
        return await Deadline(self.timeout_s).within(work)


def _is_large(body: bytes) -> bool:
    return len(body) > LARGE_BYTES or body.count(b"<") > MANY_TAGS


def _prepared(reading: ReadResult, traceparent: str) -> tuple[list[_Candidate], list[Result]]:
    """What can be sent, and what was refused: by the reader, or because Kafka or Postgres could not hold it."""
    candidates: list[_Candidate] = []
    results = [
        Result(refused.index, "invalid", code=refused.code, pointer=refused.place, reason=refused.reason)
        for refused in reading.refused
    ]
    for number, update in enumerate(reading.updates):
        index = update.original.index if update.original is not None else number
        try:
            fingerprint = update.fingerprint()
            message = emit.encoded(update, update.update_id, f"{update.update_id}:{fingerprint}", traceparent)
            if any("\x00" in name for name in (update.guid, update.version or "")):
                raise ValueError("NUL in an identifier")
        except (ValueError, TypeError, RecursionError) as error:
            reason = f"cannot be written as JSON in UTF-8: {error}"
            results.append(Result(index, "invalid", update.update_id, code="not-text", reason=reason[:500]))
            continue
        if message.too_large:
            reason = f"{len(message.value)} bytes as one message, more than can be carried"
            results.append(Result(index, "invalid", update.update_id, update.guid, "too-large", reason=reason))
            continue
        candidates.append(_Candidate(update, index, fingerprint, message))
    if reading.format in NEWEST_FIRST:
        candidates.sort(key=_moment)
    return candidates, results


def _as_judged(candidate: _Candidate, judged: deduplicate.DedupResult, traceparent: str) -> _Candidate:
    """The candidate with the time at which it counts as received; a return is another event than what it returns to."""
    if judged.received_at == candidate.update.received_at and not judged.returns:
        return candidate
    update = candidate.update.model_copy(update={"received_at": judged.received_at})
    event_id = f"{update.update_id}:{candidate.fingerprint}"
    if judged.returns:
        event_id += f":{judged.received_at:%Y%m%dT%H%M%S.%fZ}"
    message = emit.encoded(update, update.update_id, event_id, traceparent)
    return replace(candidate, update=update, message=message)


def _moment(candidate: _Candidate) -> datetime:
    update = candidate.update
    return update.first_created or update.version_created or update.received_at


def _result(candidate: _Candidate, status: Status, *, code: str = "", reason: str = "") -> Result:
    return Result(candidate.index, status, candidate.update.update_id, candidate.update.guid, code=code, reason=reason)


def _storable(text: str | None) -> str | None:
    """Header text as Postgres can hold it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:1000] if text is not None else None
