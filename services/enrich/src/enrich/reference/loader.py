"""The reference data that updates are enriched with, and the loader that keeps it up to date."""

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from prometheus_client import Gauge

from enrich.documents import json_documents, validated
from enrich.reference.dictionary import Dictionary, DictionaryEntry
from enrich.reference.directory import AuthorProfile, Directory
from enrich.reference.vocabulary import Concept, ConceptTags, Vocabulary, shipped
from shared.background import keep_running
from shared.failures import Invalid
from shared.failures.transient import TRANSIENT
from shared.postgres.pool import Connection, Pool, Queryable

log = structlog.get_logger(__name__)

CHANNEL = "enrich_editions"
EDITION = Gauge("slugline_enrich_edition", "Edition that is in memory", ["name"])
_LABELS_OF_MERGED = """
SELECT DISTINCT ON (story) story, label FROM enrich.gathered
WHERE label <> '' AND story IN (SELECT merged_into FROM enrich.stories WHERE merged_into IS NOT NULL)
ORDER BY story, changed_at DESC
"""
ENTRIES = Gauge("slugline_enrich_reference_entries", "Entries in memory", ["name"])


@dataclass
class ReferenceData:
    """What updates are enriched with, beside the updates themselves; each table as of its edition. Kept in memory."""

    directory: Directory = field(default_factory=Directory)
    vocabulary: Vocabulary = field(default_factory=shipped)
    dictionary: Dictionary = field(default_factory=Dictionary)
    merged: Mapping[str, str] = field(default_factory=dict)
    story_labels: Mapping[str, str] = field(default_factory=dict)
    gathered_labels: Mapping[str, str] = field(default_factory=dict)
    """Of gathered stories into which others were merged: what they are called, where no editor has named them."""
    concept_tags: ConceptTags = field(default_factory=lambda: ConceptTags(("en",)))
    stories_edition: int = 0

    @property
    def published_editions(self) -> dict[str, int]:
        """The editions of the tables whose changes must reach every update that shows them."""
        return {"authors": self.directory.edition, "stories": self.stories_edition}


@dataclass
class ReferenceLoader:
    """Loads the reference data, and loads again what has changed."""

    pool: Pool
    dictionary_file: Path | None
    reference: ReferenceData
    editions: dict[str, int] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def catch_up(self) -> tuple[str, ...]:
        """Load what has a newer edition than the one in memory; the names of what was loaded."""
        async with self._lock:
            rows = await self.pool.fetch("SELECT name, edition FROM enrich.editions")
            stale = [(row["name"], row["edition"]) for row in rows if self.editions.get(row["name"]) != row["edition"]]
            for name, edition in stale:
                started = time.perf_counter()
                count = await self._load(name, edition)
                self.editions[name] = edition
                EDITION.labels(name).set(edition)
                ENTRIES.labels(name).set(count)
                log.info(
                    "loaded", table=name, edition=edition, entries=count, took_s=round(time.perf_counter() - started, 3)
                )
            if stale:
                # Frozen objects are left out of garbage collection: to walk 100,000 names each time costs half the CPU.
                gc.collect()
                gc.freeze()
            return tuple(name for name, _ in stale)

    async def _load(self, name: str, edition: int) -> int:
        match name:
            case "authors":
                rows = await self.pool.fetch("SELECT profile FROM enrich.authors")
                profiles = [AuthorProfile.model_validate(row["profile"]) for row in rows]
                self.reference.directory = Directory.of(profiles, edition)
                return len(profiles)
            case "subjects":
                self.reference.vocabulary = await load_vocabulary(self.pool, edition)
                return len(self.reference.vocabulary.concepts)
            case "names":
                rows = await self.pool.fetch("SELECT entry FROM enrich.names ORDER BY code")
                entries = {row["entry"]["code"]: DictionaryEntry.model_validate(row["entry"]) for row in rows}
                if self.dictionary_file is not None:
                    from_file = await asyncio.to_thread(read_entries, self.dictionary_file)
                    entries = {entry.code: entry for entry in from_file} | entries
                # The automaton of 100,000 names takes a second to build: in a thread, while the event loop uses the old one.
                self.reference.dictionary = await asyncio.to_thread(Dictionary.of, list(entries.values()), edition)
                return len(entries)
            case "stories":
                rows = await self.pool.fetch("SELECT story, label, merged_into FROM enrich.stories")
                self.reference.merged = {row["story"]: row["merged_into"] for row in rows if row["merged_into"]}
                self.reference.stories_edition = edition
                self.reference.story_labels = {row["story"]: row["label"] for row in rows if row["label"]}
                gathered = await self.pool.fetch(_LABELS_OF_MERGED)
                self.reference.gathered_labels = {row["story"]: row["label"] for row in gathered}
                return len(rows)
            case _:
                return 0

    async def follow(self, interval_s: float) -> None:
        """Catch up when Postgres notifies of a change, and every `interval_s` in case that was missed; until cancelled."""
        changed = asyncio.Event()

        def on_change(*_: object) -> None:
            changed.set()

        async def step() -> None:
            async with self.pool.acquire() as connection:
                await connection.add_listener(CHANNEL, on_change)
                # What changed while nobody listened.
                changed.set()
                try:
                    await self._listen(changed, interval_s, connection)
                finally:
                    with contextlib.suppress(*TRANSIENT):
                        await connection.remove_listener(CHANNEL, on_change)

        await keep_running("editions", step, every_s=interval_s)

    async def _listen(self, changed: asyncio.Event, interval_s: float, connection: Connection) -> None:
        while True:
            try:
                await asyncio.wait_for(changed.wait(), interval_s)
            except TimeoutError:
                await connection.execute("SELECT 1")
            changed.clear()
            await self.catch_up()


async def load_vocabulary(database: Queryable, edition: int = 0) -> Vocabulary:
    """The vocabulary of Postgres."""
    concepts = await database.fetch("SELECT concept FROM enrich.subjects")
    codes = await database.fetch("SELECT code, meant FROM enrich.subject_codes")
    meant = {row["code"]: row["meant"] for row in codes}
    return vocabulary_with([Concept.model_validate(row["concept"]) for row in concepts], meant, edition)


def vocabulary_with(concepts: Iterable[Concept], meant: Mapping[str, str], edition: int = 0) -> Vocabulary:
    """The vocabulary that was imported, over the small one that ships."""
    small = shipped()
    imported = {concept.code: concept for concept in concepts}
    return Vocabulary({**small.concepts, **imported}, {**small.meant, **meant}, edition)


def read_entries(path: Path) -> list[DictionaryEntry]:
    """The entries of a file of names: JSON lines, or one JSON array."""
    try:
        documents = json_documents(path.read_bytes())
        return [validated(DictionaryEntry, each, f"/{number}") for number, each in enumerate(documents)]
    except Invalid as failure:
        raise Invalid(f"{path}: {failure.reason}", field=failure.field) from failure
