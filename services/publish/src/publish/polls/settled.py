"""Votes in Postgres, where they outlast Redis; written every two seconds by the cache process, which has both."""

import asyncio
from collections.abc import Mapping

from publish.polls.votes import PollKey, Votes
from shared.background import keep_running
from shared.postgres.pool import Pool
from shared.postgres.set_aside import SetAside

EVERY_S = 2.0
AT_ONCE = 4
POLLS_ASIDE = SetAside("publish", "polls")
"""By update and poll: votes that could not be settled."""

_READ = "SELECT option_id, votes FROM publish.poll_votes WHERE update_id = $1 AND poll_id = $2"
_WRITE = (
    "INSERT INTO publish.poll_votes (update_id, poll_id, option_id, votes) "
    "SELECT $1, $2, o, v FROM unnest($3::text[], $4::bigint[]) AS t (o, v) "
    "ON CONFLICT (update_id, poll_id, option_id) DO UPDATE SET votes = excluded.votes, settled_at = now() "
    "WHERE poll_votes.votes < excluded.votes"
)


async def settled_votes(pool: Pool, poll: PollKey) -> Mapping[str, int]:
    """The votes of a poll that are settled, by option."""
    return {row["option_id"]: int(row["votes"]) for row in await pool.fetch(_READ, *poll)}


async def settle(pool: Pool, votes: Votes) -> int:
    """Settle the polls that were voted in; how many. Votes that come meanwhile are settled the next time."""

    async def one(poll: PollKey) -> None:
        count = await votes.take_over(poll, await settled_votes(pool, poll))
        await pool.execute(_WRITE, *poll, list(count.votes), list(count.votes.values()))
        await votes.done(poll, count)

    changed = await votes.changed()
    return await POLLS_ASIDE.each(pool, changed, "/".join, one, at_once=AT_ONCE) if changed else 0


async def keep_settling(pool: Pool, votes: Votes) -> None:
    """Settle every two seconds, until cancelled."""

    async def step() -> None:
        await settle(pool, votes)

    await asyncio.sleep(EVERY_S)
    await keep_running("votes of polls", step, every_s=EVERY_S)
