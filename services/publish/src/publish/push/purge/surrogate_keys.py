"""Purging a CDN or a cache by surrogate key: whatever shows an update, or a channel it is in, is fetched again.

A key is the name of a channel (`news`, `update:…`, `tag:…`), percent-encoded, as answers carry them in `Surrogate-Key`.
One HTTP request for each batch of revisions and cache; tried again until it is taken.
"""

import hashlib
from collections.abc import Iterable, Sequence
from urllib.parse import quote

import orjson

from publish.archive.queries import Archived
from publish.push.delivery.notice import Notice
from publish.push.delivery.queue import DeliveryRequest, DueDelivery, Unsent
from shared.postgres.pool import Connection, Pool

KEYS_AT_ONCE = 200
"""What fits into a header of a few KiB."""

SCHEDULE_S = (0.2, 0.5, 1.0, 2.0, *[5.0] * 100)
"""A cache that is not purged serves what is gone: it is tried again at once, and for minutes."""

QUEUE = """
INSERT INTO publish.deliveries (endpoint_id, message_id, type, order_key, body)
SELECT e.id, $1, 'purge', $1, $2 FROM publish.endpoints e WHERE e.kind = 'purge' AND e.state = 'active'
"""


def surrogate_keys(channels: Iterable[str]) -> list[str]:
    """The keys of channels, as they stand in a header."""
    return sorted({quote(channel, safe=":") for channel in channels})


async def apply(pool: Pool, urls: Sequence[str]) -> None:
    """Purge these caches from now on, and no others."""
    ids = [f"purge_{hashlib.sha256(url.encode()).hexdigest()[:24]}" for url in urls]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM publish.endpoints WHERE kind = 'purge' AND id <> ALL($1::text[])", ids)
        await connection.executemany(
            "INSERT INTO publish.endpoints (id, kind, url, channels) VALUES ($1, 'purge', $2, '{}') "
            "ON CONFLICT (id) DO UPDATE SET state = 'active', failures = 0, failing_since = NULL, retry_at = NULL",
            list(zip(ids, urls, strict=True)),
        )


async def queue_purges(connection: Connection, notices: Sequence[Notice]) -> None:
    """Queue the purge of all that shows these revisions."""
    await _queue(connection, [notice.archived for notice in notices], "purge")


async def queue_purges_at_once(connection: Connection, removed: Sequence[Archived]) -> None:
    """Queue the purge of what readers must not have any more, before the site is known to be without it.

    A cache that asks a site that is behind may get it once more: the purge that follows when the site has it takes that too.
    """
    await _queue(connection, removed, "purge_at_once")


async def _queue(connection: Connection, revisions: Sequence[Archived], name: str) -> None:
    keys = surrogate_keys(channel for each in revisions for channel in each.channels)
    for start in range(0, len(keys), KEYS_AT_ONCE):
        message_id = f"{name}_{revisions[0].cursor}_{start}"
        await connection.execute(QUEUE, message_id, orjson.dumps(keys[start : start + KEYS_AT_ONCE]).decode())


class Purges:
    """Builds purge requests."""

    def __init__(self, *, method: str, header: str, authorization: str) -> None:
        self._method = method
        self._header = header
        name, _, value = authorization.partition(":")
        self._authorization = {name.strip(): value.strip()} if value.strip() else {}

    async def build(self, due: Sequence[DueDelivery]) -> dict[int, DeliveryRequest | Unsent]:
        """A request for each."""
        return {
            each.id: DeliveryRequest(
                {self._header: " ".join(orjson.loads(each.body or "[]")), **self._authorization},
                None,
                method=self._method,
                trusted=True,
            )
            for each in due
        }
