"""Every sink of one site: its stores, its recipients, and each address at which readers read."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

import orjson

from publish.archive import queries
from publish.cache.store import ReadModel, open_read_model
from publish.push.delivery.outbound import Outbound
from publish.settings import Settings
from publish.takedown.sinks.finding import Finding, Killed, Look, find_all
from publish.takedown.sinks.recipients import Recipients
from publish.takedown.sinks.replicas import replicas_of
from publish.takedown.sinks.stores import Stores
from publish.takedown.sinks.web import WebAddress
from shared.failures.transient import reason_of
from shared.postgres.pool import Pool

MOST_PATHS = 20
REPLICAS = "web replicas"
"""The sink that stands for replicas whose addresses are not known."""


class TakedownSinks:
    """Everything that readers of one site could read from, and who was given it."""

    def __init__(
        self, pool: Pool, model: ReadModel | None, outbound: Outbound, site_url: str, web_urls: Sequence[str]
    ) -> None:
        self._pool = pool
        self._model = model
        self._outbound = outbound
        self._site_url = site_url
        self._web_urls = web_urls

    async def killed(self, update_id: str) -> Killed | None:
        """A killed update, even one that was never public; None where it has no kill or takedown."""
        archived = await queries.removal_of(self._pool, update_id)
        if archived is None:
            return None
        rows = await self._pool.fetch(
            "SELECT data FROM publish.revisions WHERE update_id = $1 AND removal IS NULL AND data IS NOT NULL "
            "ORDER BY revision DESC LIMIT $2",
            update_id, MOST_PATHS,
        )  # fmt: skip
        known = [orjson.loads(row["data"]) for row in rows]
        since = await self._pool.fetchrow(
            "SELECT u.position_offset IS NOT NULL AS was_public, min(r.written_at) AS removed_at FROM publish.updates u "
            "LEFT JOIN publish.revisions r ON r.update_id = u.update_id AND r.removal IN ('killed', 'taken-down') "
            "WHERE u.update_id = $1 GROUP BY u.position_offset",
            update_id,
        )
        return Killed(
            archived,
            (since["removed_at"] if since is not None else None) or archived.update.passport.received_at,
            paths=tuple(dict.fromkeys(path for each in known if (path := str(each.get("path") or "")))),
            was_public=since is None or since["was_public"],
            words=str(known[0].get("headline") or "")[:200] if known else "",
        )

    async def looks(self, killed: Killed) -> dict[str, Look]:
        """How each sink is looked at now."""
        looks = Stores(self._pool, self._model).looks(killed) | Recipients(self._pool).looks(killed)
        try:
            replicas = await replicas_of(self._web_urls)
        except OSError as error:
            reason = f"their addresses are not known: {reason_of(error)}"

            async def unknown() -> str:
                return reason

            return looks | {REPLICAS: unknown}
        for url, headers in replicas:
            looks |= WebAddress(self._pool, self._outbound, url, self._site_url, headers=headers).looks(killed)
        return looks

    async def look(self, killed: Killed, only: Collection[str] | None = None) -> list[Finding]:
        """The sinks at this moment, or `only` some; one that does not answer is not known to be clean."""
        return await find_all(await self.looks(killed), killed.update_id, only)


@asynccontextmanager
async def open_sinks(settings: Settings, pool: Pool) -> AsyncIterator[TakedownSinks]:
    """The sinks that the settings name; these addresses are ours, so private ones are in order."""
    async with (
        open_read_model(settings, timeout_s=3) as model,
        Outbound(allow_private=True, timeout_s=10.0) as outbound,
    ):
        yield TakedownSinks(
            pool,
            model if settings.publish_push_check_cache else None,
            outbound,
            settings.publish_site_url,
            settings.takedown_urls,
        )
