"""Articles of content systems and of publishers' interfaces, as the members that `json.dialects` reads.

Each module has a test of what an object looks like (`is_one`) and what it says under the usual names (`as_article`); adding
a system is adding it to `_SYSTEMS`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pydantic import JsonValue

from ingest.formats.json.systems import ans, drupal, publishers, wordpress

Item = dict[str, JsonValue]


class _System(NamedTuple):
    is_one: Callable[[Mapping[str, JsonValue]], bool]
    as_article: Callable[[Item], Item]


_SYSTEMS = (
    _System(ans.is_story, ans.as_article),
    _System(wordpress.is_post, wordpress.as_article),
    _System(drupal.is_node, drupal.as_article),
    _System(publishers.is_guardian, publishers.of_guardian),
    _System(publishers.is_ghost, publishers.of_ghost),
    _System(publishers.is_times, publishers.of_times),
)


def is_known(item: Mapping[str, JsonValue]) -> bool:
    """Whether an object is one of a system that is known."""
    return any(one.is_one(item) for one in _SYSTEMS)


def as_article(item: Item) -> Item:
    """The object's members under the usual names; itself where its system is not known."""
    for one in _SYSTEMS:
        if one.is_one(item):
            return {name: value for name, value in one.as_article(item).items() if value not in (None, "", [], {})}
    return item
