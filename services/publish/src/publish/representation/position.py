"""Where updates stand: their order, their channels, and which revision counts. The same in every channel of publish."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from shared.messages import EnrichedUpdate

if TYPE_CHECKING:
    from publish.representation.reader_update import ReaderUpdate

NEWS = "news"
"""The channel of everything."""


class Position(NamedTuple):
    """A place in the total order of revisions: the archive's epoch, and the offset in the log of that epoch."""

    epoch: int
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.offset}"

    @classmethod
    def parse(cls, cursor: str) -> "Position":
        """The position in a cursor `epoch-offset`; ValueError where the text is not one."""
        epoch, dash, offset = cursor.partition("-")
        if not (dash and epoch.isascii() and epoch.isdigit() and offset.isascii() and offset.isdigit()):
            raise ValueError("a cursor has the form epoch-offset")
        if len(epoch) > 9 or len(offset) > 18:
            raise ValueError("a cursor's numbers are smaller than that")
        return cls(int(epoch), int(offset))


@dataclass(frozen=True, slots=True)
class Placed:
    """The current revision of an update, at the position that the update keeps for ever."""

    position: Position
    update: EnrichedUpdate


def channels_of(update: "EnrichedUpdate | ReaderUpdate") -> frozenset[str]:
    """The channels that a revision belongs to: streams, feeds and subscriptions are named by them."""
    channels = {NEWS, f"source:{update.source}", f"update:{update.update_id}"}
    channels.update(f"tag:{tag.code}" for tag in update.tags)
    channels.update(f"author:{author.slug}" for author in update.authors if author.slug)
    if update.story:
        channels.add(f"story:{update.story}")
    if update.translation_of:
        channels.add(f"translations:{update.translation_of}")
    return frozenset(channels)


class Numbered(Protocol):
    """What of a revision decides which one counts."""

    @property
    def revision(self) -> int:
        """Its number, from 1."""

    @property
    def is_final(self) -> bool:
        """Whether no later one can bring the update back."""


def supersedes(new: Numbered, current: Numbered) -> bool:
    """Whether a revision replaces the current one: a later one does, and a kill does whatever its number.

    A duplicate, an older revision, and anything after a kill change nothing.
    """
    if current.is_final:
        return False
    return new.is_final or new.revision > current.revision


def fold(revisions: Iterable[tuple[tuple[int, int], EnrichedUpdate]]) -> list[Placed]:
    """What readers see after these revisions, each with its place in the log: newest position first, removals left out.

    An update keeps the position at which it was first visible; corrections, late enrichment and a return after a withdrawal
    do not move it.
    """
    newest: dict[str, EnrichedUpdate] = {}
    positions: dict[str, Position] = {}
    for place, update in revisions:
        if not update.is_removal:
            position = Position(*place)
            positions[update.update_id] = min(positions.get(update.update_id, position), position)
        current = newest.get(update.update_id)
        if current is None or supersedes(update, current):
            newest[update.update_id] = update
    visible = [Placed(positions[key], update) for key, update in newest.items() if not update.is_removal]
    return sorted(visible, key=lambda placed: placed.position, reverse=True)
