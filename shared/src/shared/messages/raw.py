"""What is on `updates.raw`: one version of an update as its source sent it, and requests to look at it again."""

import hashlib
from datetime import datetime
from typing import Annotated, ClassVar, Literal, get_args

import orjson
from pydantic import Field, JsonValue

from shared.messages.base import Message, UpdateId
from shared.messages.blocks import Blocks
from shared.messages.unknown_values import PassOverUnknown, UnknownAs

Status = Literal["usable", "withheld", "canceled", "held"]
"""IPTC pubStatus, and `held`: usable, but a desk is to look at it first; `RawUpdate.hold` says why. `withheld` takes an update out
of sight until a usable version comes; `canceled` is a kill."""

Signal = Literal["update", "correction", "advisory", "repeat", "kill", "takedown", "expire", "pin", "unpin"]
"""What the source says this version is. `takedown` is a kill for legal reasons; `repeat` asks for nothing new."""


class Subject(Message):
    """A code or a name that the source gives an update, before it is mapped to our tags."""

    code: str | None = None
    """As sent: `medtop:04000000`, `subj:04008000`, `a1312cat:f`, or a bare code."""
    name: str | None = None
    scheme: str | None = None
    """The URI of the vocabulary, where the source names it."""
    kind: Annotated[
        Literal["subject", "person", "organisation", "place", "event", "genre", "product", "other"], UnknownAs("other")
    ] = "subject"


class Creator(Message):
    """Who made an update, as the source tells it in structured form; the byline is kept beside it."""

    name: str
    uri: str | None = None
    role: str | None = None
    email: str | None = None
    organisation: str | None = None


class MediaReference(Message):
    """A picture, video, sound or graphic that an update refers to; nothing is fetched yet."""

    url: str
    """Absolute http(s) URL of the largest rendition the source offers."""
    kind: Annotated[Literal["picture", "video", "audio", "graphic", "document"], UnknownAs("document")] = "picture"
    guid: str | None = None
    mime_type: str | None = None
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    headline: str | None = None
    caption: str | None = None
    credit: str | None = None
    copyright: str | None = None
    usage_terms: str | None = None
    instructions: str | None = None
    """What the source tells desks of its use (IPTC instructions, editor's notes): read as terms, shown to no reader."""
    creator: str | None = None
    """Who made it, where the source says so beside the credit."""
    digital_source_type: str | None = None
    """How it came to be: a name of IPTC's vocabulary, such as `trainedAlgorithmicMedia`."""
    terms_url: str | None = None
    """The page that tells its terms (XMP WebStatement)."""
    licensor_url: str | None = None
    """The page where it is to be licensed (PLUS LicensorURL)."""
    alt_text: str | None = None
    role: Annotated[Literal["lead", "inline", "thumbnail"], UnknownAs("inline")] = "lead"
    renditions: tuple[str, ...] = ()
    """URLs of the source's other renditions, largest first."""


class Flags(Message):
    """What an editor or a source sets on an update beside its text."""

    pinned: bool = False
    key_event: bool = False
    closed: bool = False
    """The story that this update belongs to is over; later updates still publish, its coverage end is this version's time."""


Power = Literal["pin", "key_event", "alert", "kill", "embargo", "story"]
"""What a source may do beside sending copy, about its own updates. `alert`: its urgency may ask for an alert; `story`: it may name
the story that an update belongs to, and say that the story is over."""


class Hold(Message):
    """Why a version waits for a desk."""

    kind: Annotated[Literal["advisory", "policy", "never", "sent", "order"], UnknownAs("policy")] = "advisory"
    """`advisory`: a rule found that it speaks to desks. `policy`: all copy of its source waits. `never`: none of its source's copy is
    published, whatever a desk says. `sent`: its source sent it as held. `order`: a desk ordered it."""
    because: str = ""
    withdraws: bool = False
    """What is out of the update is withdrawn meanwhile."""


class Signature(Message):
    """Who signed an order: the key that was shown, whose it is, and the person."""

    key_id: str = ""
    """A public name of the key, never the key; empty where none was shown, as on a command line."""
    holder: str = ""
    """The source or the desk that the key was given to."""
    person: str = ""


class Repair(Message):
    """Something that was broken in the original and was understood all the same."""

    code: str
    """Kebab case, stable: `bad-charset`, `control-characters`, `unescaped-quote`."""
    place: str = ""
    """A JSON pointer, an XPath or a line."""
    detail: str = ""


class OriginalReference(Message):
    """Where the bytes as received are kept."""

    id: str
    sha256: str
    format: str
    """The reader that understood it: `native`, `ninjs-3`, `newsml-g2`, `nitf`, `rss`, `atom`, `cap`, ..."""
    parser_version: str = "1"
    index: int = 0
    """Which item of the original, from 0."""


class RawUpdate(Message):
    """One version of an update, as its source sent it: understood and repaired, not yet enriched.

    Times carry an offset. Text fields are plain text but for `body_html`, which is untrusted HTML until enrich has
    sanitised it.
    """

    ce_type: ClassVar[str] = "slugline.update.received"

    update_id: UpdateId
    source: str
    guid: str
    version: str | None = None
    """As sent. Sources number in their own ways; only its order within one update means something."""
    version_created: datetime | None = None
    counts_from: datetime | None = None
    """When it counts as made, where the time that it gave cannot be believed: not before what its source had said until then,
    and before whatever it says next."""
    received_at: datetime
    status: Annotated[Status, UnknownAs("withheld")] = "usable"
    """A status that is not known yet is not published."""
    signal: Annotated[Signal | None, UnknownAs("update")] = None
    urgency: int | None = Field(default=None, ge=1, le=9)
    """1 most urgent to 8 least, 9 user-defined (IPTC)."""
    language: str | None = None
    """BCP 47."""
    headline: str = ""
    headline_from_text: bool = False
    """The source sent no headline: this one is made of the first sentence, which is then not in the text."""
    body_html: str = ""
    summary: str = ""
    byline: str = ""
    creators: tuple[Creator, ...] = ()
    credit: str = ""
    """The agency or agencies to be credited for the text."""
    copyright: str = ""
    usage_terms: str = ""
    located: str = ""
    """The dateline's place."""
    subjects: tuple[Subject, ...] = ()
    keywords: tuple[str, ...] = ()
    media: tuple[MediaReference, ...] = ()
    blocks: Blocks = ()
    """Fact boxes, quotes, questions, scores and polls, which follow the text."""
    first_created: datetime | None = None
    embargo_until: datetime | None = None
    expires_at: datetime | None = None
    editors_note: str = ""
    """Public note. A non-public one is in `private_note`, which enrich never passes on."""
    private_note: str = ""
    correction_reason: str = ""
    evolved_from: str | None = None
    """The guid of the update that this one grew out of."""
    translation_of: str | None = None
    """The guid of the update of which this one is the same in another language."""
    replaces: tuple[str, ...] = ()
    """Guids of this source's updates that this one takes the place of."""
    story: str | None = None
    """The source's slug or story id."""
    slugline: str = ""
    link: str | None = None
    """The item's own page at the source."""
    digital_source_type: str = ""
    """How the text came to be: a name of IPTC's vocabulary, such as `trainedAlgorithmicMedia`."""
    flags: Flags = Flags()
    hold: Hold | None = None
    """Why a version of status `held` waits for a desk."""
    may: Annotated[tuple[Power, ...] | None, PassOverUnknown(get_args(Power))] = None
    """The powers of its source when it came; what they do not cover is not in this message any more. None in messages of releases
    that knew no powers."""
    profile: str | None = None
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """What the source said that has no field of ours; kept for explanation, shown to no reader."""
    original: OriginalReference | None = None
    repairs: tuple[Repair, ...] = ()

    def fingerprint(self) -> str:
        """32 hex characters over all that the source said to anybody; not over when and how it reached us.

        Nor over `extra`: what no reader sees makes no new version, and feeds keep counters there that move at every poll.
        What is at its default is left out, so that a field which a later release adds changes no fingerprint. What a rule of ours
        made of it, that it is held, is not what the source said.
        """
        said: dict[str, JsonValue] = self.model_dump(
            mode="json",
            exclude={"received_at", "counts_from", "original", "repairs", "profile", "extra", "hold", "may"},
            exclude_defaults=True,
        )
        if self.hold is not None and self.hold.kind != "sent":
            said.pop("status", None)
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


RefreshCause = Literal["media", "authors", "tags", "story", "override", "retry", "republish"]
"""Of `republish`, which an operator asks for, neither webhooks nor alerts are told: nothing has happened."""


class Refresh(Message):
    """Asks enrich to make an update again out of what it knows now; emits a revision `enrich` only if that differs."""

    ce_type: ClassVar[str] = "slugline.update.refresh"

    update_id: UpdateId
    cause: Annotated[RefreshCause, UnknownAs("override")]
    requested_at: datetime
    detail: str = ""


class Release(Message):
    """The embargo or the schedule of a held update has passed, or its expiry has come: look at it again, in order."""

    ce_type: ClassVar[str] = "slugline.update.release"

    update_id: UpdateId
    due_at: datetime
    """The moment that was waited for."""
    reason: Annotated[Literal["embargo", "expiry"], UnknownAs("embargo")] = "embargo"


OrderName = Literal[
    "kill", "takedown", "withdraw", "restore", "expire", "supersede", "correct", "accept-source", "keep-correction", "pin", "unpin",
    "key-event", "close", "hold", "release", "spike",
]  # fmt: skip
"""`hold`: nothing more of the update is published until a `release`; what is out stays out. `spike` drops what is held. `accept-source` and `keep-correction` end the conflicts of a correction with what the source says now.
`supersede`: another update has taken its place; enrich orders it by itself for what an update `replaces`."""


class Order(Message):
    """What a desk says about an update, whoever's it is; it meets the update's versions in their order."""

    ce_type: ClassVar[str] = "slugline.update.order"

    update_id: UpdateId
    order: OrderName
    """An order that is not known yet becomes a dead letter, to be replayed after the upgrade: passed over, it would be lost."""
    by: str
    """The person that ordered it, or else the holder of the key."""
    signed_by: Signature | None = None
    """Who signed it. None in orders of releases that kept no signatures, and in those that enrich gives itself."""
    ordered_at: datetime
    reason: str = ""
    """Shown to readers of a correction; kept in the takedown report of a removal."""
    headline: str | None = None
    body_html: str | None = None
    """A correction's new text; None leaves what is there."""
    revision: int | None = None
    """The revision that the order was made of: a correction's text, or the words to be accepted. None is what was there when it came."""
    fingerprint: str = ""
    """Of the held version that a release or a spike was decided on: if another one waits by then, nothing is done. Empty is what waits."""


class MediaWanted(Message):
    """On `media.wanted`: pictures that an update refers to and that are not in the media index yet."""

    ce_type: ClassVar[str] = "slugline.media.wanted"

    update_id: UpdateId
    source: str
    media: tuple[MediaReference, ...]
    requested_at: datetime
