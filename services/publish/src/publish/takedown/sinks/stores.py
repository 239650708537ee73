"""Where the service itself keeps what it was given: the archive, the read model, and the records of what was sent."""

from publish.archive import queries
from publish.cache.store import ReadModel
from publish.takedown.sinks.finding import Killed, Look
from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed

_ALERTS = (
    "SELECT count(*) FROM publish.alerts WHERE update_id = $1 AND kind <> 'withdraw' AND (title <> '' OR body <> '')"
)
_LOGS = (
    "SELECT count(*) FROM publish.deliveries d WHERE d.update_id = $1 AND d.update_id <> '' AND d.type <> 'update.kill' "
    "AND EXISTS (SELECT FROM unnest(d.log) AS entry WHERE entry ? 'answer')"
)


class Stores:
    """Postgres, and Redis where a cache runs."""

    def __init__(self, pool: Pool, model: ReadModel | None) -> None:
        self._pool = pool
        self._model = model

    def looks(self, killed: Killed) -> dict[str, Look]:
        """How each is looked at."""
        looks: dict[str, Look] = {
            "archive": lambda: self._archive(killed),
            "alert records": lambda: self._counted(_ALERTS, killed, "{} alerts still have their title or text"),
            "delivery logs": lambda: self._counted(_LOGS, killed, "{} deliveries still keep what an endpoint answered"),
        }
        if (model := self._model) is not None:
            looks["cache"] = lambda: model.shows(killed.update_id, sorted(killed.archived.channels))
        return looks

    async def _counted(self, query: str, killed: Killed, words: str) -> str:
        found = narrowed(int, await self._pool.fetchval(query, killed.update_id))
        return words.format(found) if found else ""

    async def _archive(self, killed: Killed) -> str:
        update = killed.update
        served = [each for each in await queries.revisions(self._pool, update.update_id) if not each.update.is_removal]
        listed = await self._pool.fetchval(
            "SELECT count(*) FROM publish.update_channels WHERE channel = ANY($1) AND position_epoch = $2 "
            "AND position_offset = $3 AND update_id = $4",
            sorted(killed.archived.channels), *killed.archived.position, update.update_id,
        )  # fmt: skip
        shown = await self._pool.fetchval(
            "SELECT count(*) FROM publish.pictures WHERE update_id = $1 AND shown", update.update_id
        )
        found = await self._pool.fetchval(
            "SELECT count(*) FROM publish.search_index WHERE update_id = $1", update.update_id
        )
        stored = await self._pool.fetchval(
            "SELECT count(*) FROM publish.revisions WHERE update_id = $1 AND removal IS NULL AND data IS NOT NULL",
            update.update_id,
        )
        if served or listed or shown or found:
            return (
                f"serves {len(served)} revisions, lists it in {listed} channels, shows {shown} of its pictures, "
                f"and finds it by {found} entries of the search"
            )
        return f"still stores {stored} revisions" if update.removal == "taken-down" and stored else ""
