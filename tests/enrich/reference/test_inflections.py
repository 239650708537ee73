"""Names in languages that inflect them: how many are found, and how many of those found are there."""

import re
from pathlib import Path

import pytest

from enrich.reference.dictionary import PREFIXES, Dictionary, DictionaryEntry
from enrich.reference.inflections import CASES, JOINED, to_base_forms

LINES = [
    line for line in (Path(__file__).parent / "names.txt").read_text().splitlines() if line and not line.startswith("#")
]


def entry(number: int, line: str) -> DictionaryEntry:
    """An entry of the dictionary: KIND LABEL = SPELLING."""
    kind, _, said = line.partition(" ")
    label, *names = (part.strip() for part in said.split("="))
    kind = {"org": "organisation"}.get(kind, kind)
    return DictionaryEntry(code=f"{PREFIXES[kind]}n{number}", kind=kind, label=label, names=tuple(names))  # type: ignore[arg-type]


NAMES = Dictionary.of([entry(number, line) for number, line in enumerate(LINES) if "=>" not in line])
SENTENCES = [re.split(r" \| | =>", line) for line in LINES if "=>" in line]


def test_inflected_names_are_found_with_measured_precision_and_recall(capsys: pytest.CaptureFixture[str]) -> None:
    """Over the labelled sentences at least 97 of 100 names that are found are there, and nine of ten are found."""
    assert len(SENTENCES) >= 90
    wrong: list[str] = []
    right = found = there = 0
    for language, sentence, labels in SENTENCES:
        expected = {label.strip() for label in labels.split(";")} - {""}
        hits = {hit.entry.label for hit in NAMES.find("", sentence, language)}
        right, found, there = right + len(hits & expected), found + len(hits), there + len(expected)
        if hits != expected:
            wrong.append(f"{language} {sentence!r}: missed {sorted(expected - hits)}, wrong {sorted(hits - expected)}")
    precision, recall = right / found, right / there
    with capsys.disabled():
        print("\n" + "\n".join([*wrong, f"inflected names: precision {precision:.3f}, recall {recall:.3f} of {there}"]))
    assert precision >= 0.97, wrong
    assert recall >= 0.9, wrong


def test_places_are_those_of_the_words_as_they_stand() -> None:
    """A name that was read back is marked where it is, and so is what comes behind it."""
    headline, text = "Владимира Путина ждут в Москве", "Путин и Путиным, 🚢 Москва; Kyiv"
    whole = f"{headline}\n{text}"
    places = {
        hit.entry.label: [whole[start:end] for start, end in hit.places] for hit in NAMES.find(headline, text, "ru")
    }
    assert places == {
        "Владимир Путин": ["Владимира Путина", "Путин", "Путиным"],
        "Москва": ["Москве", "Москва"],
        "Kyiv": ["Kyiv"],
    }


def test_a_name_read_back_is_less_sure_than_one_as_it_is_called() -> None:
    """The confidence says that an ending was taken off, and so does the reason."""
    (called,), (read,) = NAMES.find("", "Москва", "ru"), NAMES.find("", "Москве", "ru")
    assert read.confidence < called.confidence
    assert "inflected" in read.because


@pytest.mark.parametrize("language", [*CASES, *JOINED])
def test_what_the_dictionary_knows_or_does_not_make_a_name_of_stays(language: str) -> None:
    """Only a word that is not known itself, and whose name is, is replaced: else the text is what it was."""
    whole = "Москва Путина Berlin Wałęsy בירושלים 서울에서 Αθήνας"
    assert to_base_forms(whole, whole.lower(), language, frozenset()).text == whole.lower()
    known = frozenset(whole.lower().split())
    assert to_base_forms(whole, whole.lower(), language, known).text == whole.lower()
