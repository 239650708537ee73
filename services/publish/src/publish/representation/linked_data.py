"""schema.org for search engines: LiveBlogPosting for feeds, NewsArticle for an update's own page."""

import re
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from publish.representation.fragment import web_address
from publish.representation.origin import source_type_uri
from publish.representation.pictures import Picture, pictures_of
from publish.representation.reader_json import dump
from publish.representation.reader_update import ReaderAuthor, ReaderUpdate
from publish.representation.site import Site, author_path
from publish.representation.words import language_of, modified_at, printable, title_of

CONTEXT = "https://schema.org"
MOST_OF_A_POSTING = 5_000
"""Characters of a text that is on a page of many in full."""


def script(value: dict[str, object]) -> Markup:
    """JSON that can stand inside a script element, whatever it says."""
    text = dump(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 -- nothing is left that HTML would read


def _publisher(site: Site) -> dict[str, object]:
    logo: dict[str, object] = {"logo": {"@type": "ImageObject", "url": site.logo}} if site.logo else {}
    return {"@type": "NewsMediaOrganization", "name": site.name, "url": site.url + "/", **logo}


_ORGANISATION = re.compile(
    r"\b(?:agency|agencies|bureau|desk|editors|editorial|network|news|newsroom|news service|redaktion|reporters|staff|team)$|^(?:AFP|ANSA|AP|APA|BBC|CNN|dpa|EFE|PAP|Reuters|TASS|Ukrinform|UPI|Xinhua)$",
    re.IGNORECASE,
)
"""Names that no person has: how desks end, and agencies by their short names."""


def _is_organisation(author: ReaderAuthor, update: ReaderUpdate) -> bool:
    """Whether an author is an agency or a desk: said so, or named so, or the one to be credited."""
    name = author.name.strip()
    return (
        author.kind == "organisation"
        or _ORGANISATION.search(name) is not None
        or (author.id is None and name.casefold() in {update.credit.strip().casefold(), update.source.casefold()})
    )


def _authors(site: Site, update: ReaderUpdate, *contributions: str) -> list[dict[str, object]]:
    return [
        {
            "@type": "Organization" if _is_organisation(author, update) else "Person",
            "name": printable(author.name),
            **({"url": site.url + author_path(author.slug)} if author.slug else {}),
            **({"jobTitle": printable(author.role)} if author.role else {}),
            **({"workLocation": {"@type": "Place", "name": printable(author.located)}} if author.located else {}),
        }
        for author in update.authors
        if author.contribution in contributions
    ]


def _people(site: Site, update: ReaderUpdate) -> dict[str, object]:
    """Who did what: an editor, a translator and a photographer are no authors."""
    writers = _authors(site, update, "writing", "reporting")
    others = {
        "editor": _authors(site, update, "editing"),
        "translator": _authors(site, update, "translation"),
        "contributor": _authors(site, update, "photography"),
    }
    named: dict[str, object] = {
        "author": writers or [{"@type": "Organization", "name": printable(update.credit) or site.name}]
    }
    return named | {role: people for role, people in others.items() if people}


def _about(site: Site, update: ReaderUpdate, kind: str) -> dict[str, object]:
    url = site.url + update.path
    return {
        "@type": kind,
        "@id": f"urn:slugline:update:{update.update_id}",
        "headline": title_of(update),
        "url": url,
        "datePublished": site.iso(update.first_published_at),
        "dateModified": site.iso(modified_at(update)),
        **_people(site, update),
        "articleBody": printable(update.text),
        **({"inLanguage": language_of(update)} if language_of(update) else {}),
        **({"digitalSourceType": source_type_uri(update.digital_source_type)} if update.digital_source_type else {}),
        **(
            {"translationOfWork": {"@type": kind, "@id": f"urn:slugline:update:{update.translation_of}"}}
            if update.translation_of
            else {}
        ),
        **({"image": [_image(site, picture) for picture in pictures_of(update)]} if pictures_of(update) else {}),
    }


def _image(site: Site, picture: Picture) -> dict[str, object]:
    """A picture, with what Google's image metadata asks for where the source said it."""
    media = picture.media
    named: dict[str, object] = {
        "creditText": picture.credit,
        "creator": {"@type": "Person", "name": printable(media.creator)} if media.creator else None,
        "copyrightNotice": printable(media.copyright),
        "license": web_address(media.terms_url),
        "acquireLicensePage": web_address(media.licensor_url),
        "digitalSourceType": source_type_uri(media.digital_source_type),
    }
    return {
        "@type": "ImageObject",
        "url": site.url + picture.largest,
        "contentUrl": site.url + picture.largest,
        "width": picture.width,
        "height": picture.height,
        "caption": picture.caption,
        **{name: value for name, value in named.items() if value},
    }


def news_article(site: Site, update: ReaderUpdate) -> dict[str, object]:
    """An update's own page."""
    return {
        "@context": CONTEXT,
        **_about(site, update, "NewsArticle"),
        "mainEntityOfPage": site.url + update.path,
        "publisher": _publisher(site),
        "wordCount": update.word_count,
        "keywords": [tag.label or tag.code for tag in update.tags],
        **({"correction": printable(update.change.reason)} if update.updated_at and update.change.reason else {}),
    }


def blog_posting(site: Site, update: ReaderUpdate) -> dict[str, object]:
    """An update on a page of live updates: of a long one its excerpt, as the page shows it."""
    long = len(update.text) > MOST_OF_A_POSTING
    return _about(site, update, "BlogPosting") | (
        {"articleBody": printable(update.excerpt or update.text[:400])} if long else {}
    )


def live_blog(
    site: Site,
    headline: str,
    url: str,
    updates: Sequence[ReaderUpdate],
    postings: Sequence[dict[str, object]],
    *,
    about: str = "",
    began_at: datetime | None = None,
    closed_at: datetime | None = None,
) -> dict[str, object]:
    """A page of live updates, with those of their postings that can be shown.

    A story's coverage began at `began_at`, whichever of its updates are on the page, and is over since `closed_at` if that
    is set.
    """
    published = [update.first_published_at for update in updates]
    value: dict[str, object] = {
        "@context": CONTEXT,
        "@type": "LiveBlogPosting",
        "@id": url,
        "url": url,
        "headline": printable(headline),
        **({"description": printable(about)} if about else {}),
        "publisher": _publisher(site),
        "author": _publisher(site),
        "liveBlogUpdate": list(postings),
    }
    if published:
        value["datePublished"] = value["coverageStartTime"] = site.iso(began_at or min(published))
        value["dateModified"] = site.iso(max(modified_at(update) for update in updates))
    if closed_at is not None:
        value["coverageEndTime"] = site.iso(closed_at)
    return value


def breadcrumbs(site: Site, crumbs: Sequence[tuple[str, str]]) -> dict[str, object]:
    """The way to a page from the front page: paths and names, its own the last."""
    way = [("/", site.name), *crumbs]
    return {
        "@context": CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": printable(name), "item": site.url + path}
            for place, (path, name) in enumerate(way, 1)
        ],
    }
