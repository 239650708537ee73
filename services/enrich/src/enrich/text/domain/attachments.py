"""What the steps attach to a version: text, authors, tags, pictures and story."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.messages import Author, Corroboration, Media, MediaReference, Step, StoryProfile, Tag


@dataclass(frozen=True, slots=True)
class Text:
    """What the text step makes of a version."""

    headline: str
    body_html: str
    text: str
    summary: str
    excerpt: str
    language: str
    direction: Literal["ltr", "rtl"]
    word_count: int
    read_time_minutes: int
    why_language: str = ""
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Authorship:
    """What the authors step makes of a version."""

    authors: tuple[Author, ...] = ()
    unknown: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Tagging:
    """What the tags step makes of a version."""

    tags: tuple[Tag, ...] = ()
    because: tuple[tuple[str, str], ...] = ()
    """Code, or what was sent, and why it is a tag or none."""
    missed: bool = False


@dataclass(frozen=True, slots=True)
class StoryPlacement:
    """The story of an update, and who else reports it."""

    story: str | None = None
    label: str = ""
    corroboration: Corroboration = field(default_factory=Corroboration)
    because: str = ""
    profile: StoryProfile | None = None
    """What editors say of the story."""


@dataclass(frozen=True, slots=True)
class Attachments:
    """What the steps made of the current version."""

    text: Text
    authorship: Authorship
    tagging: Tagging
    media: tuple[Media, ...] = ()
    pending: tuple[MediaReference, ...] = ()
    withheld: tuple[str, ...] = ()
    """For the desk: pictures that readers do not see, and why."""
    story: StoryPlacement = StoryPlacement()
    editions: Mapping[str, int] = field(default_factory=dict)
    degraded: tuple[Step, ...] = ()
