"""NewsML-G2: newsMessage, newsItem and packageItem; text inline as XHTML, NITF or plain, pictures with renditions.

Catalogs are not fetched: IPTC's own aliases are known, others come with the document or the source's profile. Items
that carry no news (concepts, knowledge, planning, catalogs) are passed over. A picture that a text in the same message
refers to, by a package or by a link, goes with that text; one that nobody refers to is an update of its own. Source:
https://iptc.org/std/NewsML-G2/, specification 2.35.
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from ingest.formats import media, times, vocabularies
from ingest.formats.json.ninjs import SIGNALS
from ingest.formats.limits import add_text
from ingest.formats.reading import MAX_ITEMS, Document, Draft, Format, Parsed, RefusedItem, Unreadable
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml import markup, nitf, ttnitf
from ingest.formats.xml.document import child, children, local, words
from shared.messages.limits import LONGEST, MOST

_ITEMS = ("newsItem", "packageItem")
_NOT_NEWS = ("conceptItem", "knowledgeItem", "planningItem", "catalogItem")
_ROOTS = frozenset({"newsMessage", *_ITEMS, *_NOT_NEWS})
_STATUSES = {"usable": "usable", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled"}
_NATURES = {
    "person": "person",
    "organisation": "organisation",
    "organization": "organisation",
    "geoarea": "place",
    "poi": "place",
    "place": "place",
    "event": "event",
    "abstract": "subject",
    "object": "other",
    "genre": "genre",
}
_SUMMARIES = ("summary", "abstract", "teaser", "short", "", "caption", "text")
_PLAIN_PICTURES = ("picture", "graphic", "video", "audio", "animated")
_PRIVATE_ROLES = (
    "private",
    "nonpub",
    "internal",
    "confidential",
    "npa",
    "contact",
    # Of dpa: what it sends with the text to desks, and the initials of who wrote it.
    "notepad",
    "closingline",
    "picture",
)
_LINKS = {
    "evolvedfrom": "evolved_from",
    "derivedfrom": "evolved_from",
    "previousversion": "evolved_from",
    "supersedes": "replaces",
    "replaces": "replaces",
}
_PAGES = ("webpage", "canonical", "isalternateof", "alternate", "hasalternaterepresentation", "self")
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def recognise(document: Document) -> int:
    """Sure of a root element of NewsML-G2, and of its namespace in a wrapping."""
    name, tag = xml_document.root_name(document)
    if name in _ROOTS:
        return 95
    return 70 if name and "iptc.org/std/nar/" in document.head and "<newsItem" in document.head and tag else 0


def read(document: Document) -> Parsed:
    """One draft for each news item that stands for itself, and for each package that holds none of them."""
    if (count := xml_document.prepared(document).count("<newsItem ")) > MAX_ITEMS:
        raise Unreadable("too-many-items", "/newsMessage/itemSet", f"{count} items, {MAX_ITEMS} are permitted")
    root = xml_document.parse(document)
    elements, passed_over = _items(root)
    if len(elements) > MAX_ITEMS:
        raise Unreadable("too-many-items", "/newsMessage/itemSet", f"{len(elements)} items, {MAX_ITEMS} are permitted")
    items = [_Item(one, place, document) for place, one in elements]
    if len(items) > 1:
        # A wrapping of the message itself, without identity and words: what it names stands beside it.
        items = [one for one in items if one.guid or not one.is_package or one.fields.get("headline")]
    drafts: list[Draft | RefusedItem] = [item.draft for item in _arranged(items)]
    if not drafts:
        kind, place = passed_over[0] if passed_over else (local(root), f"/{local(root)}")
        drafts.append(RefusedItem(index=0, code="not-news", place=place, reason=f"a {kind[:60]} carries no news item"))
    return Parsed("newsml-g2", drafts)


def _items(root: Any) -> tuple[list[tuple[str, Any]], list[tuple[str, str]]]:
    name = local(root)
    if name in _ITEMS:
        return [(f"/{name}", root)], []
    if name in _NOT_NEWS:
        return [], [(name, f"/{name}")]
    found: list[tuple[str, Any]] = []
    passed_over: list[tuple[str, str]] = []
    for holder in xml_document.outermost(root, "itemSet") if name == "newsMessage" else (root,):
        for index, one in enumerate(holder if name == "newsMessage" else xml_document.outermost(root, *_ITEMS)):
            place = f"/newsMessage/itemSet/*[{index + 1}]"
            if local(one) in _ITEMS:
                found.append((place, one))
            elif local(one):
                passed_over.append((local(one), place))
    return found, passed_over


def _arranged(items: "list[_Item]") -> "Iterator[_Item]":
    """The items that stand for themselves, with the pictures that belong to them."""
    by_guid = {item.guid: item for item in items if item.guid}
    taken: set[int] = set()
    carried: set[int] = set()
    for item in items:
        if item.is_package:
            members = [by_guid[one] for one in dict.fromkeys(item.refers) if one in by_guid]
            texts = [one for one in members if not one.is_picture and not one.is_package]
            pictures = [one for one in members if one.is_picture]
            holder = texts[0] if texts else item
            _take(holder, pictures, taken)
            if texts or any(one.is_package for one in members):
                carried.add(id(item))
                if item.guid:
                    for one in texts:
                        one.draft.fields.setdefault("extra", {})["package"] = item.guid
        elif not item.is_picture:
            named = (by_guid[one] for one in dict.fromkeys(item.refers) if one in by_guid)
            _take(item, [one for one in named if one.is_picture], taken)
    for item in items:
        if id(item) not in taken and id(item) not in carried:
            yield item


def _take(holder: "_Item", pictures: "list[_Item]", taken: set[int]) -> None:
    mine = holder.draft.fields.get("media") or []
    for picture in pictures:
        if (
            picture is not holder
            and picture.draft.fields.get("status", "usable") == "usable"
            and not picture.draft.fields.get("embargo_until")
        ):
            mine += [
                {name: value for name, value in one.items() if name != "role"}
                for one in picture.draft.fields.get("media") or ()
            ]
            taken.add(id(picture))
    if mine:
        holder.draft.fields["media"] = media.with_roles(mine)


def _code(element: Any) -> str:
    """What an element with a controlled value says: its code, its URI or its literal."""
    return element.get("qcode") or element.get("uri") or element.get("literal") or element.get("code") or ""


def _bare(code: str) -> str:
    return code.rpartition(":")[2].rpartition("/")[2].lower()


class _Item:
    """One item, section by section; each property has a method, found by the property's name."""

    def __init__(self, element: Any, place: str, document: Document) -> None:
        self.document = document
        self.profile = document.profile
        self.zone = times.zone(document.profile.time_zone)
        self.draft = Draft(place=place)
        self.fields = self.draft.fields
        self.extra: dict[str, Any] = {}
        self.hints: dict[str, Any] = {}
        self.subjects: list[dict[str, Any]] = []
        self.creators: list[dict[str, Any]] = []
        self.keywords: list[str] = []
        self.refers: list[str] = []
        self.unresolved: list[str] = []
        self.captions: dict[str, str] = {}
        self.nature = ""
        self.is_package = local(element) == "packageItem"
        self.guid = element.get("guid") or ""
        self.language = element.get(_XML_LANG)
        self.aliases: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.fits: dict[str, int] = {}
        self._read(element)

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture, graphic, video or sound without a text of its own."""
        return self.nature in _PLAIN_PICTURES and not self.fields.get("body_html")

    def _read(self, element: Any) -> None:
        fields = self.fields
        fields["guid"] = self.guid
        if version := element.get("version"):
            fields["version"] = version
        sections: dict[str, list[Any]] = {}
        for one in element:
            sections.setdefault(local(one), []).append(one)
        for one in sections.get("catalog", ()):
            for scheme in children(one, "scheme"):
                if scheme.get("alias") and scheme.get("uri"):
                    self.aliases[scheme.get("alias")] = scheme.get("uri")
        for one in sections.get("assert", ()):
            if code := _code(one):
                self.names[code] = self._name(one)
        for section, handlers in (("rightsInfo", _RIGHTS), ("itemMeta", _ITEM_META), ("contentMeta", _CONTENT_META)):
            for one in sections.get(section, ()):
                self._properties(one, handlers)
        self._descriptions()
        offers: list[media.Offer] = []
        for one in sections.get("contentSet", ()):
            self._content(one, offers)
        if self.is_package:
            self._groups(element)
        self._finish(offers)

    def _properties(self, section: Any, handlers: "dict[str, Callable[[_Item, Any], None]]") -> None:
        for one in section:
            name = local(one)
            if not name:
                continue
            if (one.get("pubconstraint") or one.get("pubconstrainturi")) and name != "edNote":
                self.extra.setdefault("not_public", []).append({name: words(one) or _code(one)})
                continue
            handler = handlers.get(name)
            if handler is not None:
                handler(self, one)
            elif said := _code(one) or one.get("value") or words(one):
                self.extra.setdefault(name, []).append(said[:2000])

    def _name(self, element: Any) -> str:
        """The name in the item's language, else one that names no language, else the first; short forms come last."""
        best = ""
        rank = -1
        for one in element:
            if local(one) != "name":
                continue
            now = 2 * self._fit(one) + (_bare(one.get("role") or "") not in ("mnemonic", "short"))
            if now > rank and (said := words(one)):
                best, rank = said, now
        return best

    def _fit(self, element: Any) -> int:
        """How well an element's language fits the item's: 3 the same, 2 another region, 1 none named, 0 another."""
        lang = (element.get(_XML_LANG) or "").lower()
        wanted = (self.language or "").lower()
        if not lang:
            return 1
        if lang == wanted:
            return 3
        return 2 if wanted and lang[:2] == wanted[:2] else 0

    def _put(self, name: str, element: Any) -> None:
        """A text that is there in several languages: the one that fits best."""
        said, fit = words(element), self._fit(element)
        if said and fit > self.fits.get(name, -1):
            self.fields[name], self.fits[name] = said, fit

    def _called(self, element: Any) -> str:
        """The name of a concept: its own, the one asserted of its code, or its literal."""
        return self._name(element) or self.names.get(_code(element), "") or element.get("literal") or ""

    def _time(self, element: Any) -> Any:
        written = (element.text or "").strip()
        if not written:
            return None
        moment, code = times.parse(written, self.zone)
        if code:
            self.draft.repaired(code, f"/{local(element)}", written)
        return moment

    def on_time(self, element: Any) -> None:
        """versionCreated, firstCreated, contentCreated, expires."""
        moment = self._time(element)
        if moment is not None:
            name = _TIMES[local(element)]
            if name != "first_created" or local(element) == "firstCreated":
                self.fields[name] = moment
            else:
                self.fields.setdefault(name, moment)

    def on_embargoed(self, element: Any) -> None:
        """An embargo without a time lasts until a version without it."""
        moment = self._time(element)
        if moment is not None:
            self.fields["embargo_until"] = moment
        elif words(element) or not self.profile.empty_embargo_is_none:
            self.extra["embargoed"] = words(element) or True
            if self.fields.get("status", "usable") == "usable":
                self.fields["status"] = "withheld"
                self.draft.repaired(
                    "embargo-without-time", "/itemMeta/embargoed", "withheld until a version without an embargo"
                )

    def on_status(self, element: Any) -> None:
        """pubStatus; one that nobody knows keeps the item from readers."""
        said = _code(element)
        status = self.profile.statuses.get(said) or _STATUSES.get(_bare(said))
        if status is None:
            self.draft.repaired("unknown-status", "/itemMeta/pubStatus", said)
            status = "withheld"
        if self.fields.get("status") != "withheld" or status == "canceled":
            self.fields["status"] = status

    def on_signal(self, element: Any) -> None:
        """The first signal that we have a name for; all are kept."""
        said = _code(element)
        signal = self.profile.signals.get(said) or SIGNALS.get(_bare(said))
        if signal and "signal" not in self.fields:
            self.fields["signal"] = signal
        else:
            self.extra.setdefault("signals", []).append(said)

    def on_class(self, element: Any) -> None:
        """itemClass: what the content is by nature."""
        self.nature = _bare(_code(element))

    def on_note(self, element: Any) -> None:
        """edNote; what has a constraint on its publication, or a role or words that say so, is not for readers."""
        role = _bare(element.get("role") or "")
        private = [words(one) for one in element.iterdescendants() if markup.is_private(one)]
        for one in [one for one in element.iterdescendants() if markup.is_private(one)]:
            if (parent := one.getparent()) is not None:
                parent.remove(one)
        public = words(element)
        constrained = element.get("pubconstraint") or element.get("pubconstrainturi")
        if constrained or any(word in role for word in _PRIVATE_ROLES) or text.says_private(public):
            private.append(public)
            public = ""
        for name, said in (("editors_note", public), ("private_note", "\n".join(filter(None, private)))):
            known = self.fields.get(name, "")
            if said and len(known) <= LONGEST[name] and said not in known:
                add_text(self.fields, name, said, "\n")
        if public and "correct" in role:
            self.fields["correction_reason"] = public

    def on_link(self, element: Any) -> None:
        """A link to what this item came from or takes the place of, to its page, or to something beside it."""
        relation = _bare(element.get("rel") or element.get("reluri") or "")
        target = element.get("residref") or element.get("guidref") or element.get("href") or ""
        ours = _LINKS.get(relation)
        if ours == "evolved_from":
            self.fields["evolved_from"] = target
        elif ours == "replaces":
            self.fields.setdefault("replaces", []).append(target)
        elif (
            relation in _PAGES
            and (url := media.absolute(element.get("href")))
            and "html" in (element.get("contenttype") or "html")
        ):
            self.fields.setdefault("link", url)
        elif target:
            if not element.get("href"):
                self.refers.append(target)
            self.extra.setdefault("links", []).append(
                {"rel": relation, "target": target[:2000], "title": self._title(element)}
            )

    def _title(self, element: Any) -> str:
        return words(child(element, "headline")) or words(child(element, "title")) or words(child(element, "itemTitle"))

    def on_provider(self, element: Any) -> None:
        """Who provides the item is credited where nobody else is."""
        self.hints["provider"] = self._called(element) or _code(element)
        if name := self._called(element):
            self.fields.setdefault("credit", name)

    def on_service(self, element: Any) -> None:
        """A service or product that the item belongs to."""
        self._subject(element, "product")

    def on_title(self, element: Any) -> None:
        """An internal title, for items without a headline."""
        self.hints.setdefault("title", words(element))

    def on_urgency(self, element: Any) -> None:
        """1 to 9."""
        said = words(element)
        number = self.profile.urgencies.get(said) or media.number(said)
        if number and 1 <= number <= 9:
            self.fields["urgency"] = number
        elif said:
            self.draft.repaired("urgency-out-of-range", "/contentMeta/urgency", said)

    def on_located(self, element: Any) -> None:
        """Where the content was made."""
        if name := self._called(element):
            add_text(self.fields, "located", name, "; ")
        self.extra.setdefault("located", []).append(_code(element) or name)

    def on_creator(self, element: Any) -> None:
        """A creator or contributor with name, role and id."""
        name = self._called(element)
        role = _bare(element.get("role") or element.get("roleuri") or "")
        if not role and local(element) == "contributor":
            role = "contributor"
        if not name:
            self.extra.setdefault(local(element), []).append(_code(element))
            return
        mail = element.find(".//{*}email")
        organisation = element.find(".//{*}affiliation")
        self.creators.append(
            {
                "name": name,
                "uri": element.get("uri") or element.get("qcode"),
                "role": role or None,
                "email": words(mail) or None,
                "organisation": self._name(organisation) or None if organisation is not None else None,
            }
        )

    def on_language(self, element: Any) -> None:
        """The content's language, which goes before the metadata's."""
        if tag := element.get("tag"):
            self.fields.setdefault("language", tag)

    def on_subject(self, element: Any) -> None:
        """What the content is about; the type tells a person from a place."""
        kind = _NATURES.get(_bare(element.get("type") or element.get("typeuri") or ""), "subject")
        self._subject(element, kind)

    def on_genre(self, element: Any) -> None:
        """Nature of the content."""
        self._subject(element, "genre")

    def _subject(self, element: Any, kind: str) -> None:
        code, uri = element.get("qcode"), element.get("uri")
        alias = code.partition(":")[0] if code else ""
        found = vocabularies.subject(
            kind,
            code=code or (element.get("literal") if not uri else None),
            scheme=self.aliases.get(alias) or self.profile.schemes.get(alias),
            uri=uri if not code else None,
            name=self._called(element) or None,
        )
        if found:
            self.subjects.append(found)

    def on_keyword(self, element: Any) -> None:
        """A free keyword."""
        if said := words(element):
            self.keywords.append(said)

    def on_slugline(self, element: Any) -> None:
        """The slugline; several are joined."""
        if said := words(element):
            add_text(self.fields, "slugline", said, "-")

    def on_headline(self, element: Any) -> None:
        """The main headline in the item's language, else the first; the others are kept."""
        said = words(element)
        role = _bare(element.get("role") or "")
        if not said:
            return
        fit = self._fit(element)
        if role in ("", "main", "hl1", "headline") and fit > self.fits.get("headline", -1):
            if self.fields.get("headline"):
                self.extra.setdefault("headlines", []).append(self.fields["headline"])
            self.fields["headline"], self.fits["headline"] = said, fit
        elif not self.fields.get("headline"):
            self.fields["headline"] = said
        else:
            self.extra.setdefault("headlines", []).append(said)
        self.hints[f"headline:{role}"] = said

    def on_dateline(self, element: Any) -> None:
        """The dateline as text, taken for the place where none is named."""
        if said := words(element):
            self.hints["dateline"] = said
            self.extra["dateline"] = said

    def on_by(self, element: Any) -> None:
        """The byline as text."""
        if said := words(element):
            add_text(self.fields, "byline", said, "; ")

    def on_credit(self, element: Any) -> None:
        """The credit line goes before the provider."""
        if said := words(element).rstrip(" -\u2013\u2014"):
            self.fields["credit"] = said

    def on_description(self, element: Any) -> None:
        """Summary, caption and the like, by role."""
        said, role, fit = words(element), _bare(element.get("role") or ""), self._fit(element)
        if said and fit > self.fits.get(f"description:{role}", -1):
            self.fits[f"description:{role}"] = fit
            self.captions[role] = self.hints[f"description:{role}"] = said

    def on_icon(self, element: Any) -> None:
        """A small picture of the item, for items without another."""
        if url := media.absolute(element.get("href"), self.profile.media_base_url):
            self.hints["icon"] = media.Offer(
                url, element.get("contenttype"), media.number(element.get("width")), media.number(element.get("height"))
            )

    def on_copyright_holder(self, element: Any) -> None:
        """The holder, where there is no notice."""
        if name := self._called(element):
            self.fields.setdefault("copyright", name)

    def on_copyright_notice(self, element: Any) -> None:
        """The notice goes before the holder."""
        self._put("copyright", element)

    def on_usage_terms(self, element: Any) -> None:
        """How the content may be used."""
        self._put("usage_terms", element)

    def _descriptions(self) -> None:
        headline = self.fields.get("headline") or "\x00"
        # Some send slugline and headline once more as the caption of a text.
        told = {role: said for role, said in self.captions.items() if not said.endswith(headline)}
        for role in _SUMMARIES:
            if role in told:
                self.fields["summary"] = told[role]
                return
        if told:
            self.fields["summary"] = next(iter(told.values()))

    def _content(self, section: Any, offers: list[media.Offer]) -> None:
        best = 99
        for one in section:
            name = local(one)
            if name == "remoteContent":
                self._remote(one, offers)
            elif name in ("inlineXML", "inlineData"):
                rank, told = self._inline(one) if name == "inlineXML" else self._data(one)
                if one.get(_XML_LANG) and not self._fit(one):
                    rank += 10
                if rank < best and (told.get("body_html") or told.get("headline")):
                    best = rank
                    for field, value in told.items():
                        if field == "body_html" or not self.fields.get(field):
                            self.fields[field] = value

    def _inline(self, element: Any) -> tuple[int, dict[str, Any]]:
        """How good the text is, the best being 0, and what it tells."""
        inner = next((one for one in element if local(one)), None)
        if inner is None:
            return 3, {"body_html": text.paragraphs(element.text or "")}
        name = local(inner).lower()
        article = inner if name == "nitf" else inner.find(".//{*}nitf")
        if article is not None:
            return 1, nitf.body_of(article, self.profile.media_base_url, self.draft)
        if name == "body" and child(inner, "TEXT") is not None:
            return 1, ttnitf.body_of(inner)
        return self._markup(element, inner, name)

    def _markup(self, element: Any, inner: Any, name: str) -> tuple[int, dict[str, Any]]:
        """The same of XHTML and of what is nearly NITF or XHTML."""
        if name == "body.content":
            return 1, {"body_html": markup.in_paragraph(markup.to_html(element, markup.NITF, markup.NITF_DROPPED))}
        page = inner if name in ("html", "body") else inner.find(".//{http://www.w3.org/1999/xhtml}body")
        if page is not None:
            body = child(page, "body") if name == "html" else page
            return 0, {"body_html": markup.page(page if body is None else body)}
        if name in markup.XHTML:
            return 0, {"body_html": markup.in_paragraph(markup.to_html(element, markup.XHTML))}
        said = [f"<p>{markup.to_html(one, markup.XHTML)}</p>" for one in inner.iter("{*}p") if words(one)]
        return 4, {"body_html": "".join(said)}

    def _data(self, element: Any) -> tuple[int, dict[str, Any]]:
        said = "".join(element.itertext())
        kind = (element.get("contenttype") or "text/plain").lower()
        if "base64" in (element.get("encoding") or "").lower():
            try:
                said = base64.b64decode("".join(said.split()), validate=True).decode("utf-8")
            except (binascii.Error, ValueError):
                self.draft.repaired("unreadable-content", "/contentSet/inlineData", "base64 that is no text")
                return 9, {}
        if "html" in kind:
            return 1, {"body_html": text.body_of_page(said).strip()}
        if kind.startswith("text/") or not kind:
            if text.is_markup(said) and "</p>" in said:
                return 2, {"body_html": text.reset(said.strip())}
            return 2, {"body_html": text.paragraphs(said)}
        self.extra.setdefault("content", []).append(kind)
        return 9, {}

    def _remote(self, element: Any, offers: list[media.Offer]) -> None:
        href = element.get("href") or ""
        mime = element.get("contenttype")
        url = media.absolute(href, self.profile.media_base_url)
        if url is None:
            if target := element.get("residref"):
                self.refers.append(target)
            elif href:
                self.unresolved.append(href[:1000])
            return
        if mime and mime.startswith(("text/", "application/x", "application/json")):
            self.extra.setdefault("links", []).append({"rel": "content", "target": url, "title": mime})
            return
        offers.append(
            media.Offer(
                url,
                mime,
                media.number(element.get("width")),
                media.number(element.get("height")),
                media.number(element.get("size")),
                element.get("rendition") or "",
            )
        )

    def _groups(self, section: Any) -> None:
        """What a package refers to: pictures that can be fetched are its own, the rest is told by its titles."""
        told: list[str] = []
        for one in section.iter("{*}itemRef"):
            target = one.get("residref") or one.get("href") or ""
            mime = one.get("contenttype") or ""
            url = media.absolute(one.get("href"), self.profile.media_base_url)
            if one.get("residref"):
                self.refers.append(target)
            if url and mime.startswith(("image/", "video/", "audio/")):
                about = {
                    "caption": words(child(one, "description")),
                    "headline": self._title(one),
                    "guid": one.get("residref"),
                }
                found = media.reference(
                    [
                        media.Offer(
                            url,
                            mime,
                            media.number(one.get("width")),
                            media.number(one.get("height")),
                            media.number(one.get("size")),
                        )
                    ],
                    media.kind_of(mime),
                    about,
                )
                pictures = self.fields.setdefault("media", [])
                if found and len(pictures) <= MOST["media"]:
                    pictures.append(found)
                continue
            title = self._title(one)
            if title:
                told.append(title)
            self.extra.setdefault("members", []).append({"target": target[:2000], "title": title})
        if told:
            self.fields["body_html"] = (
                "<ul>" + "".join(f"<li>{escape(one, quote=False)}</li>" for one in told) + "</ul>"
            )

    def _finish(self, offers: list[media.Offer]) -> None:
        fields = self.fields
        references: list[dict[str, Any]] = list(fields.get("media") or ())
        kind = media.kind_of(
            self.nature if self.nature in media.KINDS else None, *(offer.mime_type for offer in offers)
        )
        icon = self.hints.get("icon")
        if offers:
            own = self.nature in _PLAIN_PICTURES
            photographer = next((one["name"] for one in self.creators if one.get("role") in ("photographer", None)), "")
            about = {
                "guid": self.guid if own else None,
                "headline": fields.get("headline") if own else None,
                "caption": (self.captions.get("caption") or fields.get("summary")) if own else None,
                "credit": (fields.get("credit") or fields.get("byline") or photographer) if own else None,
                "copyright": fields.get("copyright"),
                "usage_terms": fields.get("usage_terms"),
                "alt_text": self.captions.get("alttext") or self.captions.get("alt"),
            }
            found = media.reference(offers, kind, about)
            if found:
                references.append(found)
        if not references and icon is not None:
            found = media.reference([icon], "picture", {"role": "thumbnail"})
            references += [found] if found else []
        if references:
            fields["media"] = media.with_roles(references)
        elif pictures := media.in_html(fields.get("body_html") or "", self.profile.media_base_url):
            fields["media"] = media.with_roles(pictures)
        fields["headline"] = fields.get("headline") or self.hints.get("title", "")
        fields.setdefault("language", self.language)
        self._place()
        fields["subjects"] = self.subjects
        if self.creators:
            fields["creators"] = self.creators
        if self.keywords:
            fields["keywords"] = self.keywords
        if self.unresolved and not offers:
            told = {"caption": self.captions.get("caption"), "credit": fields.get("credit")}
            self.extra["media_unresolved"] = [media.unresolved(one, told) for one in self.unresolved]
        if self.nature:
            self.extra["itemClass"] = self.nature
        if self.extra:
            fields["extra"] = {**fields.get("extra", {}), **self.extra}
        self.draft.hints = {**self.hints, **{name: value for name, value in fields.items() if isinstance(value, str)}}

    def _place(self) -> None:
        """The dateline is what readers are told; where the content was made may be a machine's nearest city."""
        if place := text.place_of_dateline(self.hints.get("dateline", "")):
            named = [one.strip() for one in self.fields.get("located", "").split(";")]
            if not any(one and one.casefold() in place.casefold() for one in named):
                self.fields["located"] = place


_TIMES = {
    "versionCreated": "version_created",
    "firstCreated": "first_created",
    "contentCreated": "first_created",
    "expires": "expires_at",
}
_Handlers = dict[str, Callable[[_Item, Any], None]]
_RIGHTS: _Handlers = {
    "copyrightHolder": _Item.on_copyright_holder,
    "copyrightNotice": _Item.on_copyright_notice,
    "usageTerms": _Item.on_usage_terms,
}
_ITEM_META: _Handlers = {
    "itemClass": _Item.on_class,
    "provider": _Item.on_provider,
    "versionCreated": _Item.on_time,
    "firstCreated": _Item.on_time,
    "expires": _Item.on_time,
    "embargoed": _Item.on_embargoed,
    "pubStatus": _Item.on_status,
    "signal": _Item.on_signal,
    "edNote": _Item.on_note,
    "link": _Item.on_link,
    "service": _Item.on_service,
    "title": _Item.on_title,
}
_CONTENT_META: _Handlers = {
    "icon": _Item.on_icon,
    "urgency": _Item.on_urgency,
    "contentCreated": _Item.on_time,
    "expires": _Item.on_time,
    "located": _Item.on_located,
    "creator": _Item.on_creator,
    "contributor": _Item.on_creator,
    "language": _Item.on_language,
    "genre": _Item.on_genre,
    "keyword": _Item.on_keyword,
    "subject": _Item.on_subject,
    "slugline": _Item.on_slugline,
    "headline": _Item.on_headline,
    "dateline": _Item.on_dateline,
    "by": _Item.on_by,
    "creditline": _Item.on_credit,
    "description": _Item.on_description,
}

FORMAT = Format(
    names=("newsml-g2", "newsml"),
    media_types=(
        "application/vnd.iptc.g2.newsmessage+xml",
        "application/vnd.iptc.g2.newsitem+xml",
        "application/vnd.iptc.g2.packageitem+xml",
    ),
    recognise=recognise,
    read=read,
    family="xml",
)
