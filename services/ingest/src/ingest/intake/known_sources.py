"""Whose an update is, for orders: they go where the update's versions go, in one order with them."""

from collections import OrderedDict
from collections.abc import Iterable

import asyncpg
import structlog

from ingest.intake.deadline import Deadline, Unavailable
from shared.failures.transient import TRANSIENT
from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed

log = structlog.get_logger(__name__)

MOST = 20_000
"""Updates of which this process remembers the source: some megabytes."""
TIMEOUT_S = 0.25
"""How long an order waits for Postgres to say whose the update is; a kill goes out without it."""
NEEDED_TIMEOUT_S = 1.5
"""The same of one that is not given without it."""

_SILENT: tuple[type[Exception], ...] = (asyncpg.PostgresError, *TRANSIENT)
_SOURCE = "SELECT source FROM ingest.items WHERE update_id = $1 AND source IS NOT NULL LIMIT 1"


class KnownSources:
    """The sources of the updates that this process has sent last."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._sources: OrderedDict[str, str] = OrderedDict()

    def add(self, source: str, update_ids: Iterable[str]) -> None:
        """Remember updates of a source."""
        for update_id in update_ids:
            self._sources[update_id] = source
            self._sources.move_to_end(update_id)
        while len(self._sources) > self._most:
            self._sources.popitem(last=False)

    async def source_of(self, update_id: str, pool: Pool | None, *, needed: bool = False) -> str | None:
        """The source of an update; None where nobody has sent it, or where Postgres does not say so in time.

        Where it is `needed`, the latter raises `Unavailable`: an order that goes another way may come behind the next one.
        """
        if (source := self._sources.get(update_id)) is not None:
            return source
        try:
            if pool is None:
                raise Unavailable("Postgres has not answered yet")
            found = await Deadline(NEEDED_TIMEOUT_S if needed else TIMEOUT_S).run(pool.fetchval(_SOURCE, update_id))
        except _SILENT as error:
            if needed:
                raise Unavailable(
                    f"Postgres does not say whose the update is; the order was not given: {error}"
                ) from error
            log.warning("an order does not wait to know whose the update is", update_id=update_id, reason=str(error))
            return None
        return narrowed(str, found) if found is not None else None
