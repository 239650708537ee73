"""What a batch of messages is decided with: state rows, pictures, and the stories of parent updates."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from enrich.picture_index.lookup import MediaLookup, media_for
from enrich.picture_index.rights import Newsroom
from enrich.settings import Settings
from enrich.text.domain.lifecycle import Input
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.state_store import load
from enrich.text.steps.budget import MISSED
from enrich.text.steps.runner import StepResults, Steps
from shared.failures.transient import reason_of
from shared.messages import MediaReference, RawUpdate, update_id_for
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

SMALL_BATCH = 4
"""Messages of a batch so small that a reader waits for it: the steps run while Postgres answers."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What is known before a batch is handled."""

    updates: Mapping[str, KnownUpdate]
    media: Mapping[tuple[str, tuple[MediaReference, ...]], MediaLookup | None]
    """By update and its references; None where the index could not be asked."""
    parent_stories: Mapping[str, str | None] | None
    """None where they could not be had within their budget."""
    ahead: Mapping[int, StepResults]
    """What the steps made of versions in advance, by the identity of the version."""

    def media_of(self, raw: RawUpdate) -> MediaLookup | None:
        """What the media index knows of a version's references."""
        unknown = MediaLookup(pending=raw.media) if raw.media else MediaLookup()
        return self.media.get((raw.update_id, raw.media), unknown)

    def parent_story(self, raw: RawUpdate, states: Mapping[str, State]) -> str | None:
        """The story of the update that a version grew out of; `states` are those after the batch's messages so far."""
        if not raw.evolved_from:
            return None
        parent = update_id_for(raw.source, raw.evolved_from)
        if parent in states and (published := states[parent].last_published) is not None:
            return published.story
        return self.parent_stories.get(parent) if self.parent_stories is not None else None

    def is_parent_missed(self, raw: RawUpdate) -> bool:
        """Whether a version grew out of an update whose story could not be had in time."""
        return bool(raw.evolved_from) and self.parent_stories is None


class LookupReader:
    """Reads the lookups of a batch."""

    def __init__(self, pool: Pool, steps: Steps, settings: Settings) -> None:
        self._pool = pool
        self._dedicated = pool.dedicated()
        self._steps = steps
        self._settings = settings
        self._newsroom = Newsroom.of(settings.enrich_country, settings.enrich_time_zone)

    async def read(self, events: Sequence[Input], pending: Mapping[str, State]) -> Lookups:
        """The lookups of a batch. `pending` are states that may not be in Postgres yet; they win over its rows."""
        rows, ahead = await self._rows_and_ahead(events)
        updates = {
            update_id: replace(each, state=pending[update_id]) if update_id in pending else each
            for update_id, each in rows.items()
        }
        parent_stories = await self._parent_stories(events, updates, pending)
        return Lookups(updates, await self._media(events, updates), parent_stories, ahead)

    async def _rows_and_ahead(self, events: Sequence[Input]) -> tuple[dict[str, KnownUpdate], dict[int, StepResults]]:
        loading = asyncio.create_task(load(self._dedicated, [event.update_id for event in events]))
        ahead: dict[int, StepResults] = {}
        try:
            if len(events) <= SMALL_BATCH:
                # The query needs one turn of the event loop to begin and one to be sent.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                for event in events:
                    if isinstance(event, RawUpdate) and (event.headline or event.body_html):
                        ahead[id(event)] = self._steps.run(event, (event.headline, event.body_html), {})
            return await loading, ahead
        finally:
            loading.cancel()

    async def _media(
        self, events: Sequence[Input], updates: Mapping[str, KnownUpdate]
    ) -> dict[tuple[str, tuple[MediaReference, ...]], MediaLookup | None]:
        """What the media index knows; None for all that could not be asked within the budget."""
        lists: dict[str, list[tuple[MediaReference, ...]]] = {}
        for event in events:
            raws = [event] if isinstance(event, RawUpdate) else []
            state = updates[event.update_id].state
            raws += [version.raw for version in (state.current, state.held) if version is not None]
            for raw in raws:
                if raw.media and raw.media not in (mine := lists.setdefault(event.update_id, [])):
                    mine.append(raw.media)
        found: dict[tuple[str, tuple[MediaReference, ...]], MediaLookup | None] = {}
        # The index answers one list of references for each update; further lists of an update are further queries.
        for number in range(max(map(len, lists.values()), default=0)):
            wanted = {update_id: mine[number] for update_id, mine in lists.items() if len(mine) > number}
            answers = await self._ask_media_index(wanted)
            for update_id, references in wanted.items():
                found[update_id, references] = answers.get(update_id)
        return found

    async def _ask_media_index(self, wanted: Mapping[str, tuple[MediaReference, ...]]) -> Mapping[str, MediaLookup]:
        try:
            async with asyncio.timeout(self._settings.enrich_media_budget_ms / 1000):
                return await media_for(self._pool, wanted, self._newsroom)
        except Exception as failure:  # noqa: BLE001 -- the text never waits for a picture
            log.warning("media index away; updates go without pictures", error=reason_of(failure), fold="media index")
            MISSED.labels("media", "late" if isinstance(failure, TimeoutError) else "failed").inc(len(wanted))
            return {}

    async def _parent_stories(
        self, events: Sequence[Input], updates: Mapping[str, KnownUpdate], pending: Mapping[str, State]
    ) -> Mapping[str, str | None] | None:
        wanted = set()
        for event in events:
            state = updates[event.update_id].state
            raws = [event] if isinstance(event, RawUpdate) else [state.current.raw] if state.current else []
            wanted |= {update_id_for(raw.source, raw.evolved_from) for raw in raws if raw.evolved_from}
        if not wanted:
            return {}
        try:
            async with asyncio.timeout(self._settings.enrich_story_budget_ms / 1000):
                rows = await self._pool.fetch(
                    "SELECT update_id, story FROM enrich.updates WHERE update_id = ANY($1::text[])", list(wanted)
                )
        except TimeoutError:
            log.warning("stories of parents are late; updates go without them", fold="parents")
            MISSED.labels("story", "late").inc(len(wanted))
            return None
        stories: dict[str, str | None] = {row["update_id"]: row["story"] for row in rows}
        for update_id in wanted & pending.keys():
            published = pending[update_id].last_published
            stories[update_id] = published.story if published is not None else None
        return stories
