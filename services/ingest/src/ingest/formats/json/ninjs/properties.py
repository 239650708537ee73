"""Properties of ninjs by names in lower case, and what of them has a field of ours."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pydantic import JsonValue

from ingest.formats.fields import TimeField
from ingest.formats.json.document import text_of
from ingest.formats.json.ninjs.texts import Texts, Variant, plain
from ingest.formats.json.shapes import html_of

SUBJECTS = {
    "person": "person", "people": "person", "organisation": "organisation", "organisations": "organisation",
    "organization": "organisation", "organizations": "organisation", "place": "place", "places": "place",
    "subject": "subject", "subjects": "subject", "event": "event", "events": "event", "object": "other",
    "objects": "other", "genre": "genre", "genres": "genre", "service": "product",
}  # fmt: skip
"""Kinds of subjects by the property that holds them."""
TIMES: dict[str, TimeField] = {
    "versioncreated": "version_created", "firstcreated": "first_created", "embargoed": "embargo_until",
    "embargoeduntil": "embargo_until", "expires": "expires_at", "expiry": "expires_at",
}  # fmt: skip
_TEXTS = {
    "headline": "headline", "headlines": "headline", "description": "description", "descriptions": "description",
    "body": "body", "bodies": "body",
}  # fmt: skip
_KNOWN = frozenset([
    *SUBJECTS, *TIMES, "uri", "guid", "version", "pubstatus", "urgency", "language", "headline", "headlines", "title",
    "bodies", "descriptions", "byline", "by", "authors", "copyrightnotice", "copyrightholder", "usageterms", "digitalsourcetype",
    "located", "slugline", "keywords", "ednote", "evolvedfrom", "associations", "renditions", "standard", "$standard",
    "$schema", "signal", "signals",
])  # fmt: skip
"""Properties of ninjs that have a field of ours."""

NinjsItem = dict[str, JsonValue]
"""An item, association or rendition by names in lower case, or as sent."""


class _Name(NamedTuple):
    """What the name of a property means."""

    low: str
    base: str | None
    """The kind of text that it holds."""
    role: str | None
    """What 1.x writes behind the first underscore or hyphen: `body_html`, `headline-short`; None where there is none."""
    known: bool


def _name_of(name: str) -> _Name:
    low = name.lower()
    prefix = low.partition("_")[0].partition("-")[0]
    exact = low in _TEXTS
    role = None if exact or prefix == low else low[len(prefix) + 1 :]
    return _Name(low, _TEXTS.get(prefix), role, low in _KNOWN or prefix in _TEXTS)


_name_known = lru_cache(2048)(_name_of)


def folded(value: NinjsItem) -> tuple[NinjsItem, Texts, NinjsItem]:
    """An item by names in lower case; its headlines, descriptions and bodies; and what ninjs has no name for."""
    item: NinjsItem = {}
    texts: Texts = {"headline": [], "description": [], "body": []}
    extra: NinjsItem = {}
    for name, one in value.items():
        low, base, role, known = _name_known(name) if len(name) < 40 else _name_of(name)
        item[low] = one
        if base is None:
            if not known and one is not None:
                extra[name] = one
        elif isinstance(one, str):
            if one:
                texts[base].append(
                    Variant("main", False, "", one) if role is None else Variant(role, "html" in role, "", one)
                )
        elif role is None:
            texts[base] += _several(one)
    return item, texts, extra


def _several(value: JsonValue) -> Iterator[Variant]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict) and "value" not in each and (html := html_of(each)):
            yield Variant("", True, "", html)
        elif isinstance(each, dict) and (content := text_of(each.get("value"))):
            kind = text_of(each.get("contentType") or each.get("contenttype")).lower()
            role = text_of(each.get("role")).lower().rpartition(":")[2].rpartition("/")[2]
            yield Variant(role, "html" in kind or "html" in role, kind, content)
        elif isinstance(each, str) and each:
            yield Variant("", False, "", each)


def name_of(item: NinjsItem) -> str:
    """The item's identity. AP's media API gives the address of one answer, which changes each time; the id beside it lasts."""
    value = text_of(item.get("uri")) or text_of(item.get("guid"))
    if ("?" in value or not value) and isinstance(others := item.get("altids"), dict):
        return text_of(others.get("itemid") or others.get("itemId")) or value
    return value


def first_text(item: NinjsItem, *names: str) -> str:
    """The first of some fields that says anything, as plain text."""
    for name in names:
        value = item.get(name)
        if value:
            words = " ".join(filter(None, map(text_of, value))) if isinstance(value, list) else text_of(value)
            if words:
                return plain(words)
    return ""
