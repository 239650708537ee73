"""The search index and Postgres' engine behind it, on Postgres."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from publish.archive import epochs
from publish.archive.search import engine as engine_module
from publish.archive.search.engine import BEGIN, END, Passage, PostgresSearch
from publish.archive.search.filled import is_filled
from publish.archive.search.index import fill, find_missing
from publish.archive.search.selection import Selection
from publish.archive.store import revision_of, write_batch
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate, reader_update
from publish.settings import Settings
from shared.kafka.cloudevents import value_of
from shared.messages import EnrichedUpdate, Flags
from shared.postgres.pool import Pool
from shared.settings import Connections
from support.revisions import NOON, revision

pytestmark = pytest.mark.integration
ALL = Selection()


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of a process in this newsroom."""
    return Settings(**newsroom.model_dump())


class Archiving:
    """Archives revisions at the next places of the log, and asks the engine."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.engine = PostgresSearch(pool)
        self.offset = -1

    async def take(self, *updates: EnrichedUpdate) -> None:
        """As `publish archive` does."""
        async with self.pool.acquire() as connection, connection.transaction():
            revisions = []
            for update in updates:
                self.offset += 1
                revisions.append(revision_of(Position(1, self.offset), update, value_of(update)))
            await write_batch(connection, revisions)
            await connection.execute("UPDATE publish.epochs SET last_offset = $1", self.offset)

    async def ids(self, words: str, selection: Selection = ALL, limit: int = 100) -> list[str]:
        """The guids of what is found, by their first words."""
        found = await self.engine.find(words, selection, None, limit)
        return [each.update.headline.split()[0] for each in found]


@pytest.fixture
async def archiving(pool: Pool) -> Archiving:
    """An archive that has seen its log."""
    await pool.execute(
        "INSERT INTO publish.epochs (epoch, cluster_id, reason, first_offset, last_offset) VALUES (1, '', '', 0, -1)"
    )
    return Archiving(pool)


def said(guid: str, text: str, number: int = 1, **fields: object) -> EnrichedUpdate:
    """A revision with these words."""
    return revision(guid, number, headline=f"{guid} {fields.pop('headline', '')}", text=text, **fields)


async def test_words_are_found_in_their_language_and_never_once_they_are_gone(archiving: Archiving) -> None:
    """Stems where Postgres has rules, words as they are elsewhere; corrections, kills, withdrawals and returns at once."""
    await archiving.take(
        said("en", "The tide gates were closing at six, said the harbour's master.", language="en-GB"),
        said("uk", "Шлюзи порту зачинили о шостій ранку.", language="uk"),
        said("de", "Die Schleusentore wurden um sechs geschlossen.", language="de"),
        said("none", "Tide gates, 学校 and numbers 42.5%", language="und"),
        said("killed", "The tide gates opened", language="en"),
        said("withdrawn", "The tide gates opened", language="en"),
    )
    find = archiving.ids
    assert await find("close gate") == ["en"]
    assert await find('"tide gates"') == ["withdrawn", "killed", "none", "en"]
    assert await find('"gates tide"') == []
    assert await find("gates -opened") == ["none", "en"]
    assert await find("зачинили") == ["uk"]
    assert await find("schleusentor geschlossen") == ["de"]
    assert await find("closed or зачинили") == ["uk", "en"]
    assert await find("the") == ["none"] or await find("the") == []
    assert await find("-gates") == ["de", "uk"]
    await archiving.take(
        revision("killed", 2, removal="killed"),
        revision("withdrawn", 2, removal="withdrawn"),
        said("en", "The sluices were closed at seven.", 2, kind="correct", language="en-GB"),
    )
    assert await find("gates") == ["none"]
    assert await find("sluice") == ["en"]
    assert await find("six") == []
    await archiving.take(said("withdrawn", "The doors opened", 3, language="en"), said("killed", "The tide gates", 4))
    assert await find("gates") == ["none"]
    assert await find("door") == ["withdrawn"]
    assert await archiving.pool.fetchval("SELECT count(*) FROM publish.search_index") == 5


TYPED = (
    "'", '"', '"""', "\\", "&|!()<->:*", "a:*", "' | 'b", "-", "- -", "''", "or or", "x" * 200, "\u200f", "🌊", "%", "\x01lang", "\ud800",
    "-" * 200, "- " * 100, "-_" * 100, '-"' * 100, "-|-!" * 50, "(-" * 100, "a -b " * 40,
)  # fmt: skip


async def test_whatever_is_typed_is_answered(archiving: Archiving) -> None:
    """Nothing that a reader may type is an error."""
    await archiving.take(said("a", "words"))
    for words in TYPED:
        clean = words.encode("utf-8", "replace").decode()
        assert await archiving.ids(clean) in ([], ["a"]), words
        await archiving.engine.excerpts(clean, [Passage("en", "title", "words"), Passage("", "", "")])


async def test_a_text_of_a_million_different_words_is_found_like_any_other(archiving: Archiving) -> None:
    """Postgres takes no more than a megabyte of words at once: who searches for one of them is answered all the same."""
    long = " ".join(f"w{number:x}" for number in range(160_000))
    [found, other] = await archiving.engine.excerpts("w1", [Passage("en", "title", long), Passage("en", "title", "w2")])
    assert (found.found, other.found) == (True, False)


async def test_conditions_hold_together_over_all_windows(archiving: Archiving, monkeypatch: pytest.MonkeyPatch) -> None:
    """By channel, language, urgency, key event, kind and time, in blocks of places of any size, page by page."""
    updates = [
        revision(
            f"u{number}",
            language=("en", "en-GB", "uk")[number % 3],
            urgency=number % 5 + 1,
            tags=["even"] if number % 2 == 0 else ["odd", "it's \\ so"],
            story="s" if number % 7 == 0 else None,
            flags=Flags(key_event=number % 4 == 0),
            first_published_at=NOON + timedelta(hours=number * 7),
        )
        for number in range(60)
    ]
    await archiving.take(*updates)
    selections: Sequence[Selection] = (
        ALL,
        Selection(channels=frozenset({"tag:odd", "story:s"})),
        Selection(channels=frozenset({"tag:it's \\ so"}), language="en"),
        Selection(language="en-gb", urgency=2),
        Selection(key_events=True, kind="publish"),
        Selection(since=NOON + timedelta(days=3)),
        Selection(until=NOON + timedelta(days=3), channels=frozenset({"source:wire"})),
        Selection(since=NOON + timedelta(days=3), until=datetime(2026, 1, 9, tzinfo=UTC), language="uk"),
        Selection(channels=frozenset({"tag:none"})),
    )
    for places in (13, 3):
        if places != 13:
            monkeypatch.setattr(engine_module, "PLACES", places)
            monkeypatch.setattr("publish.archive.search.selection.PLACES", places)
            await archiving.pool.execute("DELETE FROM publish.search_index")
            await archiving.pool.execute("UPDATE publish.search_backfill SET position_epoch = 2, done = false")
            assert await fill(archiving.pool, 50)
            assert not await fill(archiving.pool, 50)
        for selection in selections:
            expected = [f"u{n}" for n in reversed(range(60)) if selection.matches(_read(updates[n], n))]
            for words in ("", "words"):
                seen, before = [], None
                while page := await archiving.engine.find(words, selection, before, 4):
                    seen += [each.update.headline.split()[0] for each in page]
                    before = page[-1].position
                assert seen == expected, (selection, words)


def _read(update: EnrichedUpdate, number: int) -> ReaderUpdate:
    return reader_update(update, cursor=Position(1, number))


async def test_what_was_archived_before_is_indexed_in_batches(archiving: Archiving) -> None:
    """Newest first, while live copy goes on; what an older release changed meanwhile is never found by its old words."""
    await archiving.take(*(said(f"u{number}", f"Words {number}") for number in range(25)))
    await archiving.pool.execute("DELETE FROM publish.search_index")
    await archiving.pool.execute(
        "UPDATE publish.search_backfill SET position_epoch = 2147483647, position_offset = 9223372036854775807, done = false"
    )
    assert not await is_filled(archiving.pool)
    assert await fill(archiving.pool, 10)
    assert len(await archiving.ids("words")) == 10
    await archiving.take(revision("u3", 2, removal="killed"), said("u4", "Other", 2), said("u20", "Other", 2))
    while await fill(archiving.pool, 10):
        await asyncio.sleep(0)
    assert await is_filled(archiving.pool)
    assert len(await archiving.ids("words")) == 22
    assert await archiving.ids("other") == ["u20", "u4"]
    await archiving.pool.execute("UPDATE publish.search_index SET revision = 0 WHERE position_offset = 7")
    assert "u7" not in await archiving.ids("words")
    assert await find_missing(archiving.pool, 1, -1) == 1
    assert "u7" in await archiving.ids("words")
    assert (await epochs.newest(archiving.pool)) is not None


async def test_excerpts_mark_what_was_found(archiving: Archiving) -> None:
    """In the language of the text; whether a text fits is said, so that newer words than the index has can be judged."""
    await archiving.take(said("a", "x"))
    long = "Nothing here. " * 400
    excerpts = await archiving.engine.excerpts(
        "gate",
        [
            Passage("en", "The gates <b>", f"{long} They closed the gates. {long}"),
            Passage("de", "Gates", "gate"),
            Passage("en", "Other", f"Words{BEGIN}"),
        ],
    )
    assert excerpts[0].title == f"The {BEGIN}gates{END} <b>"
    assert f"the {BEGIN}gates{END}" in excerpts[0].text
    assert len(excerpts[0].text) < 600
    assert [each.found for each in excerpts] == [True, True, False]
    assert BEGIN not in excerpts[2].text
