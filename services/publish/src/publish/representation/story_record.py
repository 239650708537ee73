"""What is known of a story as a whole, gathered from the revisions of its updates in any order."""

from dataclasses import dataclass
from datetime import datetime

from publish.representation.reader_update import ReaderStoryProfile, ReaderUpdate
from publish.representation.words import story_name


@dataclass(frozen=True, slots=True)
class StoryRecord:
    """A story. Records of the same story are merged by `with_record`; the order does not matter."""

    story: str
    started_at: datetime
    """When its first update was published, seen by readers still or not."""
    profile: ReaderStoryProfile | None = None
    is_whole: bool = False
    """Whether nothing about it is known elsewhere only."""

    def with_record(self, other: "StoryRecord") -> "StoryRecord":
        """All that either knows."""
        return StoryRecord(
            self.story,
            min(self.started_at, other.started_at),
            max(self.profile, other.profile, key=_edition),
            self.is_whole or other.is_whole,
        )

    def name(self, label: str) -> str:
        """What readers call it; `label` is what its newest update says."""
        return story_name(self.story, (self.profile.name if self.profile else "") or label)

    @property
    def standfirst(self) -> str:
        """A sentence or two under the name; empty where no editor wrote one."""
        return self.profile.standfirst if self.profile else ""

    @property
    def summary(self) -> tuple[str, ...]:
        """What is known by now, point by point."""
        return self.profile.summary if self.profile else ()


def _edition(profile: ReaderStoryProfile | None) -> int:
    return profile.edition if profile is not None else 0


def record_of(update: ReaderUpdate) -> StoryRecord | None:
    """What a revision tells of its story; nothing where it has none or is a removal."""
    if not update.story or update.is_removal:
        return None
    return StoryRecord(update.story, update.first_published_at, update.story_profile)
