"""Which words changed."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.text.domain.word_diff import DIFF_LENGTH, word_diff

words = st.text(alphabet="ab \n.é", max_size=60)


@settings(max_examples=300, deadline=None)
@given(words, words)
def test_a_diff_gives_both_texts_back(old: str, new: str) -> None:
    """Kept and taken out make the old text, kept and put in the new one."""
    diff = word_diff(old, new)
    if old != new:
        assert "".join(part for sign, part in diff if sign in "=-") == old
        assert "".join(part for sign, part in diff if sign in "=+") == new


longer = st.lists(st.sampled_from(["the", " ", "  ", "\n\n", "ferry", "5", ",", ".", "é", "a-b", "harbour"]), max_size=400).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(longer, longer, longer, longer)
def test_a_diff_of_long_texts_gives_back_what_it_does_not_shorten(begin: str, end: str, taken: str, put: str) -> None:
    """What both have before and behind is skipped quickly, and is in the diff as whole words."""
    old, new = begin + taken + end, begin + put + end
    diff = word_diff(old, new)
    for text, signs in ((old, "=-"), (new, "=+")):
        if old != new:
            said = "".join(part for sign, part in diff if sign in signs)
            place = 0
            for piece in said.split(" … "):
                place = text.index(piece, place) + len(piece)
            assert " … " in said or said == text
    assert not any(one[0] == other[0] for one, other in itertools.pairwise(diff))


def test_a_diff_tells_the_words_that_changed() -> None:
    """A number that was wrong is taken out and the right one put in; nothing else moves."""
    assert word_diff("At least 5 people died.", "At least 7 people died.") == (
        ("=", "At least"),
        ("-", " 5"),
        ("+", " 7"),
        ("=", " people died."),
    )


@pytest.mark.parametrize(("old", "new"), [("a b " * 50_000, "b a c " * 50_000), ("same " * 9000 + "old", "same " * 9000 + "new"), ("x" * 10**6, "y" * 10**6)])  # fmt: skip
def test_a_diff_is_bounded_whatever_the_texts(old: str, new: str) -> None:
    """It fits beside the update, and is done in time."""
    assert sum(len(part) for _, part in word_diff(old, new)) <= 2 * DIFF_LENGTH
