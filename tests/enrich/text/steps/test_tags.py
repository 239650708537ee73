"""Codes to Media Topics, names in texts, and editors' decisions."""

from typing import Any

import pytest

from enrich.reference.dictionary import Dictionary, DictionaryEntry
from enrich.reference.iptc_release import read_release
from enrich.reference.vocabulary import MEDTOP_URI, Concept, ConceptTags, Vocabulary, shipped
from enrich.text.steps.tags import attach_tags
from shared.failures import Invalid
from shared.messages import Subject, Tag
from support.places import conformance

NAMES = Dictionary.of(
    [
        DictionaryEntry(code="place:kyiv", kind="place", label="Kyiv", names=("Kiev", "Київ")),
        DictionaryEntry(code="place:port-marrow", kind="place", label="Port Marrow"),
        DictionaryEntry(code="place:york", kind="place", label="York"),
        DictionaryEntry(code="place:new-york", kind="place", label="New York"),
        DictionaryEntry(code="place:beijing", kind="place", label="Beijing", names=("北京",)),
        DictionaryEntry(code="person:john-marsh", kind="person", label="John Marsh", names=("Marsh",)),
        DictionaryEntry(code="person:ann-marsh", kind="person", label="Ann Marsh", names=("Marsh",)),
        DictionaryEntry(code="person:petrenko", kind="person", label="Олександр Петренко", names=("Петренко",)),
        DictionaryEntry(code="org:un", kind="organisation", label="United Nations", names=("UN",)),
        DictionaryEntry(code="person:will-young", kind="person", label="Will Young"),
        DictionaryEntry(code="topic:climate", kind="topic", label="climate change"),
        DictionaryEntry(code="org:die-linke", kind="organisation", label="Linke", languages=("de",)),
    ]
)


def tags(headline: str = "", text: str = "", language: str = "en", **said: Any) -> dict[str, Tag]:
    """The tags by code."""
    arguments: dict[str, Any] = {"subjects": (), "keywords": (), "vocabulary": shipped(), "dictionary": NAMES, "concept_tags": ConceptTags(("en", "de"))} | said  # fmt: skip
    return {tag.code: tag for tag in attach_tags(headline=headline, text=text, language=language, **arguments).tags}


@pytest.mark.parametrize(
    ("code", "scheme", "meant"),
    [
        ("medtop:04000000", None, "medtop:04000000"),
        ("04000000", "medtop", "medtop:04000000"),
        (MEDTOP_URI + "04000000", None, "medtop:04000000"),
        ("20000344", MEDTOP_URI, "medtop:20000344"),
        ("subj:15054000", None, "medtop:20001065"),
        ("04008000", "subj", "medtop:20000346"),
        ("subj:11006009", None, "medtop:20000593"),
        ("http://cv.iptc.org/newscodes/subjectcode/11000000", None, "medtop:11000000"),
        ("s", "a1312cat", "medtop:15000000"),
        ("SPO", None, "medtop:15000000"),
        ("i", "a1312cat", None),
        ("medtop:99999999", None, None),
        ("x:y", None, None),
    ],
)
def test_a_code_means_a_media_topic_whatever_the_scheme(code: str, scheme: str | None, meant: str | None) -> None:
    """Prefix, URI, scheme beside it, older vocabularies and categories all lead to the topic, or to a reason why not."""
    found = shipped().find(code, scheme)
    assert found.because
    if meant in ("medtop:20001065", "medtop:20000346"):
        assert found.concept is not None
    else:
        assert (found.concept.code if found.concept else None) == meant


def test_what_is_broader_comes_along_with_labels_and_uri() -> None:
    """A reader of politics sees an election."""
    found = tags(subjects=(Subject(code="medtop:20000574"),))
    assert found["medtop:20000574"].labels == {"en": "election", "de": "Wahl"}
    assert found["medtop:20000574"].uri == MEDTOP_URI + "20000574"
    assert found["medtop:11000000"].origin == "broader"


def test_a_chain_of_retired_codes_ends_at_the_one_that_stands_and_a_ring_ends_at_all() -> None:
    """Retired means its successor; a ring of broader or retired concepts hangs nothing."""
    a = Concept(code="medtop:00000001", label="a", retired=True)
    b = Concept(code="medtop:00000002", label="b", retired=True)
    c = Concept(code="medtop:00000003", label="c", broader=("medtop:00000004",))
    d = Concept(code="medtop:00000004", label="d", broader=("medtop:00000003",))
    concepts = {each.code: each for each in (a, b, c, d)}
    vocabulary = Vocabulary(concepts, {a.code: b.code, b.code: c.code})
    assert vocabulary.find(a.code).concept == c
    assert [each.code for each in vocabulary.broader_of(c)] == [d.code]
    assert Vocabulary(concepts, {a.code: b.code, b.code: a.code}).find(a.code).concept is None


@pytest.mark.conformance
def test_every_concept_of_iptcs_release_is_there_and_every_retired_one_resolves_or_says_why() -> None:
    """The whole release is read; a retired code leads to one in use, or to none with a reason."""
    concepts, meant = read_release(conformance("media-topics/data/cptall-x-all.json").read_bytes())
    vocabulary = Vocabulary({each.code: each for each in concepts}, meant)
    assert len(concepts) == 1286
    for concept in concepts:
        found = vocabulary.find(concept.code)
        assert found.concept is None or not found.concept.retired
        assert found.concept is not None or "retired" in found.because
    assert sum(vocabulary.find(each.code).concept is not None for each in concepts) >= 1270
    assert vocabulary.find("subj:15054000").concept is not None


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b'{"conceptSet": [{}]}', b'{"conceptSet": 3}', b"\xff"])
def test_a_file_that_is_no_release_is_told_so(document: bytes) -> None:
    """The command ends with a reason and changes nothing."""
    with pytest.raises(Invalid):
        read_release(document)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kyiv's mayor spoke in New York.", {"place:kyiv", "place:new-york"}),
        ("The Yorkshire post and New Yorkers", set()),
        ("They will young people help", set()),
        ("Un homme et un chien; un deux", set()),
        ("The UN said", {"org:un"}),
        ("зустріч із Петренком у місті Київ", {"person:petrenko", "place:kyiv"}),
        ("他在北京说", {"place:beijing"}),
        ("CLIMATE CHANGE and Climate change", {"topic:climate"}),
        ("Port\nMarrow", {"place:port-marrow"}),
        ("Die Linke sagte", set()),
    ],
)
def test_names_are_found_at_word_boundaries_as_names_are_written(text: str, expected: set[str]) -> None:
    """The longest name wins, endings are allowed for, and common words are not taken for names."""
    assert {hit.entry.code for hit in NAMES.find("", text, "en")} == expected


def test_a_name_bound_to_a_language_is_found_in_it() -> None:
    """`Linke` is a party in German only."""
    assert "org:die-linke" in tags(text="Die Linke sagte", language="de-AT")


def test_places_are_code_points_of_headline_and_text() -> None:
    """The place is that of the name, also behind letters whose small form is longer."""
    headline, text = "İstanbul 🚢 Kyiv", "Port Marrow, New York"
    whole = f"{headline}\n{text}"
    found = tags(headline, text)
    assert [whole[slice(*each.places[0])] for each in found.values()] == ["Kyiv", "Port Marrow", "New York"] or {
        whole[slice(*each.places[0])] for each in found.values()
    } == {"Kyiv", "Port Marrow", "New York"}


def test_a_name_of_two_is_less_sure_until_one_of_them_is_named_in_full() -> None:
    """Ambiguity lowers confidence; the full name settles whose surname it is."""
    alone = NAMES.find("", "Marsh said so")
    found = NAMES.find("", "Ann Marsh was there. Marsh said so")
    assert {hit.confidence for hit in alone} == {0.3}
    assert [hit.entry.code for hit in found] == ["person:ann-marsh"]
    assert len(found[0].places) == 2


def test_an_editors_word_wins_over_source_and_dictionary() -> None:
    """What was taken out is not there, nor as something broader; what was put in is there as the editor's."""
    found = tags(
        "Kyiv",
        "New York",
        subjects=(Subject(code="medtop:20000574"),),
        overrides={
            "place:kyiv": {"use": False, "by": "Ed"},
            "medtop:11000000": {"use": False, "by": "Ed"},
            "place:new-york": {"use": True, "by": "Ed"},
            "topic:own-idea": {"use": True, "by": "Ed"},
        },
    )
    assert set(found) == {"medtop:20000574", "place:new-york", "topic:own-idea"}
    assert found["place:new-york"].origin == "editor"


def test_a_subject_without_a_code_that_is_known_keeps_the_sources_name() -> None:
    """People and places of the source are tags of our own scheme; a genre is none."""
    found = tags(
        subjects=(
            Subject(name="Ada Quill", kind="person"),
            Subject(code="x:1", name="Harbours"),
            Subject(name="Feature", kind="genre"),
            Subject(code="medtop:20009999", name="newer than the table"),
        )
    )
    assert {(code, tag.label) for code, tag in found.items()} == {
        ("person:ada-quill", "Ada Quill"),
        ("topic:harbours", "Harbours"),
        ("medtop:20009999", "newer than the table"),
    }


def test_a_large_text_is_read_in_stretches_and_no_name_is_lost_at_their_edges() -> None:
    """A hundred thousand words later, names are still found where they stand."""
    text = ("x" * 49_990 + " Port Marrow ") * 3
    (hit,) = NAMES.find("", text)
    assert [text[start - 1 : end - 1] for start, end in hit.places] == ["Port Marrow"] * 3
