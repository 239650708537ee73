"""One item of NewsML-G2 while it is read: what is known of it so far, and how its languages and concepts are resolved."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from ingest.formats import media, times, vocabularies
from ingest.formats.fields import CreatorFields, SubjectFields, TimeField
from ingest.formats.model import Document, Draft
from ingest.formats.xml.document import XML_LANG, Element, child, local, words

_TIMES: dict[str, TimeField] = {
    "versionCreated": "version_created",
    "firstCreated": "first_created",
    "contentCreated": "first_created",
    "expires": "expires_at",
}


class NewsItem:
    """One item; the properties of its sections fill it in."""

    def __init__(self, element: Element, place: str, document: Document) -> None:
        self.profile = document.profile
        self.draft = Draft(place=place)
        self.fields = self.draft.fields
        self.extra: dict[str, object] = {}
        self.hints: dict[str, str] = {}
        self.icon: media.Offer | None = None
        self.subjects: list[SubjectFields] = []
        self.creators: list[CreatorFields] = []
        self.keywords: list[str] = []
        self.refers: list[str] = []
        """Names of other items that belong to it."""
        self.unresolved: list[str] = []
        """Pictures named by what nobody could fetch."""
        self.captions: dict[str, str] = {}
        """Descriptions by role."""
        self.nature = ""
        self.is_package = local(element) == "packageItem"
        self.guid = element.get("guid") or ""
        self.language = element.get(XML_LANG)
        self.aliases: dict[str, str] = {}
        """URIs of vocabularies by their alias in this item."""
        self.names: dict[str, str] = {}
        """Names that the item asserts of concepts, by code."""
        self.fits: dict[str, int] = {}
        """How well the language of each text that was taken fits."""
        self._zone = times.zone(document.profile.time_zone)

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture, graphic, video or sound without a text of its own."""
        return self.is_media and not self.fields.get("body_html")

    @property
    def is_media(self) -> bool:
        """Whether its content is a picture, graphic, video or sound by nature."""
        return self.nature in ("picture", "graphic", "video", "audio", "animated")

    def name_of(self, element: Element) -> str:
        """The name in the item's language, else one that names no language, else the first; short forms come last."""
        best = ""
        rank = -1
        for one in element:
            if local(one) != "name":
                continue
            now = 2 * self.language_fit(one) + (bare(one.get("role") or "") not in ("mnemonic", "short"))
            if now > rank and (name := words(one)):
                best, rank = name, now
        return best

    def concept_name(self, element: Element) -> str:
        """The name of a concept: its own, the one asserted of its code, or its literal."""
        return self.name_of(element) or self.names.get(code_of(element), "") or element.get("literal") or ""

    def language_fit(self, element: Element) -> int:
        """How well an element's language fits the item's: 3 the same, 2 another region, 1 none named, 0 another."""
        lang = (element.get(XML_LANG) or "").lower()
        wanted = (self.language or "").lower()
        if not lang:
            return 1
        if lang == wanted:
            return 3
        return 2 if wanted and lang[:2] == wanted[:2] else 0

    def put_best(self, name: Literal["copyright", "usage_terms"], element: Element) -> None:
        """Take a text that is there in several languages: the one that fits best."""
        value, fit = words(element), self.language_fit(element)
        if value and fit > self.fits.get(name, -1):
            self.fields[name], self.fits[name] = value, fit

    def time_of(self, element: Element, *, latest: bool = False) -> datetime | None:
        """The time that an element holds."""
        written = (element.text or "").strip()
        if not written:
            return None
        return self.draft.time(written, self._zone, f"/{local(element)}", latest=latest)

    def set_time(self, element: Element) -> None:
        """versionCreated, firstCreated, contentCreated, expires."""
        moment = self.time_of(element)
        if moment is not None:
            name = _TIMES[local(element)]
            if local(element) == "contentCreated":
                self.fields.setdefault(name, moment)
            else:
                self.fields[name] = moment

    def add_subject(self, element: Element, kind: str) -> None:
        """A concept that the item is about or belongs to."""
        code, uri = element.get("qcode"), element.get("uri")
        alias = code.partition(":")[0] if code else ""
        found = vocabularies.subject(
            kind,
            code=code or (element.get("literal") if not uri else None),
            scheme=self.aliases.get(alias) or self.profile.schemes.get(alias),
            uri=uri if not code else None,
            name=self.concept_name(element) or None,
        )
        if found:
            self.subjects.append(found)


Handlers = dict[str, Callable[[NewsItem, Element], None]]
"""What is done with each property of a section, by the property's name."""


def code_of(element: Element) -> str:
    """What an element with a controlled value says: its code, its URI or its literal."""
    return element.get("qcode") or element.get("uri") or element.get("literal") or element.get("code") or ""


def bare(code: str) -> str:
    """A code without its vocabulary, in lower case."""
    return code.rpartition(":")[2].rpartition("/")[2].lower()


def title_of(element: Element) -> str:
    """The title of what a link or a reference points at."""
    return words(child(element, "headline")) or words(child(element, "title")) or words(child(element, "itemTitle"))


def remote_offer(element: Element, url: str, name: str = "") -> media.Offer:
    """A rendition that an element with a reference to remote content describes."""
    return media.Offer(
        url,
        element.get("contenttype"),
        media.number(element.get("width")),
        media.number(element.get("height")),
        media.number(element.get("size")),
        name,
    )
