"""Reads IPTC's JSON release of the Media Topics."""

import re
from collections.abc import Collection

from pydantic import Field, JsonValue, ValidationError

from enrich.reference.vocabulary import SUBJECT_URI, Concept
from shared.failures import Invalid
from shared.messages import Message

LANGUAGES = {"en-GB": "en", "se": "sv", "dk": "da"}
"""The release's own language tags, where they are not those of BCP 47."""


class _ReleasedConcept(Message):
    qcode: str
    pref_label: dict[str, str] = Field(alias="prefLabel", min_length=1)
    definition: dict[str, str] = Field(default_factory=dict)
    broader: tuple[str, ...] = ()
    exact_match: tuple[str, ...] = Field(default=(), alias="exactMatch")
    close_match: tuple[str, ...] = Field(default=(), alias="closeMatch")
    broad_match: tuple[str, ...] = Field(default=(), alias="broadMatch")
    change_note: dict[str, JsonValue] = Field(default_factory=dict, alias="changeNote")
    retired: JsonValue = None

    @property
    def is_retired(self) -> bool:
        """Whether the release says since when it is, whatever it says."""
        return "retired" in self.model_fields_set

    @property
    def concept(self) -> Concept:
        """The concept as the vocabulary keeps it."""
        labels = {LANGUAGES.get(language, language): label for language, label in self.pref_label.items()}
        return Concept(
            code=self.qcode,
            label=labels.get("en") or next(iter(labels.values())),
            labels=labels,
            definitions={LANGUAGES.get(language, language): text for language, text in self.definition.items()},
            broader=tuple(f"medtop:{uri.rsplit('/', 1)[-1]}" for uri in self.broader),
            retired=self.is_retired,
        )

    def successor(self, known: Collection[str]) -> str | None:
        """The concept that its notes recommend instead of it."""
        notes = " ".join(str(note) for note in self.change_note.values())
        codes = re.findall(r"medtop:\d{8}", notes)
        return next((code for code in codes if code != self.qcode and code in known), None)


class _Release(Message):
    concepts: tuple[_ReleasedConcept, ...] = Field(alias="conceptSet")


def read_release(document: bytes) -> tuple[list[Concept], dict[str, str]]:
    """The concepts of a release (`cptall-….json`), and the codes that mean them.

    Exact, close and broad matches to Subject Codes map back; a retired concept means what its notes or its match recommend.
    """
    try:
        released = _Release.model_validate_json(document).concepts
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(f"not a JSON release of Media Topics: {first['msg']}") from error
    concepts = [each.concept for each in released]
    known = {concept.code for concept in concepts}
    meant: dict[str, str] = {}
    # Exact matches win over close ones, and those over broad ones.
    for each in released:
        _map_back(meant, each.qcode, each.exact_match)
    in_use = [each for each in released if not each.is_retired]
    for each in in_use:
        _map_back(meant, each.qcode, each.close_match)
    for each in in_use:
        _map_back(meant, each.qcode, each.broad_match)
    meant |= {each.qcode: after for each in released if each.is_retired and (after := each.successor(known))}
    return concepts, meant


def _map_back(meant: dict[str, str], qcode: str, matches: tuple[str, ...]) -> None:
    for uri in matches:
        if uri.startswith(SUBJECT_URI):
            meant.setdefault(f"subj:{uri.removeprefix(SUBJECT_URI)}", qcode)
