"""Revisions as years of a newsroom leave them on the log: stories, tags, authors, languages, corrections and removals (pure)."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from publish.archive.store import Revision
from publish.representation.position import Position
from shared.kafka.cloudevents import value_of
from shared.messages import EnrichedUpdate, Passport, Tag, update_id_for
from shared.messages.enriched import Author

EPOCH = 1
BLOCK = 1_000
"""Updates that are made together, with the revisions of them."""
BEGUN = datetime(2021, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=5 * 365)
VOCABULARY = 30_000
LANGUAGES = ("en", "en-GB", "de", "uk", "fr", "es")
SOURCES = tuple(f"wire-{number}" for number in range(12))
CORRECTED = 0.2
REMOVED = 0.01
KILLED = 0.2
"""Of those that are removed; the others are withdrawn."""
ON_ONE_STORY = 40
"""Updates, on average; a fifth of all are on none."""


def word(number: int) -> str:
    """The word of a rank: letters that no stemmer knows."""
    letters = ""
    while number >= 0:
        letters = "abcdefghijklmnopqrstuvwxyz"[number % 26] + letters
        number = number // 26 - 1
    return f"x{letters}q"


@dataclass(frozen=True)
class _Weighted:
    """Things of which the first is drawn as often as Zipf's law has it."""

    things: Sequence[str]
    weights: Sequence[float]

    def some(self, chosen: random.Random, count: int) -> list[str]:
        return chosen.choices(self.things, cum_weights=self.weights, k=count)


def _weighted(things: Sequence[str]) -> _Weighted:
    return _Weighted(things, list(itertools.accumulate(1 / (rank + 1) for rank in range(len(things)))))


@cache
def _words() -> _Weighted:
    return _weighted([word(number) for number in range(VOCABULARY)])


@cache
def _tags() -> _Weighted:
    return _weighted([f"topic:{number}" for number in range(400)])


@cache
def _authors() -> _Weighted:
    return _weighted([f"writer-{number}" for number in range(800)])


@cache
def _tag(code: str) -> Tag:
    return Tag(code=code, label=code)


@cache
def _author(slug: str) -> Author:
    return Author(name=slug, id=slug, slug=slug)


_MODEL = EnrichedUpdate(
    update_id=update_id_for("wire", ""), revision=1, kind="publish", source="wire", guid="", slug="words", urgency=4,
    first_published_at=BEGUN, passport=Passport(received_at=BEGUN),
)  # fmt: skip


def _first(chosen: random.Random, number: int, of: int) -> EnrichedUpdate:
    at = BEGUN + YEARS * (number / of)
    source, guid = SOURCES[number % len(SOURCES)], f"g{number}"
    update_id = update_id_for(source, guid)
    text = " ".join(_words().some(chosen, chosen.randint(40, 160)))
    # Several stories are told at any time, each for a while.
    story = f"story-{max(number // ON_ONE_STORY - chosen.randrange(20), 0)}" if chosen.random() < 0.8 else None
    return _MODEL.model_copy(
        update={
            "update_id": update_id, "source": source, "guid": guid, "language": chosen.choice(LANGUAGES),
            "path": f"/updates/{update_id}/words", "headline": text[:70], "text": text, "body_html": f"<p>{text}</p>",
            "excerpt": text[:150], "urgency": chosen.randint(2, 6), "story": story, "story_label": story or "",
            "tags": tuple(map(_tag, dict.fromkeys(_tags().some(chosen, 3)))),
            "authors": tuple(map(_author, dict.fromkeys(_authors().some(chosen, 2)))),
            "byline": "By writers", "word_count": text.count(" ") + 1, "fingerprint": f"{number:032x}",
            "first_published_at": at, "passport": Passport(received_at=at, enriched_at=at, published_at=at),
        }
    )  # fmt: skip


def _next(chosen: random.Random, update: EnrichedUpdate) -> EnrichedUpdate | None:
    """What follows on an update, if anything does."""
    drawn = chosen.random()
    number = update.revision + 1
    if drawn < REMOVED:
        removal = "killed" if chosen.random() < KILLED else "withdrawn"
        bare = {"headline": "", "text": "", "body_html": "", "excerpt": "", "byline": "", "story_label": "", "slug": ""}
        gone = {**bare, "authors": (), "tags": (), "revision": number, "kind": "kill", "removal": removal}
        return update.model_copy(update=gone)
    if drawn < REMOVED + CORRECTED:
        corrected = f"{update.headline[:60]} again"
        later = update.first_published_at + timedelta(minutes=7)
        return update.model_copy(
            update={"revision": number, "kind": "update", "headline": corrected, "updated_at": later}
        )
    return None


def revisions(block: int, of: int) -> Iterator[Revision]:
    """The revisions of a block of updates, of an archive of so many, in the order of the log; the same each time.

    A block has its own 2 x `BLOCK` places in the log, of which some stay empty, as after a compaction.
    """
    chosen = random.Random(block)
    updates = [_first(chosen, number, of) for number in range(block * BLOCK, min((block + 1) * BLOCK, of))]
    offset = place_of(block)
    for number, update in enumerate(updates):
        yield _at(offset, update)
        offset += 1
        earlier = updates[max(number - chosen.randrange(50), 0)]
        following = _next(chosen, earlier) if earlier.revision == 1 and not earlier.is_removal else None
        if following is not None:
            updates[updates.index(earlier)] = following
            yield _at(offset, following)
            offset += 1


def place_of(block: int) -> int:
    """Where a block begins in the log."""
    return block * BLOCK * 2


def _at(offset: int, update: EnrichedUpdate) -> Revision:
    return Revision(Position(EPOCH, offset), update, value_of(update))
