"""Stories: their ids, which were merged into which, and what editors say of them."""

import re
from collections.abc import Mapping

from enrich.short_text import line_of, slug_of
from shared.messages import StoryProfile
from shared.messages.limits import LONGEST
from shared.postgres.pool import Row

MOST_MERGES = 20
MADE = re.compile(r"story-[a-z2-7]{10}|update-[a-z2-7]{26}")
"""Ids of stories that no source and no editor has named: of `gathered_story` and of `own_story`."""


def story_id(name: str) -> str:
    """The id of a story by the name that a source gives it: a slug, the same for every source."""
    return slug_of(line_of(name, LONGEST["story"]))


def own_story(update_id: str) -> str:
    """The story of an update that an editor has split off."""
    return f"update-{update_id}"


def gathered_story(update_id: str) -> str:
    """The story of updates that were found to be alike, by the first of them."""
    return f"story-{update_id[:10]}"


def is_made(story: str) -> bool:
    """Whether an id was made here, so that it is no name that readers should see."""
    return MADE.fullmatch(story) is not None


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


def profile_of(row: Row) -> StoryProfile:
    """The profile of a row of `enrich.stories` that has one."""
    return StoryProfile(
        edition=row["edition"], name=row["label"], standfirst=row["standfirst"], summary=tuple(row["summary"])
    )
