"""Drupal's nodes, of JSON:API (drupal.org/docs/core-modules-and-themes/core-modules/jsonapi-module) and of its older REST, as the members that `dialects` reads. Pure."""

from collections.abc import Mapping

from pydantic import JsonValue

from ingest.formats.json.document import text_of
from ingest.formats.json.systems.members import inner, objects

Item = dict[str, JsonValue]

_BYLINES = ("field_byline", "field_author", "field_authors", "field_writer")
_SUMMARIES = ("field_teaser", "field_summary", "field_subtitle", "field_standfirst", "field_deck", "field_lead", "field_intro")  # fmt: skip


def is_node(item: Mapping[str, JsonValue]) -> bool:
    """Whether an object is a node."""
    if isinstance(item.get("attributes"), dict):
        return text_of(item.get("type")).startswith("node--")
    return isinstance(item.get("nid"), list) and isinstance(item.get("title"), list)


def as_article(item: Item) -> Item:
    """The node's members under the usual names."""
    attributes = item.get("attributes")
    node: Item = attributes if isinstance(attributes, dict) else {name: _only(value) for name, value in item.items()}
    body = node.get("body")
    status = node.get("status")
    return {
        "guid": text_of(item.get("id")) or text_of(node.get("uuid")) or text_of(node.get("nid")),
        "headline": node.get("title"),
        "content_html": _html(body) or max((_html(value) for name, value in node.items() if name.startswith("field_")), key=len, default=""),
        "summary": _said(node, _SUMMARIES) or text_of(inner(node, "body", "summary")),
        "byline": _said(node, _BYLINES),
        "link": inner(node, "path", "alias") or node.get("path"),
        "language": node.get("langcode"),
        "version_created": text_of(node.get("changed")) or text_of(node.get("created")),
        "first_created": text_of(node.get("created")),
        "status": "draft" if status in (False, 0, "0") else "publish",
    }  # fmt: skip


def _only(value: JsonValue) -> JsonValue:
    """The value of REST's lists of one: `[{"value": "Port reopens"}]`."""
    if not isinstance(value, list):
        return value
    first = next(iter(objects(value[:1])), {})
    return first if len(first) > 1 and ("processed" in first or "alias" in first) else first.get("value")


def _html(value: JsonValue) -> str:
    """A formatted text: what Drupal made of it, else what was written."""
    if not isinstance(value, dict):
        return ""
    return text_of(value.get("processed")) or text_of(value.get("value"))


def _said(node: Item, several: tuple[str, ...]) -> str:
    for name in several:
        value = node.get(name)
        if words := _html(value) or text_of(value):
            return words
    return ""
