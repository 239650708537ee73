"""What is on `updates.enriched`: one revision of an update as readers may see it."""

import re
from datetime import datetime
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from shared.messages.base import Message, UpdateId
from shared.messages.blocks import Blocks
from shared.messages.marks import AS_SENT, SOURCE_WORDS
from shared.messages.raw import Flags, Repair
from shared.messages.unknown_values import PassOverUnknown, UnknownAs

Kind = Literal["publish", "update", "enrich", "correct", "kill", "pin"]
"""What a revision does to what readers saw: first publication, new text, more around the same text, a correction, a
removal, a change of pin or key event."""

Removal = Literal["killed", "taken-down", "withdrawn", "expired", "superseded"]
"""Why an update is out of sight. `killed` and `taken-down` are for ever; a later usable version ends the others."""

Step = Literal["authors", "tags", "text", "media", "story"]


class Author(Message):
    """One name of the byline. With an `id` it is resolved against the directory, without one it is text."""

    name: str
    id: str | None = None
    slug: str | None = None
    role: str | None = None
    bio: str | None = None
    avatar_url: str | None = None
    url: str | None = None
    links: tuple[str, ...] = ()
    contribution: Annotated[
        Literal["writing", "reporting", "editing", "photography", "translation"], UnknownAs("writing")
    ] = "writing"
    located: str | None = None
    kind: Annotated[Literal["person", "organisation"], UnknownAs("person")] = "person"
    """An agency, a paper or a desk that is named where people are is an organisation."""


class Tag(Message):
    """Something an update is about."""

    code: str
    """`medtop:04000000`, or of our own scheme `person:…`, `place:…`, `org:…`, `topic:…`."""
    label: str
    labels: dict[str, str] = Field(default_factory=dict)
    """By language, BCP 47."""
    kind: Annotated[Literal["subject", "person", "place", "organisation", "topic"], UnknownAs("subject")] = "subject"
    uri: str | None = None
    confidence: float = Field(default=1.0, ge=0, le=1)
    origin: Annotated[Literal["source", "broader", "dictionary", "editor", "keyword"], UnknownAs("source")] = "source"
    relevance: float = Field(default=1.0, ge=0, le=1)
    """How much the text is about it; of names that were found in it, by headline, lead and count."""
    places: tuple[tuple[int, int], ...] = ()
    """Where the name stands in `headline + "\\n" + text`: start and end in code points."""


class Rendition(Message):
    """One size and encoding of a picture."""

    url: str
    """Relative to the media base of the newsroom, content-addressed, immutable."""
    mime_type: str
    width: int
    height: int
    size_bytes: int | None = None


class ContentCredentials(Message):
    """What a picture's C2PA manifest says, read from the file as it came. Renditions are other files, so it does not cover them."""

    state: Annotated[Literal["trusted", "valid", "invalid"], UnknownAs("invalid")] = "valid"
    """`valid`: whole, and signed by whoever `signer` says; `trusted`: by somebody on the newsroom's list; `invalid`: altered."""
    signer: str = ""
    """Whom the signature's certificate names."""
    signed_at: str = ""
    tool: str = ""
    """What wrote the manifest: a camera, a program."""
    actions: tuple[str, ...] = ()
    """What was done, by C2PA's names: `c2pa.created`, `c2pa.edited`."""
    ingredients: int = 0
    """Of how many others it was made."""
    embedded: bool = False
    """Whether renditions carry a manifest with the original as an ingredient."""


ANCHOR_DIGITS = 16
ANCHOR = re.compile(rf"[0-9a-f]{{{ANCHOR_DIGITS}}}")
"""By what a picture is named where it stands in a text: see `Media.anchors`."""


class Media(Message):
    """A picture, video or sound that readers may see; what has no credit or may not be used is not here."""

    id: str
    kind: Annotated[Literal["picture", "video", "audio", "graphic", "document"], UnknownAs("document")] = "picture"
    role: Annotated[Literal["lead", "inline", "thumbnail"], UnknownAs("inline")] = "lead"
    caption: str = ""
    credit: str = ""
    copyright: str = ""
    usage_terms: str = ""
    creator: str = ""
    terms_url: str = ""
    """The page that tells its terms."""
    licensor_url: str = ""
    """The page where it is to be licensed."""
    digital_source_type: str = ""
    """How it came to be: a name of IPTC's vocabulary; `trainedAlgorithmicMedia` was made with AI."""
    content_credentials: ContentCredentials | None = None
    alt_text: str = ""
    width: int | None = None
    height: int | None = None
    focal_point: tuple[float, float] | None = None
    """Fractions of width and height from the top left."""
    placeholder: str | None = None
    """A data URI of a few hundred bytes."""
    renditions: tuple[Rendition, ...] = ()
    anchors: tuple[str, ...] = ()
    """Of an inline picture: `body_html` has `<figure data-picture="…">` with one of these where it stands, unless the words around it
    are gone."""


class Change(Message):
    """What changed against the revision before, and why: what stands behind "(Updated: …)"."""

    fields: tuple[str, ...] = ()
    reason: str = ""
    diff: Annotated[tuple[tuple[Annotated[Literal["=", "-", "+"], UnknownAs("=")], str], ...], SOURCE_WORDS] = ()
    """Words of the text: kept, taken out, put in; joined in order without a separator."""


class Corroboration(Message):
    """How many independent publisher families tell the same."""

    count: int = 1
    sources: tuple[str, ...] = ()
    because: str = ""


class StoryProfile(Message):
    """What editors say of a story as a whole. Every revision of the story's updates carries it as it was when it was made.

    After an edit one update of the story is made again: whoever follows the log keeps, of each story, the profile of the
    highest edition.
    """

    edition: int = Field(ge=1)
    """Counts the edits of this story's profile."""
    name: str = ""
    """What readers call the story; empty where nobody has named it."""
    standfirst: str = ""
    summary: tuple[str, ...] = ()
    """What is known by now, a sentence or two each."""


class Passport(Message):
    """The latency passport: when this revision passed each stage."""

    received_at: datetime
    enriched_at: datetime | None = None
    published_at: datetime | None = None
    """When it was given to the log that every channel reads; the same wherever the update is read, now or later. How long
    each channel took from there is in its metrics."""


class EnrichedUpdate(Message):
    """One revision of an update. Of a removal `removal` is set, and what is marked as
    a source's words is empty.

    Effects are keyed by (`update_id`, `revision`): a duplicate or an older revision changes nothing, and a removal of
    kind killed or taken-down wins over every other revision.
    """

    ce_type: ClassVar[str] = "slugline.update.enriched"

    update_id: UpdateId
    revision: int = Field(ge=1)
    kind: Annotated[Kind, UnknownAs("update")]
    removal: Annotated[Removal | None, UnknownAs("withdrawn")] = None
    """A reason that is not known yet removes as well, though not for ever."""
    source: str
    guid: str
    version: str | None = None
    version_created: datetime | None = None
    urgency: Annotated[int | None, AS_SENT] = None
    language: str = "und"
    direction: Annotated[Literal["ltr", "rtl"], UnknownAs("ltr")] = "ltr"
    headline: Annotated[str, SOURCE_WORDS] = ""
    headline_from_text: Annotated[bool, AS_SENT] = False
    """The headline is made of the first sentence, since the source sent none."""
    body_html: Annotated[str, SOURCE_WORDS] = ""
    """Sanitised: safe inside an element of a page."""
    text: Annotated[str, SOURCE_WORDS] = ""
    """The body as plain text, paragraphs parted by a blank line."""
    summary: Annotated[str, SOURCE_WORDS] = ""
    excerpt: Annotated[str, SOURCE_WORDS] = ""
    byline: Annotated[str, SOURCE_WORDS, AS_SENT] = ""
    credit: Annotated[str, SOURCE_WORDS, AS_SENT] = ""
    copyright: Annotated[str, SOURCE_WORDS, AS_SENT] = ""
    located: Annotated[str, SOURCE_WORDS, AS_SENT] = ""
    digital_source_type: Annotated[str, SOURCE_WORDS, AS_SENT] = ""
    """How the text came to be: a name of IPTC's vocabulary; `trainedAlgorithmicMedia` was made with AI."""
    responsible: Annotated[str, SOURCE_WORDS] = ""
    """The person who took responsibility for a text made with AI by correcting it; not for readers."""
    editors_note: Annotated[str, SOURCE_WORDS] = ""
    link: Annotated[str | None, SOURCE_WORDS] = None
    authors: Annotated[tuple[Author, ...], SOURCE_WORDS] = ()
    tags: Annotated[tuple[Tag, ...], SOURCE_WORDS] = ()
    media: Annotated[tuple[Media, ...], SOURCE_WORDS] = ()
    blocks: Annotated[Blocks, SOURCE_WORDS, AS_SENT] = ()
    """Fact boxes, quotes, questions, scores and polls, which follow the text."""
    media_pending: bool = False
    """A picture is being fetched; a revision `enrich` follows."""
    story: str | None = None
    """Id of the story it belongs to: a slug, stable."""
    story_label: Annotated[str, SOURCE_WORDS] = ""
    story_profile: StoryProfile | None = None
    """Editors' words, and of no source; they outlive the update that brought them."""
    corroboration: Corroboration = Corroboration()
    evolved_from: UpdateId | None = None
    translation_of: UpdateId | None = None
    """The update of which this one is the same in another language."""
    read_time_minutes: int = 1
    word_count: int = 0
    slug: Annotated[str, SOURCE_WORDS] = ""
    path: str = ""
    """Canonical path of the update's own page: `/updates/{update_id}/{slug}`. It does not change with the headline."""
    first_published_at: datetime
    updated_at: datetime | None = None
    """When readers were last given other words than before; empty until then. Late enrichment does not move it."""
    expires_at: Annotated[datetime | None, AS_SENT] = None
    flags: Flags = Flags()
    may_alert: bool = True
    """Whether its source's urgency may ask for an alert by itself; a rule that names the source, and a desk, may all the same."""
    change: Change = Change()
    degraded: Annotated[tuple[Step, ...], PassOverUnknown(get_args(Step))] = ()
    repairs: Annotated[tuple[Repair, ...], SOURCE_WORDS] = ()
    fingerprint: str = ""
    """Of the raw version this was made of."""
    passport: Passport

    @property
    def is_removal(self) -> bool:
        """Whether readers must not see this update any more."""
        return self.removal is not None

    @property
    def is_final(self) -> bool:
        """Whether no later revision can bring the update back."""
        return self.removal in ("killed", "taken-down")
