"""The reference data that updates are enriched with, and the loader that keeps it up to date."""

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import orjson
import structlog
from prometheus_client import Gauge

from enrich.documents import json_documents, validated
from enrich.reference.automaton import build_apart
from enrich.reference.dictionary import Dictionary, DictionaryEntry
from enrich.reference.directory import AuthorProfile, Directory
from enrich.reference.stories import profile_of
from enrich.reference.vocabulary import Concept, ConceptTags, Vocabulary, shipped
from shared.background import keep_running
from shared.failures import Invalid
from shared.failures.transient import TRANSIENT
from shared.messages import Message, StoryProfile
from shared.postgres.pool import Connection, Pool, Queryable, Row
from shared.postgres.set_aside import SetAside

log = structlog.get_logger(__name__)

M = TypeVar("M", bound=Message)

CHANNEL = "enrich_editions"
SWITCH_S = 0.0005
"""How long a thread that builds may keep Python's lock while the event loop waits for it."""
FREED_AT_ONCE = 500
REFERENCE_ASIDE = SetAside("enrich", "reference")
"""By table and key: entries that cannot be read. They are tried again when their table is loaded again."""

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
    story_profiles: Mapping[str, StoryProfile] = field(default_factory=dict)
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
        """Load what has a newer edition than the one in memory; the names of what was loaded.

        Tables are read and built in a thread. Who reads them has the old one until the new one is whole. A table that cannot be
        loaded keeps none of the others; its failure is raised once they are.
        """
        async with self._lock:
            rows = await self.pool.fetch("SELECT name, edition FROM enrich.editions")
            stale = [(row["name"], row["edition"]) for row in rows if self.editions.get(row["name"]) != row["edition"]]
            loaded, failures = [], []
            for name, edition in stale:
                try:
                    await self._replace(name, edition)
                except Exception as error:  # noqa: BLE001 -- raised below
                    failures.append(error)
                else:
                    loaded.append(name)
            if failures:
                raise failures[0]
            return tuple(loaded)

    async def _replace(self, name: str, edition: int) -> None:
        started = time.perf_counter()
        old = self.reference.dictionary if name == "names" else None
        with contextlib.nullcontext() if name == "stories" else _giving_way():
            count = await self._load(name, edition)
        self.editions[name] = edition
        EDITION.labels(name).set(edition)
        ENTRIES.labels(name).set(count)
        log.info("loaded", table=name, edition=edition, entries=count, took_s=round(time.perf_counter() - started, 3))
        if old is not None:
            entries = list(old.entries)
            del old
            await _let_go(entries)

    async def _load(self, name: str, edition: int) -> int:
        match name:
            case "authors":
                rows = await self.pool.fetch("SELECT id AS key, profile::text AS document FROM enrich.authors")
                profiles = await self._readable("authors", AuthorProfile, rows)
                self.reference.directory = await asyncio.to_thread(Directory.of, profiles, edition)
                return len(profiles)
            case "subjects":
                rows = await self.pool.fetch("SELECT code AS key, concept::text AS document FROM enrich.subjects")
                concepts = await self._readable("subjects", Concept, rows)
                codes = await self.pool.fetch("SELECT code, meant FROM enrich.subject_codes")
                meant = {row["code"]: row["meant"] for row in codes}
                self.reference.vocabulary = await asyncio.to_thread(vocabulary_with, concepts, meant, edition)
                return len(self.reference.vocabulary.concepts)
            case "names":
                rows = await self.pool.fetch(
                    "SELECT code AS key, entry::text AS document FROM enrich.names ORDER BY code"
                )
                entries = await self._readable("names", DictionaryEntry, rows)
                if self.dictionary_file is not None:
                    entries = [*await self._entries_of_file(self.dictionary_file), *entries]
                self.reference.dictionary = await asyncio.to_thread(_dictionary_of, entries, edition)
                return len(self.reference.dictionary.entries)
            case "stories":
                rows = await self.pool.fetch(
                    "SELECT story, label, merged_into, edition, standfirst, summary FROM enrich.stories"
                )
                self.reference.merged = {row["story"]: row["merged_into"] for row in rows if row["merged_into"]}
                self.reference.stories_edition = edition
                self.reference.story_labels = {row["story"]: row["label"] for row in rows if row["label"]}
                self.reference.story_profiles = {row["story"]: profile_of(row) for row in rows if row["edition"]}
                gathered = await self.pool.fetch(_LABELS_OF_MERGED)
                self.reference.gathered_labels = {row["story"]: row["label"] for row in gathered}
                return len(rows)
            case _:
                return 0

    async def _readable(self, name: str, model: type[M], rows: Sequence[Row]) -> list[M]:
        """The documents of a table. One that cannot be read, as after a change of the model, is left out and listed."""
        readable, failed = await asyncio.to_thread(
            lambda: _read_all(model, ((row["key"], row["document"]) for row in rows))
        )
        await self._set_aside(name, failed)
        return readable

    async def _entries_of_file(self, path: Path) -> list[DictionaryEntry]:
        readable, failed = await asyncio.to_thread(_read_lines, path)
        await self._set_aside("file", failed)
        return readable

    async def _set_aside(self, name: str, failed: Mapping[str, str]) -> None:
        known = [key for key in await REFERENCE_ASIDE.known(self.pool) if key.startswith(f"{name}:")]
        keys = {f"{name}:{key}": reason for key, reason in failed.items()}
        for key, reason in keys.items():
            await REFERENCE_ASIDE.put(self.pool, key, reason)
        await REFERENCE_ASIDE.clear(self.pool, [key for key in known if key not in keys])

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


@contextlib.contextmanager
def _giving_way() -> Iterator[None]:
    """While something large is built in a thread: the event loop gets Python's lock soon, and nothing walks what is built.

    What was built is left out of garbage collection: to walk 100,000 names each time costs half the CPU.
    """
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    gc.disable()
    try:
        yield
    finally:
        # What cannot be reached by now stays for good: a little, each time that a table changes.
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(interval_s)


async def _let_go(entries: list[DictionaryEntry]) -> None:
    """Free the entries of a dictionary that was replaced little by little: all at once, they would hold up the event loop."""
    while entries:
        del entries[-FREED_AT_ONCE:]
        await asyncio.sleep(0)


def _read_all(model: type[M], documents: Iterable[tuple[str, str]]) -> tuple[list[M], dict[str, str]]:
    """The documents that can be read, and of the others the reason, by their keys."""
    readable: list[M] = []
    failed: dict[str, str] = {}
    for key, document in documents:
        try:
            readable.append(validated(model, orjson.loads(document)))
        except Invalid as failure:
            failed[key] = f"{failure.field or 'the document'}: {failure.reason}"
    return readable, failed


def _dictionary_of(entries: Iterable[DictionaryEntry], edition: int) -> Dictionary:
    """The last entry of a code is the one that counts."""
    distinct = {entry.code: entry for entry in entries}
    return Dictionary.of(distinct.values(), edition, build_apart)


def _read_lines(path: Path) -> tuple[list[DictionaryEntry], dict[str, str]]:
    """The entries of a file that can be read, and of the others the reason, by their numbers."""
    try:
        documents = json_documents(path.read_bytes())
    except Invalid as failure:
        return [], {str(path): failure.reason}
    return _read_all(
        DictionaryEntry, ((f"{path}/{number}", orjson.dumps(each).decode()) for number, each in enumerate(documents))
    )


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
