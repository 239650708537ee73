"""Words of several languages by what they have in common: stems, spellings, parts of compounds, translations."""

import pytest

from enrich.stories.events.signature import terms_of
from enrich.stories.events.stems import parts_of, stem_of


@pytest.mark.parametrize(
    "words",
    [
        ("evacuation", "evacuated", "evacuados"),
        ("killed", "kills", "killing"),
        ("inflation", "inflacion", "inflazione"),
        ("oreshin", "oreschin", "oresjin"),
    ],
)
def test_endings_and_spellings_of_one_word_are_one_stem(words: tuple[str, ...]) -> None:
    """Languages end and spell a word in their own way."""
    assert len({stem_of(word) for word in words}) == 1


@pytest.mark.parametrize(
    "words", ["villages Dörfer pueblo dorp", "Swiss Schweizer suisse suizo svizzero", "dam Staumauer barrage presa"]
)
def test_translations_of_a_word_are_one_term(words: str) -> None:
    """What the tables know is one word to us."""
    assert len(set(terms_of(words))) == 1


def test_a_compound_says_what_its_parts_say() -> None:
    """German and Dutch write in one word what others write in two."""
    assert terms_of("Hafenarbeiter") == terms_of("port worker")
    assert parts_of("hausbrand", {"haus", "brand"}) == ("haus", "brand")
    assert parts_of("klinikkette", {"klinik"}) == ("klinik", "kette")
    assert parts_of("restaurant", {"haus"}) is None


def test_a_long_word_takes_time_in_proportion() -> None:
    """A word of a hundred thousand letters is looked at like any other, and no further than its beginning."""
    assert len(terms_of("x" * 100_000)) == 1
