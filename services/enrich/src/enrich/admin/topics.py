"""Media Topics that desks are suggested for updates whose source sends none; readers see nothing of them."""

import asyncio

from pydantic import BaseModel, Field

from enrich.reference.loader import load_vocabulary
from enrich.reference.topics.suggest import SuggestedTopic, TopicSuggester
from enrich.text.domain.corrections.published import headline_and_body
from enrich.text.domain.holding.why import if_released
from enrich.text.domain.state import State
from enrich.text.state_store import Fetching
from enrich.text.steps.text.step import read_text
from shared.messages import RawUpdate
from shared.postgres.pool import Connection, Pool
from shared.postgres.rows import narrowed


class TopicSuggestions(BaseModel):
    """What a desk is suggested; `tags override --add` makes one of them a tag."""

    update_id: str
    has_topics: bool = Field(description="Its source sends Media Topics: nothing is suggested")
    language: str
    suggested: list[SuggestedTopic] = Field(description="Top-level topics, the likeliest first")


def suggestions(suggester: TopicSuggester, raw: RawUpdate, words: tuple[str, str]) -> TopicSuggestions:
    """The suggestions for a version with the headline and the body that readers get of it."""
    text = read_text(*words, raw.summary, raw.language)
    sent = any(
        suggester.vocabulary.find(each.code, each.scheme).concept is not None for each in raw.subjects if each.code
    )
    found = [] if sent else suggester.suggest(text.headline, f"{text.summary}\n{text.text}", text.language)
    return TopicSuggestions(update_id=raw.update_id, has_topics=sent, language=text.language, suggested=found)


async def suggested_for(connection: Fetching, suggester: TopicSuggester, update_id: str) -> TopicSuggestions | None:
    """The suggestions for an update that is out or held; None where no version of it is known."""
    rows = await connection.fetch("SELECT state FROM enrich.updates WHERE update_id = $1", update_id)
    state = if_released(State.model_validate_json(rows[0]["state"])) if rows else None
    if state is None or state.current is None or state.final is not None:
        return None
    raw, words = state.current.raw, headline_and_body(state)
    # Aside: the words of a language are counted when they are first asked for.
    return await asyncio.to_thread(suggestions, suggester, raw, words)


class SuggesterOfEdition:
    """The suggester of the newest vocabulary in Postgres, kept until that changes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._edition: int | None = None
        self._suggester: TopicSuggester | None = None

    async def newest(self) -> TopicSuggester:
        """The suggester."""
        edition = narrowed(
            int, await self._pool.fetchval("SELECT edition FROM enrich.editions WHERE name = 'subjects'")
        )
        if self._suggester is None or edition != self._edition:
            async with self._pool.acquire() as connection:
                self._suggester = await suggester_of(connection)
            self._edition = edition
        return self._suggester


async def suggester_of(connection: Connection) -> TopicSuggester:
    """A suggester of the vocabulary in Postgres."""
    return TopicSuggester(await load_vocabulary(connection))
