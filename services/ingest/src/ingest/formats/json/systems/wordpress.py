"""WordPress's REST interface (developer.wordpress.org/rest-api/reference/posts) as the members that `dialects` reads. Pure.

Texts stand in `rendered`; authors, pictures and terms only where the address was asked with `_embed`.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from ingest.formats.json.document import text_of
from ingest.formats.json.systems.members import inner, names, objects
from ingest.formats.text import plain as text

Item = dict[str, JsonValue]


def is_post(item: Mapping[str, JsonValue]) -> bool:
    """Whether an object is a post or page."""
    return isinstance(item.get("title"), dict) and (
        inner(item, "content", "rendered") is not None or inner(item, "excerpt", "rendered") is not None
    )


def as_article(item: Item) -> Item:
    """The post's members under the usual names; one that asks for a password is withheld."""
    link = text_of(item.get("link"))
    embedded = item.get("_embedded")
    with_it = embedded if isinstance(embedded, dict) else {}
    writers = names(with_it.get("author")) or [text_of(inner(item, "yoast_head_json", "author"))]
    terms = objects(with_it.get("wp:term"))
    excerpt = text_of(inner(item, "excerpt", "rendered"))
    is_protected = inner(item, "content", "protected") is True
    return {
        "guid": text_of(inner(item, "guid", "rendered")) or link or text_of(item.get("id")),
        "link": link,
        "headline": text.of_html(text_of(inner(item, "title", "rendered"))),
        "content_html": text_of(inner(item, "content", "rendered")),
        "summary": "" if is_protected else text.of_html(excerpt),
        "status": "private" if is_protected else item.get("status"),
        "version_created": _time(item, "modified") or _time(item, "date"),
        "first_created": _time(item, "date"),
        "language": item.get("lang"),
        "slug": item.get("slug"),
        "authors": [{"name": text.of_html(one)} for one in writers if one],
        "sections": [{"name": text.of_html(one)} for one in names([one for one in terms if one.get("taxonomy") == "category"])],
        "topics": [{"name": text.of_html(one)} for one in names([one for one in terms if one.get("taxonomy") != "category"])],
        "media": list(_pictures(item, with_it)),
    }  # fmt: skip


def _time(item: Item, name: str) -> str:
    """A time; those of `..._gmt` are UTC without saying so, the others the site's own."""
    utc = text_of(item.get(f"{name}_gmt"))
    return f"{utc}Z" if utc and utc[-1:].isdigit() else utc or text_of(item.get(name))


def _pictures(item: Item, with_it: Item) -> list[JsonValue]:
    found: list[JsonValue] = [
        {
            "type": "picture",
            "url": one.get("source_url"),
            "mimetype": one.get("mime_type"),
            "width": inner(one, "media_details", "width"),
            "height": inner(one, "media_details", "height"),
            "caption": text_of(inner(one, "caption", "rendered")),
            "alt_text": one.get("alt_text"),
            "is_lead": True,
        }
        for one in objects(with_it.get("wp:featuredmedia"))
        if one.get("source_url")
    ]
    if not found and (url := text_of(item.get("jetpack_featured_media_url"))):
        found.append({"type": "picture", "url": url, "is_lead": True})
    return found
