"""The media queue: the pictures that updates refer to, and what came of each.

A reference is claimed from its `retry_at` on, under a lease (`shared.postgres.lease_queue`), with a limit for each host. One that
is done keeps a `retry_at` until its update has been announced. A worker that is killed in between leaves it to be announced
again, which changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from enrich.media.pictures import Picture
from enrich.picture_index.lookup import PICTURES, reference_key
from enrich.picture_index.rights import Judgement, Rights, judge
from shared.messages import MediaReference, MediaWanted
from shared.postgres.lease_queue import FairShare, LeaseQueue
from shared.postgres.pool import Pool, Row
from shared.postgres.set_aside import SetAside

ANNOUNCE_AFTER_S = 2.0
"""How long an update's finished pictures wait for the others, so that readers get them as one revision."""


@dataclass(frozen=True, slots=True)
class Task:
    """One reference that this process has claimed."""

    update_id: str
    reference: str
    source: str
    url: str
    host: str
    wanted: MediaReference
    state: str
    attempts: int
    sha256: str | None
    fetched_url: str | None
    traceparent: str
    came_at: datetime
    opens_at: datetime | None = None
    allowed_by: str = ""
    lost: bool = False
    """The process that held it before died."""
    tried_alone: int = 0
    """How often a process died that worked on it alone."""

    @property
    def key(self) -> tuple[str, str]:
        """The primary key of its row."""
        return self.update_id, self.reference

    def has_opened(self, now: datetime) -> bool:
        """Whether it was withheld until a moment that has come."""
        return self.state == "withheld" and self.opens_at is not None and self.opens_at <= now

    @property
    def shown_url(self) -> str:
        """For logs: without the query, which is where agencies put signatures and keys."""
        return self.url.partition("?")[0]


def host_of(url: str) -> str:
    """The host of a URL, for the limit per host; empty where it has none."""
    try:
        return (urlsplit(url).hostname or "")[:255]
    except ValueError:
        return ""


async def want(pool: Pool, events: Sequence[tuple[MediaWanted, str]]) -> int:
    """Queue what updates refer to, each event with its traceparent; how many references are due now.

    The same event again, or an older one, changes nothing.
    """
    newest: dict[tuple[str, str], tuple[MediaReference, MediaWanted, str]] = {}
    for event, traceparent in events:
        for each in event.media:
            if each.kind not in PICTURES:
                continue
            key = (event.update_id, reference_key(each))
            if key not in newest or newest[key][1].requested_at <= event.requested_at:
                newest[key] = (each, event, traceparent)
    if not newest:
        return 0
    rows = [
        (
            *key, event.source, wanted.url, host_of(wanted.url), wanted.model_dump(mode="json", exclude_defaults=True),
            event.requested_at, traceparent,
        )
        for key, (wanted, event, traceparent) in newest.items()
    ]  # fmt: skip
    queued = await pool.fetch(_WANT, *[list(column) for column in zip(*rows, strict=True)])
    return len(queued)


async def claim(pool: Pool, *, running: Mapping[str, int], per_host: int, free: int, lease_s: float) -> list[Task]:
    """Claim what is due, at most `free`, and of each host no more than is left of `per_host`."""
    return await QUEUE.claim_fairly(pool, free, lease_s, held=running, share=per_host)


async def try_alone(pool: Pool, task: Task) -> None:
    """Count an attempt that this process makes with nothing else in hand, before it begins."""
    await pool.execute(
        "UPDATE enrich.media_references SET tried_alone = tried_alone + 1 WHERE update_id = $1 AND reference = $2",
        *task.key,
    )


async def renew(pool: Pool, tasks: Sequence[Task], lease_s: float) -> None:
    """Keep what is being worked on from being claimed elsewhere."""
    await QUEUE.renew(pool, [task.key for task in tasks], lease_s)


async def retry(pool: Pool, task: Task, reason: str, after_s: float, *, counts: bool) -> None:
    """Try again later. An attempt that failed for a reason of our own does not count."""
    await pool.execute(_RETRY, task.update_id, task.reference, task.url, reason, after_s, 0 if counts else 1)


async def finish(pool: Pool, task: Task, state: str, why: Judgement, sha256: str | None) -> bool:
    """Record the outcome of a reference, to be announced; one that opens at a moment is looked at again then.

    False where another URL is wanted by now.
    """
    found = await pool.fetchval(
        _FINISH, task.update_id, task.reference, task.url, state, why.reason, sha256, ANNOUNCE_AFTER_S, why.opens_at
    )
    return found is not None


async def unannounced(pool: Pool, update_id: str) -> tuple[list[str], int]:
    """The finished references of an update that are not announced yet, and how many are still being fetched."""
    rows = await pool.fetch(_UNANNOUNCED, update_id)
    finished = [row["reference"] for row in rows if row["state"] != "pending"]
    return finished, len(rows) - len(finished)


async def mark_announced(pool: Pool, update_id: str, references: Sequence[str]) -> None:
    """Take references out of the queue whose update has been announced with them."""
    await pool.execute(_ANNOUNCED, update_id, list(references))


async def waiting(pool: Pool) -> dict[str, int]:
    """How many references are to be fetched: `now` for the first time, `later` after a transient failure."""
    [row] = await pool.fetch(
        "SELECT count(*) FILTER (WHERE attempts < 2) AS now, count(*) FILTER (WHERE attempts >= 2) AS later "
        "FROM enrich.media_references WHERE retry_at IS NOT NULL AND state = 'pending'"
    )
    return {"now": row["now"], "later": row["later"]}


def outcome_of(task: Task, picture: Picture, rights: Rights, now: datetime) -> tuple[str, Judgement]:
    """State of a reference whose picture is known, why, and until when."""
    if picture.refused:
        return "failed", Judgement(picture.refused)
    if picture.removed:
        return "withheld", Judgement("removed by the newsroom")
    own = replace(rights, allowed_by=task.allowed_by)
    judgement = judge(task.wanted, picture.embedded, own, came_at=task.came_at, now=now)
    return ("withheld" if judgement.reason else "ready"), judgement


def _task(row: Row) -> Task:
    columns = dict(row)
    return Task(**columns | {"wanted": MediaReference.model_validate(columns["wanted"])})


QUEUE = LeaseQueue(
    table="enrich.media_references",
    key={"update_id": "text", "reference": "text"},
    due="retry_at",
    before="q.taken AS lost",
    on_claim="attempts = q.attempts + (q.state = 'pending')::int, taken = q.state = 'pending'",
    held="q.state = 'pending'",
    selection=FairShare("host"),
    columns="q.update_id, q.reference, q.source, q.url, q.host, q.wanted, q.state, q.attempts, q.sha256, q.fetched_url, "
    "q.traceparent, q.tried_alone, coalesce(q.came_at, q.requested_at) AS came_at, q.opens_at, q.allowed_by, due.lost",
    read=_task,
    aside=SetAside("enrich", "pictures"),
)

_WANT = """
INSERT INTO enrich.media_references AS r
    (update_id, reference, source, url, host, wanted, requested_at, traceparent, state, retry_at, came_at)
SELECT w.*, 'pending', now(), w.requested_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[], $8::text[])
    AS w (update_id, reference, source, url, host, wanted, requested_at, traceparent)
ON CONFLICT (update_id, reference) DO UPDATE SET
    source = excluded.source, url = excluded.url, host = excluded.host, wanted = excluded.wanted,
    requested_at = excluded.requested_at, traceparent = excluded.traceparent, state = 'pending', reason = '', opens_at = NULL,
    allowed_by = CASE WHEN r.url = excluded.url THEN r.allowed_by ELSE '' END,
    attempts = CASE WHEN r.state = 'pending' AND r.url = excluded.url THEN r.attempts ELSE 0 END,
    taken = r.taken AND r.state = 'pending' AND r.url = excluded.url,
    tried_alone = CASE WHEN r.state = 'pending' AND r.url = excluded.url THEN r.tried_alone ELSE 0 END,
    retry_at = CASE WHEN r.state = 'pending' AND r.url = excluded.url THEN r.retry_at ELSE now() END
WHERE excluded.requested_at > r.requested_at AND NOT (r.state = 'failed' AND r.url = excluded.url)
RETURNING r.reference
"""

_RETRY = """
UPDATE enrich.media_references
SET retry_at = now() + make_interval(secs => $5), reason = $4, attempts = greatest(attempts - $6, 0),
    taken = false, tried_alone = 0
WHERE update_id = $1 AND reference = $2 AND url = $3 AND state = 'pending'
"""

_FINISH = """
UPDATE enrich.media_references
SET state = $4, reason = $5, sha256 = $6, opens_at = $8, taken = false, tried_alone = 0, settled_at = now(), retry_at = now() + make_interval(secs => $7),
    fetched_url = CASE WHEN $6::text IS NULL THEN NULL ELSE url END,
    fetched_as = CASE WHEN $6::text IS NULL THEN NULL ELSE wanted END
WHERE update_id = $1 AND reference = $2 AND url = $3 AND (state = 'pending' OR (state = 'withheld' AND opens_at <= now()))
RETURNING reference
"""

_UNANNOUNCED = """
SELECT reference, state FROM enrich.media_references
WHERE update_id = $1 AND retry_at IS NOT NULL AND (state <> 'pending' OR attempts < 2)
"""

_ANNOUNCED = """
UPDATE enrich.media_references SET retry_at = CASE WHEN opens_at > now() THEN opens_at END
WHERE update_id = $1 AND reference = ANY ($2::text[]) AND state <> 'pending'
"""
