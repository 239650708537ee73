"""The tags step: what the source says an update is about, the names in its text, and what an editor decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from enrich.reference.dictionary import Dictionary, Hit
from enrich.reference.names.evidence import Kind
from enrich.reference.vocabulary import MEDTOP_URI, ConceptTags, Vocabulary
from enrich.short_text import LONGEST_CODE, LONGEST_NAME, line_of, slug_of, tidy
from enrich.text.domain.attachments import Tagging
from enrich.text.domain.state import TagOverride
from enrich.text.steps.budget import Budget
from shared.messages import Subject, Tag
from shared.messages.limits import LONGEST

MOST_TAGS = 60
MOST_OF_DICTIONARY = 30
MOST_KEYWORDS = 15
MOST_PLACES = 5
KINDS: Mapping[str, tuple[Kind, str]] = {
    "person": ("person", "person:"),
    "organisation": ("organisation", "org:"),
    "place": ("place", "place:"),
    "event": ("topic", "topic:"),
}
"""By the kind of a subject: the kind of its tag, and the scheme of its code."""
KINDS_BY_SCHEME: Mapping[str, Kind] = {"person": "person", "place": "place", "org": "organisation"}


@dataclass(slots=True)
class _Found:
    """Tags by code, and why each is one or none."""

    tags: dict[str, Tag] = field(default_factory=dict)
    because: list[tuple[str, str]] = field(default_factory=list)

    def add(self, tag: Tag | None, sent: str, reason: str) -> None:
        """A tag, the first of its code, or what was sent and is none."""
        if tag is not None:
            self.tags.setdefault(tag.code, tag)
        self.because.append((tag.code if tag is not None else sent, reason))


def attach_tags(
    *,
    subjects: Sequence[Subject],
    keywords: Sequence[str],
    headline: str,
    text: str,
    language: str,
    vocabulary: Vocabulary,
    dictionary: Dictionary,
    concept_tags: ConceptTags,
    overrides: Mapping[str, TagOverride] | None = None,
    least_confidence: float = 0.4,
    budget: Budget | None = None,
) -> Tagging:
    """The tags of a version: the source's first, then what is broader, then names by confidence. An editor's word wins."""
    budget, overrides = budget or Budget(), overrides or {}
    found = _Found()
    for subject in subjects[:MOST_TAGS]:
        found.add(*_of_subject(subject, vocabulary, concept_tags))
    for keyword in keywords[:MOST_KEYWORDS]:
        found.add(*_of_keyword(keyword, vocabulary, concept_tags))
    missed = budget.spent
    if not missed:
        for hit in dictionary.find(headline, text, language, lambda: budget.spent)[:MOST_OF_DICTIONARY]:
            _add_hit(found, hit, least_confidence)
        missed = budget.missed
    for code, override in overrides.items():
        _override(found, code, override, vocabulary=vocabulary, dictionary=dictionary, concept_tags=concept_tags)
    for code in list(found.tags):
        concept = vocabulary.concepts.get(code)
        for wider in vocabulary.broader_of(concept) if concept is not None else ():
            if wider.code not in found.tags and overrides.get(wider.code, {"use": True}).get("use"):
                found.add(concept_tags.tag(wider, "broader"), wider.code, f"broader than {code}")
    return Tagging(tuple(found.tags.values())[:MOST_TAGS], tuple(found.because), missed)


def _add_hit(found: _Found, hit: Hit, least_confidence: float) -> None:
    entry, places = hit.entry, tuple(hit.places[:MOST_PLACES])
    if hit.confidence < least_confidence:
        found.because.append(
            (entry.code, f"a suggestion, no tag: {hit.because}; confidence {hit.confidence} is too low")
        )
    elif (known := found.tags.get(entry.code)) is not None:
        found.tags[entry.code] = known.model_copy(update={"places": places, "relevance": hit.relevance})
    else:
        tag = Tag(
            code=entry.code, label=entry.label, labels=entry.labels, uri=entry.uri,
            kind="subject" if entry.code.startswith("medtop:") else entry.kind,
            confidence=hit.confidence, origin="dictionary", relevance=hit.relevance, places=places,
        )  # fmt: skip
        found.add(tag, entry.code, hit.because)


def _of_subject(subject: Subject, vocabulary: Vocabulary, concept_tags: ConceptTags) -> tuple[Tag | None, str, str]:  # noqa: PLR0911 -- a table of cases
    code = subject.code if subject.code and len(subject.code) <= LONGEST_CODE else None
    name = line_of(subject.name or "", LONGEST_NAME)
    sent = code or name
    if subject.kind in ("genre", "product", "other"):
        return None, sent, f"a {subject.kind} says no subject"
    reason = "no code" if code or not subject.code else "no code that anyone uses"
    if code:
        found = vocabulary.find(code, (subject.scheme or "")[: LONGEST["scheme"]])
        reason = found.because
        if found.concept is not None:
            return concept_tags.tag(found.concept, "source"), sent, reason
    if not name:
        return None, sent, f"{reason}, and no name"
    if subject.kind in KINDS:
        kind, prefix = KINDS[subject.kind]
        return Tag(code=prefix + slug_of(name), label=name, kind=kind), sent, f"{reason}; {kind} by the source's name"
    if labelled := vocabulary.by_label.get(name.casefold()):
        return concept_tags.tag(vocabulary.concepts[labelled], "source"), sent, f"{reason}; label of {labelled}"
    if code and (bare := code.lower()).startswith("medtop:") and bare.removeprefix("medtop:").isdigit():
        return (
            Tag(code=bare, label=name, uri=MEDTOP_URI + bare.removeprefix("medtop:")),
            sent,
            f"{reason}; the source's label",
        )
    return Tag(code=f"topic:{slug_of(name)}", label=name, kind="topic"), sent, f"{reason}; topic by the source's name"


def _of_keyword(keyword: str, vocabulary: Vocabulary, concept_tags: ConceptTags) -> tuple[Tag | None, str, str]:
    word = tidy(keyword) if len(keyword) <= LONGEST_NAME else ""
    if not word or len(word) > 60:
        return None, keyword[:60], "no keyword of use"
    if code := vocabulary.by_label.get(word.casefold()):
        return concept_tags.tag(vocabulary.concepts[code], "keyword"), keyword, f"keyword is the label of {code}"
    return (
        Tag(code=f"topic:{slug_of(word)}", label=word, kind="topic", origin="keyword", confidence=0.6),
        keyword,
        "keyword",
    )


def _override(
    found: _Found,
    code: str,
    override: TagOverride,
    *,
    vocabulary: Vocabulary,
    dictionary: Dictionary,
    concept_tags: ConceptTags,
) -> None:
    by = override.get("by", "an editor")
    if not override.get("use"):
        if found.tags.pop(code, None) is not None:
            found.because.append((code, f"taken out by {by}"))
        return
    found.because.append((code, f"put in by {by}"))
    known = found.tags.get(code)
    if known is not None:
        found.tags[code] = known.model_copy(update={"origin": "editor", "confidence": 1.0})
    elif (concept := vocabulary.concepts.get(code)) is not None:
        found.tags[code] = concept_tags.tag(concept, "editor")
    else:
        found.tags[code] = _editors_own(code, override.get("label") or "", dictionary)


def _editors_own(code: str, label: str, dictionary: Dictionary) -> Tag:
    entry = next((each for each in dictionary.entries if each.code == code), None)
    if entry is not None:
        return Tag(code=code, label=entry.label, labels=entry.labels, uri=entry.uri, kind=entry.kind, origin="editor")
    scheme, _, bare = code.partition(":")
    return Tag(
        code=code, label=label or bare.replace("-", " "), kind=KINDS_BY_SCHEME.get(scheme, "topic"), origin="editor"
    )
