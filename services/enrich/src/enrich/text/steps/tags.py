"""The tags step: what the source says an update is about, what stands in its text, and what an editor decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from enrich.reference.dictionary import Dictionary, Kind
from enrich.reference.vocabulary import MEDTOP_URI, Labels, Vocabulary
from enrich.short_text import LONGEST_CODE, LONGEST_NAME, line_of, slug_of, tidy
from enrich.text.domain.attachments import Tagging
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


def attach_tags(
    *,
    subjects: Sequence[Subject],
    keywords: Sequence[str],
    headline: str,
    text: str,
    language: str,
    vocabulary: Vocabulary,
    dictionary: Dictionary,
    labels: Labels,
    overrides: Mapping[str, Any] | None = None,
    least_confidence: float = 0.4,
    budget: Budget | None = None,
) -> Tagging:
    """The tags of a version: the source's first, then what is broader, then names by confidence. An editor's word wins."""
    budget = budget or Budget()
    tags: dict[str, Tag] = {}
    because: list[tuple[str, str]] = []
    for subject in subjects[:MOST_TAGS]:
        _add(tags, because, *_of_subject(subject, vocabulary, labels))
    for keyword in keywords[:MOST_KEYWORDS]:
        _add(tags, because, *_of_keyword(keyword, vocabulary, labels))
    missed = budget.spent
    if not missed:
        hits = dictionary.find(headline, text, language, lambda: budget.spent)
        for hit in hits[:MOST_OF_DICTIONARY]:
            if hit.confidence < least_confidence:
                because.append((hit.entry.code, f"{hit.because}: confidence {hit.confidence} is too low"))
                continue
            known = tags.get(hit.entry.code)
            places = tuple(hit.places[:MOST_PLACES])
            if known is not None:
                tags[hit.entry.code] = known.model_copy(update={"places": places})
                continue
            entry = hit.entry
            tags[entry.code] = Tag(
                code=entry.code, label=entry.label, labels=entry.labels, uri=entry.uri,
                kind="subject" if entry.code.startswith("medtop:") else entry.kind,
                confidence=hit.confidence, origin="dictionary", places=places,
            )  # fmt: skip
            because.append((entry.code, hit.because))
        missed = budget.missed
    _override(tags, because, overrides or {}, vocabulary=vocabulary, dictionary=dictionary, labels=labels)
    for code in list(tags):
        concept = vocabulary.concepts.get(code)
        if concept is None:
            continue
        for wider in vocabulary.broader_of(concept):
            if wider.code not in tags and not _refused(wider.code, overrides):
                tags[wider.code] = labels.tag(wider, "broader")
                because.append((wider.code, f"broader than {code}"))
    return Tagging(tuple(tags.values())[:MOST_TAGS], tuple(because), missed)


def _add(tags: dict[str, Tag], because: list[tuple[str, str]], tag: Tag | None, sent: str, reason: str) -> None:
    if tag is not None:
        tags.setdefault(tag.code, tag)
    because.append((tag.code if tag is not None else sent, reason))


def _of_subject(subject: Subject, vocabulary: Vocabulary, labels: Labels) -> tuple[Tag | None, str, str]:  # noqa: PLR0911 -- a table of cases
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
            return labels.tag(found.concept, "source"), sent, reason
    if not name:
        return None, sent, f"{reason}, and no name"
    if subject.kind in KINDS:
        kind, prefix = KINDS[subject.kind]
        return Tag(code=prefix + slug_of(name), label=name, kind=kind), sent, f"{reason}; {kind} by the source's name"
    if labelled := vocabulary.by_label.get(name.casefold()):
        return labels.tag(vocabulary.concepts[labelled], "source"), sent, f"{reason}; label of {labelled}"
    if code and (bare := code.lower()).startswith("medtop:") and bare.removeprefix("medtop:").isdigit():
        return (
            Tag(code=bare, label=name, uri=MEDTOP_URI + bare.removeprefix("medtop:")),
            sent,
            f"{reason}; the source's label",
        )
    return Tag(code=f"topic:{slug_of(name)}", label=name, kind="topic"), sent, f"{reason}; topic by the source's name"


def _of_keyword(keyword: str, vocabulary: Vocabulary, labels: Labels) -> tuple[Tag | None, str, str]:
    word = tidy(keyword) if len(keyword) <= LONGEST_NAME else ""
    if not word or len(word) > 60:
        return None, keyword[:60], "no keyword of use"
    if code := vocabulary.by_label.get(word.casefold()):
        return labels.tag(vocabulary.concepts[code], "keyword"), keyword, f"keyword is the label of {code}"
    return (
        Tag(code=f"topic:{slug_of(word)}", label=word, kind="topic", origin="keyword", confidence=0.6),
        keyword,
        "keyword",
    )


def _override(
    tags: dict[str, Tag], because: list[tuple[str, str]], overrides: Mapping[str, Any], *,
    vocabulary: Vocabulary, dictionary: Dictionary, labels: Labels,
) -> None:  # fmt: skip
    for code, decision in overrides.items():
        if not decision.get("use"):
            if tags.pop(code, None) is not None:
                because.append((code, f"taken out by {decision.get('by', 'an editor')}"))
            continue
        because.append((code, f"put in by {decision.get('by', 'an editor')}"))
        known = tags.get(code)
        if known is not None:
            tags[code] = known.model_copy(update={"origin": "editor", "confidence": 1.0})
        elif (concept := vocabulary.concepts.get(code)) is not None:
            tags[code] = labels.tag(concept, "editor")
        else:
            tags[code] = _editors_own(code, str(decision.get("label") or ""), dictionary)


def _editors_own(code: str, label: str, dictionary: Dictionary) -> Tag:
    entry = next((each for each in dictionary.entries if each.code == code), None)
    if entry is not None:
        return Tag(code=code, label=entry.label, labels=entry.labels, uri=entry.uri, kind=entry.kind, origin="editor")
    scheme, _, bare = code.partition(":")
    kind: Any = {"person": "person", "place": "place", "org": "organisation"}.get(scheme, "topic")
    return Tag(code=code, label=label or bare.replace("-", " "), kind=kind, origin="editor")


def _refused(code: str, overrides: Mapping[str, Any] | None) -> bool:
    return bool(overrides) and not (overrides or {}).get(code, {"use": True}).get("use")
