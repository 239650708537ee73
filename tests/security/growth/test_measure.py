"""What judges others tells what grows in proportion from what does not, and hardly depends on the machine."""

from security.growth.measure import growth, quiet_s

WORDS = "a word, "


def test_what_is_in_proportion_passes() -> None:
    """A copy and a search."""
    assert not growth(lambda text: text.replace("a", "b").count("word"), lambda n: WORDS * n, 200_000)


def test_the_square_is_told() -> None:
    """Each word looks at all that stands before it."""
    grown = growth(lambda text: [text.count("z", 0, at) for at in range(0, len(text), 8)], lambda n: WORDS * n, 2_000)
    assert "for four times as much" in grown


def test_a_time_counts_as_the_best_of_several_and_ends_within_its_bound() -> None:
    """A call that is slow once is called again; one that is within the bound is not."""
    calls = iter([range(3_000_000), range(10), range(10)])
    assert quiet_s(lambda: sum(next(calls)), 0.002) <= 0.002
    assert len(list(calls)) == 1
