"""Stories: their ids, and which were merged into which."""

from collections.abc import Mapping

from enrich.short_text import line_of, slug_of
from shared.messages.limits import LONGEST

MOST_MERGES = 20


def story_id(name: str) -> str:
    """The id of a story by the name that a source gives it: a slug, the same for every source."""
    return slug_of(line_of(name, LONGEST["story"]))


def own_story(update_id: str) -> str:
    """The story of an update that an editor has split off."""
    return f"update-{update_id}"


def merged_story(story: str, into: Mapping[str, str]) -> str:
    """The story that another one belongs to, after editors have merged them."""
    for _ in range(MOST_MERGES):
        if story not in into:
            return story
        story = into[story]
    return story


def is_apart(ordered: str | None, gathered: str | None, into: Mapping[str, str]) -> bool:
    """Whether an editor put an update into another story than that of the updates it is like."""
    if ordered is None:
        return False
    return gathered is None or merged_story(ordered, into) != merged_story(gathered, into)
