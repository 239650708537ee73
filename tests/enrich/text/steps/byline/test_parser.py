"""Bylines of the real world: how many of the names are read, and how many of those read are right."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from enrich.reference.directory import AuthorProfile, Directory, name_key
from enrich.text.steps.authors import attach_authors
from enrich.text.steps.byline import parser
from enrich.text.steps.byline.parser import read_byline

DIRECTORY = Directory.of(
    [
        AuthorProfile(id="ada-quill", name="Ada Quill", aliases=("A. Quill", "Adelaide Quill", "person:4711")),
        AuthorProfile(id="tomas-reyes-lindqvist", name="Tomás Reyes-Lindqvist"),
        AuthorProfile(id="chris-oneil", name="Chris O’Neil"),
        AuthorProfile(id="david-green", name="David Green"),
        AuthorProfile(id="lev-zorin", name="Lev Zorin"),
        AuthorProfile(id="peter-mueller", name="Peter Müller", aliases=("Peter Mueller",)),
        AuthorProfile(id="jean-dupont", name="Jean Dupont"),
        AuthorProfile(id="maria-garcia", name="María García"),
        AuthorProfile(id="marco-rossi", name="Marco Rossi"),
        AuthorProfile(id="oleksandr-petrenko", name="Oleksandr Petrenko"),
        AuthorProfile(id="wang-xiaoming", name="Wang Xiaoming", aliases=("王小明",)),
        AuthorProfile(id="sam-lee-sport", name="Sam Lee"),
        AuthorProfile(id="sam-lee-city", name="Sam Lee"),
    ]
)


CONTRIBUTIONS = {"": "writing", "e": "editing", "r": "reporting", "p": "photography", "t": "translation"}


EXPECTED = re.compile(r"(?P<name>[^/@=]+)(?:/(?P<contribution>[erpt]))?(?:@(?P<place>[^=]+))?(?:=(?P<id>.+))?")


@dataclass(frozen=True)
class Labelled:
    """A byline, who is named as (name, contribution), where, and who of them is in the directory."""

    byline: str
    names: frozenset[tuple[str, str]]
    places: frozenset[tuple[str, str]]
    ids: frozenset[str]


def labelled() -> Iterator[Labelled]:
    """The lines of the labelled set."""
    for line in (Path(__file__).parent / "bylines.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        byline, _, people = line.partition("=>")
        found = [EXPECTED.fullmatch(each.strip()) for each in people.split(";") if each.strip()]
        assert all(found), line
        yield Labelled(
            byline.strip().replace("\\n", "\n"),
            frozenset((name_key(each["name"]), CONTRIBUTIONS[each["contribution"] or ""]) for each in found if each),
            frozenset((name_key(each["name"]), each["place"]) for each in found if each and each["place"]),
            frozenset(each["id"] for each in found if each and each["id"]),
        )


SET = tuple(labelled())


def read(byline: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]], set[str]]:
    """What the step makes of a byline: names, places, ids; the name of an author of the directory as the byline has it."""
    names = read_byline(byline, DIRECTORY)
    authors = attach_authors(byline, (), DIRECTORY).authors
    people = any(name.kind == "person" for name in names)
    kept = [name for name in names if name.kind == "person" or not people]
    return (
        {(name_key(name.name), name.contribution) for name in kept},
        {(name_key(name.name), name.located) for name in kept if name.located},
        {author.id for author in authors if author.id},
    )


def share(part: int, whole: int) -> float:
    """Of none, all."""
    return part / whole if whole else 1.0


def test_names_and_authors_are_read_with_measured_precision_and_recall(capsys: pytest.CaptureFixture[str]) -> None:
    """Over the labelled set of bylines, at least 98 of 100 names, places and authors are right, and as many are found."""
    assert len(SET) >= 400
    wrong: list[str] = []
    counts = {kind: [0, 0, 0] for kind in ("names", "places", "authors")}
    for line in SET:
        for (kind, tally), expected, found in zip(
            counts.items(), (line.names, line.places, line.ids), read(line.byline), strict=True
        ):
            tally[0] += len(expected & found)
            tally[1] += len(found)
            tally[2] += len(expected)
            if expected != found:
                wrong.append(f"{line.byline!r}: {kind} expected {sorted(expected)}, found {sorted(found)}")
    measured = {kind: (share(right, found), share(right, there)) for kind, (right, found, there) in counts.items()}
    with capsys.disabled():
        if wrong:
            print("\n" + "\n".join(wrong))
        print("\n" + ", ".join(f"{kind}: precision {p:.3f}, recall {r:.3f}" for kind, (p, r) in measured.items()))
    assert all(precision >= 0.98 and recall >= 0.98 for precision, recall in measured.values()), wrong


@pytest.mark.parametrize("line", [line for line in SET if parser.PLAIN.fullmatch(line.byline)])
def test_the_plainest_bylines_are_read_as_all_others_are(line: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shortcut and the parser read the same names."""
    by_the_shortcut = read_byline(line.byline, DIRECTORY)
    monkeypatch.setattr(parser, "PLAIN", re.compile("(?!)"))
    assert read_byline(line.byline, DIRECTORY) == by_the_shortcut
