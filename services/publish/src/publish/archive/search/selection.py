"""Which updates are asked for: what a page of the API, a search and the index mean by tag, language, day and the like (pure)."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from publish.representation.position import Position, channels_of
from publish.representation.reader_update import ReaderUpdate
from shared.messages import Kind

MARK = "\x01"
"""What a mark begins with: no word does, since the parser of a text takes it for a space."""
LONGEST_MARK = 200
"""Characters; of a longer one its digest stands in the index."""
MOST_CHARACTERS = 50_000
"""Of an update's text: what follows is not found. However its words are cut, they fit into a `tsvector` (1 MB)."""
PLACES = 13
"""Bits of a log's offset that are below a block of places: 8,192 records are one."""
MOST_DAYS = 62
MOST_MONTHS = 36
"""A longer time is asked for by months, then by years."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""By how much the clock of a source may be ahead of ours."""


def _mark(text: str) -> str:
    clean = text.replace("\x00", "").replace("\x1f", "").encode("utf-8", "replace").decode()
    if len(clean) > LONGEST_MARK:
        clean = "sha256:" + hashlib.sha256(clean.encode()).hexdigest()
    return MARK + clean


def block_mark(epoch: int, block: int) -> str:
    """The mark of a block of places in the log."""
    return _mark(f"place:{epoch}.{block}")


def config_mark(config: str) -> str:
    """The mark of a text search configuration."""
    return _mark(f"config:{config}")


def marks_of(update: ReaderUpdate, position: Position) -> list[str]:
    """What stands of an update in the index beside its words."""
    channels = [each for each in channels_of(update) if each != "news" and not each.startswith("update:")]
    language = update.language.lower()
    published = update.first_published_at.astimezone(UTC)
    marks = [
        *channels,
        f"kind:{update.kind}",
        f"year:{published.year}",
        f"month:{published:%Y-%m}",
        f"day:{published:%Y-%m-%d}",
        *dict.fromkeys((f"language:{language}", f"language:{language.partition('-')[0]}")),
        *([f"urgency:{update.urgency}"] if update.urgency is not None else ()),
        *(["key-event"] if update.key_event else ()),
    ]
    return sorted({*map(_mark, marks), block_mark(position.epoch, position.offset >> PLACES)})


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions that an update must meet, all of them.

    `channels`: it belongs to each. `language`: a tag (BCP 47), or its first part for all that begin so. `urgency`: as urgent, or
    more (IPTC: 1 is the most). `kind`: that of its current revision. Published first at `since` or later, and before `until`.
    """

    channels: frozenset[str] = frozenset()
    language: str = ""
    urgency: int | None = None
    key_events: bool = False
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every update meets it."""
        return self == Selection()

    def matches(self, update: ReaderUpdate) -> bool:
        """Whether an update meets the conditions."""
        language, wanted = update.language.lower(), self.language.lower()
        return (
            self.channels <= channels_of(update)
            and (not wanted or language == wanted or language.partition("-")[0] == wanted)
            and (self.urgency is None or (update.urgency is not None and update.urgency <= self.urgency))
            and (update.key_event or not self.key_events)
            and (self.kind is None or update.kind == self.kind)
            and (self.since is None or update.first_published_at >= self.since)
            and (self.until is None or update.first_published_at < self.until)
        )

    def marks(self, now: datetime) -> list[list[str]]:
        """The marks to look for in the index: one of each list. Times are to the day, month or year, so they are compared as well."""
        wanted: list[list[str]] = [[channel] for channel in sorted(self.channels - {"news"})]
        if self.language:
            wanted.append([f"language:{self.language.lower()}"])
        if self.urgency is not None:
            wanted.append([f"urgency:{each}" for each in range(1, self.urgency + 1)])
        if self.key_events:
            wanted.append(["key-event"])
        if self.kind is not None:
            wanted.append([f"kind:{self.kind}"])
        if self.since is not None or self.until is not None:
            wanted.append(_times(self.since or EARLIEST, self.until or max(now + AHEAD, self.since or now)))
        return [list(map(_mark, each)) for each in wanted]


def _times(since: datetime, until: datetime) -> list[str]:
    """The days, months or years in which something lies that is not before `since` and not after `until`."""
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    days = (until.date() - since.date()).days
    if days <= MOST_DAYS:
        return [f"day:{since.date() + timedelta(days=number)}" for number in range(max(days, 0) + 1)]
    months = range(since.year * 12 + since.month - 1, until.year * 12 + until.month)
    if len(months) <= MOST_MONTHS:
        return [f"month:{number // 12}-{number % 12 + 1:02}" for number in months]
    return [f"year:{year}" for year in range(since.year, until.year + 1)]


def quoted(mark: str) -> str:
    """A mark as a term of a `tsquery`."""
    return "'" + mark.replace("\\", "\\\\").replace("'", "''") + "'"


def conjunction(wanted: Iterable[Sequence[str]]) -> str:
    """One of each list, as a `tsquery`."""
    return " & ".join("(" + " | ".join(map(quoted, each)) + ")" for each in wanted)
