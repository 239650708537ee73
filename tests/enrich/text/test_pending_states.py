"""What `enrich text` promises while state rows are still being written, on real Kafka and Postgres."""

from itertools import count
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from aiokafka.partitioner import DefaultPartitioner

from shared.messages import update_id_for
from support.enrich_text import Desk, Replicas
from support.incoming import version
from support.proxy import Proxy
from support.waiting import eventually

pytestmark = pytest.mark.integration


async def test_a_version_that_follows_at_once_stands_on_the_one_before(desk: Desk, replicas: Replicas) -> None:
    """Every batch sees what the last one decided, though its row is not written yet: no revision twice, none left out."""
    await desk.send(*[version(number) for number in range(1, 41)])
    await replicas(enrich_batch=1)
    revisions = await desk.until(40)
    assert [(each.revision, each.version) for each in revisions] == [(number, str(number)) for number in range(1, 41)]
    assert [each.stage for each in await desk.until_outcomes(40)] == ["enriched"] * 40


async def test_a_story_is_inherited_from_a_parent_whose_row_is_not_written_yet(desk: Desk, replicas: Replicas) -> None:
    """A follow-up that comes on the heels of its parent has its story."""
    partition = DefaultPartitioner()
    place = partition(update_id_for("pa", "parent").encode(), list(range(12)), list(range(12)))
    child = next(
        name
        for name in (f"child{number}" for number in count())
        if partition(update_id_for("pa", name).encode(), list(range(12)), list(range(12))) == place
    )
    await desk.send(version(1, guid="parent", story="ferry-aground"), version(2, guid=child, evolved_from="parent"))
    await replicas(enrich_batch=1)
    first, second = sorted(await desk.until(2), key=lambda each: each.guid != "parent")
    assert first.story is not None
    assert second.story == first.story


async def test_rows_that_cannot_be_written_hold_nothing_back_and_lose_nothing(desk: Desk, replicas: Replicas) -> None:
    """Postgres goes away while batches are under way: they are taken again, in order, and every version is out at the end."""
    parts = urlsplit(desk.settings.postgres_dsn)
    host = parts.hostname or ""
    # A host that is a folder is that of a socket, beside which Postgres listens on this machine.
    proxy = Proxy("127.0.0.1" if not host or host.startswith("%") else host, parts.port or 5432)
    await proxy.start()
    account = parts.netloc.rpartition("@")[0]
    dsn = urlunsplit(parts._replace(netloc=f"{account}@127.0.0.1:{proxy.port}"))
    try:
        await replicas(enrich_batch=1, postgres_dsn=dsn)
        await desk.send(version(1))
        await desk.until_outcomes(1)
        await desk.send(*[version(number) for number in range(2, 30)])
        await desk.until(4)
        await proxy.cut()
        await desk.send(*[version(number) for number in range(30, 40)])
        await proxy.start()
        await eventually(
            desk.revisions,
            lambda seen: any(each.version == "39" for each in seen),
            within_s=60,
            what="the last version",
        )
        await eventually(lambda: row_of(desk, "g1"), lambda revision: revision == 39, within_s=60, what="its row")
    finally:
        await proxy.cut()
    newest = {each.revision: each for each in await desk.revisions()}
    assert [newest[number].version for number in sorted(newest)] == [str(number) for number in range(1, 40)]


async def row_of(desk: Desk, guid: str) -> int | None:
    """The newest revision of an update as Postgres knows it."""
    connection = await asyncpg.connect(desk.settings.postgres_dsn)
    try:
        query = "SELECT revision FROM enrich.updates WHERE update_id = $1"
        revision: int | None = await connection.fetchval(query, update_id_for("pa", guid))
        return revision
    finally:
        await connection.close()
