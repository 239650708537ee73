"""Arc XP's ANS (github.com/washingtonpost/ans-schema, story 0.10) as the members that `dialects` reads. Pure.

A story is a list of elements (texts, headings, lists, pictures, posts) with what is said about it in objects by purpose:
`headlines.basic`, `credits.by`, `taxonomy.tags`, `promo_items.basic`.
"""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from ingest.formats.json.document import text_of
from ingest.formats.json.shapes import member
from ingest.formats.text import plain as text

Item = dict[str, JsonValue]

_MOST = 1_000
_DEPTH = 4
_LEFT_OUT = frozenset(
    {"interstitial_link", "divider", "reference", "story", "link_list", "table_of_contents", "numeric_rating"}
)
"""Elements that lead elsewhere."""


def is_story(item: Mapping[str, JsonValue]) -> bool:
    """Whether an object is one of ANS."""
    return isinstance(item.get("headlines"), dict) and (
        "content_elements" in item or "promo_items" in item or "canonical_website" in item
    )


def as_article(item: Item) -> Item:
    """The story's members under the usual names."""
    elements = [one for one in _list(item.get("content_elements"))[:_MOST] if isinstance(one, dict)]
    revision, published = item.get("revision"), item.get("status")
    is_draft = isinstance(revision, dict) and revision.get("published") is False
    article: Item = {
        "guid": item.get("_id"),
        "headline": item.get("headlines"),
        "summary": _basic(item, "subheadlines") or _basic(item, "description"),
        "content_html": "".join(_html(one) for one in elements),
        "authors": [
            one
            for one in _list(_of(item, "credits", "by"))
            if isinstance(one, dict) and one.get("type") in (None, "author", "person")
        ],
        "credit": _of(item, "distributor", "name") or _of(item, "source", "name"),
        "copyright": item.get("copyright"),
        "link": item.get("canonical_url") or item.get("website_url"),
        "first_created": item.get("first_publish_date") or item.get("created_date"),
        "version_created": item.get("last_updated_date") or item.get("publish_date") or item.get("display_date"),
        "language": item.get("language"),
        "slug": item.get("slug"),
        "status": "draft" if is_draft else published if isinstance(published, str) else None,
        "topics": [
            {"name": said}
            for one in _list(_of(item, "taxonomy", "tags"))[:200]
            if isinstance(one, dict) and (said := text_of(member(one, ("text", "description", "slug"))))
        ],
        "sections": [
            {"name": said}
            for one in _list(_of(item, "taxonomy", "sections"))[:50]
            if isinstance(one, dict) and (said := text_of(one.get("name")))
        ],
        "keywords": _of(item, "taxonomy", "seo_keywords"),
        "note": _of(item, "planning", "internal_note") or _of(item, "workflow", "note"),
        "media": list(_pictures(item, elements)),
    }
    return {name: value for name, value in article.items() if value not in (None, "", [], {})}


def _of(item: Mapping[str, JsonValue], name: str, inner: str) -> JsonValue:
    value = item.get(name)
    return value.get(inner) if isinstance(value, dict) else None


def _basic(item: Mapping[str, JsonValue], name: str) -> str:
    return text_of(_of(item, name, "basic"))


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _html(element: Item, depth: int = 0) -> str:  # noqa: PLR0911 -- a table of kinds
    """An element as HTML; empty for what is a picture, or leads elsewhere."""
    kind = text_of(element.get("type")).lower()
    said = text_of(element.get("content"))
    if kind in _LEFT_OUT or depth > _DEPTH or kind in ("image", "gallery"):
        return ""
    if kind == "header":
        level = element.get("level")
        return (
            f"<h{level if level in (2, 3, 4) else 3}>{said}</h{level if level in (2, 3, 4) else 3}>"
            if said.strip()
            else ""
        )
    if kind == "raw_html":
        return said
    if kind in ("oembed_response", "video"):
        address = (
            text_of(_of(element, "raw_oembed", "url"))
            or text_of(element.get("canonical_url"))
            or text_of(element.get("url"))
        )
        title = text.escaped(_basic(element, "headlines") or text_of(_of(element, "raw_oembed", "title")))
        if not address.startswith(("http://", "https://")):
            return ""
        return f'<iframe src="{text.escaped(address).replace(chr(34), "%22")}" title="{title.replace(chr(34), "&quot;")}"></iframe>'
    if kind == "table":
        return _table(element)
    if kind in ("list", "list_element"):
        tag = "ol" if text_of(element.get("list_type")) == "ordered" else "ul"
        inner = "".join(
            f"<li>{_inline(one, depth)}</li>" for one in _list(element.get("items"))[:_MOST] if isinstance(one, dict)
        )
        return f"<{tag}>{inner}</{tag}>" if inner else ""
    if kind in ("quote", "element_group"):
        inner = "".join(
            _html(one, depth + 1) for one in _list(element.get("content_elements"))[:_MOST] if isinstance(one, dict)
        )
        return f"<blockquote>{inner}</blockquote>" if kind == "quote" and inner else inner
    if kind in ("text", "correction", "") and text.of_html(text.unescaped(said)):
        return f"<p>{said}</p>"
    return ""


def _table(element: Item) -> str:
    rows = [_list(element.get("header")), *(_list(one) for one in _list(element.get("rows"))[:_MOST])]
    cells = (
        ["".join(("<td>", text_of(member(cell, ("content",))), "</td>")) for cell in row[:100]] for row in rows if row
    )
    return "".join(("<table>", *("".join(("<tr>", *row, "</tr>")) for row in cells), "</table>")) if any(rows) else ""


def _inline(element: Item, depth: int) -> str:
    return (
        text_of(element.get("content")) if text_of(element.get("type")) in ("text", "") else _html(element, depth + 1)
    )


def _pictures(item: Item, elements: list[Item]) -> Iterator[JsonValue]:
    """The lead, then the pictures among the elements."""
    lead = _of(item, "promo_items", "lead_art") or _of(item, "promo_items", "basic")
    found = [lead, *elements]
    for index, one in enumerate(found):
        if not isinstance(one, dict) or text_of(one.get("type")) not in ("image", "gallery"):
            continue
        several = _list(one.get("content_elements")) if one.get("type") == "gallery" else [one]
        for picture in several[:100]:
            if isinstance(picture, dict):
                yield _picture(picture, is_lead=index == 0)


def _picture(picture: Item, *, is_lead: bool) -> Item:
    credits_of = picture.get("credits")
    names = [
        said
        for group in ("by", "affiliation")
        for one in _list(credits_of.get(group) if isinstance(credits_of, dict) else None)[:10]
        if isinstance(one, dict) and (said := text_of(member(one, ("byline", "name"))).strip())
    ]
    return {
        "type": "picture",
        "url": _of(picture, "additional_properties", "originalUrl") or picture.get("url"),
        "width": picture.get("width"),
        "height": picture.get("height"),
        "caption": picture.get("caption"),
        "alt_text": picture.get("alt_text"),
        "credit": "/".join(dict.fromkeys(names)),
        "is_lead": is_lead,
    }
