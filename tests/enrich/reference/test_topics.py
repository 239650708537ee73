"""Media Topics that desks are suggested, from the vocabulary's own words and those of news."""

import pytest

from enrich.reference.iptc_release import read_release
from enrich.reference.loader import vocabulary_with
from enrich.reference.topics.suggest import LEAST_SHARE, MOST, TopicSuggester
from enrich.reference.topics.words import words_of
from enrich.reference.vocabulary import shipped

SUGGESTER = TopicSuggester(shipped())

TEXTS = [
    ("en", "Striker scores twice as United win the cup", "The team beat the league champions in the final. The coach praised his goalkeeper and the players.", "15"),
    ("en", "Man charged with murder after stabbing", "Police arrested the suspect on Monday. A court will hear the prosecutor in June; the defendant denies the killing.", "02"),
    ("en", "Storm brings heavy rain and snow", "Forecasters warn of strong winds; temperatures fall to minus five degrees.", "17"),
    ("de", "Zentralbank hebt Leitzins an, Aktien fallen", "Anleger verkauften Bankaktien, der Dax gab nach. Die Inflation liegt bei drei Prozent.", "04"),
    ("de", "Landesregierung verliert Abstimmung im Landtag", "Die Koalition aus SPD und Grünen hat ihre Mehrheit verloren, die Opposition fordert Neuwahlen.", "11"),
    ("fr", "Grève des salariés", "Les syndicats appellent les travailleurs à la grève pour les salaires et les retraites.", "09"),
    ("es", "El papa recibe a los obispos", "La iglesia católica y el Vaticano anuncian una peregrinación con el arzobispo.", "12"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "headline", "text", "top"), TEXTS)
def test_a_text_is_suggested_what_it_is_about(language: str, headline: str, text: str, top: str) -> None:
    """In four languages, inflected and compounded, with the words that say so."""
    first, *others = SUGGESTER.suggest(headline, text, language)
    assert first.code == f"medtop:{top}000000"
    assert first.share >= LEAST_SHARE
    assert first.because
    assert len(others) < MOST


def test_nothing_is_suggested_for_little_or_for_a_language_without_words() -> None:
    """A guess is no suggestion."""
    assert SUGGESTER.suggest("More to come", "We will be back.", "en") == []
    assert SUGGESTER.suggest("", "", "en") == []
    assert SUGGESTER.suggest("Гол на последней минуте", "Команда выиграла матч.", "ru") == []
    assert SUGGESTER.suggest("サッカー", "試合", "und") == []


def test_the_release_brings_its_definitions() -> None:
    """They speak for their topic too, in each language that it has."""
    concepts, meant = read_release(
        b'{"conceptSet": [{"qcode": "medtop:15000000", "prefLabel": {"en-GB": "sport"}, "definition": {"en-GB": "Competitive quidditch"}}]}'
    )
    assert concepts[0].definitions == {"en": "Competitive quidditch"}
    words = words_of(vocabulary_with(concepts, meant), "en")
    assert words is not None
    assert "quiddit" in words.concepts["medtop:15000000"]


def test_long_texts_and_long_words_cost_no_more() -> None:
    """Whatever is sent, a suggestion looks at its beginning."""
    assert SUGGESTER.suggest("x" * 100_000, "match " + "y" * 1_000_000, "de") == []
