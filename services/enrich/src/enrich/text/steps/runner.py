"""All steps over one version: what each makes of it, or what it degrades to. A step that fails or is late costs its part, never the text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from enrich.picture_index.lookup import MediaLookup
from enrich.reference.agencies import family_of
from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain.attachments import Attachments, Authorship, StoryPlacement, Tagging, Text
from enrich.text.domain.state import State, headline_and_body
from enrich.text.state_store import KnownUpdate
from enrich.text.steps.authors import attach_authors
from enrich.text.steps.budget import MISSED, Budget
from enrich.text.steps.story import gather
from enrich.text.steps.tags import attach_tags
from enrich.text.steps.text.step import bare_text, read_text
from shared.messages import RawUpdate, Step

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepResults:
    """What the steps make of a version's words, whatever else is known of the update; and what it was read with."""

    text: Text
    authorship: Authorship
    tagging: Tagging
    missed: tuple[Step, ...]
    raw: RawUpdate
    words: tuple[str, str]
    """The headline and the body that hold."""
    overrides: Mapping[str, Any]
    tables: tuple[object, ...]

    def holds(
        self, raw: RawUpdate, words: tuple[str, str], overrides: Mapping[str, Any], tables: tuple[object, ...]
    ) -> bool:
        """Whether reading again would give the same."""
        return (
            self.raw is raw
            and self.words == words
            and self.overrides == overrides
            and all(mine is its for mine, its in zip(self.tables, tables, strict=True))
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
        """What the steps make of the version that stands. `media` is None where the index could not be asked.

        `ahead` is what was read before the state was known; it is used where it still holds.
        """
        assert state.current is not None  # noqa: S101
        raw, words = state.current.raw, headline_and_body(state)
        reading = ahead if ahead is not None and ahead.holds(raw, words, known.tags, self._tables) else None
        reading = reading or self.read(raw, words, known.tags)
        missed = list(reading.missed)
        if media is None:
            missed.append("media")
            media = MediaLookup()
        return Attachments(
            text=reading.text,
            authorship=reading.authorship,
            tagging=reading.tagging,
            media=media.media,
            pending=media.pending,
            story=self._story(raw, known, parent_story, reading.text.headline, missed),
            editions=self.reference.editions_shown,
            degraded=tuple(missed),
        )

    def read(self, raw: RawUpdate, words: tuple[str, str], overrides: Mapping[str, Any]) -> StepResults:
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
        text = _guarded("text", missed, raw, lambda: read_text(headline, body, raw.summary, raw.language, budget))
        if text is None:
            return bare_text(headline, body, raw.summary, raw.language)
        return _told("text", missed, text, text.missed)

    def _authors(self, raw: RawUpdate, missed: list[Step]) -> Authorship:
        budget = Budget.of_ms(self.settings.enrich_authors_budget_ms)
        directory = self.reference.directory
        found = _guarded("authors", missed, raw, lambda: attach_authors(raw.byline, raw.creators, directory, budget))
        return _told("authors", missed, found, found.missed) if found is not None else Authorship()

    def _tags(self, raw: RawUpdate, overrides: Mapping[str, Any], text: Text, missed: list[Step]) -> Tagging:
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
                labels=self.reference.labels,
                overrides=overrides,
                least_confidence=self.settings.enrich_least_confidence,
                budget=Budget.of_ms(self.settings.enrich_tags_budget_ms),
            ),
        )
        return _told("tags", missed, found, found.missed) if found is not None else Tagging()

    def _story(
        self, raw: RawUpdate, known: KnownUpdate, parent_story: str | None, headline: str, missed: list[Step]
    ) -> StoryPlacement:
        family = family_of(raw.source, raw.credit, self.settings.enrich_families)
        reference = self.reference
        found = _guarded(
            "story",
            missed,
            raw,
            lambda: gather(
                raw,
                known,
                parent_story,
                into=reference.merged,
                labels=reference.story_labels,
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


def _told(step: Step, missed: list[Step], made: T, is_missed: bool) -> T:
    if is_missed:
        MISSED.labels(step, "late").inc()
        missed.append(step)
    return made


__all__: Sequence[str] = ("Steps",)
