"""Reads a document, and prepares what was read for Kafka."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from ingest.formats import ReadRequest, ReadResult, read
from ingest.intake import emit
from ingest.intake.deadline import Unavailable
from ingest.intake.deduplicate import DedupResult
from ingest.intake.originals import Original
from ingest.intake.receipt import Result
from ingest.parsers.pool import NoParser, ParserPool
from ingest.sources.source import Source
from shared.messages import RawUpdate

NEWEST_FIRST = ("rss", "atom", "rdf", "json-feed")
"""Feeds list the newest item first; readers are to get it last."""

LARGE_BYTES = 65_536
MANY_TAGS = 1_500
MANY_ITEMS = 500
"""Larger documents, and those with more tags, objects or messages, are read in a process of their own. Others take milliseconds, a broken
feed a tenth of a second."""


def is_large(body: bytes) -> bool:
    """Whether reading a document may take long."""
    return (
        len(body) > LARGE_BYTES
        or body.count(b"<") > MANY_TAGS
        or body.count(b"{") > MANY_ITEMS
        or body.count(b"\x01") > MANY_ITEMS
    )


async def read_original(parsers: ParserPool, source: Source, original: Original, sha256: str) -> ReadResult:
    """Read a document; a large one in another process, so that it delays neither other documents nor our heartbeats."""
    request = ReadRequest(
        content_type=original.content_type,
        source=source.name,
        received_at=original.received_at,
        original_id=str(original.id),
        sha256=sha256,
        profile=source.profile,
        address=original.headers.get("url") or source.url,
        format=original.asked_format or source.format,
        may=source.powers,
    )
    if not is_large(original.body):
        return read(original.body, request)
    try:
        return await parsers.read(request, original.body)
    except NoParser as error:
        raise Unavailable(str(error)) from None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One version of an update as it would be sent."""

    update: RawUpdate
    index: int
    """Its place in the document."""
    fingerprint: str
    message: emit.EncodedMessage


def prepare(reading: ReadResult, traceparent: str) -> tuple[list[Candidate], list[Result]]:
    """What can be sent, and what cannot: items that were not understood, or that Kafka or Postgres could not hold."""
    candidates: list[Candidate] = []
    results = [
        Result(refused.index, "invalid", code=refused.code, pointer=refused.place, reason=refused.reason)
        for refused in reading.refused
    ]
    for number, update in enumerate(reading.updates):
        index = update.original.index if update.original is not None else number
        try:
            fingerprint = update.fingerprint()
            message = emit.encoded(update, update.source, f"{update.update_id}:{fingerprint}", traceparent)
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
        candidates.append(Candidate(update, index, fingerprint, message))
    if reading.format in NEWEST_FIRST:
        candidates = oldest_first(candidates)
    return candidates, results


def oldest_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The entries of a feed, the oldest first.

    Those of one moment, and those without a time, have their place by the feed's own order: newest first, unless the times
    that it gives rise from entry to entry.
    """
    moments = [_moment(each.update) for each in candidates]
    dated = [moment for moment in moments if moment is not None]
    steps = list(pairwise(dated))
    rises = sum(before < after for before, after in steps) > sum(before > after for before, after in steps)
    ordered = list(zip(moments, candidates, strict=True))
    if not rises:
        ordered.reverse()
    if not dated:
        return [candidate for _, candidate in ordered]
    # An entry without a time stays behind the entry that the feed has before it.
    latest = next(moment for moment, _ in ordered if moment is not None)
    placed: list[tuple[datetime, Candidate]] = []
    for moment, candidate in ordered:
        latest = moment or latest
        placed.append((latest, candidate))
    return [candidate for _, candidate in sorted(placed, key=lambda each: each[0])]


def _moment(update: RawUpdate) -> datetime | None:
    return update.first_created or update.version_created


def as_received(candidate: Candidate, result: DedupResult, traceparent: str) -> Candidate:
    """The candidate with the times at which it counts as received, and as made where its own is not believed. A return gets an event
    id other than that of the version returned to."""
    times = {"received_at": result.received_at, "counts_from": result.counts_from}
    if all(getattr(candidate.update, name) == moment for name, moment in times.items()) and not result.is_return:
        return candidate
    update = candidate.update.model_copy(update=times)
    event_id = f"{update.update_id}:{candidate.fingerprint}"
    if result.is_return:
        event_id += f":{result.received_at:%Y%m%dT%H%M%S.%fZ}"
    message = emit.encoded(update, update.source, event_id, traceparent)
    return replace(candidate, update=update, message=message)
