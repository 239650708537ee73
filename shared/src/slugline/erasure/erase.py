"""Erases what was found: by a takedown where readers are served, by SQL beside it, step by step; the same again does no harm."""

import asyncio
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiokafka.errors import KafkaError

from shared.kafka.producer import Producer, acknowledged, new_producer
from shared.messages import Order
from shared.postgres.pool import Pool
from shared.settings import Connections
from shared.streams import RAW, STREAMS
from slugline.erasure.search import Found, Wanted, like, scan

AT_ONCE = 500
"""Orders on their way together."""
LOOK_S = 0.5
_AUDIT = "who did what is kept as evidence; see `slugline audit`"
KEPT = {
    "ingest.orders": "who ordered what, and why, is kept as evidence: 400 days",
    "ingest.audit": _AUDIT,
    "enrich.audit": _AUDIT,
    "publish.audit": _AUDIT,
}
"""Tables that may say a name after an erasure, and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place: `gone`, `until` a date, `kept` for a reason, or `not-yet`."""

    place: str
    state: str
    detail: str = ""
    until: datetime | None = None


@dataclass(slots=True)
class Erased:
    """What an erasure came to."""

    updates: Sequence[str]
    originals: int
    at: datetime
    places: list[Place] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do: what is kept elsewhere has a date, or a reason."""
        return all(each.state != "not-yet" for each in self.places)


async def erase(
    settings: Connections, pool: Pool, wanted: Wanted, found: Found, *, reason: str, within_s: float
) -> Erased:
    """Erase; raises KafkaError where the takedowns cannot be ordered, and has deleted nothing then."""
    now = datetime.now(UTC)
    ids = sorted(found.updates)
    done = Erased(ids, len(found.originals), now)
    await _order(settings, found, reason, now)
    left = await _wait(pool, ids, within_s)
    done.places.append(
        Place("pages, API, feeds, archive, state of enrich", "gone")
        if not left
        else Place(
            "pages, API, feeds, archive, state of enrich", "not-yet", f"{len(left)} takedowns wait, such as {left[0]}"
        )
    )
    done.places.append(
        Place("Redis, webhooks, alerts, caches", "gone" if not left else "not-yet", "proof: slugline takedown ID")
    )
    done.places.append(await _pictures(pool, ids))
    await _rows(pool, wanted, found, ids)
    said = await scan(pool, wanted.needles)
    for table, rows in sorted(said.items()):
        why = KEPT.get(table)
        done.places.append(Place(table, "kept" if why else "not-yet", why or f"{rows} rows still say it"))
    done.places += [Place(each, "gone") for each in ("originals", "items", "bylines", "what was set aside") if not said]
    done.places += elsewhere(settings, now)
    return done


def elsewhere(settings: Connections, now: datetime) -> list[Place]:
    """What no command deletes at once, with the date when it is gone."""
    topics = [
        Place(f"Kafka {settings.topic_prefix}{stream.name}", "until", "retention of the topic", now + timedelta(milliseconds=stream.retention_ms))
        for stream in STREAMS
    ]  # fmt: skip
    return [
        *topics,
        Place("Postgres' files and its log", "until", "freed rows until VACUUM FULL, the log until it is recycled; then a full backup anew"),
        Place("dumps of slugline backup", "until", "until you delete them; after a restore, erase again"),
        Place("logs of processes", "kept", "ids and counts, no text"),
        Place("audit", "kept", "who ordered this, as evidence"),
    ]  # fmt: skip


async def _order(settings: Connections, found: Found, reason: str, now: datetime) -> None:
    kafka = new_producer(settings, "slugline-erase")
    await kafka.start()
    try:
        producer = Producer(kafka, source="slugline/erase", topic_prefix=settings.topic_prefix)
        ordered = sorted(found.updates.items())
        for start in range(0, len(ordered), AT_ONCE):
            futures = [
                await producer.send(
                    RAW,
                    Order(update_id=update_id, order="takedown", by="slugline erase", reason=reason, ordered_at=now),
                    key=source,
                    event_id=f"{update_id}:erase",
                )
                for update_id, source in ordered[start : start + AT_ONCE]
            ]
            await acknowledged(futures)
    finally:
        await kafka.stop()


_WAITING = """
SELECT w.update_id FROM unnest($1::text[]) AS w (update_id)
LEFT JOIN enrich.updates e USING (update_id) LEFT JOIN publish.updates p USING (update_id)
WHERE e.status IS DISTINCT FROM 'taken-down' OR p.removal IS DISTINCT FROM 'taken-down'
  OR EXISTS (SELECT FROM publish.revisions r WHERE r.update_id = w.update_id AND r.removal IS NULL AND r.data IS NOT NULL)
"""


async def _wait(pool: Pool, ids: Sequence[str], within_s: float) -> list[str]:
    """Wait until the takedowns are carried out; those that are not by then."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        left = [row["update_id"] for row in await pool.fetch(_WAITING, ids)]
        if not left or asyncio.get_running_loop().time() > deadline:
            return left
        await asyncio.sleep(LOOK_S)


async def _pictures(pool: Pool, ids: Sequence[str]) -> Place:
    """Remove the pictures that no other update refers to, by enrich's own command; forget the references."""
    rows = await pool.fetch(
        "SELECT DISTINCT m.picture FROM enrich.media_references r JOIN enrich.media m USING (sha256) "
        "WHERE r.update_id = ANY($1) AND m.removed_at IS NULL AND NOT EXISTS (SELECT FROM enrich.media_references o "
        "JOIN enrich.media n USING (sha256) WHERE n.picture = m.picture AND o.update_id <> ALL($1))",
        ids,
    )
    pictures = sorted(row["picture"] for row in rows)
    failed = [picture for picture in pictures if not await _media_remove(picture)]
    await pool.execute(
        "UPDATE enrich.media SET embedded = '{}', credentials = NULL WHERE picture = ANY($1)",
        [each for each in pictures if each not in failed],
    )
    if failed:
        return Place("pictures", "not-yet", f"python -m enrich media-remove {failed[0]} ({len(failed)} in all)")
    return Place("pictures", "gone", f"{len(pictures)} removed; what other updates show stays")


async def _media_remove(picture: str) -> bool:
    if importlib.util.find_spec("enrich") is None:
        return False
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "enrich", "media-remove", picture, "--reason", "erased",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return await process.wait() == 0


_BY_ID = (
    "DELETE FROM enrich.media_references WHERE update_id = ANY($1)",
    "DELETE FROM enrich.overrides WHERE update_id = ANY($1)",
    "DELETE FROM enrich.gathered WHERE update_id = ANY($1)",
    "DELETE FROM enrich.not_gathered WHERE update_id = ANY($1)",
    "DELETE FROM enrich.unknown_names WHERE example = ANY($1)",
    "DELETE FROM ingest.linked_texts t USING ingest.items i WHERE i.update_id = ANY($1) AND t.source = i.source AND t.guid = i.guid",
    "DELETE FROM ingest.aliases a USING ingest.items i WHERE i.update_id = ANY($1) AND a.source = i.source AND a.guid = i.guid",
    (
        "DELETE FROM ingest.linked_texts a USING ingest.items i "
        "WHERE i.update_id = ANY($1) AND a.source = i.source AND a.guid = i.guid"
    ),
    "DELETE FROM ingest.items WHERE update_id = ANY($1)",
    "DELETE FROM publish.search_index WHERE update_id = ANY($1)",
    (
        "DELETE FROM publish.channel_log c USING publish.revisions r "
        "WHERE r.update_id = ANY($1) AND c.epoch = r.epoch AND c.log_offset = r.log_offset"
    ),
    "UPDATE publish.alerts SET title = '', body = '', story = NULL, channels = '{}' WHERE update_id = ANY($1)",
    "UPDATE publish.deliveries SET log = '{}', last_error = '' WHERE update_id = ANY($1)",
    (
        "UPDATE publish.updates SET story = NULL, channels = ARRAY['news', 'update:' || update_id] "
        "WHERE update_id = ANY($1) AND final"
    ),
    (
        "UPDATE publish.revisions SET channels = ARRAY['news', 'update:' || update_id] WHERE update_id = ANY($1) "
        "AND update_id IN (SELECT update_id FROM publish.updates WHERE update_id = ANY($1) AND final)"
    ),
)
_BY_WORDS = (
    "DELETE FROM enrich.unknown_names WHERE spelling ILIKE ANY($1)",
    "DELETE FROM ingest.set_aside WHERE reason ILIKE ANY($1) OR key ILIKE ANY($1)",
    "DELETE FROM enrich.set_aside WHERE reason ILIKE ANY($1) OR key ILIKE ANY($1)",
    "DELETE FROM publish.set_aside WHERE reason ILIKE ANY($1) OR key ILIKE ANY($1)",
    "UPDATE ingest.items SET reason = '' WHERE reason ILIKE ANY($1)",
    "DELETE FROM ingest.linked_texts WHERE version::text ILIKE ANY($1)",
)


async def _rows(pool: Pool, wanted: Wanted, found: Found, ids: Sequence[str]) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "DELETE FROM ingest.originals WHERE id = ANY($1::text[]::uuid[])", sorted(found.originals)
        )
        for statement in _BY_ID:
            await connection.execute(statement, ids)
        patterns = [like(each) for each in (*wanted.needles, *ids)]
        for statement in _BY_WORDS:
            await connection.execute(statement, patterns)


OUTAGES = (KafkaError, OSError)
