"""Media Topics in memory: codes of several schemes to concepts, with labels and what is broader."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Literal

import orjson

from shared.messages import Message, Tag

MEDTOP_URI = "http://cv.iptc.org/newscodes/mediatopic/"

SUBJECT_URI = "http://cv.iptc.org/newscodes/subjectcode/"

DEEPEST = 10

MEDTOP_SCHEMES = {"medtop", "mediatopic", "mediatopics", "iptc", "iptcmedtop"}

SUBJECT_SCHEMES = {"subj", "subjectcode", "iptcsubject", "isrf", "subjref", "iptcsubjectcode", "tobi.subject.code"}

CATEGORY_SCHEMES = {"a1312cat", "a1312", "anpa", "anpacat", "cat", "anpacategory", "fixcat"}

CATEGORIES = {
    "b": "04000000", "e": "01000000", "f": "04000000", "h": "07000000", "k": "08000000", "l": "10000000", "n": "14000000", "o": "17000000",
    "p": "11000000", "q": "15000000", "r": "16000000", "s": "15000000", "t": "10000000", "w": "11000000", "x": "12000000", "z": "01000000",
    "ent": "01000000", "fin": "04000000", "pol": "11000000", "spo": "15000000", "clj": "02000000", "dis": "03000000", "edu": "05000000", "evn": "06000000",
    "hth": "07000000", "hum": "08000000", "lab": "09000000", "lif": "10000000", "rel": "12000000", "sci": "13000000", "soi": "14000000", "war": "16000000",
    "wea": "17000000", "ace": "01000000", "ebf": "04000000",
}  # fmt: skip
"""Category codes of ANPA 1312 and IPTC 7901, as agencies use them; those of places (a, i, d) are no subject."""

CODE = re.compile(r"^(?:(?P<scheme>[\w.\-]{1,40})[:/])?(?P<bare>[\w.\-]{1,60})$")


class Concept(Message):
    """One Media Topic."""

    code: str
    """`medtop:04000000`"""
    label: str
    labels: dict[str, str] = {}  # noqa: RUF012 -- pydantic copies it
    definitions: dict[str, str] = {}  # noqa: RUF012 -- pydantic copies it
    broader: tuple[str, ...] = ()
    retired: bool = False


@dataclass(frozen=True)
class ConceptMatch:
    """The concept that a source's code means, and why."""

    concept: Concept | None
    because: str


@dataclass
class Vocabulary:
    """All concepts, found by any code that means them."""

    concepts: Mapping[str, Concept] = field(default_factory=dict)
    meant: Mapping[str, str] = field(default_factory=dict)
    """Codes of other schemes (`subj:11000000`) and retired ones, and the code that they mean."""
    edition: int = 0

    @functools.cached_property
    def by_label(self) -> dict[str, str]:
        """Codes by label in any language, small letters; retired concepts and labels of two concepts are left out."""
        found: dict[str, set[str]] = {}
        for concept in self.concepts.values():
            if not concept.retired:
                for label in {concept.label, *concept.labels.values()}:
                    found.setdefault(label.casefold(), set()).add(concept.code)
        return {label: next(iter(codes)) for label, codes in found.items() if len(codes) == 1}

    @functools.cached_property
    def _cache(self) -> dict[tuple[str, str], ConceptMatch]:
        return {}

    def find(self, code: str, scheme: str | None = None) -> ConceptMatch:
        """The concept of a code as sent: `medtop:…`, `subj:…`, a category letter, a URI, or bare with its scheme."""
        key = (code, scheme or "")
        found = self._cache.get(key)
        if found is None:
            found = self._find(code, scheme)
            if len(self._cache) < 50_000:
                self._cache[key] = found
        return found

    def _find(self, code: str, scheme: str | None) -> ConceptMatch:
        name, bare = _parted(code.strip(), (scheme or "").strip())
        if name in CATEGORY_SCHEMES or (not name and len(bare) <= 3 and bare.isalpha()):
            category = CATEGORIES.get(bare.lower())
            if category is None:
                return ConceptMatch(None, f"category {bare} is no subject")
            return self._standing(f"medtop:{category}", f"category {bare}")
        if name in SUBJECT_SCHEMES:
            meant = self._subject(bare)
            return (
                self._standing(meant, f"subject code {bare}")
                if meant
                else ConceptMatch(None, f"subject code {bare} has no Media Topic")
            )
        if name in MEDTOP_SCHEMES or (not name and bare.isdigit() and len(bare) == 8):
            return self._standing(f"medtop:{bare}", "Media Topic")
        if (meant := self.meant.get(f"{name}:{bare}" if name else bare)) is not None:
            return self._standing(meant, f"code {code} of the newsroom's map")
        return ConceptMatch(None, f"code {code} is of no scheme that is known")

    def _subject(self, bare: str) -> str | None:
        """A Subject Code, or the nearest above it: the three levels are digits 1–2, 3–5 and 6–8."""
        for cut in (8, 5, 2):
            code = bare[:cut].ljust(8, "0")
            if meant := self.meant.get(f"subj:{code}"):
                return meant
        return None

    def _standing(self, code: str, because: str) -> ConceptMatch:
        concept = self.concepts.get(code)
        for _ in range(DEEPEST):
            if concept is None:
                return ConceptMatch(None, f"{because}: {code} is not in the vocabulary")
            if not concept.retired:
                return ConceptMatch(concept, because)
            after = self.meant.get(concept.code) or (concept.broader[0] if concept.broader else "")
            because = f"{because}; {concept.code} is retired for {after or 'nothing'}"
            concept = self.concepts.get(after)
        return ConceptMatch(None, because)

    @functools.cached_property
    def _closures(self) -> dict[str, tuple[Concept, ...]]:
        return {}

    def broader_of(self, concept: Concept) -> tuple[Concept, ...]:
        """All that is broader, nearest first, each once."""
        closure = self._closures.get(concept.code)
        if closure is None:
            closure = self._closures[concept.code] = self._broader(concept)
        return closure

    def _broader(self, concept: Concept) -> tuple[Concept, ...]:
        closure: dict[str, Concept] = {}
        level = [concept]
        for _ in range(DEEPEST):
            level = [
                self.concepts[code]
                for each in level
                for code in each.broader
                if code in self.concepts and code not in closure
            ]
            if not level:
                break
            closure.update((each.code, each) for each in level if not each.retired)
        closure.pop(concept.code, None)
        return tuple(closure.values())


def _parted(code: str, scheme: str) -> tuple[str, str]:
    """Scheme and code; URIs of IPTC's vocabularies are recognised by their path."""
    for uri, name in ((MEDTOP_URI, "medtop"), (SUBJECT_URI, "subj")):
        for written in (uri, uri.replace("http://", "https://")):
            if code.startswith(written):
                return name, code[len(written) :].strip("/")
            if scheme.rstrip("/") == written.rstrip("/"):
                # As a qcode, whose alias is the scheme again: `medtop:04000000`.
                return name, code.rpartition(":")[2]
    found = CODE.match(code)
    if found is None:
        return "", code[:60]
    name = (found["scheme"] or scheme.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1]).lower()
    return name, found["bare"]


@functools.cache
def shipped() -> Vocabulary:
    """The small table of codes and labels that ships with enrich; derived from IPTC's Media Topics, CC BY 4.0."""
    table = orjson.loads((files("enrich") / "data" / "media_topics.json").read_bytes())
    concepts = {each["code"]: Concept.model_validate(each) for each in table["concepts"]}
    return Vocabulary(concepts, table["meant"], 0)


Origin = Literal["source", "broader", "editor", "keyword"]


@dataclass(frozen=True)
class ConceptTags:
    """Builds the tags of concepts, each once: an update carries the same ones as the next."""

    languages: tuple[str, ...]

    @functools.cached_property
    def _made(self) -> dict[tuple[str, str], Tag]:
        return {}

    def tag(self, concept: Concept, origin: Origin) -> Tag:
        """The tag of a concept."""
        key = (concept.code, origin)
        made = self._made.get(key)
        if made is None or made.label != concept.label:
            code = concept.code
            made = self._made[key] = Tag(
                code=code,
                label=concept.label,
                labels={
                    language: concept.labels[language] for language in self.languages if language in concept.labels
                },
                uri=MEDTOP_URI + code.removeprefix("medtop:") if code.startswith("medtop:") else None,
                origin=origin,
                confidence=0.9 if origin == "keyword" else 1.0,
            )
        return made
