"""What is known of each version that a source has sent: emitted, enriched, published, or why not."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal, TypeAlias

import orjson

from ingest.formats import RefusedItem
from ingest.intake.deduplicate import EmittedHistory, LatestVersion
from shared.messages import Outcome, RawUpdate
from shared.postgres.pool import Queryable, Row
from shared.postgres.rows import table

Ended: TypeAlias = Literal["duplicate", "superseded", "suppressed", "dead"]
State: TypeAlias = Literal["unacknowledged", "received", "held", "enriched", "published"] | Ended

# Only a return needs more than the latest few versions, and a source returns to nothing old.
_HISTORY = """
SELECT wanted.update_id, wanted.fingerprint AS asked, item.emitted_at IS NOT NULL AS seen,
    latest.fingerprint, latest.version, latest.received_at, (
        SELECT max(unacknowledged.received_at) FROM ingest.items AS unacknowledged
        WHERE unacknowledged.update_id = wanted.update_id AND unacknowledged.emitted_at IS NULL
    ) AS unacknowledged_at,
    CASE WHEN item.emitted_at IS NULL THEN item.received_at END AS offered_at,
    CASE WHEN wanted.disbelieved THEN (
        SELECT max(coalesce(earlier.version_created, earlier.received_at)) FROM (
            SELECT version_created, received_at FROM ingest.items
            WHERE update_id = wanted.update_id AND emitted_at IS NOT NULL AND received_at < wanted.received_at
            ORDER BY sequence DESC LIMIT 50
        ) AS earlier
    ) END AS newest_at
FROM {wanted} AS wanted (update_id, fingerprint, version, version_created, received_at, disbelieved)
LEFT JOIN ingest.items AS item ON item.update_id = wanted.update_id AND item.fingerprint = wanted.fingerprint
LEFT JOIN LATERAL (
    SELECT recent.* FROM (
        SELECT fingerprint, version, version_created, received_at, sequence FROM ingest.items
        WHERE update_id = wanted.update_id AND emitted_at IS NOT NULL ORDER BY sequence DESC LIMIT 50
    ) AS recent
    WHERE wanted.version_created IS NULL
        OR (recent.version_created = wanted.version_created AND recent.version IS NOT DISTINCT FROM wanted.version)
    ORDER BY recent.sequence DESC, recent.fingerprint DESC LIMIT 1
) AS latest ON true
"""

# A row that is lost in a crash of Postgres makes a repeat new again, which is harmless: there is no need to wait for the disk.
# Versions are ordered as enrich orders them, by time of receipt, and not by when they were written here.
# A version that Kafka may have counts as neither new nor duplicate until that is known, and never overwrites one that was emitted.
_RECORD = """
WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
noted AS (
    UPDATE ingest.originals AS kept SET format = read.format, parser_version = read.parser_version,
        updates = read.updates, refused = read.refused::jsonb, read_at = now()
    FROM {read} AS read (id, format, parser_version, updates, refused), lazily
    WHERE kept.id = read.id
)
INSERT INTO ingest.items (update_id, fingerprint, source, guid, version, version_created, original_id, original_index,
    received_at, emitted_at, sequence)
SELECT sent.update_id, sent.fingerprint, sent.source, sent.guid, sent.version, sent.version_created, sent.original_id,
    sent.original_index, sent.received_at, CASE WHEN sent.acknowledged THEN clock_timestamp() END,
    (extract(epoch FROM sent.received_at) * 1000000)::bigint
FROM {sent} AS sent (update_id, fingerprint, source, guid, version, version_created, original_id, original_index, received_at,
    acknowledged), lazily
ON CONFLICT (update_id, fingerprint) DO UPDATE SET
    source = excluded.source, guid = excluded.guid, version = excluded.version,
    version_created = excluded.version_created, original_id = excluded.original_id,
    original_index = excluded.original_index, received_at = greatest(items.received_at, excluded.received_at),
    emitted_at = excluded.emitted_at, sequence = greatest(items.sequence, excluded.sequence)
WHERE excluded.emitted_at IS NOT NULL OR items.emitted_at IS NULL
"""

# Outcomes come in any order, more than once, and before the row was written: each stage keeps its first time.
# Kafka has whatever a later stage reports, even if it never acknowledged it to us.
_OUTCOMES = """
WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO ingest.items AS item (update_id, fingerprint, held_at, enriched_at, published_at, ended, ended_at, reason,
    revision, position)
SELECT reported.* FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::text[],
    $7::timestamptz[], $8::text[], $9::integer[], $10::text[]) AS reported, lazily
ON CONFLICT (update_id, fingerprint) DO UPDATE SET
    held_at = least(item.held_at, excluded.held_at),
    enriched_at = least(item.enriched_at, excluded.enriched_at),
    published_at = least(item.published_at, excluded.published_at),
    ended = CASE WHEN item.ended = 'dead' THEN item.ended ELSE coalesce(excluded.ended, item.ended) END,
    ended_at = CASE WHEN item.ended = 'dead' THEN item.ended_at ELSE coalesce(excluded.ended_at, item.ended_at) END,
    reason = CASE WHEN excluded.reason <> '' THEN excluded.reason ELSE item.reason END,
    revision = greatest(item.revision, excluded.revision),
    position = coalesce(item.position, excluded.position),
    emitted_at = CASE WHEN item.source IS NOT NULL THEN coalesce(item.emitted_at, clock_timestamp()) END
"""

_OF_UPDATE = """
SELECT * FROM (
    (SELECT * FROM ingest.items WHERE update_id = $1 AND emitted_at IS NOT NULL ORDER BY sequence DESC LIMIT $2)
    UNION ALL
    (SELECT * FROM ingest.items WHERE update_id = $1 AND emitted_at IS NULL AND source IS NOT NULL LIMIT $2)
) AS version
ORDER BY sequence DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class SentVersion:
    """A version that Kafka has acknowledged, or may have."""

    update: RawUpdate
    fingerprint: str
    index: int
    """Its place in the document."""
    acknowledged: bool = True


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """What was made of one document, and what of it Kafka has acknowledged, or may have."""

    original_id: uuid.UUID
    source: str
    format: str
    parser_version: str
    updates: int
    refused: Sequence[RefusedItem]
    sent: Sequence[SentVersion]


async def history(
    database: Queryable, updates: Sequence[tuple[RawUpdate, str]]
) -> dict[tuple[str, str], EmittedHistory]:
    """What was emitted before of the updates of these versions, by (update id, fingerprint)."""
    if not updates:
        return {}
    wanted, values = table(
        "text text text timestamptz timestamptz boolean",
        [
            (
                update.update_id,
                fingerprint,
                update.version,
                update.version_created,
                update.received_at,
                update.counts_from is not None,
            )
            for update, fingerprint in updates
        ],
    )
    rows = await database.fetch(_HISTORY.format(wanted=wanted), *values)
    return {(row["update_id"], row["asked"]): _history_of(row) for row in rows}


def _history_of(row: Row) -> EmittedHistory:
    latest = None
    if row["fingerprint"] is not None:
        latest = LatestVersion(row["fingerprint"], row["version"], row["received_at"])
    return EmittedHistory(
        row["seen"], latest, row["unacknowledged_at"], offered_at=row["offered_at"], newest_at=row["newest_at"]
    )


async def record(database: Queryable, documents: Sequence[DocumentRecord]) -> None:
    """Write that Kafka has what was sent, or may have it, and beside each original what was made of it, in one statement."""
    ordered = sorted(
        ((document, sent) for document in documents for sent in document.sent),
        key=lambda each: (each[1].acknowledged, each[1].update.received_at),
    )
    latest = {(sent.update.update_id, sent.fingerprint): (document, sent) for document, sent in ordered}
    # Every writer uses the same order, so that two who write the same rows do not deadlock.
    rows = [latest[key] for key in sorted(latest)]
    read, of_documents = table(
        "uuid text text integer text",
        [
            (
                each.original_id,
                each.format,
                each.parser_version,
                each.updates,
                orjson.dumps([refused.model_dump() for refused in each.refused]).decode(),
            )
            for each in documents
        ],
    )
    emitted, of_updates = table(
        "text text text text text timestamptz uuid integer timestamptz boolean",
        [
            (
                sent.update.update_id, sent.fingerprint, document.source, sent.update.guid, sent.update.version,
                sent.update.version_created, document.original_id, sent.index, sent.update.received_at, sent.acknowledged,
            )
            for document, sent in rows
        ],
        first=len(of_documents) + 1,
    )  # fmt: skip
    await database.execute(_RECORD.format(read=read, sent=emitted), *of_documents, *of_updates)


@dataclass(slots=True)
class Progress:
    """How far one version came, as later stages report it. The fields are columns of `ingest.items`."""

    held_at: datetime | None = None
    enriched_at: datetime | None = None
    published_at: datetime | None = None
    ended: Ended | None = None
    ended_at: datetime | None = None
    reason: str = ""
    revision: int | None = None
    position: str | None = None

    def add(self, outcome: Outcome) -> None:
        """Take in one outcome; each stage keeps its first time."""
        self.revision = max(filter(None, (self.revision, outcome.revision)), default=None)
        self.reason = _storable(outcome.reason) or self.reason
        match outcome.stage:
            case "held":
                self.held_at = min(filter(None, (self.held_at, outcome.at)))
            case "enriched":
                self.enriched_at = min(filter(None, (self.enriched_at, outcome.at)))
            case "published":
                self.published_at = min(filter(None, (self.published_at, outcome.at)))
            case "conflict":
                # Said beside another outcome, which says how far the version came.
                return
            case ended:
                if self.ended != "dead":
                    self.ended, self.ended_at = ended, outcome.at
                return
        self.position = self.position or outcome.position

    def state(self, *, emitted: bool) -> State:
        """How far the version came, whatever the order in which its outcomes came."""
        if self.published_at is not None:
            return "published"
        if self.ended == "dead":
            return "dead"
        if self.enriched_at is not None:
            return "enriched"
        if self.ended is not None:
            return self.ended
        if self.held_at is not None:
            return "held"
        return "received" if emitted else "unacknowledged"


_PROGRESS = tuple(field.name for field in fields(Progress))


def progress_of(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], Progress]:
    """The outcomes of a batch, combined by (update id, fingerprint). Those of no version are left out."""
    progress: dict[tuple[str, str], Progress] = {}
    for outcome in outcomes:
        if outcome.fingerprint:
            progress.setdefault((outcome.update_id, outcome.fingerprint), Progress()).add(outcome)
    return dict(sorted(progress.items()))


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:2000]


async def record_outcomes(database: Queryable, outcomes: Iterable[Outcome]) -> None:
    """Write what later stages have reported."""
    versions = progress_of(outcomes)
    if not versions:
        return
    columns: list[list[object]] = [[key[0] for key in versions], [key[1] for key in versions]]
    columns += [[getattr(progress, name) for progress in versions.values()] for name in _PROGRESS]
    await database.execute(_OUTCOMES, *columns)


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """One version of an update and how far it came."""

    fingerprint: str
    version: str | None
    version_created: datetime | None
    state: State
    received_at: datetime | None
    emitted_at: datetime | None
    held_at: datetime | None
    enriched_at: datetime | None
    published_at: datetime | None
    ended_at: datetime | None
    reason: str
    revision: int | None
    position: str | None
    original: uuid.UUID | None
    original_index: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """An update as its source asks about it: its versions, the one emitted last first."""

    update_id: str
    source: str
    guid: str
    versions: list[ItemVersion] = field(default_factory=list)


async def find(database: Queryable, update_id: str, limit: int = 50) -> Item | None:
    """The update of that id with its latest versions, also those that Kafka may have; None for one that no source has sent."""
    rows = await database.fetch(_OF_UPDATE, update_id, limit)
    if not rows:
        return None
    return Item(update_id, rows[0]["source"], rows[0]["guid"], [_version_of(row) for row in rows])


def _version_of(row: Row) -> ItemVersion:
    progress = Progress(**{name: row[name] for name in _PROGRESS})
    return ItemVersion(
        fingerprint=row["fingerprint"],
        version=row["version"],
        version_created=row["version_created"],
        state=progress.state(emitted=row["emitted_at"] is not None),
        received_at=row["received_at"],
        emitted_at=row["emitted_at"],
        held_at=progress.held_at,
        enriched_at=progress.enriched_at,
        published_at=progress.published_at,
        ended_at=progress.ended_at,
        # The reason why a repeat was dropped says nothing about a version that is published.
        reason="" if progress.published_at is not None else progress.reason,
        revision=progress.revision,
        position=progress.position,
        original=row["original_id"],
        original_index=row["original_index"],
    )
