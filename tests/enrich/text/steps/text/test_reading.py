"""Reading time and excerpts."""

import pytest

from enrich.text.steps.text.reading import excerpt_of, reading


@pytest.mark.parametrize(
    ("language", "text", "words", "minutes"),
    [
        ("en", "word " * 238 * 3, 714, 3),
        ("de", "Wort " * 179 * 3, 537, 3),
        ("zh", "新" * 255 * 2, 510, 2),
        ("ja", "カ" * 357 * 2, 714, 2),
        ("en", "", 0, 1),
        ("zh", "北京 2026 年", 4, 1),
    ],
)
def test_reading_takes_the_time_of_its_language(language: str, text: str, words: int, minutes: int) -> None:
    """Words where a script has spaces, characters where it has none, at the speed of its readers."""
    assert reading(text, language) == (words, minutes)


def test_an_excerpt_ends_with_a_sentence_or_at_a_word() -> None:
    """Never in the middle of a word, and never longer than asked for."""
    sentences = (
        "The council met on Monday. It agreed on the budget for the coming year. Nobody spoke against it at all."
    )
    assert excerpt_of(sentences, 80) == "The council met on Monday. It agreed on the budget for the coming year."
    assert excerpt_of("word " * 100, 52) == "word word word word word word word word word word…"
    assert len(excerpt_of("x" * 1000)) <= 241


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "The ministers met again on Monday.",
            "They will go on talking at 10 a.m. on Friday in the same place as before",
        ),
        (
            "Der Rat hat dem Haushalt zugestimmt.",
            "Die Frist endet am 31. Dezember, wie der Bürgermeister am Montag sagte, und",
        ),
        (
            "The court heard three witnesses.",
            "The next to speak is Dr. Quill, who saw the ship leave the harbour that night",
        ),
        (
            "He came back in the spring.",
            "Then J. R. Marsh of the U.S. Coast Guard told the court what had been found aboard",
        ),
        (
            "Das Gesetz gilt sofort.",
            "Es betrifft z.B. Betriebe mit mehr als 50 Beschäftigten, teilte das Ministerium am Montag mit",
        ),
    ],
)
def test_an_excerpt_does_not_end_at_an_abbreviation_or_an_ordinal(first: str, second: str) -> None:
    """The full stop of `10 a.m.`, `31.`, `Dr.` and initials ends no sentence."""
    text = f"{first} {second} {second}"
    for length in range(len(first) + 1, len(text)):
        excerpt = excerpt_of(text, length)
        assert excerpt.endswith(("…", first))
