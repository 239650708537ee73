"""Whether a picture may be shown, and under which words."""

import pytest

from enrich.picture_index.embedded import Embedded
from enrich.picture_index.rights import Rights, why_withheld, words_of
from shared.messages import MediaReference

URL = "https://example.org/a.jpg"


def test_the_wire_wins_and_the_picture_fills_what_is_missing() -> None:
    """A desk's correction of the caption must not be overruled by what is baked into the picture."""
    embedded = Embedded(caption="Baked in", credit="Agency", alt_text="A roof", copyright="(c)")
    words = words_of(MediaReference(url=URL, caption="Corrected", copyright=" "), embedded, Rights())
    assert (words.caption, words.credit, words.copyright, words.alt_text) == ("Corrected", "Agency", "(c)", "A roof")


@pytest.mark.parametrize(
    ("reference", "embedded", "rights"),
    [
        ({"credit": "Wire"}, {}, {}),
        ({}, {"credit": "Line"}, {}),
        ({}, {"creator": "Photographer"}, {}),
        ({}, {"source": "Archive"}, {}),
        ({}, {}, {"credit": "By contract"}),
    ],
)
def test_any_credit_will_do(reference: dict[str, str], embedded: dict[str, str], rights: dict[str, str]) -> None:
    """The credit line, its maker, its source, or what was agreed."""
    assert not why_withheld(MediaReference(url=URL, **reference), Embedded(**embedded), Rights(**rights))  # type: ignore[arg-type]


def test_no_credit_no_publication() -> None:
    """A copyright notice alone is no credit, and neither is white space."""
    assert why_withheld(MediaReference(url=URL, credit="  ", copyright="(c) X"), Embedded(), Rights()) == "no credit"


@pytest.mark.parametrize(
    "terms",
    [
        "NOT FOR ONLINE",
        "Editorial. Not-for-web!",
        "EMBARGOED until 1800",
        "Print only",
        "photo KILL",
        "Do not\nuse.",
        "Embargo: 6pm",
    ],
)
@pytest.mark.parametrize("place", ["usage_terms", "copyright", "embedded usage_terms", "embedded instructions"])
def test_forbidding_terms_withhold_wherever_they_stand(terms: str, place: str) -> None:
    """Case, punctuation and line breaks do not hide a term."""
    where = {place.removeprefix("embedded "): terms}
    reference = MediaReference(url=URL, credit="A", **({} if place.startswith("embedded") else where))  # type: ignore[arg-type]
    reason = why_withheld(reference, Embedded(**where) if place.startswith("embedded") else Embedded(), Rights())
    assert "forbid" in reason


@pytest.mark.parametrize(
    "terms", ["Editorial use only", "No sales", "Free for internal and external use", "Embargoless", "Notforweb House"]
)
def test_ordinary_terms_do_not(terms: str) -> None:
    """Phrases are whole words: what merely resembles one forbids nothing."""
    assert not why_withheld(MediaReference(url=URL, credit="A", usage_terms=terms), Embedded(), Rights())


def test_each_source_has_its_own_phrases() -> None:
    """A newsroom adds what one agency writes, and allows what its contract has settled."""
    reference = MediaReference(url=URL, credit="A", usage_terms="NO ARCHIVE. Not for web in Austria")
    assert "Not for web" in why_withheld(reference, Embedded(), Rights())
    assert not why_withheld(reference, Embedded(), Rights(allowed=("not for web in Austria",)))
    assert "no archive" in why_withheld(
        reference, Embedded(), Rights(forbidden=("no archive",), allowed=("not for web in Austria",))
    )
