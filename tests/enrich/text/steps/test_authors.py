"""The authors of a version: the names of a byline against the directory."""

import pytest

from enrich.reference.agencies import is_own_source
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


OURS = Directory.of(
    [
        AuthorProfile(id="jane-smithers", name="Jane Smithers", role="Food critic"),
        AuthorProfile(id="michael-fischer", name="Michael Fischer"),
        AuthorProfile(id="ann-other", name="Ann Other", sources=("ap",)),
        AuthorProfile(id="star-columnist", name="Star Columnist", sources=("*",)),
    ]
)


@pytest.mark.parametrize(
    ("byline", "source", "credit", "expected"),
    [
        ("By J. Smithers, Associated Press", "ap", "", [None]),
        ("By Jane Smithers", "ap", "", [None]),
        ("Von Michael Fischer, dpa", "dpa-sport", "", [None]),
        ("By Jane Smithers", "newsroom", "", ["jane-smithers"]),
        ("By J. Smithers", "newsroom", "", ["jane-smithers"]),
        ("By Jane Smithers", "newsroom", "Reuters", [None]),
        ("By J. Smithers and Reuters", "newsroom", "", [None]),
        ("By Ann Other", "ap", "", ["ann-other"]),
        ("By Ann Other", "newsroom", "", [None]),
        ("By Star Columnist", "afp", "", ["star-columnist"]),
        ("By S. Columnist", "afp", "", [None]),
    ],
)
def test_a_name_is_ours_only_in_what_is_ours(byline: str, source: str, credit: str, expected: list[str | None]) -> None:
    """Another agency's reporter of the same name gets no face, but is a suggestion for the desk."""
    is_own = is_own_source(source, credit, (), {})
    made = attach_authors(byline, (), OURS, source=source, is_own=is_own)
    assert [author.id for author in made.authors] == expected
    if expected == [None]:
        assert made.unknown
        assert "perhaps" in made.because[0]


def test_sources_that_are_named_are_the_only_own_ones() -> None:
    """Where the newsroom says which sources are its own, any other one is not."""
    assert is_own_source("newsroom", "", ("newsroom",), {})
    assert not is_own_source("atlas", "", ("newsroom",), {})
    assert is_own_source("atlas", "", (), {})
    assert not is_own_source("ap-sports", "", (), {})


def test_who_is_no_person_is_an_organisation_and_logins_are_nobody() -> None:
    """Agencies and papers are kept as what they are; what a house signs with is not shown."""
    assert [(author.name, author.kind) for author in attach_authors("AP", (), OURS).authors] == [("AP", "organisation")]
    assert attach_authors("By Ada Quill", (), OURS).authors[0].kind == "person"
    logins = [Creator(name=name, role=role) for name, role in (("muster.erika", None), ("beispiel", "contributor"), ("daa", None), ("MWE", None))]  # fmt: skip
    assert attach_authors("", logins, OURS).authors == ()
