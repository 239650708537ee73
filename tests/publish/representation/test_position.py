"""The fold that every channel shares."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.representation.position import Position, channels_of, fold
from shared.messages import Author, Tag
from support.revisions import revision

REVISIONS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.sampled_from([None, None, None, "withdrawn", "killed"])),
    max_size=12,
)


def test_channels_are_named_by_everything_that_a_reader_may_follow() -> None:
    """An update belongs to news, its source, itself, its tags, its story and its resolved authors, and to nothing else."""
    update = revision("a").model_copy(
        update={
            "story": "flood",
            "authors": (Author(name="Ana", slug="ana"), Author(name="Unknown")),
            "tags": (Tag(code="medtop:1", label="One"),),
        }
    )
    assert channels_of(update) == {
        "news", "source:wire", f"update:{update.update_id}", "story:flood", "author:ana", "tag:medtop:1",
    }  # fmt: skip


@given(REVISIONS)
def test_a_kill_is_final_and_positions_are_those_of_the_first_sight(log: list[tuple[str, int, str | None]]) -> None:
    """Whatever the order: nothing killed is seen, each update is seen once, at its first visible place, newest first."""
    placed = [((1, n), revision(guid, number, removal=removal)) for n, (guid, number, removal) in enumerate(log)]
    seen = fold(placed)
    killed = {update.update_id for _, update in placed if update.is_final}
    assert not killed & {each.update.update_id for each in seen}
    assert all(later.position < earlier.position for earlier, later in pairwise(seen))
    for each in seen:
        first = min(
            place for place, update in placed if update.update_id == each.update.update_id and not update.removal
        )
        assert each.position == first
        assert each.update.revision == max(
            update.revision for _, update in placed if update.update_id == each.update.update_id
        )


@given(REVISIONS)
def test_a_repeat_changes_nothing(log: list[tuple[str, int, str | None]]) -> None:
    """The whole log once more, as after a crash, gives the same."""
    once = [((1, n), revision(guid, number, removal=removal)) for n, (guid, number, removal) in enumerate(log)]
    again = [((1, n + len(log)), update) for (_, n), update in once]
    assert fold(once + again) == fold(once)


@pytest.mark.parametrize(
    "cursor", ["", "1", "-1", "1-", "a-b", "1-2-3", "٣-١", "1- 2", "9" * 40 + "-1", "1-" + "9" * 40]
)
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    """Only epoch-offset in ASCII digits of a bounded length is a cursor."""
    with pytest.raises(ValueError, match="cursor"):
        Position.parse(cursor)
