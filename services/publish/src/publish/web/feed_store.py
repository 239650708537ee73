"""What a web replica keeps in memory: the newest visible updates in order of position, by channel, and what was removed."""

import bisect
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from publish.archive.standings import LastChange, Standing
from publish.representation.pictures import renditions_shown
from publish.representation.position import NEWS, Position, channels_of, supersedes
from publish.representation.reader_update import ReaderChange, ReaderUpdate
from publish.representation.retraction import Retraction, retraction_of
from publish.representation.story_record import StoryRecord, record_of
from publish.web.known_updates import KnownUpdates

LAST_UNSEEN = 2
"""The highest number that a removal can have of an update that nobody ever saw: a kill, and a takedown after it."""
UNPLACED = Position(0, 0)
"""The position of an update whose own is not known: before every other."""

RETRACTED = 1000
"""Updates that were taken out of sight last, of which feeds tell."""

CHANNELS = 50_000
"""Channels whose last change is known: a source can think of names for as long as it likes. Of others the archive is asked."""

KNOWN = 20
"""Updates whose standing is known, for each one in memory."""
KNOWN_AT_START = 4
"""The same of a replica that starts."""


@dataclass(slots=True, eq=False)
class FeedEntry:
    """The current revision of an update, and what was rendered of it."""

    update: ReaderUpdate
    made: dict[str, bytes] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        """The place of the update, for ever."""
        return self.update.position or UNPLACED


def characters_of(update: ReaderUpdate) -> int:
    """The length of its words, with their tags and without."""
    return len(update.body_html) + len(update.text)


def weight_of(update: ReaderUpdate) -> int:
    """Bytes that an entry takes for its words, once they are rendered too; what else there is of it is a few kilobytes."""
    return 2 * (sys.getsizeof(update.body_html) + sys.getsizeof(update.text))


@dataclass(frozen=True, slots=True)
class Applied:
    """What a revision did: the channels that it concerns, and the current entry (None once removed).

    An entry whose position is older than all that memory holds is here too, though memory does not keep it.
    """

    update: ReaderUpdate
    channels: frozenset[str]
    entry: FeedEntry | None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Part of a channel, newest position first. `whole`: memory holds all that belongs on it; if not, ask the archive."""

    entries: list[FeedEntry]
    more: bool
    whole: bool

    @property
    def next(self) -> Position | None:
        """The cursor of the page after this one."""
        return self.entries[-1].position if self.more and self.entries else None


class FeedStore:
    """The memory of one replica: filled by a snapshot, kept up by `apply` in the log's order.

    `cursor` is the place of the last revision that changed something: whoever read the page of that moment and follows
    the stream behind it misses nothing.

    Every channel has a generation that moves whenever anything that the channel shows may have changed, so that what
    was rendered of it can be kept until then.

    `known` outlasts what is shown: a repeat of an early revision changes nothing, though its update was removed, or left
    memory, long ago.
    """

    def __init__(self, limit: int, most_bytes: int = sys.maxsize) -> None:
        """For at most `limit` updates, or as many as have `most_bytes`, see `weight_of`."""
        self.limit = limit
        self.most_bytes = most_bytes
        self._bytes = 0
        self.cursor = Position(0, -1)
        self.complete = False
        self._entries: dict[str, FeedEntry] = {}
        self._index: dict[str, list[tuple[Position, str]]] = {}
        self._pictures: dict[str, set[str]] = {}
        self._removed: OrderedDict[str, ReaderUpdate] = OrderedDict()
        self.known = KnownUpdates(KNOWN * limit, at_start=KNOWN_AT_START * limit)
        self._stories: OrderedDict[str, StoryRecord] = OrderedDict()
        self._generations: dict[str, int] = {}
        self._changes: dict[str, Position] = {}
        self._retracted: OrderedDict[str, Retraction] = OrderedDict()
        self._count = 0
        self._floor = 0

    def __len__(self) -> int:
        return len(self._entries)

    def reset(
        self,
        cursor: Position,
        entries: Iterable[FeedEntry],
        *,
        complete: bool,
        standings: Sequence[LastChange] = (),
        retracted: Iterable[Retraction] = (),
        stories: Iterable[StoryRecord] = (),
    ) -> None:
        """Begin again from a snapshot. `complete`: there are no visible updates but these.

        `standings` are the newest, as many as `known` asks for, newest change first; `retracted` the last retractions, the last first.
        """
        self.cursor = cursor
        self.complete = complete
        self._entries = {}
        self._index = {}
        self._pictures = {}
        self._removed = OrderedDict()
        self.known.reset(standings)
        self._stories = OrderedDict((record.story, record) for record in stories)
        self._generations = {}
        self._changes = {}
        self._retracted = OrderedDict((each.update_id, each) for each in reversed(list(retracted)))
        self._count += 1
        self._floor = self._count
        self._bytes = 0
        for entry in sorted(entries, key=lambda each: each.position):
            self._entries[entry.update.update_id] = entry
            self._bytes += weight_of(entry.update)
            self._tell_story(entry.update)
            self._show_pictures(entry.update)
            for channel in channels_of(entry.update):
                self._index.setdefault(channel, []).append((entry.position, entry.update.update_id))
        while self._is_full():
            self._evict()

    @property
    def newest_generation(self) -> int:
        """The highest that any channel has."""
        return self._count

    def generation(self, channel: str) -> int:
        """A number that is another one after every change of the channel."""
        return self._generations.get(channel, self._floor)

    def changed_at(self, channel: str) -> Position | None:
        """The place of the last revision that concerned a channel; None where that was before the snapshot."""
        return self._changes.get(channel)

    def note_change(self, channel: str, position: Position) -> None:
        """The archive says where a channel changed last before the snapshot."""
        if not channel.startswith("update:"):
            self._changes.setdefault(channel, position)

    def get(self, update_id: str) -> FeedEntry | None:
        """The current revision of an update, if it is visible and in memory."""
        return self._entries.get(update_id)

    def removed(self, update_id: str) -> ReaderUpdate | Standing | None:
        """The removal of an update that is out of sight, as far as memory knows."""
        removed = self._removed.get(update_id)
        if removed is not None or update_id in self._entries:
            return removed
        standing = self.known.get(update_id)
        # Without a position readers never saw it, as far as memory knows: the archive tells whether they did.
        told = standing is not None and standing.removal is not None and standing.position is not None
        return standing if told else None

    def showing(self, picture: str) -> frozenset[str]:
        """The ids of the updates in memory that show a picture (see `publish.representation.pictures`)."""
        return frozenset(self._pictures.get(picture, ()))

    def story(self, story: str) -> StoryRecord | None:
        """What is known of a story here; all that there is to know if it `is_whole`."""
        return self._stories.get(story)

    def learn_story(self, record: StoryRecord) -> StoryRecord:
        """Take in what is known of a story elsewhere; all that is known of it now."""
        known = self._stories.get(record.story)
        if known is not None:
            record = known.with_record(record)
        self._stories[record.story] = record
        self._stories.move_to_end(record.story)
        while len(self._stories) > self.limit:
            self._stories.popitem(last=False)
        return record

    def _tell_story(self, update: ReaderUpdate) -> None:
        record = record_of(update)
        if record is not None:
            # With every update in memory, a story that is not known here is a new one.
            is_new = self.complete and record.story not in self._stories
            self.learn_story(replace(record, is_whole=True) if is_new else record)

    def can_tell(self, update: ReaderUpdate) -> bool:
        """Whether memory can tell by itself what a revision does: whether it is a repeat, and if not, where it stands."""
        known = self._standing(update.update_id)
        if known is None:
            if update.is_final:
                return update.revision > LAST_UNSEEN
            return update.revision == 1 and self.known.is_news(update.passport.received_at)
        return known.position is not None or not supersedes(update, known) or update.is_final

    def _standing(self, update_id: str) -> ReaderUpdate | Standing | None:
        entry = self._entries.get(update_id)
        return entry.update if entry is not None else self.known.get(update_id) or self._removed.get(update_id)

    def page(
        self,
        channel: str,
        before: Position | None,
        limit: int,
        fits: Callable[[ReaderUpdate], bool] | None = None,
    ) -> FeedPage:
        """The updates of a channel that stand before a position, newest first; of those that fit, where that is asked."""
        index = self._index.get(channel, [])
        end = bisect.bisect_left(index, (before, "")) if before is not None else len(index)
        if fits is not None:
            older = (self._entries[update_id] for _, update_id in reversed(index[:end]))
            found = list(islice((entry for entry in older if fits(entry.update)), limit + 1))
            more = len(found) > limit
            return FeedPage(found[:limit], more=more, whole=more or self.complete)
        start = max(0, end - limit)
        entries = [self._entries[update_id] for _, update_id in reversed(index[start:end])]
        return FeedPage(entries, more=start > 0, whole=start > 0 or self.complete)

    def newest(self, channel: str = NEWS) -> Iterator[FeedEntry]:
        """The updates of a channel, newest position first."""
        for _, update_id in reversed(self._index.get(channel, [])):
            yield self._entries[update_id]

    def around(self, channel: str, position: Position) -> tuple[FeedEntry | None, FeedEntry | None]:
        """The updates of a channel that stand next before and after a position."""
        index = self._index.get(channel, [])
        before, after = bisect.bisect_left(index, (position, "")), bisect.bisect_right(index, (position, "\uffff"))
        older = self._entries[index[before - 1][1]] if before > 0 else None
        newer = self._entries[index[after][1]] if after < len(index) else None
        return older, newer

    def apply(self, update: ReaderUpdate) -> Applied | None:
        """Take in the next revision of the log; None when it changes nothing (a duplicate, an older one, after a kill).

        Its position, where it has one, is that of an update which memory does not know; without one a first visible
        revision gets its own place in the log. One that is older than all that memory holds is left to the archive: it is
        never put on top.
        """
        update_id = update.update_id
        entry = self._entries.get(update_id)
        current = entry.update if entry is not None else self._removed.get(update_id)
        known = self._standing(update_id)
        if known is not None and not supersedes(update, known):
            if known.position is None and not update.is_removal:
                self._learn_position(update_id, update.cursor)
            return None
        self.cursor = max(self.cursor, update.cursor)
        channels = channels_of(update) | (channels_of(current) if current else frozenset())
        position = known.position if known is not None else None
        if entry is not None:
            self._drop(entry)
        self._removed.pop(update_id, None)
        retracted = self._retracted.pop(update_id, None)
        if update.is_removal:
            update = replace(update, position=position or update.position)
            self._retract(update, channels | (retracted.channels if retracted else frozenset()))
            self._note(update)
            self._keep_removal(update)
            self._change(channels, update.cursor)
            return Applied(update, channels, None)
        self._tell_story(update)
        position = position or update.position or update.cursor
        if entry and not has_change(update.change) and _same_words(update, entry.update):
            update = replace(update, position=position, change=entry.update.change)
        elif update.position != position:
            update = replace(update, position=position)
        self._note(update)
        placed = FeedEntry(update)
        self._keep(placed)
        self._change(channels, update.cursor)
        return Applied(placed.update, channels, placed)

    def _retract(self, update: ReaderUpdate, channels: frozenset[str]) -> None:
        retraction = retraction_of(update, channels)
        if retraction is not None:
            self._retracted[update.update_id] = retraction
            while len(self._retracted) > RETRACTED:
                self._retracted.popitem(last=False)

    def retractions(self, channel: str = NEWS, most: int = RETRACTED) -> list[Retraction]:
        """The updates that were taken out of sight last, of those that readers of a channel had; the last first."""
        found = (each for each in reversed(self._retracted.values()) if channel in each.channels)
        return list(islice(found, most))

    def retraction(self, update_id: str) -> Retraction | None:
        """The retraction of an update that readers had, if it is among the last."""
        return self._retracted.get(update_id)

    def note_unseen(self, update: ReaderUpdate) -> None:
        """An update ended that readers never saw: it is known from now on, and nobody is told."""
        self.cursor = max(self.cursor, update.cursor)
        self._change((NEWS,), update.cursor)
        self._note(update)

    def _note(self, update: ReaderUpdate) -> None:
        self.known.note(update.update_id, Standing(update.revision, update.removal, update.cursor, update.position))

    def _learn_position(self, update_id: str, position: Position) -> None:
        """An update that is removed was visible before, as an earlier revision tells that came after the removal."""
        removed, standing = self._removed.get(update_id), self.known.get(update_id)
        if removed is not None:
            self._removed[update_id] = replace(removed, position=position)
        if standing is not None:
            self.known.note(update_id, replace(standing, position=position))

    def pass_by(self, update: ReaderUpdate) -> Applied:
        """Announce a revision whose update's position is not known, without keeping it."""
        self.cursor = max(self.cursor, update.cursor)
        self._tell_story(update)
        channels = channels_of(update)
        self._change(channels, update.cursor)
        return Applied(update, channels, FeedEntry(update))

    def _change(self, channels: Iterable[str], place: Position) -> None:
        self._touch(channels)
        for channel in channels:
            self._changes.pop(channel, None)
            self._changes[channel] = place
        while len(self._changes) > CHANNELS:
            del self._changes[next(iter(self._changes))]

    def _touch(self, channels: Iterable[str]) -> None:
        self._count += 1
        for channel in channels:
            self._generations.pop(channel, None)
            self._generations[channel] = self._count
        while len(self._generations) > CHANNELS:
            # What was rendered of it is no longer true, as of every other that is not known.
            self._floor = max(self._floor, self._generations.pop(next(iter(self._generations))))

    def _keep(self, entry: FeedEntry) -> None:
        news = self._index.get(NEWS, [])
        if not self.complete and news and entry.position < news[0][0]:
            return
        self._entries[entry.update.update_id] = entry
        self._bytes += weight_of(entry.update)
        self._show_pictures(entry.update)
        for channel in channels_of(entry.update):
            bisect.insort(self._index.setdefault(channel, []), (entry.position, entry.update.update_id))
        while self._is_full():
            self._evict()

    def _is_full(self) -> bool:
        """More than there is room for; one update has room, whatever it takes."""
        return len(self._entries) > 1 and (len(self._entries) > self.limit or self._bytes > self.most_bytes)

    def _evict(self) -> None:
        oldest = self._entries[self._index[NEWS][0][1]]
        channels = channels_of(oldest.update)
        self._drop(oldest)
        if self.known.get(oldest.update.update_id) is None:
            # It changed last before what is known, and the archive, which lags behind, may not have its place yet.
            self._note(oldest.update)
        self.complete = False
        # A later removal may name fewer channels, so what was rendered with this update expires now.
        self._touch(channels)
        self._generations.pop(f"update:{oldest.update.update_id}", None)
        self._changes.pop(f"update:{oldest.update.update_id}", None)

    def _drop(self, entry: FeedEntry) -> None:
        del self._entries[entry.update.update_id]
        self._bytes -= weight_of(entry.update)
        for picture in renditions_shown(entry.update):
            self._pictures[picture].discard(entry.update.update_id)
            if not self._pictures[picture]:
                del self._pictures[picture]
        place = (entry.position, entry.update.update_id)
        for channel in channels_of(entry.update):
            index = self._index[channel]
            del index[bisect.bisect_left(index, place)]
            if not index:
                del self._index[channel]

    def _show_pictures(self, update: ReaderUpdate) -> None:
        for picture in renditions_shown(update):
            self._pictures.setdefault(picture, set()).add(update.update_id)

    def _keep_removal(self, update: ReaderUpdate) -> None:
        self._removed[update.update_id] = update
        while len(self._removed) > self.limit:
            self._removed.popitem(last=False)


def has_change(change: ReaderChange) -> bool:
    """Whether there is something for readers in it: the words that changed, or why."""
    return bool(change.diff or change.reason)


def _same_words(new: ReaderUpdate, old: ReaderUpdate) -> bool:
    return new.updated_at == old.updated_at and new.updated_at is not None
