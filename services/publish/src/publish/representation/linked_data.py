"""schema.org for search engines: LiveBlogPosting for feeds, NewsArticle for an update's own page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from publish.representation.views import (
    Views,
    author_path,
    dump,
    language_of,
    modified_at,
    path_of,
    pictures_of,
    seen,
    title_of,
)
from publish.web.feed_store import FeedEntry
from shared.messages import EnrichedUpdate

CONTEXT = "https://schema.org"


def script(value: dict[str, Any]) -> Markup:
    """JSON that can stand inside a script element, whatever it says."""
    text = dump(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 -- nothing is left that HTML would read


def _publisher(views: Views) -> dict[str, Any]:
    return {"@type": "NewsMediaOrganization", "name": views.settings.publish_site_name, "url": views.site_url + "/"}


def _authors(views: Views, update: EnrichedUpdate) -> list[dict[str, Any]]:
    people = [
        {
            "@type": "Person",
            "name": seen(author.name),
            **({"url": views.site_url + author_path(author.slug)} if author.slug else {}),
            **({"jobTitle": seen(author.role)} if author.role else {}),
        }
        for author in update.authors
    ]
    return people or [{"@type": "Organization", "name": seen(update.credit) or views.settings.publish_site_name}]


def _about(views: Views, entry: FeedEntry, kind: str) -> dict[str, Any]:
    update = entry.update
    url = views.site_url + path_of(update)
    return {
        "@type": kind,
        "@id": f"urn:slugline:update:{update.update_id}",
        "headline": title_of(update),
        "url": url,
        "datePublished": views.iso(update.first_published_at),
        "dateModified": views.iso(modified_at(update)),
        "author": _authors(views, update),
        "articleBody": seen(update.text),
        **({"inLanguage": language_of(update)} if language_of(update) else {}),
        **(
            {
                "image": [
                    {
                        "@type": "ImageObject",
                        "url": views.site_url + picture.largest,
                        "width": picture.width,
                        "height": picture.height,
                        "caption": picture.caption,
                        "creditText": picture.credit,
                    }
                    for picture in pictures_of(update)
                ]
            }
            if pictures_of(update)
            else {}
        ),
    }


def news_article(views: Views, entry: FeedEntry) -> dict[str, Any]:
    """An update's own page."""
    update = entry.update
    return {
        "@context": CONTEXT,
        **_about(views, entry, "NewsArticle"),
        "mainEntityOfPage": views.site_url + path_of(update),
        "publisher": _publisher(views),
        "wordCount": update.word_count,
        "keywords": [tag.label or tag.code for tag in update.tags],
        **({"correction": seen(entry.change.reason)} if update.updated_at and entry.change.reason else {}),
    }


def live_blog(
    views: Views, headline: str, url: str, entries: Sequence[FeedEntry], *, closed_at: datetime | None = None
) -> dict[str, Any]:
    """A page of live updates. `closed_at` is set only once the story is over."""
    published = [entry.update.first_published_at for entry in entries]
    value: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "LiveBlogPosting",
        "@id": url,
        "url": url,
        "headline": seen(headline),
        "publisher": _publisher(views),
        "author": _publisher(views),
        "liveBlogUpdate": [
            json
            for _, json in views.omissions.those(
                entries, "linked-data", lambda each: _about(views, each, "BlogPosting")
            )
        ],
    }
    if published:
        value["datePublished"] = value["coverageStartTime"] = views.iso(min(published))
        value["dateModified"] = views.iso(max(modified_at(entry.update) for entry in entries))
    if closed_at is not None:
        value["coverageEndTime"] = views.iso(closed_at)
    return value
