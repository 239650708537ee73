"""A process that freezes holds nobody up for long: the one that stands by takes over, and the frozen one does no harm when it wakes."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from shared.postgres.pool import Connection
from shared.settings import Connections
from shared.streams import ENRICHED
from support.pipeline import Pipeline, started
from support.processes import Process, Processes
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

TAKEN_OVER_S = 30.0
IDLE_S = 4.0
"""Until Postgres ends the session of a process that froze within a transaction; a third of what is shipped."""
IN_TRANSACTION = (
    "SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE a.datname = current_database() "
    "AND a.application_name = 'slugline-publish' AND l.relation = 'publish.epochs'::regclass "
    "AND l.mode = 'RowShareLock' AND a.state = 'idle in transaction'"
)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'slugline-publish' AND wait_event_type = 'Lock' AND query LIKE '%INTO publish.revisions%'"
)
PLACE = "SELECT last_offset FROM publish.epochs ORDER BY epoch DESC LIMIT 1"


async def roles_of(process: Process) -> dict[str, str]:
    """What a replica says that it does."""
    async with httpx.AsyncClient(timeout=5) as client:
        found: dict[str, str] = (await client.get(f"{process.url}/readyz")).json().get("roles", {})
        return found


@asynccontextmanager
async def sending(pipeline: Pipeline, taken: list[str]) -> AsyncIterator[None]:
    """A wire at work while the block runs."""

    async def send() -> None:
        number = 0
        while True:
            number += 1
            taken.append(
                await pipeline.accepted(guid=f"item-{number}", headline=f"Item {number}", body_html="<p>Text</p>")
            )
            await asyncio.sleep(0.02)

    task = asyncio.create_task(send())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def freeze_in_transaction(process: Any, connection: Connection) -> None:
    """Stop the process where it holds the lock on the place in the log: while it waits for the table that it writes next."""

    async def waits() -> int:
        # Within a transaction Postgres tells the activity of its first look again and again.
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        return int(await connection.fetchval(WAITING))

    async with connection.transaction():
        await connection.execute("LOCK TABLE publish.revisions IN SHARE MODE")
        await eventually(waits, within_s=10, what="the archive does not wait")
        process.send_signal(signal.SIGSTOP)
    await eventually(lambda: connection.fetchval(IN_TRANSACTION), what="the archive is not in its transaction")


async def test_a_standby_takes_over_from_an_archive_that_froze_in_its_transaction(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """Within half a minute, and both say what they are; what the frozen one had in hand is archived once."""
    services = (("ingest", "api"), ("enrich", "text"), ("publish", "archive"), ("publish", "web"))
    newsroom = newsroom.model_copy(update={"postgres_idle_in_transaction_s": IDLE_S})
    async with started(newsroom, processes, tmp_path, services) as pipeline:
        await pipeline.accepted(guid="first", headline="First", body_html="<p>Text</p>")
        standby = processes.start(newsroom, "publish", "archive")
        await standby.ready()
        roles = [(await roles_of(each))[ENRICHED.name] for each in (pipeline.named["publish-archive"], standby)]
        assert sorted(role.partition(":")[0].partition(",")[0] for role in roles) == ["active", "standing by"]
        if roles[0].startswith("active"):
            active, other = pipeline.named["publish-archive"], standby
        else:
            active, other = standby, pipeline.named["publish-archive"]
        taken: list[str] = []
        connection = await asyncpg.connect(newsroom.postgres_dsn)
        process = active.child.process
        assert process is not None
        try:
            async with sending(pipeline, taken):
                await eventually(lambda: connection.fetchval(PLACE), lambda place: (place or 0) > 20, within_s=30)
                await freeze_in_transaction(process, connection)
                frozen_at = time.monotonic()
                before = await connection.fetchval(PLACE)
                await eventually(
                    lambda: connection.fetchval(PLACE),
                    lambda place: place > before,
                    within_s=TAKEN_OVER_S,
                    what=f"the archive stands at {before}",
                )
                print(f"taken over after {time.monotonic() - frozen_at:.1f} s")
                role = await eventually(
                    lambda: roles_of(other), lambda roles: roles[ENRICHED.name].startswith("active")
                )
                assert role[ENRICHED.name] == "active, 1 partitions"
                process.send_signal(signal.SIGCONT)
                await active.ready()

            async def missing() -> set[str]:
                rows = await connection.fetch("SELECT update_id FROM publish.revisions")
                return set(taken) - {row["update_id"] for row in rows}

            await eventually(missing, lambda missing: not missing, within_s=30, what="not archived")
            repeated = "SELECT count(*) FROM (SELECT FROM publish.revisions GROUP BY update_id, revision HAVING count(*) > 1) r"
            assert await connection.fetchval(repeated) == 0
            assert await connection.fetchval("SELECT count(*) FROM publish.epochs") == 1
            assert not await everything_in(newsroom, ENRICHED.dead_letters)
        finally:
            process.send_signal(signal.SIGCONT)
            await connection.close()


async def test_a_standby_gathers_stories_when_the_leader_froze(newsroom: Connections, processes: Processes) -> None:
    """The lock of a leader that says nothing goes to the one that stands by, within half a minute; then the leader stands by."""
    replicas = [processes.start(newsroom, "enrich", "gather") for _ in range(2)]
    for replica in replicas:
        await replica.ready()

    async def leaders() -> list[Process]:
        return [each for each in replicas if (await roles_of(each)).get("stories") == "active"]

    (leader,) = await eventually(leaders, lambda found: len(found) == 1, within_s=20, what="no leader")
    (other,) = [each for each in replicas if each is not leader]
    process = leader.child.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        await eventually(
            lambda: roles_of(other),
            lambda roles: roles["stories"] == "active",
            within_s=TAKEN_OVER_S,
            what="nobody gathers",
        )
    finally:
        process.send_signal(signal.SIGCONT)
    await eventually(
        lambda: roles_of(leader), lambda roles: roles["stories"].startswith("standing by"), what="there are two leaders"
    )
    assert await leaders() == [other]
