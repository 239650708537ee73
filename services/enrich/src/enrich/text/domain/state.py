"""What enrich remembers of an update: the versions it knows, what the desk decided, what was last published."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypedDict

from pydantic import ConfigDict, Field

from enrich.text.domain.corrections.replaced import Replacement
from shared.messages import Flags, Hold, Message, RawUpdate, Removal, Step, UpdateId

Final = Literal["killed", "taken-down"]
VISIBILITY = "sight"
"""The key of visibility among the desk decisions, as state rows have it."""
HOLD = "hold"
"""The key of holding among them."""


class Version(Message):
    """A version of the update as its source sent it, and since when its words are the source's."""

    raw: RawUpdate
    fingerprint: str
    since: datetime
    """When this version was first received."""
    headline_since: datetime
    """Since when the source says this headline: a desk's correction of it holds until the source changes it."""
    body_since: datetime
    released_at: datetime | None = None
    """When a desk let readers have it, of a version that was held."""


VersionOrder = tuple[datetime, int, datetime, str]


class Wording(Message):
    """The words of a version that a desk may have seen."""

    order: VersionOrder
    """Among the versions of its update, as `versions.version_order` has it."""
    headline: str = ""
    body_html: str = ""
    headline_since: datetime
    """When the source first said the headline."""
    body_since: datetime
    opened_at: datetime | None = None
    """The end of its embargo."""
    shown_until: int = 0
    """The last revision that was made of it; 0 if there was none."""

    def text(self, matter: str) -> str:
        """The headline or the body."""
        return self.headline if matter == "headline" else self.body_html

    def since_of(self, matter: str) -> datetime:
        """Since when the headline or the body could be seen."""
        since = self.headline_since if matter == "headline" else self.body_since
        return max(since, self.opened_at) if self.opened_at is not None else since

    @property
    def size(self) -> int:
        """Characters that are kept of it."""
        return len(self.headline) + len(self.body_html)


class OpenConflict(Message):
    """Words that a desk corrected, and that its source has changed otherwise since: a desk has to decide. As plain text."""

    matter: Literal["headline", "body"]
    base: str = ""
    """What both changed; empty where the whole text is in conflict."""
    desk: str = ""
    source: str = ""
    since: datetime

    @property
    def words(self) -> tuple[str, str, str, str]:
        """What makes it the same conflict."""
        return (self.matter, self.base, self.desk, self.source)


class DeskDecision(Message):
    """What a desk, or a version without words of its own, decided about one matter of an update."""

    order: str
    at: datetime
    by: str = ""
    person: str = ""
    """The person who signed it, where one is named: no key, no desk."""
    reason: str = ""
    text: str = ""
    revision: int | None = None
    """Of a correction: the newest revision when it came. None in rows of a release that remembered no base."""
    base: str | None = None
    """What the desk saw, where that is not the newest version of its time that is remembered."""
    base_order: VersionOrder | None = None
    replaced: tuple[Replacement, ...] = ()
    """What the desk replaced in texts before `base`."""
    said: str = ""
    """A digest of the text of the order, where `text` has been carried to a later version."""

    @property
    def digest(self) -> str:
        """A digest of the text that was ordered."""
        return self.said or hashlib.sha256(self.text.encode(errors="surrogatepass")).hexdigest()

    def is_later_than(self, known: "DeskDecision | None") -> bool:
        """Two orders of one moment must end the same way in whatever order they come."""
        return known is None or (self.at, self.order, self.digest, self.by, self.reason) > (
            known.at, known.order, known.digest, known.by, known.reason,
        )  # fmt: skip


class LastPublished(Message):
    """The content that readers last got. It has no words once they must not see the update any more."""

    removal: Removal | None = None
    parts: dict[str, str] = Field(default_factory=dict)
    """A digest of each part of the content: a refresh that changes none of them emits nothing."""
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
    """The fold of all messages about one update. Its JSON, in `enrich.updates`, keeps the names of its first release."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    update_id: UpdateId
    state_version: int = Field(default=0, alias="turn")
    """Counts the messages that changed the state."""
    revision: int = 0
    """The newest that was emitted and acknowledged; 0 when nothing was published."""
    current: Version | None = None
    """The newest version that is not embargoed."""
    held: Version | None = None
    """A newer version, under embargo or waiting for a desk."""
    held_until: datetime | None = None
    """The end of its embargo."""
    hold: Hold | None = None
    """Why the held version waits for a desk; None where only its embargo holds it."""
    hold_since: datetime | None = None
    """Since when a version of the update has waited for a desk, without a break."""
    spiked: bool = False
    """A desk has decided against the held version."""
    released_until: datetime | None = None
    """The latest moment for which a release has come: what expires by then has expired."""
    final: Final | None = None
    final_by: str = ""
    final_reason: str = ""
    final_at: datetime | None = None
    desk_decisions: dict[str, DeskDecision] = Field(default_factory=dict, alias="rulings")
    """The newest by matter: `sight` (visibility), `headline`, `body`, `correction`, `pinned`, `key_event`, `closed`, `note`,
    `hold` (hold, release or spike)."""
    last_published: LastPublished | None = Field(default=None, alias="shown")
    earlier: tuple[Wording, ...] = ()
    """The words of versions before the current one, the oldest first, as far as they are remembered."""
    forgotten_until: int = 0
    """The last revision that was made of a version which is not remembered any more."""
    conflicts: tuple[OpenConflict, ...] = ()
    """Where a desk's correction and the source's newest words do not go together."""

    @property
    def is_public(self) -> bool:
        """Whether readers see the update, as far as was published."""
        return self.last_published is not None and self.last_published.removal is None

    @property
    def source(self) -> str:
        """The source of the update; empty as long as no version of it has come."""
        version = self.held or self.current
        return version.raw.source if version is not None else ""

    @property
    def current_version(self) -> Version:
        """The current version, of a state that has one."""
        if self.current is None:
            raise ValueError(f"update {self.update_id} has no current version")
        return self.current


class TagOverride(TypedDict, total=False):
    """What an editor decided about one tag of an update."""

    use: bool
    by: str
    at: str
    label: str


@dataclass(frozen=True, slots=True)
class KnownUpdate:
    """What is known of an update before a message: its state, and what editors and enrich gather decided."""

    state: State
    tags: Mapping[str, TagOverride] = field(default_factory=dict)
    """By code, what editors decided."""
    story: str | None = None
    """The story that an editor put it into."""
    story_because: str = ""
    gathered: str | None = None
    """The story of the updates that it is like."""
    gathered_is_sure: bool = False
    """Whether readers see it in that story; else it is suggested to the desk."""
    gathered_because: str = ""
    gathered_label: str = ""
    families: tuple[str, ...] = ()
    """The publisher families of those updates."""


def flags_of(state: State) -> Flags:
    """The flags: what was ordered outlasts what later versions say or leave out."""
    raw, decisions = state.current_version.raw, state.desk_decisions
    pinned = decisions.get("pinned")
    return Flags(
        pinned=pinned.order == "pin" if pinned is not None else raw.flags.pinned or raw.signal == "pin",
        key_event=raw.flags.key_event or "key_event" in decisions,
        closed=raw.flags.closed or "closed" in decisions,
    )


def note_of(state: State) -> str:
    """The public editor's note: the newest advisory's, or the version's own."""
    version, note = state.current_version, state.desk_decisions.get("note")
    return note.text if note is not None and note.at >= version.since else version.raw.editors_note
