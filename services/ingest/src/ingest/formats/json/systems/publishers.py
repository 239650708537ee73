"""Interfaces of publishers: the Guardian's Open Platform, Ghost's content, the New York Times's newswire, as the members that `dialects` reads. Pure."""

from collections.abc import Mapping

from pydantic import JsonValue

from ingest.formats.json.document import text_of
from ingest.formats.json.systems.members import inner, names, objects

Item = dict[str, JsonValue]


def is_guardian(item: Mapping[str, JsonValue]) -> bool:
    """Whether an object is an item of open-platform.theguardian.com."""
    return "webTitle" in item and "webUrl" in item


def of_guardian(item: Item) -> Item:
    """Its members under the usual names; what is asked for stands in `fields`."""
    tags = objects(item.get("tags"))
    thumbnail = text_of(inner(item, "fields", "thumbnail"))
    return {
        "guid": item.get("id"),
        "link": item.get("webUrl"),
        "headline": text_of(inner(item, "fields", "headline")) or item.get("webTitle"),
        "summary": text_of(inner(item, "fields", "standfirst")) or text_of(inner(item, "fields", "trailText")),
        "content_html": text_of(inner(item, "fields", "body")),
        "byline": text_of(inner(item, "fields", "byline")),
        "authors": [{"name": one} for one in names([one for one in tags if one.get("type") == "contributor"], "webTitle")],
        "topics": [{"name": one} for one in names([one for one in tags if one.get("type") == "keyword"], "webTitle")],
        "sections": [{"name": item.get("sectionName")}],
        "language": inner(item, "fields", "lang"),
        "version_created": text_of(inner(item, "fields", "lastModified")) or text_of(item.get("webPublicationDate")),
        "first_created": text_of(item.get("webPublicationDate")),
        "media": [{"type": "picture", "url": thumbnail}] if thumbnail else [],
    }  # fmt: skip


def is_ghost(item: Mapping[str, JsonValue]) -> bool:
    """Whether an object is a post of Ghost."""
    return "comment_id" in item and "html" in item and "title" in item


def of_ghost(item: Item) -> Item:
    """Its members under the usual names; what is for members alone is withheld, and tags that begin with `#` are the site's own."""
    is_public = item.get("visibility") in (None, "public")
    image = text_of(item.get("feature_image"))
    return {
        "guid": text_of(item.get("uuid")) or text_of(item.get("id")),
        "link": item.get("url"),
        "headline": item.get("title"),
        "summary": item.get("custom_excerpt"),
        "content_html": item.get("html"),
        "status": (item.get("status") or "publish") if is_public else "private",
        "authors": [{"name": one} for one in names(item.get("authors")) or names(item.get("primary_author"))],
        "topics": [{"name": one} for one in names(item.get("tags")) if not one.startswith("#")],
        "slug": item.get("slug"),
        "version_created": text_of(item.get("updated_at")) or text_of(item.get("published_at")),
        "first_created": text_of(item.get("published_at")) or text_of(item.get("created_at")),
        "media": [{"type": "picture", "url": image, "caption": item.get("feature_image_caption"), "alt_text": item.get("feature_image_alt"), "is_lead": True}] if image else [],
    }  # fmt: skip


def is_times(item: Mapping[str, JsonValue]) -> bool:
    """Whether an object is an item of the New York Times's newswire or top stories."""
    return "des_facet" in item and "abstract" in item and "url" in item


def of_times(item: Item) -> Item:
    """Its members under the usual names."""
    pictures = [one for one in objects(item.get("multimedia")) if one.get("url")]
    largest = max(pictures, key=lambda one: width if isinstance(width := one.get("width"), int) else 0, default=None)
    return {
        "guid": text_of(item.get("uri")) or text_of(item.get("url")),
        "link": item.get("url"),
        "headline": item.get("title"),
        "summary": item.get("abstract"),
        "byline": item.get("byline"),
        "credit": item.get("source"),
        "sections": [{"name": item.get("section")}],
        "topics": item.get("des_facet"),
        "places": item.get("geo_facet"),
        "version_created": text_of(item.get("updated_date")) or text_of(item.get("published_date")),
        "first_created": text_of(item.get("published_date")) or text_of(item.get("created_date")),
        "media": [{"type": "picture", "url": largest.get("url"), "caption": largest.get("caption"), "credit": largest.get("copyright"), "is_lead": True}] if largest else [],
    }  # fmt: skip
