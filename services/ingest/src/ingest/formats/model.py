"""What every reader of a format takes and gives: a document in, drafts of updates with repairs and refusals out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest.formats import charset, media, times
from ingest.formats.fields import UpdateFields
from ingest.formats.text import plain as text
from ingest.formats.vendors import catalog
from shared.messages import Power, RawUpdate, Repair, Signal, Status
from shared.messages.powers import POWERS

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""A larger document is refused unread; a day of a busy wire in one file is smaller."""

MAX_ITEMS = 10_000
"""A document with more items is refused: it would hold its feed for minutes."""

MAX_REPAIRS = 100
"""What is recorded of one update's repairs."""


class Unreadable(Exception):
    """A document of which nothing can be taken.

    `code` is stable and kebab case, `place` is a JSON pointer, an XPath or `line:column`, `reason` is for a person.
    """

    def __init__(self, code: str, place: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.place = text.cleaned(place)
        self.reason = text.cleaned(reason)


def refuse_many(count: int, place: str, noun: str = "items") -> None:
    """Raises Unreadable for a document with more items than are permitted."""
    if count > MAX_ITEMS:
        raise Unreadable("too-many-items", place, f"{count} {noun}, {MAX_ITEMS} are permitted")


class RefusedItem(BaseModel):
    """One item of a document that cannot be taken, beside others that can."""

    model_config = ConfigDict(frozen=True)

    index: int = 0
    """Which item of the document, from 0."""
    code: str
    place: str
    """A JSON pointer, an XPath or `line:column`."""
    reason: str


class ReadResult(BaseModel):
    """What was understood of a document."""

    model_config = ConfigDict(frozen=True)

    format: str
    """`native`, `ninjs-1`, `ninjs-2`, `ninjs-3`, `newsml-g2`, `nitf`, `rss`, `atom`, `rdf`, `json-feed`, ..."""
    parser_version: str
    updates: tuple[RawUpdate, ...]
    refused: tuple[RefusedItem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    """Every repair of the document and of its items; those that concern an update are with it too."""
    aliases: tuple[tuple[str, str], ...] = ()
    """(a name that this document has for an update, the guid of that update): a source whose later messages point at
    the document instead of the update, as CAP's do, is understood by whoever remembers these."""


class SourceProfile(BaseModel):
    """What is particular about a source, as data: how it names codes, and where it hides what others put in plain sight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = None
    """Kept with each update that was read with it."""
    language: str | None = None
    """BCP 47; taken where the document names none."""
    time_zone: str = "UTC"
    """IANA name; taken for times without an offset."""
    charset: str | None = None
    """Taken for bytes that are not valid in the charset they claim, before Windows-1252 is tried."""
    credit: str = ""
    """Taken where the document names none."""
    copyright: str = ""
    usage_terms: str = ""
    identity: tuple[str, ...] = ()
    """Names of the format's fields that identify an update, in order of preference, before the format's own.

    Here and below a field inside another is named with a dot: `altids.itemid`.
    """
    headline_from: tuple[str, ...] = ()
    """Names of the format's fields that hold the headline, in order of preference, before the format's own."""
    summary_from: tuple[str, ...] = ()
    byline_from: tuple[str, ...] = ()
    body_from: tuple[str, ...] = ()
    slugline_from: tuple[str, ...] = ()
    codes: dict[str, str] = Field(default_factory=dict)
    """A subject's code as sent -> the code that it means: `a1312cat:s` -> `medtop:15000000`."""
    schemes: dict[str, str] = Field(default_factory=dict)
    """An alias of a vocabulary as sent -> its URI."""
    urgencies: dict[str, int] = Field(default_factory=dict)
    """A priority as sent -> urgency 1 to 9."""
    statuses: dict[str, Status] = Field(default_factory=dict)
    signals: dict[str, Signal] = Field(default_factory=dict)
    private_notes: bool = False
    """Editor's notes of this source are for desks, never for readers, whatever its format says."""
    public_notes: bool = False
    """Editor's notes of this source may be published although its format says that they are for desks (ninjs)."""
    empty_embargo_is_none: bool = False
    """An embargo element without a time is a form left blank; by NewsML-G2 it holds the item until further notice."""
    media_base_url: str | None = None
    """Taken for pictures that are named by a relative path."""
    media_key_env: str = Field(default="", pattern=r"^(INGEST_MEDIA_KEY_[A-Z0-9_]{1,60})?$")
    """The environment variable with the key to texts that the source sends as links; a name that begins with
    `INGEST_MEDIA_KEY_`, so that a profile can name no other secret. Without it they are not fetched."""
    media_key_header: str = Field(default="x-api-key", pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")
    """The header in which the key goes along."""
    media_key_hosts: tuple[str, ...] = ()
    """The hosts that the key is sent to, and no other."""
    creators_are_authors: bool = True
    """Whether who is named as a creator wrote the text; else only the byline tells, and creators are desk staff."""
    reader_tags: tuple[str, ...] = ()
    """Kinds of subjects and aliases of vocabularies that are for readers (`medtop`, `person`); all where empty."""
    located_is_office: bool = False
    """The place that is named is where the writer or a machine sits; only a dateline says where something happened."""
    publish: Literal["auto", "desk", "never"] = "auto"
    """`desk`: every version waits until a desk releases it. `never`: none is published, whatever a desk says."""
    hold_advisories: bool = True
    """Whether what speaks to desks, by the four fields below or by its own words, waits for a desk."""
    hold_codes: tuple[str, ...] = ()
    """Codes or names of subjects, genres and classes of advisories: `dpatextgenre:27`, `Achtung`."""
    hold_keywords: tuple[str, ...] = ()
    """Keywords, or parts of a slug."""
    hold_headlines: tuple[str, ...] = ()
    """Words that a headline begins with."""
    hold_withdraws: bool = False
    """An advisory about an update that is out withdraws it until a desk decides; else what is out stays out."""
    extends: str | None = None
    """A vendor's profile (`formats/vendors`), which fills in what this one leaves open."""

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if not times.is_zone(value):
            raise ValueError(f"there is no time zone {value[:60]!r}; an IANA name is needed")
        return value

    @field_validator("extends")
    @classmethod
    def _is_a_vendor(cls, value: str | None) -> str | None:
        if value is not None and value not in catalog.names():
            raise ValueError(f"there is no vendor {value[:60]!r}: {', '.join(catalog.names())}")
        return value

    def completed(self) -> "SourceProfile":
        """The profile with what its vendor's says wherever it leaves the default."""
        if self.extends is None:
            return self
        known = catalog.settings_of(self.extends)
        left = {
            name
            for name in known
            if getattr(self, name) == type(self).model_fields[name].get_default(call_default_factory=True)
        }
        return SourceProfile.model_validate({**self.model_dump(), **{name: known[name] for name in left}})

    def urgency(self, value: object) -> int | None:
        """Urgency 1 to 9 of a priority as sent; None where it is none."""
        found = self.urgencies.get(str(value)) or media.number(value)
        return found if found and 1 <= found <= 9 else None


DEFAULT_PROFILE = SourceProfile()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """How a document is to be read."""

    content_type: str | None
    """As the sender declares it."""
    source: str
    received_at: datetime
    original_id: str
    sha256: str
    profile: SourceProfile = DEFAULT_PROFILE
    address: str | None = None
    """The URL that it came from, against which relative addresses in it are meant."""
    format: str | None = None
    """The name that the source is set to (`ninjs`, `rss`, ...); None recognises it."""
    may: tuple[Power, ...] = POWERS
    """The powers of the source."""


@dataclass(slots=True)
class Draft:
    """One item as a reader understood it, before it is validated."""

    place: str
    fields: UpdateFields = field(default_factory=UpdateFields)
    hints: Mapping[str, object] = field(default_factory=dict)
    """The format's own fields by name, for a profile to point at."""
    repairs: list[Repair] = field(default_factory=list)
    aliases: tuple[str, ...] = ()

    def repaired(self, code: str, place: str = "", detail: str = "") -> None:
        """Records that something broken was understood all the same."""
        if len(self.repairs) < MAX_REPAIRS:
            self.repairs.append(Repair(code=code, place=self.place + place[:200], detail=detail[:200]))

    def time(self, written: str, zone: tzinfo, place: str, *, latest: bool = False) -> datetime | None:
        """The time that is written, in `zone` where it has no offset; None, with a repair, where it cannot be read.

        `latest` as in `times.parse`: for a moment before which nobody may see an item.
        """
        moment, code = times.parse(written, zone, latest=latest)
        if code:
            self.repaired(code, place, written)
        return moment


@dataclass(slots=True)
class Parsed:
    """What a reader made of a document."""

    format: str
    items: list[Draft | RefusedItem]
    repairs: list[Repair] = field(default_factory=list)


class Document:
    """A document as received, with what several readers would otherwise each work out for themselves."""

    def __init__(self, body: bytes, request: ReadRequest) -> None:
        self.body = body
        self.request = request
        self.content_type = request.content_type or ""
        self.profile = request.profile
        self.repairs: list[Repair] = []
        self.unclean = True
        """Whether forbidden characters may be in it; readers that have checked set it."""
        self.kept: dict[str, object] = {}
        """What one reader worked out for its recognition and needs again to read."""

    @cached_property
    def media_type(self) -> str:
        """The type without its parameters, lower case; empty where the sender names none."""
        return self.content_type.partition(";")[0].strip().lower()

    @cached_property
    def declared_charset(self) -> str | None:
        """The charset parameter of the type."""
        found = re.search(r"charset\s*=\s*[\"']?([^\s;\"']+)", self.content_type, re.IGNORECASE)
        return found.group(1) if found else None

    @cached_property
    def head(self) -> str:
        """The first few thousand characters, decoded as well as can be, without leading blanks."""
        return charset.decode_head(self.body).lstrip("\ufeff \t\r\n\x00")

    @cached_property
    def family(self) -> Literal["json", "xml", "text"]:
        """What kind of syntax it is, from its first character."""
        first = self.body[:64].lstrip()[:1]
        if first not in (b"{", b"[", b"<") or self.body[1:2] == b"\x00":
            first = self.head[:1].encode("utf-8", "replace")
        if first in (b"{", b"["):
            return "json"
        return "xml" if first == b"<" else "text"


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be read: each is a `FORMAT`, listed in `ingest.formats`, and nothing else need know of it."""

    names: tuple[str, ...]
    """The family first, then what else a source may be set to."""
    media_types: tuple[str, ...]
    recognise: Callable[[Document], int]
    """How sure it is, 0 to 100, from content alone."""
    read: Callable[[Document], Parsed]
    family: Literal["json", "xml", "text"] | None = None
    """The syntax that it is always in; documents of another are not even offered to it."""
    parser_version: str = "1"
