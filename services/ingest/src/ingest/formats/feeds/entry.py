"""One entry of a feed as feedparser gives it: identity, times, words, people and subjects.

feedparser's dictionaries map names to others; `dict.get` bypasses that.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from urllib.parse import urljoin

from ingest.formats import media, times, vocabularies
from ingest.formats.fields import CreatorFields, SubjectFields
from ingest.formats.model import Draft, RefusedItem
from ingest.formats.text import plain as text

Entry = dict[str, object]
"""A dictionary of feedparser's."""

_RELATIVE = re.compile(
    r"(<[a-zA-Z][^<>]{0,2000}?\s(?:src|href|poster|data-src|data-lazy-src|data-original)=)(?:\"([^\"<>]*)\"|'([^'<>]*)')"
)
_TAKEN = frozenset([
    "id", "guidislink", "link", "links", "title", "title_detail", "summary", "summary_detail", "content", "published",
    "published_parsed", "updated", "updated_parsed", "created", "created_parsed", "author", "author_detail",
    "authors", "contributors", "tags", "rights", "rights_detail", "source", "enclosures", "media_content",
    "media_thumbnail", "media_credit", "media_keywords", "language", "image", "expired", "expired_parsed",
    "publisher", "publisher_detail", "href", "credit", "media_about-description", "media_about-title",
])  # fmt: skip


def several(entry: Entry, name: str) -> list[Entry]:
    """A list of dictionaries. Where a feed has an element of that name of its own, feedparser gives its text instead."""
    found = dict.get(entry, name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def detail_of(entry: Entry, name: str) -> Entry:
    found = dict.get(entry, name)
    return found if isinstance(found, dict) else {}


def optional(value: object) -> str | None:
    """A text; None for anything else."""
    return value if isinstance(value, str) else None


def string(value: object) -> str:
    """A text; empty for anything else."""
    return value if isinstance(value, str) else ""


_NO_IDS = frozenset(
    {"n/a", "na", "none", "null", "nil", "undefined", "guid", "id", "-", "0", "false", "true", "tba", "unknown"}
)
"""What content systems write where there is no id."""


def shared_ids(entries: list[Entry]) -> frozenset[str]:
    """Ids that several entries with different links, or without one with different titles, have: they identify none of them."""
    first: dict[str, object] = {}
    shared: set[str] = set()
    for entry in entries:
        name = dict.get(entry, "id")
        if not isinstance(name, str) or not name:
            continue
        own = dict.get(entry, "link") or dict.get(entry, "title")
        if name.strip().casefold() in _NO_IDS or first.setdefault(name, own) != own:
            shared.add(name)
    return frozenset(shared)


def shared_links(entries: list[Entry]) -> frozenset[str]:
    """Links that several entries without an id have: they identify none of them."""
    seen: set[str] = set()
    shared: set[str] = set()
    for entry in entries:
        link = dict.get(entry, "link")
        if link and isinstance(link, str) and not dict.get(entry, "id"):
            (shared if link in seen else seen).add(link)
    return frozenset(shared)


_PAGES = (None, "", "alternate")


def set_identity(draft: Draft, entry: Entry, unclear: frozenset[str], base: str | None = None) -> None:
    """Set the source's id, else the link; else `identify_from_text` has to make one.

    `base` is what the feed's relative links are meant against; an enclosure is no page of an entry, nor its id.
    """
    value = dict.get(entry, "id")
    enclosed = {one.get("href") for one in several(entry, "links") if one.get("rel") == "enclosure"}
    pages = [one.get("href") for one in several(entry, "links") if one.get("href") and one.get("rel") in _PAGES]
    link = next((one for one in (dict.get(entry, "link"), *pages) if one and one not in enclosed), None)
    if value in enclosed and link:
        value = None
    if isinstance(value, str) and value in unclear:
        draft.repaired("identity-shared", "/id", value)
        value = None
    if isinstance(link, str) and (url := media.absolute(link, base)):
        draft.fields["link"] = url
    if isinstance(value, str) and value.strip():
        draft.fields["guid"] = value.strip()
        return
    if isinstance(link, str) and link and link not in unclear:
        draft.fields["guid"] = link
        draft.repaired("identity-from-link")


def identify_from_text(draft: Draft) -> Draft | RefusedItem:
    """Make an id from the text of an entry that has neither id nor link; refuse an entry without content."""
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


def set_times(draft: Draft, entry: Entry, zone: tzinfo) -> None:
    """Set the times as written, with their offset; feedparser's reading where ours fails."""
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


def _of_tuple(known: object) -> datetime | None:
    try:
        year, month, day, hour, minute, second = known[:6] if isinstance(known, tuple) else ()
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, TypeError):
        return None


def set_words(draft: Draft, entry: Entry, feed: Entry, rights: str, address: str | None = None) -> None:
    """Set the entry's texts; `rights` are the feed's, for an entry that names none, `address` what its relative links are meant against."""
    fields = draft.fields
    fields["headline"] = plain(detail_of(entry, "title_detail"), dict.get(entry, "title"))
    contents = [one for one in several(entry, "content") if one.get("value")]
    summary = detail_of(entry, "summary_detail")
    base = ""
    if contents:
        best = max(contents, key=lambda one: ("html" in string(one.get("type")), len(string(one["value"]))))
        body, base = _html(best), string(best.get("base"))
        fields["summary"] = plain(summary, dict.get(entry, "summary"))
        if fields["summary"] == text.of_html(body):
            fields["summary"] = ""
    else:
        body, base = (_html(summary) if summary.get("value") else ""), string(summary.get("base"))
        fields["summary"] = ""
    fields["body_html"] = resolved(body, base or fields.get("link") or address or "")
    language = next(
        (one.get("language") for one in (*contents, summary, detail_of(entry, "title_detail")) if one.get("language")),
        None,
    )
    if value := language or dict.get(entry, "language") or dict.get(feed, "language"):
        fields["language"] = str(value)[:40]
    own = dict.get(entry, "rights")
    fields["copyright"] = plain(detail_of(entry, "rights_detail"), own) if own else rights
    origin = dict.get(entry, "source")
    if isinstance(origin, dict) and isinstance(origin.get("title"), str):
        fields["credit"] = text.of_html(origin["title"])
    if keywords := string(dict.get(entry, "media_keywords")):
        fields["keywords"] = [one.strip() for one in keywords.split(",") if one.strip()]


def _html(detail: Entry) -> str:
    value = string(detail.get("value"))
    if detail.get("type") == "text/plain" and not (text.is_markup(value) and "<" in value and "</" in value):
        return text.paragraphs(value)
    return text.body_of_page(value) if "<" in value else text.paragraphs_of_escaped(value)


def plain(detail: Entry, value: object) -> str:
    words = string(value)
    if detail.get("type") == "text/plain":
        return text.one_line(words)
    return text.of_html(words)


def resolved(html: str, base: str) -> str:
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


_ADDRESS_AND_NAME = re.compile(r"([\w.+-]{1,64}@[\w.-]{1,200}) \(([^()@]{1,200})\)")
"""RSS's form of an author: `jane@example.org (Jane Doe)`."""


def set_people(draft: Draft, entry: Entry) -> None:
    """Set creators and byline. An e-mail address is no name."""
    creators: list[CreatorFields] = []
    if named := _ADDRESS_AND_NAME.fullmatch(string(dict.get(entry, "author"))[:400].strip()):
        # feedparser knows top-level domains of four letters at most.
        creators.append({"name": text.of_html(named.group(2)), "email": named.group(1)})
    for one in several(entry, "authors") if not creators else ():
        name = text.of_html(string(one.get("name")))
        if not name and (value := string(dict.get(entry, "author"))) and "@" not in value:
            name = text.of_html(value)
        if name:
            creators.append({"name": name, "uri": optional(one.get("href")), "email": optional(one.get("email"))})
    if not creators and (value := string(dict.get(entry, "author"))) and "@" not in value:
        creators.append({"name": text.of_html(value)})
    for one in several(entry, "contributors"):
        name = text.of_html(string(one.get("name")))
        creators += (
            [
                {
                    "name": name,
                    "uri": optional(one.get("href")),
                    "email": optional(one.get("email")),
                    "role": "contributor",
                }
            ]
            if name
            else []
        )
    if creators and string(dict.get(entry, "yt_channelid")):
        # Of a platform for videos the author is the channel.
        draft.fields["credit"] = str(creators[0]["name"])
        return
    if creators:
        draft.fields["creators"] = creators
        draft.fields["byline"] = ", ".join(
            dict.fromkeys(str(one["name"]) for one in creators if one.get("role") != "contributor")
        )


def _each_tag(name: str) -> list[str]:
    """The topics of a category: some write several into one, others a path (RSS 2.0, `category`), whose last step is the topic."""
    if name.count(",") > 1 and (", " not in name or name.count(", ") > 2):
        return [one.strip() for one in name.split(",")[:_MOST_IN_ONE] if one.strip()]
    if name.endswith("/") or name.count("/") > 1:
        return [name.rstrip("/").rpartition("/")[2].strip()] if "://" not in name else [name]
    return [name]


_MOST_IN_ONE = 30


def subjects_of(entry: Entry) -> Iterator[SubjectFields]:
    for one in several(entry, "tags"):
        term = text.one_line(string(one.get("term")))
        label = text.one_line(string(one.get("label")))
        scheme = string(one.get("scheme")) or None
        coded = bool(term) and bool(scheme or label)
        for name in _each_tag(label or term):
            found = vocabularies.subject("subject", code=term if coded else None, scheme=scheme, name=name or None)
            if found:
                yield found


def extra_of(entry: Entry) -> dict[str, object]:
    return {
        name: value[:4000]
        for name, value in entry.items()
        if name not in _TAKEN and isinstance(value, str) and value and not name.endswith("_parsed")
    }
