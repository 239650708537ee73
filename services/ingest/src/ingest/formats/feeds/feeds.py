"""RSS 0.9 to 2.0, RDF (RSS 1.0), Atom 0.3 and 1.0 and CDF, by feedparser, which has met more broken feeds than anybody.

feedparser is given bytes that are decoded and freed of their document type, so that it opens and fetches nothing; its
own sanitising is off, since enrich does that, and it would lose content. Media RSS is read from the tree beside it,
since feedparser forgets which caption belongs to which picture. Sources: RSS 2.0 specification, RFC 4287, RFC 6721
(deleted entries), Media RSS 1.5.1.
"""

import hashlib
import io
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import feedparser
from lxml import etree

from ingest.formats import media, times, vocabularies
from ingest.formats.model import MAX_ITEMS, Document, Draft, Format, Parsed, RefusedItem, Unreadable
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from shared.messages import Repair

MAX_TAGS_BROKEN = 50_000
"""The same for a feed that is not well formed, which takes several times as long."""

MAX_BROKEN_CHARACTERS = 2 * 1024 * 1024

_ROOTS = {
    "rss": "rss",
    "feed": "atom",
    "RDF": "rdf",
    "rdf": "rdf",
    "channel": "rss",
    "CHANNEL": "rss",
    "Channel": "rss",
    "redirect": "",
}
_MEDIA_RSS = ("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss")
_NO_CHARACTER = re.compile(r"&#(?:\d{8,}|[xX]0*[1-9a-fA-F][0-9a-fA-F]{6,});?")
"""References to characters that Unicode does not have, which feedparser trips over."""

_AVATAR = re.compile(r"https?://[\w.\-]{0,40}gravatar\.com/avatar/", re.IGNORECASE)
"""WordPress tells its author's face as if it were the entry's picture."""

_RELATIVE = re.compile(r"(<[a-zA-Z][^<>]{0,2000}?\s(?:src|href|poster)=)(?:\"([^\"<>]*)\"|'([^'<>]*)')")
_TAKEN = frozenset(
    {
        "id",
        "guidislink",
        "link",
        "links",
        "title",
        "title_detail",
        "summary",
        "summary_detail",
        "content",
        "published",
        "published_parsed",
        "updated",
        "updated_parsed",
        "created",
        "created_parsed",
        "author",
        "author_detail",
        "authors",
        "contributors",
        "tags",
        "rights",
        "rights_detail",
        "source",
        "enclosures",
        "media_content",
        "media_thumbnail",
        "media_credit",
        "media_keywords",
        "language",
        "image",
        "expired",
        "expired_parsed",
        "publisher",
        "publisher_detail",
        "href",
        "credit",
    }
)


def recognise(document: Document) -> int:
    """Sure of a root element that only feeds have."""
    name, _ = xml_document.root_name(document)
    if name in ("rss", "feed"):
        return 90
    if name in ("RDF", "rdf"):
        return 85
    if name.lower() == "channel":
        return 70
    head = document.head
    return (
        55
        if name
        and any(
            f"<{root}" in head for root in ("rss ", "rss>", "feed ", "rdf:RDF", "item>", "item ", "entry>", "entry ")
        )
        else 0
    )


def read(document: Document) -> Parsed:
    """One draft for each entry, in the order of the feed."""
    source = xml_document.prepared(document)
    root = _tree(source)
    repairs: list[Repair] = []
    result = _parsed(_shortened(root, source, repairs), document)
    entries = result.entries
    if len(entries) > MAX_ITEMS:
        raise Unreadable("too-many-items", "", f"{len(entries)} entries, {MAX_ITEMS} are permitted")
    version = result.get("version") or ""
    name, _ = xml_document.root_name(document)
    if not entries and not version and name not in _ROOTS:
        raise Unreadable("not-a-feed", "/", f"the root element {name[:60]!r} is no feed's")
    kind = (
        "atom" if version.startswith("atom") else "rdf" if version in ("rss10", "rss090") else _ROOTS.get(name) or "rss"
    )
    if result.get("bozo") and not isinstance(
        problem := result.get("bozo_exception"), feedparser.NonXMLContentType | feedparser.CharacterEncodingOverride
    ):
        repairs.append(Repair(code="malformed-xml", detail=str(problem)[:200]))
    elements = _elements(root, source, len(entries))
    unclear = _shared_links(entries)
    zone = times.zone(document.profile.time_zone)
    grouped = "media:group" in source
    # The type of its text was never looked at, since that of each entry was.
    rights = _plain(None, dict.get(result.feed, "rights"))
    items: list[Draft | RefusedItem] = []
    for index, entry in enumerate(entries):
        draft = Draft(place=f"/{'entry' if kind == 'atom' else 'item'}[{index + 1}]", hints=entry)
        _identity(draft, entry, unclear)
        _times(draft, entry, zone)
        _words(draft, entry, result.feed, rights)
        _people(draft, entry)
        draft.fields["subjects"] = list(_subjects(entry))
        references = _media(entry, elements[index] if elements else None, grouped)
        if not references:
            references = media.in_html(draft.fields["body_html"])
        draft.fields["media"] = media.with_roles(references)
        if extra := _extra(entry):
            draft.fields["extra"] = extra
        items.append(_identity_from_text(draft))
    items += _deleted(root)
    return Parsed(kind, items, repairs)


def _several(entry: Any, name: str) -> list[Any]:
    """What feedparser tells as a list of things; an element of that name of the feed's own is in its place as a text."""
    found = dict.get(entry, name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _detail(entry: Any, name: str) -> Any:
    found = dict.get(entry, name)
    return found if isinstance(found, dict) else {}


def _parsed(source: str, document: Document) -> Any:
    """feedparser's answer, without its own opening, fetching, sanitising."""
    headers = {"content-type": "application/xml; charset=utf-8"}
    if document.profile.media_base_url:
        headers["content-location"] = document.profile.media_base_url
    try:
        return feedparser.parse(
            io.BytesIO(_NO_CHARACTER.sub("", source).encode("utf-8", "replace")),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        AssertionError,
        RecursionError,
        LookupError,
        OverflowError,
    ) as error:
        raise Unreadable("malformed-feed", "", f"{type(error).__name__}: {error}"[:200]) from None


def _tree(source: str) -> Any:
    """The root element, None where it is not well formed; refuses what would keep feedparser busy for long."""
    xml_document.refuse_excess(source)
    tags = source.count("<")
    if (count := max(source.count(f"<{name}") for name in ("item", "entry"))) > 2 * MAX_ITEMS:
        # feedparser takes about ten microseconds for each tag, so what is too much is told before it begins.
        raise Unreadable("too-many-items", "", f"about {count} entries, {MAX_ITEMS} are permitted")
    try:
        root = xml_document.parse_text(source)
        _refuse_excess(source, broken=False)
        return root
    except etree.XMLSyntaxError as error:
        _refuse_excess(source, broken=True)
        if "depth" in str(error):
            raise Unreadable("too-deep", xml_document.place_of(error), "elements are nested too deep") from None
        if tags > MAX_TAGS_BROKEN or len(source) > MAX_BROKEN_CHARACTERS:
            raise Unreadable("malformed-xml", xml_document.place_of(error), str(error)[:300]) from None
        return None


MAX_NAME = 1000
"""Characters of an author: feedparser looks for an address in them in a time that grows with their square."""

MAX_TERMS = 100
"""Categories of an entry, and keywords in one list: feedparser compares each with all before it."""

MAX_PREFIXES = 100
"""Namespaces: feedparser goes through them for each element. Real feeds have up to twenty."""

MAX_ATTRIBUTES = 128
"""Of one element: feedparser goes through them for each of them."""

MAX_BASE = 2000
"""Characters of `xml:base`, against which feedparser resolves the base of each element anew."""

_PEOPLE = frozenset(["author", "creator", "managingeditor", "webmaster", "publisher", "contributor", "owner"])
_TERMS = frozenset(["category", "subject", "keywords"])
_TERM = re.compile(r"<(?:\w{1,20}:)?(?:category|subject)\b", re.IGNORECASE)
_LONG_WORD = re.compile(r"([\w.+\-]{300})[\w.+\-]+")
_PREFIX = re.compile(r"xmlns:([\w.\-]{1,200})")
_LONG_BASE = re.compile(rf"\bbase\s{{0,20}}=\s{{0,20}}[\"']?[^\"'<>]{{{MAX_BASE}}}")
_MANY_ATTRIBUTES = re.compile(rf"<[A-Za-z_](?:[^<>\"']*+(?:\"[^\"<]*+\"|'[^'<]*+')){{{MAX_ATTRIBUTES + 1}}}")


def _refuse_excess(source: str, *, broken: bool) -> None:
    """Raises Unreadable for what feedparser would take long over, a time that grows with the square of it."""
    if "xmlns:" in source and (count := len(set(_PREFIX.findall(source)))) > MAX_PREFIXES:
        raise Unreadable("too-large", "", f"{count} namespaces, {MAX_PREFIXES} are permitted")
    if "base" in source and _LONG_BASE.search(source):
        raise Unreadable("too-large", "//@xml:base", f"more than {MAX_BASE} characters")
    if source.count("=") > MAX_ATTRIBUTES and _MANY_ATTRIBUTES.search(source):
        raise Unreadable("too-large", "", f"an element of more than {MAX_ATTRIBUTES} attributes")
    if broken and (count := len(_TERM.findall(source))) > 50 * MAX_TERMS:
        raise Unreadable("too-large", "", f"{count} categories in a feed that is not well formed")


def _shortened(root: Any, source: str, repairs: list[Repair]) -> str:
    """The feed with names and lists of terms cut; where there is no tree to say what they are, with every word cut."""
    if root is None:
        short = _LONG_WORD.sub(r"\1", source)
        if len(short) != len(source):
            repairs.append(Repair(code="cut", detail="words of more than 300 characters"))
        return short
    changed = False
    spare: list[Any] = []
    for one in root.iter("*"):
        name = xml_document.local(one).lower()
        if name in _PEOPLE or name == "keywords":
            changed = _is_cut(one, name) or changed
        elif one.text is not None and len(one.text) > MAX_NAME and one.text.isspace():
            # feedparser takes blanks off the front of a list, each of which moves the rest.
            one.text = None
            changed = True
        if len(one) > MAX_TERMS:
            for term in _TERMS:
                found = [each for each in one if xml_document.local(each).lower() == term]
                spare += found[MAX_TERMS:]
    if spare:
        repairs.append(Repair(code="too-many", place="//category", detail=f"the first {MAX_TERMS} of each are kept"))
    for one in spare:
        one.getparent().remove(one)
    return etree.tostring(root, encoding="unicode") if changed or spare else source


def _is_cut(one: Any, name: str) -> bool:
    said = "".join(itertools.islice(one.itertext(), MAX_NAME + 1))
    if len(said) <= MAX_NAME and not (name == "keywords" and said.count(",") >= MAX_TERMS):
        return False
    del one[:]
    one.text = ",".join(said.split(",", MAX_TERMS)[:MAX_TERMS])[:MAX_NAME] if name == "keywords" else said[:MAX_NAME]
    return True


def _elements(root: Any, source: str, count: int) -> list[Any]:
    """The entries' elements where the feed is XML and uses Media RSS; as many as there are entries, or none."""
    if root is None or "search.yahoo.com/mrss" not in source:
        return []
    found = list(root.iter("{*}item", "{*}entry"))
    return found if len(found) == count else []


def _shared_links(entries: list[Any]) -> frozenset[str]:
    """Links that several entries without an id have: they identify none of them."""
    seen: set[str] = set()
    shared: set[str] = set()
    for entry in entries:
        if not dict.get(entry, "id") and (link := dict.get(entry, "link")):
            (shared if link in seen else seen).add(link)
    return frozenset(shared)


def _identity(draft: Draft, entry: Any, unclear: frozenset[str]) -> None:
    """The source's id; else the link; else what cannot be told from it: title and time, title, text."""
    said = dict.get(entry, "id")
    link = dict.get(entry, "link") or next(
        (one.get("href") for one in _several(entry, "links") if one.get("href") and one.get("rel") != "enclosure"),
        None,
    )
    if isinstance(link, str) and (url := media.absolute(link)):
        draft.fields["link"] = url
    if isinstance(said, str) and said.strip():
        draft.fields["guid"] = said.strip()
        return
    if isinstance(link, str) and link and link not in unclear:
        draft.fields["guid"] = link
        draft.repaired("identity-from-link")


def _identity_from_text(draft: Draft) -> Draft | RefusedItem:
    """An entry without id or link of its own is known by its words; one that has none says nothing."""
    fields = draft.fields
    shown = [fields.get("headline"), fields.get("body_html"), fields.get("summary")]
    shown += [one["url"] for one in fields.get("media") or ()]
    if not any(shown) and not fields.get("link"):
        return RefusedItem(code="empty", place=draft.place, reason="the entry has no words, picture or link")
    if not fields.get("guid"):
        words = [fields.get("link") or "", fields.get("headline") or ""]
        if not words[1]:
            words += [str(fields.get("first_created") or ""), *(one for one in shown if one)]
        digest = hashlib.sha256("\x00".join(words).encode("utf-8", "replace")).hexdigest()[:32]
        fields["guid"] = f"urn:sha256:{digest}"
        draft.repaired("identity-from-text")
    return draft


def _times(draft: Draft, entry: Any, zone: Any) -> None:
    """As written, with their offset; feedparser's reading where we have none."""
    found: dict[str, datetime] = {}
    for name in ("published", "created", "updated", "expired"):
        written = dict.get(entry, name)
        if not isinstance(written, str) or not written.strip():
            continue
        moment, code = times.parse(written.strip(), zone)
        if moment is None and (known := dict.get(entry, f"{name}_parsed")):
            moment, code = _of_tuple(known), "time-rewritten"
        if moment is None or code not in ("", "time-rewritten"):
            draft.repaired(code or "unreadable-time", f"/{name}", written)
        if moment is not None:
            found[name] = moment
    draft.fields["first_created"] = found.get("published") or found.get("created")
    draft.fields["version_created"] = found.get("updated") or draft.fields["first_created"]
    draft.fields["expires_at"] = found.get("expired")


def _of_tuple(known: Any) -> datetime | None:
    try:
        year, month, day, hour, minute, second = (int(one) for one in known[:6])
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, TypeError):
        return None


def _words(draft: Draft, entry: Any, feed: Any, rights: str) -> None:
    """The entry's texts; `rights` are the feed's, for an entry that names none."""
    fields = draft.fields
    fields["headline"] = _plain(_detail(entry, "title_detail"), dict.get(entry, "title"))
    contents = [one for one in _several(entry, "content") if one.get("value")]
    summary = _detail(entry, "summary_detail")
    base = ""
    if contents:
        best = max(contents, key=lambda one: ("html" in one.get("type", ""), len(one["value"])))
        body, base = _html(best), best.get("base") or ""
        fields["summary"] = _plain(summary, dict.get(entry, "summary"))
        if fields["summary"] == text.of_html(body):
            fields["summary"] = ""
    else:
        body, base = (_html(summary) if summary.get("value") else ""), summary.get("base") or ""
        fields["summary"] = ""
    fields["body_html"] = _resolved(body, base or fields.get("link") or "")
    language = next(
        (one.get("language") for one in (*contents, summary, _detail(entry, "title_detail")) if one.get("language")),
        None,
    )
    if said := language or dict.get(entry, "language") or dict.get(feed, "language"):
        fields["language"] = str(said)[:40]
    own = dict.get(entry, "rights")
    fields["copyright"] = _plain(_detail(entry, "rights_detail"), own) if own else rights
    origin = dict.get(entry, "source")
    if isinstance(origin, dict) and isinstance(origin.get("title"), str):
        fields["credit"] = text.of_html(origin["title"])
    if keywords := _string(dict.get(entry, "media_keywords")):
        fields["keywords"] = [one.strip() for one in keywords.split(",") if one.strip()]


def _html(detail: Any) -> str:
    value = _string(detail.get("value"))
    if detail.get("type") == "text/plain" and not (text.is_markup(value) and "<" in value and "</" in value):
        return text.paragraphs(value)
    return text.body_of_page(value) if "<" in value else text.paragraphs_of_escaped(value)


def _plain(detail: Any, value: Any) -> str:
    said = _string(value)
    if isinstance(detail, dict) and detail.get("type") == "text/plain":
        return text.one_line(said)
    return text.of_html(said)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _resolved(html: str, base: str) -> str:
    """The HTML with its relative links made absolute, where the feed says against what."""
    if not base.startswith(("http://", "https://")) or ("src" not in html and "href" not in html):
        return html

    def absolute(found: re.Match[str]) -> str:
        url = found.group(2) if found.group(2) is not None else found.group(3)
        if re.match(r"[a-zA-Z][\w+.\-]*:|#|$", url):
            return found.group(0)
        try:
            joined = urljoin(base, url)
        except ValueError:
            return found.group(0)
        return f'{found.group(1)}"{joined.replace(chr(34), "%22")}"'

    return _RELATIVE.sub(absolute, html)


def _people(draft: Draft, entry: Any) -> None:
    """Names for the byline; an address is no name and is kept beside it only."""
    creators: list[dict[str, str | None]] = []
    for one in _several(entry, "authors"):
        name = text.of_html(_string(one.get("name")))
        if not name and (said := _string(dict.get(entry, "author"))) and "@" not in said:
            name = text.of_html(said)
        if name:
            creators.append({"name": name, "uri": one.get("href"), "email": one.get("email")})
    if not creators and (said := _string(dict.get(entry, "author"))) and "@" not in said:
        creators.append({"name": text.of_html(said)})
    for one in _several(entry, "contributors"):
        name = text.of_html(_string(one.get("name")))
        creators += (
            [{"name": name, "uri": one.get("href"), "email": one.get("email"), "role": "contributor"}] if name else []
        )
    if creators:
        draft.fields["creators"] = creators
        draft.fields["byline"] = ", ".join(
            dict.fromkeys(str(one["name"]) for one in creators if one.get("role") != "contributor")
        )


def _subjects(entry: Any) -> Iterator[dict[str, Any]]:
    for one in _several(entry, "tags"):
        term = text.one_line(_string(one.get("term")))
        label = text.one_line(_string(one.get("label")))
        scheme = _string(one.get("scheme")) or None
        coded = bool(term) and bool(scheme or label)
        found = vocabularies.subject("subject", code=term if coded else None, scheme=scheme, name=label or term or None)
        if found:
            yield found


def _media(entry: Any, element: Any, grouped: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if element is not None:
        found += _media_rss(element)
    else:
        found += _flat_media(entry, grouped)
    for one in _several(entry, "links"):
        if one.get("rel") == "enclosure":
            found += _single(one.get("href"), one.get("type"), size=one.get("length"), alt=one.get("title"))
    if not any(one["kind"] == "picture" for one in found):
        image = dict.get(entry, "image")
        if isinstance(image, dict):
            found += _single(image.get("href"), "image")
    return found


def _single(
    url: Any, kind: Any, *, width: Any = None, height: Any = None, size: Any = None, alt: Any = None
) -> list[dict[str, Any]]:
    target = media.absolute(url if isinstance(url, str) else None)
    if target is None:
        return []
    said = kind if isinstance(kind, str) else None
    mime = said if said and "/" in said else None
    offer = media.Offer(target, mime, media.number(width), media.number(height), media.number(size))
    one = media.reference(
        [offer], media.kind_of(said, media.by_extension(target), default="document"), {"alt_text": alt}
    )
    return [one] if one else []


def _flat_media(entry: Any, grouped: bool) -> list[dict[str, Any]]:
    """Media RSS as feedparser tells it, where the feed is no XML."""
    credited = [one.get("content") for one in _several(entry, "media_credit") if one.get("content")]
    found: list[dict[str, Any]] = []
    for one in _several(entry, "media_content"):
        found += _single(
            one.get("url"),
            one.get("medium") or one.get("type"),
            width=one.get("width"),
            height=one.get("height"),
            size=one.get("filesize"),
        )
    if not found:
        for one in _several(entry, "media_thumbnail"):
            found += _single(one.get("url"), "image", width=one.get("width"), height=one.get("height"))
    if grouped and found:
        found[0]["renditions"] = tuple(one["url"] for one in found[1:])
        found = found[:1]
    for one in found:
        if credited:
            one["credit"] = credited[0]
    return found


def _media_rss(element: Any) -> list[dict[str, Any]]:
    """Each `media:content` with its own words, or its group's, or the entry's; a group is one medium in many renditions."""
    found: list[dict[str, Any]] = []
    for name in _MEDIA_RSS:
        for group in element.findall(f"{{{name}}}group"):
            offers = [_offer(one) for one in group.iter(f"{{{name}}}content")]
            found += _one_medium(offers, group, element, name)
        for one in element.findall(f"{{{name}}}content"):
            found += _one_medium([_offer(one)], one, element, name)
        if not found:
            for one in element.iter(f"{{{name}}}thumbnail"):
                found += _one_medium([_offer(one, "image")], one.getparent(), element, name)
                break
    return found


def _offer(one: Any, kind: str | None = None) -> tuple[media.Offer | None, str]:
    url = media.absolute(one.get("url"))
    if url is None or _AVATAR.match(url):
        return None, ""
    mime = one.get("type")
    told = kind or media.kind_of(one.get("medium"), mime, media.by_extension(url), default="picture")
    return media.Offer(
        url,
        mime if mime and "/" in mime else None,
        media.number(one.get("width")),
        media.number(one.get("height")),
        media.number(one.get("fileSize")),
    ), told


def _one_medium(
    offers: list[tuple[media.Offer | None, str]], holder: Any, entry: Any, name: str
) -> list[dict[str, Any]]:
    usable = [(offer, kind) for offer, kind in offers if offer is not None]
    if not usable:
        return []
    kind = media.kind_of(usable[0][1])
    about = {
        "caption": _said(holder, entry, name, "description"),
        "headline": _said(holder, None, name, "title") or None,
        "credit": _said(holder, entry, name, "credit"),
        "copyright": _said(holder, entry, name, "copyright"),
    }
    one = media.reference([offer for offer, _ in usable], kind, about)
    return [one] if one else []


def _said(holder: Any, entry: Any, name: str, what: str) -> str:
    for where in (holder, entry):
        if where is not None:
            for found in where.iter(f"{{{name}}}{what}") if where is holder else where.findall(f"{{{name}}}{what}"):
                if words := text.of_html(xml_document.words(found)):
                    return words
    return ""


def _extra(entry: Any) -> dict[str, Any]:
    return {
        name: value[:4000]
        for name, value in entry.items()
        if name not in _TAKEN and isinstance(value, str) and value and not name.endswith("_parsed")
    }


def _deleted(root: Any) -> list[Draft]:
    """RFC 6721: an entry that its publisher took out of the feed goes out of sight until it comes again."""
    drafts: list[Draft] = []
    if root is None:
        return drafts
    for index, one in enumerate(root.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry")):
        draft = Draft(place=f"/deleted-entry[{index + 1}]")
        draft.fields = {"guid": one.get("ref"), "status": "withheld"}
        moment, _ = times.parse(one.get("when") or "")
        if moment is not None:
            draft.fields["version_created"] = moment
        if comment := xml_document.words(xml_document.child(one, "comment")):
            draft.fields["private_note"] = comment
        drafts.append(draft)
    return drafts


FORMAT = Format(
    names=("feed", "rss", "atom", "rdf"),
    media_types=(
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "text/rss+xml",
        "application/x-rss+xml",
    ),
    recognise=recognise,
    read=read,
    family="xml",
)
