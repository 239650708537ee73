"""The story step: which live page an update belongs to, and why."""

from collections.abc import Mapping, Sequence

from enrich.reference.stories import is_apart, is_made, merged_story, own_story
from enrich.short_text import line_of, slug_of
from enrich.text.domain.attachments import StoryPlacement
from enrich.text.domain.state import KnownUpdate
from shared.messages import Corroboration, RawUpdate, StoryProfile
from shared.messages.limits import LONGEST


def place_in_story(
    raw: RawUpdate,
    known: KnownUpdate,
    parent_story: str | None,
    *,
    into: Mapping[str, str],
    labels: Mapping[str, str],
    gathered_labels: Mapping[str, str] | None = None,
    profiles: Mapping[str, StoryProfile] | None = None,
    family: str,
    headline: str,
) -> StoryPlacement:
    """The story of an update: an editor's, else the source's, else the parent's, else that of the updates it is surely like."""
    gathered_labels, profiles = gathered_labels or {}, profiles or {}
    story, label, because = None, "", ""
    if known.story is not None:
        story, because = known.story, known.story_because or "an editor put it there"
    elif raw.story and (called := line_of(raw.story, LONGEST["story"])):
        story, label = slug_of(called), called
        because = f"same story because {raw.source} calls it {label!r}"
    elif parent_story is not None:
        story, because = parent_story, "same story because it grew out of an update of it"
    elif known.gathered is not None and known.gathered_is_sure:
        story, label, because = known.gathered, known.gathered_label, known.gathered_because
    if story:
        own_label = label
        if (into_story := merged_story(story, into)) != story:
            story, because = into_story, f"{because}; {story} was merged into it"
            own_label = known.gathered_label if into_story == known.gathered else gathered_labels.get(story, "")
        own = headline if story == own_story(raw.update_id) else ""
        label = labels.get(story) or own_label or own or (headline if is_made(story) else story.replace("-", " "))
    # An update that an editor has taken away from those that it is like is corroborated by none of them.
    families = () if is_apart(known.story, known.gathered, into) else known.families
    corroboration = corroboration_of(families, family, known.gathered_because)
    return StoryPlacement(story or None, label, corroboration, because, profiles.get(story) if story else None)


def corroboration_of(families: Sequence[str], own: str, because: str) -> Corroboration:
    """How many publisher families report the same; one that only reprints another's wire is of its family."""
    if len(families) < 2:
        return Corroboration(count=1, sources=(own,) if own else ())
    return Corroboration(count=len(families), sources=tuple(sorted(families)), because=because)
