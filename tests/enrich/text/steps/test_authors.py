"""The authors of a version: the names of a byline against the directory."""

import pytest

from enrich.reference.directory import AuthorProfile, Directory
from enrich.text.steps.authors import attach_authors
from shared.messages import Creator

DIRECTORY = Directory.of(
    [
        AuthorProfile(id="ada-quill", name="Ada Quill", aliases=("person:4711",)),
        AuthorProfile(id="sam-lee-sport", name="Sam Lee"),
        AuthorProfile(id="sam-lee-city", name="Sam Lee"),
    ]
)


def test_an_unknown_name_stays_as_the_byline_has_it() -> None:
    """What the directory does not know is text, and listed for editors."""
    made = attach_authors("By Ben Marsh and ADA QUILL", (), DIRECTORY)
    assert [(author.name, author.id) for author in made.authors] == [("Ben Marsh", None), ("Ada Quill", "ada-quill")]
    assert made.unknown == ("Ben Marsh",)


def test_a_name_that_two_authors_share_is_neither() -> None:
    """Better no card than the wrong person's."""
    made = attach_authors("By Sam Lee", (), DIRECTORY)
    assert made.authors[0].id is None
    assert "2 authors share" in made.because[0]


def test_the_sources_id_of_a_person_tells_what_the_name_cannot() -> None:
    """Structured creators stand in where there is no byline, and their ids resolve through the directory."""
    made = attach_authors("", (Creator(name="Quill", uri="person:4711", role="ex:editor"),), DIRECTORY)
    assert [(author.id, author.contribution) for author in made.authors] == [("ada-quill", "editing")]


@pytest.mark.parametrize(
    "byline", ["By " + "A and " * 5000, "(" * 5000, "By " + "x" * 100_000, "; " * 5000, "von " * 3000]
)
def test_a_hostile_byline_costs_no_time_and_makes_no_crowd(byline: str) -> None:
    """However long, a byline is read in bounded time and gives a bounded number of names."""
    assert len(attach_authors(byline, (), DIRECTORY).authors) <= 40
