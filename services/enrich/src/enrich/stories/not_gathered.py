"""Updates that could not be gathered: kept in Postgres with the reason, tried again later, and counted. The others go on."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from prometheus_client import Counter, Gauge

from shared.failures.transient import reason_of
from shared.postgres.pool import Queryable
from shared.postgres.rows import narrowed

FIRST_RETRY_S = 10
SLOWEST_RETRY_S = 3600
"""Seconds between two attempts: each pause is four times the one before, until it is this long."""
LONGEST_REASON = 300
MOST_DUE = 100
"""Updates that are tried again in one step."""
PASSED_OVER = Counter("slugline_enrich_gathering_passed_over", "Updates that could not be compared")
SET_ASIDE = Gauge("slugline_enrich_gathering_set_aside", "Updates that wait for another attempt to compare them")
_ADD = f"""
INSERT INTO enrich.not_gathered AS n (update_id, reason, retry_at)
SELECT update_id, reason, now() + make_interval(secs => {FIRST_RETRY_S}) FROM unnest($1::text[], $2::text[]) AS f (update_id, reason)
ON CONFLICT (update_id) DO UPDATE SET
    reason = excluded.reason, tries = n.tries + 1, failed_at = now(),
    retry_at = now() + make_interval(secs => least({FIRST_RETRY_S} * 4.0 ^ least(n.tries, 10), {SLOWEST_RETRY_S}))
"""  # noqa: S608 -- constants of ours


def reason_of_failure(failure: Exception) -> str:
    """Why, in words that any database can hold."""
    return reason_of(failure).encode("ascii", "backslashreplace").decode().replace("\x00", "")[:LONGEST_REASON]


class NotGathered:
    """The updates that are set aside."""

    def __init__(self) -> None:
        self.update_ids: set[str] = set()

    async def load(self, database: Queryable, window: timedelta) -> None:
        """Those that are known; what has left the window is not compared any more."""
        await database.execute("DELETE FROM enrich.not_gathered WHERE failed_at < now() - $1::interval", window)
        rows = await database.fetch("SELECT update_id FROM enrich.not_gathered")
        self.update_ids = {row["update_id"] for row in rows}
        SET_ASIDE.set(len(self.update_ids))

    async def due(self, database: Queryable) -> list[str]:
        """The updates whose next attempt has come."""
        if not self.update_ids:
            return []
        rows = await database.fetch(
            "SELECT update_id FROM enrich.not_gathered WHERE retry_at <= now() ORDER BY retry_at LIMIT $1", MOST_DUE
        )
        return [narrowed(str, row["update_id"]) for row in rows]

    async def settle(self, database: Queryable, failed: Mapping[str, str], looked_at: Collection[str]) -> None:
        """After some were looked at: those that failed, by reason, are set aside; the others are so no longer."""
        healed = [update_id for update_id in looked_at if update_id in self.update_ids and update_id not in failed]
        if failed:
            PASSED_OVER.inc(len(failed))
            await database.execute(_ADD, list(failed), list(failed.values()))
        if healed:
            await database.execute("DELETE FROM enrich.not_gathered WHERE update_id = ANY($1::text[])", healed)
        self.update_ids = self.update_ids.difference(healed).union(failed)
        SET_ASIDE.set(len(self.update_ids))
