"""Revisions of a megabyte each: as many are read at once as there is room for, and whoever wants the others asks again."""

import pytest

from local.child import free_port
from publish.archive import queries
from publish.archive.process import serve
from publish.archive.search.engine import PostgresSearch
from publish.archive.search.selection import Selection
from publish.representation.position import Position
from publish.settings import Settings
from shared.postgres.pool import Pool
from shared.settings import Connections
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration

MANY = 24
WORDS = "word " * 90_000


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of a process in this newsroom."""
    return Settings(**newsroom.model_dump() | {"health_port": free_port()})


async def test_what_is_read_at_once_has_a_bound_and_nothing_is_left_out(settings: Settings, pool: Pool) -> None:
    """Pages, replays, searches, histories and the snapshot of a replica: each says where it ends, and goes on from there."""
    large = [
        revision(f"g{number}", 1, text=WORDS, body_html=f"<p>{WORDS}</p>", tags=["t"], headline=f"Large {number}")
        for number in range(MANY)
    ]
    again = [revision("again", number, text=WORDS, body_html=f"<p>{WORDS}</p>") for number in range(1, MANY // 2)]
    async with running(lambda stop: serve(settings, stop)):
        offsets = await emit(settings, [*large, *again])
        await eventually(
            lambda: queries.archived_up_to(pool),
            lambda seen: seen >= (1, offsets[-1]),
            within_s=60,
            what="not archived",
        )
    few = queries.MOST_BYTES // len(WORDS) // 2 + 1
    seen: list[str] = []
    for channel in ("tag:t", "news"):
        before, seen = None, []
        while page := await queries.page(pool, channel, before, 100):
            assert len(page) <= few
            seen += [each.update.headline for each in page]
            before = page[-1].position
            if not page[-1].is_cut:
                break
        assert seen[-MANY:] == [each.headline for each in reversed(large)]
    for channels in (["news"], ["tag:t"]):
        after, seen = Position(1, -1), []
        for _ in range(MANY):
            followed = await queries.what_followed(pool, after, channels, 1000)
            assert followed is not None
            assert len(followed.revisions) <= few
            seen += [each.update.headline for each in followed.revisions]
            if after == followed.reached:
                break
            after = followed.reached
        assert seen[:MANY] == [each.headline for each in large]
    found, before = list[str](), None
    while page := await PostgresSearch(pool).find("word", Selection(channels=frozenset({"tag:t"})), before, 100):
        assert len(page) <= few
        found += [each.update.headline for each in page]
        before = page[-1].position
    assert found == [each.headline for each in reversed(large)]
    history = await queries.revisions(pool, again[0].update_id)
    assert 1 < len(history) <= few
    assert history[-1].update.revision == len(again)
    assert history[0].is_cut
    snapshot = await queries.snapshot(pool, 1000, 1000, 3_000_000)
    assert 1 < len(snapshot.updates) < 6
    assert snapshot.updates[-1].is_cut
    wanted = {(each.update_id, 1) for each in large}
    assert len(await queries.servable(pool, wanted)) == MANY
    part = await queries.servable(pool, wanted, 3_000_000)
    assert 1 < len(part) < 6
    assert [each.is_cut for each in part.values()] == [False] * (len(part) - 1) + [True]
