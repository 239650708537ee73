"""One update that cannot be gathered stops no other; on real Postgres."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from enrich.admin.cli.stories import ACCEPT, MOST_SUGGESTED, NOT_GATHERED, SUGGESTED
from enrich.stories.cluster import IndexedUpdate
from enrich.stories.clustering import StoryCandidate, StoryClusters, StoryMembership
from enrich.stories.gatherer import Gatherer, Written
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.settings import Connections
from support.incoming import NINE

pytestmark = pytest.mark.integration
FERRY = (
    "A ferry carrying 120 people ran aground off Port Marrow on Monday morning, the coastguard said. No one was hurt and "
    "passengers were being taken off by lifeboat, while the operator said that the sea had been calm at the time."
)


class Picky(StoryClusters):
    """Clusters that some updates make fail."""

    refused: frozenset[str] = frozenset({"fails"})

    def place(self, candidate: StoryCandidate, known_story: str | None = None) -> StoryMembership:
        """As it is, but for those."""
        if candidate.update_id in self.refused:
            raise KeyError("cop")
        return super().place(candidate, known_story)


@pytest_asyncio.fixture
async def pool(newsroom: Connections) -> AsyncIterator[Pool]:
    """Postgres with the tables of enrich."""
    pool = await connect(newsroom, schema="enrich")
    await migrate(pool, "enrich")
    yield pool
    await pool.close()


async def write(
    pool: Pool, update_id: str, source: str, headline: str = "Ferry aground off Port Marrow", text: str = FERRY
) -> None:
    """A live update, as enrich text writes it."""
    state = {
        "current": {"raw": {"source": source}},
        "shown": {"headline": headline, "text": text, "first_published_at": NINE.isoformat()},
    }
    await pool.execute(
        "INSERT INTO enrich.updates (update_id, turn, revision, status, source, state) VALUES ($1, 1, 1, 'live', $2, $3) "
        "ON CONFLICT (update_id) DO UPDATE SET written_at = now(), state = excluded.state",
        update_id, source, json.dumps(state).encode(),
    )  # fmt: skip


async def test_what_fails_is_set_aside_listed_and_tried_again_while_all_others_gather(pool: Pool) -> None:
    """A row that cannot be compared, one that cannot be read, and one that cannot be written stop nothing."""
    clusters = Picky(window=timedelta(days=10_000))
    gatherer = Gatherer(clusters, {})
    await gatherer.begin(pool, NINE)
    await write(pool, "first", "pa")
    await write(pool, "fails", "afp")
    await write(pool, "unread", "dpa")
    await pool.execute("UPDATE enrich.updates SET state = '{' WHERE update_id = 'unread'")
    await write(pool, "unwritten", "tt", "Ferry \ud800aground off Port Marrow")
    await write(pool, "second", "ap")
    await gatherer.step(pool)

    rows = await pool.fetch("SELECT update_id, story, families FROM enrich.gathered ORDER BY update_id")
    stories = {row["update_id"]: row["story"] for row in rows}
    assert stories["first"] == stories["second"] is not None
    listed = {row["update_id"]: row for row in await pool.fetch(NOT_GATHERED)}
    assert listed.keys() >= {"fails", "unread"}
    assert "KeyError: 'cop'" in listed["fails"]["reason"]
    assert gatherer.not_gathered.update_ids == listed.keys()

    # Not before its moment, then once more; a second failure moves the moment away, success ends it.
    assert await gatherer.step(pool) == 0
    await pool.execute("UPDATE enrich.not_gathered SET retry_at = now() WHERE update_id = 'fails'")
    assert await gatherer.step(pool) == 1
    again = await pool.fetchrow("SELECT tries, retry_at > now() + interval '30 s' AS later FROM enrich.not_gathered WHERE update_id = 'fails'")  # fmt: skip
    assert (again["tries"], again["later"]) == (2, True)
    clusters.refused = frozenset()
    await pool.execute("UPDATE enrich.not_gathered SET retry_at = now() WHERE update_id = 'fails'")
    await gatherer.step(pool)
    assert await pool.fetchval("SELECT story FROM enrich.gathered WHERE update_id = 'fails'") == stories["first"]
    assert "fails" not in {row["update_id"] for row in await pool.fetch(NOT_GATHERED)}

    # The next process knows what the one before it had set aside.
    successor = Gatherer(Picky(window=timedelta(days=10_000)), {})
    await successor.begin(pool, NINE)
    assert successor.not_gathered.update_ids == gatherer.not_gathered.update_ids


async def test_a_process_knows_what_it_compares_and_no_more(pool: Pool) -> None:
    """A million updates of years are not in its memory; what was found before is not written again after a restart."""
    await write(pool, "one", "afp")
    await write(pool, "two", "dpa")
    first = Gatherer(StoryClusters(), {})
    await first.begin(pool, NINE)
    await first.step(pool)
    found = await pool.fetch("SELECT * FROM enrich.gathered ORDER BY update_id")
    assert [row["update_id"] for row in found] == ["one", "two"]
    again = Gatherer(StoryClusters(), {})
    again.written = {f"of last year {n}": Written("s") for n in range(2_000)}
    await again.begin(pool, NINE)
    await again.step(pool)
    assert again.written.keys() == {"one", "two"}
    assert await pool.fetch("SELECT * FROM enrich.gathered ORDER BY update_id") == found
    # A correction of what has left the window keeps its story until something is known to be otherwise.
    assert again.written["one"].story == found[0]["story"]


class Doubting(StoryClusters):
    """Clusters that are sure of nothing."""

    def _is_sure(self, update: IndexedUpdate, other: IndexedUpdate, score: float) -> bool:
        """Never."""
        return False


async def test_what_is_not_sure_is_suggested_until_a_desk_accepts_it(pool: Pool) -> None:
    """Readers see it as one story only then: it has no witnesses, and is listed with its reason; what is sure is not listed."""
    for update_id, source in (("one", "afp"), ("two", "dpa")):
        await write(pool, update_id, source)
    doubting = Gatherer(Doubting(), {})
    await doubting.begin(pool, NINE)
    await doubting.step(pool)
    rows = await pool.fetch("SELECT story, families, is_sure FROM enrich.gathered")
    assert [(row["families"], row["is_sure"]) for row in rows] == [([], False)] * 2
    assert len({row["story"] for row in rows}) == 1
    (listed, other) = await pool.fetch(SUGGESTED, MOST_SUGGESTED)
    assert {listed["update_id"], other["update_id"]} == {"one", "two"}
    assert "same story because" in listed["because"]

    accepted = await pool.fetch(ACCEPT, listed["story"], "same story because Ed agreed that it is")
    assert {row["update_id"] for row in accepted} == {"one", "two"}
    assert not await pool.fetch(SUGGESTED, MOST_SUGGESTED)

    await pool.execute("DELETE FROM enrich.overrides")
    sure = Gatherer(StoryClusters(), {})
    await sure.begin(pool, NINE)
    await sure.step(pool)
    rows = await pool.fetch("SELECT families, is_sure FROM enrich.gathered")
    # One text is one witness.
    assert [(row["families"], row["is_sure"]) for row in rows] == [(["afp"], True)] * 2
    assert not await pool.fetch(SUGGESTED, MOST_SUGGESTED)
