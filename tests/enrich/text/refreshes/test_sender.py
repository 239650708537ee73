"""Refreshes leave at a pace, and never more than are soon handled: on real Kafka and Postgres."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

import asyncpg
import pytest
import pytest_asyncio

from enrich.text.refreshes.sender import BY_PLACE, FIRST, TURN_S, RefreshSender
from shared.messages import Refresh, update_id_for
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.postgres.set_aside import listed
from shared.settings import Connections
from shared.streams import RAW
from support.enrich_text import Desk, Replicas
from support.incoming import version
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """A schema with nothing in it."""
    pool = await connect(newsroom, schema="enrich", max_size=4)
    await migrate(pool, "enrich")
    yield pool
    await pool.close()


async def stand_in_line(pool: Pool, *guids: str, cause: str = "authors") -> None:
    """Updates that stand in line in this order."""
    await pool.executemany(
        "INSERT INTO enrich.pending_refreshes (update_id, source, cause, place) VALUES ($1, 'pa', $2, $3)",
        [(update_id_for("pa", guid), cause, place) for place, guid in enumerate(guids)],
    )


async def sent(desk: Desk) -> list[Refresh]:
    """The refreshes on the topic."""
    records = [each for each in await desk.records(RAW) if dict(each.headers)["ce_type"] == Refresh.ce_type.encode()]
    return [Refresh.model_validate_json(each.value) for each in sorted(records, key=lambda each: each.timestamp)]


async def all_turns(sender: RefreshSender, turns: int) -> int:
    """How many are sent in so many turns."""
    total = 0
    for _ in range(turns):
        total += await sender.send_some()
        await asyncio.sleep(TURN_S)
    return total


async def test_no_more_is_sent_than_two_seconds_worth_while_nothing_is_handled(pool: Pool, desk: Desk) -> None:
    """Once the lane has handled the first second's, the third's follow; each update is sent once, in the order of the line."""
    handled: dict[int, int] = {}

    async def committed() -> Mapping[int, int]:
        return handled

    await stand_in_line(pool, *(f"g{number}" for number in range(50)))
    sender = RefreshSender(pool, desk.producer, committed, per_s=10.0)
    assert await all_turns(sender, 30) == 20
    handled.update(dict.fromkeys(range(RAW.partitions), 1000))
    assert await all_turns(sender, 15) == 10 + 5
    assert [each.update_id for each in await sent(desk)] == [update_id_for("pa", f"g{number}") for number in range(35)]
    assert await pool.fetchval("SELECT count(*) FROM enrich.pending_refreshes") == 15


async def test_two_replicas_keep_the_pace_together(pool: Pool, desk: Desk) -> None:
    """The pace is that of the newsroom, not of each replica."""

    async def committed() -> Mapping[int, int]:
        return dict.fromkeys(range(RAW.partitions), 1000)

    await stand_in_line(pool, *(f"g{number}" for number in range(60)))
    senders = [RefreshSender(pool, desk.producer, committed, per_s=10.0) for _ in range(2)]
    began = time.monotonic()
    counts = await asyncio.gather(*(all_turns(sender, 20) for sender in senders))
    assert sum(counts) <= 10 * (time.monotonic() - began) + 2
    assert len({each.update_id for each in await sent(desk)}) == len(await sent(desk)) == sum(counts)


async def test_a_row_of_which_no_message_can_be_made_is_set_aside_and_tried_again(pool: Pool, desk: Desk) -> None:
    """The others leave without it; it is listed with its reason, and leaves once it can be made."""

    async def committed() -> Mapping[int, int]:
        return {}

    await stand_in_line(pool, "bad", cause="nobody knows")
    await pool.execute("UPDATE enrich.pending_refreshes SET update_id = 'no id'")
    await pool.execute(
        "INSERT INTO enrich.pending_refreshes (update_id, source, cause, place) VALUES ($1, 'pa', 'authors', 7)",
        update_id_for("pa", "good"),
    )
    sender = RefreshSender(pool, desk.producer, committed, per_s=100.0)
    await all_turns(sender, 2)
    assert [each.update_id for each in await sent(desk)] == [update_id_for("pa", "good")]
    (entry,) = await listed(pool, "enrich", "refreshes")
    assert (entry.key, entry.attempts) == ("no id", 1)
    await pool.execute("UPDATE enrich.set_aside SET next_at = now()")
    await all_turns(sender, 2)
    (entry,) = await listed(pool, "enrich", "refreshes")
    assert entry.attempts == 2
    await pool.execute("UPDATE enrich.set_aside SET next_at = now()")
    await pool.execute(
        "UPDATE enrich.pending_refreshes SET update_id = $1, cause = 'tags' ", update_id_for("pa", "mended")
    )
    await all_turns(sender, 2)
    assert [each.cause for each in await sent(desk)] == ["authors", "tags"]


async def test_a_long_line_is_read_along_its_index_before_statistics_know_of_it(pool: Pool) -> None:
    """Ten times a second, of 700,000: it must cost what is taken, not what waits."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO enrich.pending_refreshes (update_id, cause, place) SELECT i::text, 'authors', i FROM generate_series(1, 20000) i"
        )
        await connection.execute(BY_PLACE)
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {FIRST}", 20)
    plan = rows[0][0][0]["Plan"]
    assert plan["Actual Rows"] == 20
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 200


async def written_after_s(
    desk: Desk, connection: "asyncpg.Connection[asyncpg.Record]", guids: Sequence[str]
) -> list[float]:
    """How long each live update takes, from the wire to its row; sorted."""
    took = []
    for guid in guids:
        now = datetime.now(UTC)
        fresh = version(1, guid=guid, received_at=now, version_created=now)
        await desk.send(fresh)
        while not await connection.fetchval(
            "SELECT revision FROM enrich.updates WHERE update_id = $1", fresh.update_id
        ):
            await asyncio.sleep(0.005)
        took.append((datetime.now(UTC) - now).total_seconds())
    return sorted(took)


async def test_live_copy_does_not_wait_behind_five_thousand_refreshes(desk: Desk, replicas: Replicas) -> None:
    """A change of an author concerns 5,000 updates: what comes meanwhile is published between their refreshes."""
    count, live = 5000, 20
    await replicas(enrich_refreshes_per_s=500)
    connection = await asyncpg.connect(desk.settings.postgres_dsn)
    try:
        await desk.send(*(version(1, guid=f"old{number}") for number in range(count)))

        async def known() -> int:
            return int(await connection.fetchval("SELECT count(*) FROM enrich.updates"))

        async def waiting() -> int:
            return int(await connection.fetchval("SELECT count(*) FROM enrich.pending_refreshes"))

        await eventually(known, lambda seen: seen == count, within_s=90, what="5,000 updates")
        quiet = await written_after_s(desk, connection, [f"quiet{number}" for number in range(live)])
        await connection.execute("UPDATE enrich.updates SET author_ids = '{ada}' WHERE update_id <> ''")
        await connection.execute("INSERT INTO enrich.refreshes (cause, author_ids) VALUES ('authors', '{ada}')")
        await eventually(waiting, lambda seen: seen > 0, within_s=30, what="refreshes under way")
        busy = await written_after_s(desk, connection, [f"live{number}" for number in range(live)])
        left = await waiting()
        middle = live // 2
        print(
            f"\nlive copy is written after {quiet[middle] * 1000:.0f} ms, at most {quiet[-1] * 1000:.0f}; while refreshes pass "
            f"after {busy[middle] * 1000:.0f} ms, at most {busy[-1] * 1000:.0f}; {left} wait"
        )
        assert left > 0, "live copy went before"
        await eventually(waiting, lambda seen: seen == 0, within_s=90, what="all refreshes sent")
    finally:
        await connection.close()
    records = sorted(await desk.records(RAW), key=lambda each: each.timestamp)
    kinds = [dict(each.headers)["ce_type"] == Refresh.ce_type.encode() for each in records]
    assert sum(kinds) == count + live, "each once"
    behind = [number for number, each in enumerate(records) if b'"live' in each.value and not kinds[number]]
    assert sum(kinds[: behind[-1]]) < count, "live copy stands between them"
