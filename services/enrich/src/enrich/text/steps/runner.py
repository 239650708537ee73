"""Runs the steps over a version: what each makes of it, or degrades to. A step that fails or is late costs its part, never the text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from enrich.picture_index.lookup import MediaLookup, anchors_of
from enrich.reference.agencies import family_of, is_own_source
from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain.attachments import Attachments, Authorship, StoryPlacement, Tagging, Text
from enrich.text.domain.corrections.published import corrected_raw, headline_and_body
from enrich.text.domain.state import KnownUpdate, State, TagOverride
from enrich.text.steps.authors import attach_authors
from enrich.text.steps.budget import MISSED, Budget
from enrich.text.steps.story import place_in_story
from enrich.text.steps.tags import attach_tags
from enrich.text.steps.text.step import bare_text, read_text
from shared.messages import RawUpdate, Step

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepResults:
    """What the steps make of a version's words, and the inputs they were made of."""

    text: Text
    authorship: Authorship
    tagging: Tagging
    missed: tuple[Step, ...]
    raw: RawUpdate
    words: tuple[str, str]
    """The headline and the body."""
    overrides: Mapping[str, TagOverride]
    tables: tuple[object, ...]

    def is_of(
        self, raw: RawUpdate, words: tuple[str, str], overrides: Mapping[str, TagOverride], tables: tuple[object, ...]
    ) -> bool:
        """Whether the steps would make the same of these inputs."""
        return (
            self.raw is raw
            and self.words == words
            and self.overrides == overrides
            and all(mine is other for mine, other in zip(self.tables, tables, strict=True))
        )


@dataclass(frozen=True)
class Steps:
    """The steps with what they need."""

    reference: ReferenceData
    settings: Settings

    def attach(
        self,
        state: State,
        known: KnownUpdate,
        parent_story: str | None,
        media: MediaLookup | None,
        ahead: StepResults | None = None,
    ) -> Attachments:
        """What the steps make of the current version. `media` is None where the index could not be asked.

        `ahead` was made before the state was known; it is used if it is of the same inputs.
        """
        raw, words = corrected_raw(state), headline_and_body(state)
        results = ahead if ahead is not None and ahead.is_of(raw, words, known.tags, self._tables) else None
        results = results or self.run(raw, words, known.tags)
        missed = list(results.missed)
        if media is None:
            missed.append("media")
            media = MediaLookup()
        return Attachments(
            text=results.text,
            authorship=results.authorship,
            tagging=results.tagging,
            media=media.media,
            pending=media.pending,
            withheld=media.withheld,
            story=self._story(raw, known, parent_story, results.text.headline, missed),
            editions=self.reference.published_editions,
            degraded=tuple(missed),
        )

    def run(self, raw: RawUpdate, words: tuple[str, str], overrides: Mapping[str, TagOverride]) -> StepResults:
        """Text, authors and tags of a version."""
        missed: list[Step] = []
        text = self._text(raw, *words, missed)
        authorship = self._authors(raw, missed)
        tagging = self._tags(raw, overrides, text, missed)
        return StepResults(text, authorship, tagging, tuple(missed), raw, words, overrides, self._tables)

    @property
    def _tables(self) -> tuple[object, ...]:
        return (self.reference.directory, self.reference.vocabulary, self.reference.dictionary)

    def _text(self, raw: RawUpdate, headline: str, body: str, missed: list[Step]) -> Text:
        budget = Budget.of_ms(self.settings.enrich_text_budget_ms)
        anchors = anchors_of(raw.media)
        text = _guarded(
            "text", missed, raw, lambda: read_text(headline, body, raw.summary, raw.language, budget, anchors=anchors)
        )
        if text is None:
            return bare_text(headline, body, raw.summary, raw.language)
        return _noted("text", missed, text, text.missed)

    def _authors(self, raw: RawUpdate, missed: list[Step]) -> Authorship:
        budget = Budget.of_ms(self.settings.enrich_authors_budget_ms)
        directory, settings = self.reference.directory, self.settings
        is_own = is_own_source(raw.source, raw.credit, settings.enrich_own_sources, settings.enrich_families)
        found = _guarded(
            "authors",
            missed,
            raw,
            lambda: attach_authors(raw.byline, raw.creators, directory, budget, source=raw.source, is_own=is_own),
        )
        return _noted("authors", missed, found, found.missed) if found is not None else Authorship()

    def _tags(self, raw: RawUpdate, overrides: Mapping[str, TagOverride], text: Text, missed: list[Step]) -> Tagging:
        found = _guarded(
            "tags",
            missed,
            raw,
            lambda: attach_tags(
                subjects=raw.subjects,
                keywords=raw.keywords,
                headline=text.headline,
                text=text.text or text.summary,
                language=text.language,
                vocabulary=self.reference.vocabulary,
                dictionary=self.reference.dictionary,
                concept_tags=self.reference.concept_tags,
                overrides=overrides,
                least_confidence=self.settings.enrich_least_confidence,
                budget=Budget.of_ms(self.settings.enrich_tags_budget_ms),
            ),
        )
        return _noted("tags", missed, found, found.missed) if found is not None else Tagging()

    def _story(
        self, raw: RawUpdate, known: KnownUpdate, parent_story: str | None, headline: str, missed: list[Step]
    ) -> StoryPlacement:
        family = family_of(raw.source, raw.credit, self.settings.enrich_families)
        reference = self.reference
        found = _guarded(
            "story",
            missed,
            raw,
            lambda: place_in_story(
                raw,
                known,
                parent_story,
                into=reference.merged,
                labels=reference.story_labels,
                gathered_labels=reference.gathered_labels,
                profiles=reference.story_profiles,
                family=family,
                headline=headline,
            ),
        )
        return found if found is not None else StoryPlacement()


def _guarded(step: Step, missed: list[Step], raw: RawUpdate, work: Callable[[], T]) -> T | None:
    try:
        return work()
    except Exception:
        log.exception("a step failed; the text goes without it", step=step, update_id=raw.update_id)
        MISSED.labels(step, "failed").inc()
        missed.append(step)
        return None


def _noted(step: Step, missed: list[Step], made: T, is_missed: bool) -> T:
    if is_missed:
        MISSED.labels(step, "late").inc()
        missed.append(step)
    return made
