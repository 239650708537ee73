"""What enrich remembers of an update: the versions it knows, what was ordered, what readers were last given."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.messages import Flags, Message, RawUpdate, Removal, Step, UpdateId

Final = Literal["killed", "taken-down"]


class Version(Message):
    """A version of the update as its source sent it, and since when its words stand."""

    raw: RawUpdate
    fingerprint: str
    since: datetime
    """When this version was first received."""
    headline_since: datetime
    """Since when the source says this headline: a desk's correction of it holds until the source changes it."""
    body_since: datetime


class Ruling(Message):
    """What a desk, or a version without words of its own, said about one side of an update; the newest of its kind."""

    order: str
    at: datetime
    by: str = ""
    reason: str = ""
    text: str = ""


class Shown(Message):
    """What readers were last given. Empty of words once they must not see it any more."""

    removal: Removal | None = None
    parts: dict[str, str] = Field(default_factory=dict)
    """A digest of each part of the content: a refresh that moves none of them emits nothing."""
    headline: str = ""
    text: str = ""
    summary: str = ""
    flags: Flags = Flags()
    slug: str = ""
    first_published_at: datetime
    updated_at: datetime | None = None
    story: str | None = None
    author_ids: tuple[str, ...] = ()
    tag_codes: tuple[str, ...] = ()
    unknown_names: tuple[str, ...] = ()
    """Keys of names of the byline that the directory does not know."""
    editions: dict[str, int] = Field(default_factory=dict)
    """Of the directory and the stories that were in memory when it was made."""
    degraded: tuple[Step, ...] = ()
    attempts: int = 0
    """How often a step that missed its budget has been tried again."""
    retry_at: datetime | None = None


class State(Message):
    """The fold of all messages about one update."""

    update_id: UpdateId
    turn: int = 0
    """Counts the messages that changed the state."""
    revision: int = 0
    """The newest that was emitted and acknowledged; 0 when readers were given nothing."""
    current: Version | None = None
    """The newest version that is not embargoed."""
    held: Version | None = None
    """A newer version that waits for its time."""
    held_until: datetime | None = None
    released_until: datetime | None = None
    """The latest moment that has come for it, as a release has told: what expires by then has expired."""
    final: Final | None = None
    final_by: str = ""
    final_reason: str = ""
    final_at: datetime | None = None
    rulings: dict[str, Ruling] = Field(default_factory=dict)
    """By side: `sight`, `headline`, `body`, `pinned`, `key_event`, `closed`, `note`."""
    shown: Shown | None = None

    @property
    def is_public(self) -> bool:
        """Whether readers see it, as far as they were told."""
        return self.shown is not None and self.shown.removal is None
