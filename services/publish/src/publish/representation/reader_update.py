"""What readers get of an update: an allow-list.

Everything that readers and partners receive is made of `ReaderUpdate`: JSON (API, stream, replay, webhooks, Redis), pages,
feeds, ninjs and alerts. A field of the message is private until it is added here. The classes have no slots: orjson reads objects
with a `__dict__` twice as fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Literal
from urllib.parse import quote

from publish.representation.position import Position
from publish.representation.reader_blocks import ReaderBlock, reader_blocks
from shared.messages import Change, EnrichedUpdate, Kind, Media, Removal, UpdateId, without_source_words


@dataclass(frozen=True)
class ReaderAuthor:
    """One name of the byline. With an `id` it is resolved against the directory, without one it is text."""

    name: str
    id: str | None
    slug: str | None
    role: str | None
    bio: str | None
    avatar_url: str | None
    url: str | None
    links: tuple[str, ...]
    contribution: Literal["writing", "reporting", "editing", "photography", "translation"]
    located: str | None
    kind: Literal["person", "organisation"]


@dataclass(frozen=True)
class ReaderTag:
    """Something an update is about."""

    code: str
    label: str
    labels: Mapping[str, str]
    kind: Literal["subject", "person", "place", "organisation", "topic"]
    uri: str | None
    confidence: float
    origin: Literal["source", "broader", "dictionary", "editor", "keyword"]


@dataclass(frozen=True)
class ReaderRendition:
    """One size and encoding of a picture."""

    url: str
    mime_type: str
    width: int
    height: int
    size_bytes: int | None


@dataclass(frozen=True)
class ReaderCredentials:
    """What a picture's content credentials (C2PA) say, read from the file as it came; renditions are other files."""

    state: Literal["trusted", "valid", "invalid"]
    signer: str
    signed_at: str
    tool: str
    actions: tuple[str, ...]
    ingredients: int
    embedded: bool


@dataclass(frozen=True)
class ReaderMedia:
    """A picture, video or sound that readers may see; what has no credit or may not be used is not here."""

    id: str
    kind: Literal["picture", "video", "audio", "graphic", "document"]
    role: Literal["lead", "inline", "thumbnail"]
    caption: str
    credit: str
    copyright: str
    usage_terms: str
    creator: str
    terms_url: str
    licensor_url: str
    digital_source_type: str
    """How it came to be: a name of IPTC's vocabulary; `trainedAlgorithmicMedia` was made with AI."""
    content_credentials: ReaderCredentials | None
    alt_text: str
    width: int | None
    height: int | None
    focal_point: tuple[float, float] | None
    placeholder: str | None
    renditions: tuple[ReaderRendition, ...]
    anchors: tuple[str, ...]
    """Where it stands: `body_html` has `<figure data-picture="…">` with one of these."""


@dataclass(frozen=True)
class ReaderCorroboration:
    """How many publisher families report the same in words of their own."""

    count: int
    sources: tuple[str, ...]
    because: str


@dataclass(frozen=True)
class ReaderStoryProfile:
    """What editors say of a story as a whole; `edition` counts their edits."""

    edition: int
    name: str
    standfirst: str
    summary: tuple[str, ...]


@dataclass(frozen=True)
class ReaderPassport:
    """The latency passport: when this revision passed each stage."""

    received_at: datetime
    enriched_at: datetime | None
    published_at: datetime | None


@dataclass(frozen=True)
class ReaderChange:
    """What changed against the revision before, and why: what stands behind "(Updated: …)"."""

    fields: tuple[str, ...]
    reason: str
    diff: tuple[tuple[Literal["=", "-", "+"], str], ...]


@dataclass(frozen=True)
class ReaderUpdate:
    """One update as readers may see it now. Positions never change; words do, by revisions."""

    update_id: UpdateId
    revision: int
    kind: Kind
    source: str
    version_created: datetime | None
    urgency: int | None
    language: str
    direction: Literal["ltr", "rtl"]
    headline: str
    headline_from_text: bool
    """Whether the headline is the first sentence, since the source sent none: the text then goes on behind it."""
    body_html: str
    text: str
    summary: str
    excerpt: str
    byline: str
    credit: str
    copyright: str
    located: str
    digital_source_type: str
    """How the text came to be: a name of IPTC's vocabulary; `trainedAlgorithmicMedia` was made with AI."""
    checked: bool
    """Whether a person of the newsroom took responsibility for a text that was made with AI."""
    editors_note: str
    link: str | None
    authors: tuple[ReaderAuthor, ...]
    media: tuple[ReaderMedia, ...]
    blocks: tuple[ReaderBlock, ...]
    """What follows the text in a form of its own."""
    media_pending: bool
    corroboration: ReaderCorroboration
    evolved_from: UpdateId | None
    translation_of: UpdateId | None
    read_time_minutes: int
    word_count: int
    slug: str
    first_published_at: datetime
    updated_at: datetime | None
    expires_at: datetime | None
    passport: ReaderPassport
    tags: tuple[ReaderTag, ...]
    story: str | None
    story_label: str
    story_profile: ReaderStoryProfile | None
    """Of the story, as it was when this revision was made: a newer one may have come with another update."""
    pinned: bool
    key_event: bool
    closed: bool
    change: ReaderChange
    """The last change that was worth telling readers about. Late enrichment does not take it away again."""
    path: str
    """The canonical path of the update's own page."""
    position: Position | None
    """The place of the update, for ever; None where nobody could be asked for it."""
    cursor: Position
    """The place of this revision."""
    removal: Removal | None

    @property
    def is_removal(self) -> bool:
        """Whether readers must not see this update any more."""
        return self.removal is not None

    @property
    def is_final(self) -> bool:
        """Whether no later revision can bring the update back."""
        return self.removal in ("killed", "taken-down")


def _names(kind: type, *computed: str) -> list[str]:
    return [each.name for each in fields(kind) if each.name not in computed]


_author = attrgetter(*_names(ReaderAuthor))
_tag = attrgetter(*_names(ReaderTag))
_rendition = attrgetter(*_names(ReaderRendition))
_story_profile = attrgetter(*_names(ReaderStoryProfile))
_corroboration = attrgetter(*_names(ReaderCorroboration))
_passport = attrgetter(*_names(ReaderPassport))
_change = attrgetter(*_names(ReaderChange))
_credentials = attrgetter(*_names(ReaderCredentials))
_MEDIA = tuple(_names(ReaderMedia, "renditions", "content_credentials"))
_media = attrgetter(*_MEDIA)
_COPIED = tuple(
    _names(
        ReaderUpdate,
        "authors", "blocks", "checked", "media", "corroboration", "passport", "tags", "story_profile", "pinned", "key_event", "closed",
        "change", "path", "position", "cursor",
    )
)  # fmt: skip
_copied = attrgetter(*_COPIED)


def _credentials_of(media: Media) -> ReaderCredentials | None:
    return None if media.content_credentials is None else ReaderCredentials(*_credentials(media.content_credentials))


def reader_change(change: Change) -> ReaderChange:
    """What readers get of a change."""
    return ReaderChange(*_change(change))


def reader_update(update: EnrichedUpdate, *, cursor: Position, position: Position | None = None) -> ReaderUpdate:
    """What readers get of a revision at `cursor`, whose update stands at `position`; of a removal no words."""
    if update.is_removal:
        update = without_source_words(update)
    return ReaderUpdate(
        **dict(zip(_COPIED, _copied(update), strict=True)),
        authors=tuple(ReaderAuthor(*_author(each)) for each in update.authors),
        media=tuple(
            ReaderMedia(
                **dict(zip(_MEDIA, _media(each), strict=True)),
                renditions=tuple(ReaderRendition(*_rendition(one)) for one in each.renditions),
                content_credentials=_credentials_of(each),
            )
            for each in update.media
        ),
        blocks=reader_blocks(update.blocks) if update.blocks else (),
        checked=bool(update.responsible),
        corroboration=ReaderCorroboration(*_corroboration(update.corroboration)),
        passport=ReaderPassport(*_passport(update.passport)),
        tags=tuple(ReaderTag(*_tag(each)) for each in update.tags),
        story_profile=ReaderStoryProfile(*_story_profile(update.story_profile)) if update.story_profile else None,
        pinned=update.flags.pinned,
        key_event=update.flags.key_event,
        closed=update.flags.closed,
        change=reader_change(update.change),
        path=f"/updates/{update.update_id}/{quote(update.slug or 'update', safe='')}",
        position=position,
        cursor=cursor,
    )
