"""The words by which Media Topics are known: labels and definitions of the vocabulary, and words of news by top-level topic."""

import functools
import math
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from enrich.reference.vocabulary import Concept, Vocabulary

WORD = re.compile(r"[^\W\d_]{3,}")
LABEL_WEIGHT = 3.0
"""Of a word of a label, where one of a definition has 1."""
COMPOUNDING = frozenset({"de", "nl", "sv", "da", "nb", "nn", "no", "fi"})
LEAST_COMPOUND = 10
MOST_COMPOUND = 60
"""Letters of a word that may be a compound."""


def stem(word: str) -> str:
    """What a word and its inflections have in common: at most seven letters. `word` is in small letters."""
    return word[:7] if len(word) > 7 else word[:6] if len(word) > 5 else word


def stems(text: str) -> list[str]:
    """The stems of a text, in order."""
    return [stem(word) for word in WORD.findall(text.casefold())]


@dataclass(frozen=True, slots=True)
class TopicWords:
    """The words of one language."""

    language: str
    concepts: Mapping[str, Mapping[str, float]]
    """By code, the weight of each stem."""
    length: Mapping[str, float]
    """By code, how much the words of a concept weigh together."""
    of_stem: Mapping[str, tuple[str, ...]]
    """By stem, the concepts that have it."""
    rarity: Mapping[str, float]
    """By stem, how few concepts have it."""
    cues: Mapping[str, tuple[str, ...]]
    """By stem, the top-level topics whose news use it."""
    heads: frozenset[str]
    """Words that compounds end with."""

    def counted(self, text: str, weight: float, into: dict[str, float]) -> None:
        """Add the stems of a text; of a compound its last part too."""
        for word in WORD.findall(text.casefold()):
            each = stem(word)
            into[each] = into.get(each, 0.0) + weight
            if LEAST_COMPOUND <= len(word) <= MOST_COMPOUND and self.language in COMPOUNDING:
                head = next((word[at:] for at in range(3, len(word) - 3) if word[at:] in self.heads), None)
                if head is not None:
                    into[stem(head)] = into.get(stem(head), 0.0) + weight


def words_of(vocabulary: Vocabulary, language: str) -> TopicWords | None:
    """The words of a language (its first subtag); None where the vocabulary has no labels in it."""
    concepts: dict[str, dict[str, float]] = {}
    for concept in vocabulary.concepts.values():
        label = _in(concept.labels, language) or (concept.label if language == "en" else "")
        if concept.retired or not label:
            continue
        weights = dict.fromkeys(stems(_in(concept.definitions, language)), 1.0)
        concepts[concept.code] = weights | dict.fromkeys(stems(label), LABEL_WEIGHT)
    cues, heads = _cues(language)
    if not concepts or not cues:
        return None
    of_stem: dict[str, list[str]] = defaultdict(list)
    for code, weights in concepts.items():
        for each in weights:
            of_stem[each].append(code)
    rarity = {each: math.log(len(concepts) / len(codes)) for each, codes in of_stem.items()}
    length = {
        code: math.sqrt(sum((weight * rarity[each]) ** 2 for each, weight in weights.items()))
        for code, weights in concepts.items()
    }
    found = {each: tuple(codes) for each, codes in of_stem.items()}
    return TopicWords(language, concepts, length, found, rarity, cues, heads)


def top_of(vocabulary: Vocabulary, concept: Concept) -> str:
    """The code of the top-level topic that is broader than a concept, or its own."""
    broader = vocabulary.broader_of(concept)
    return broader[-1].code if broader else concept.code


@functools.cache
def _table() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("enrich") / "data" / "topic_cues.toml").read_text("utf-8"))


def _cues(language: str) -> tuple[Mapping[str, tuple[str, ...]], frozenset[str]]:
    topics: dict[str, list[str]] = defaultdict(list)
    heads: set[str] = set()
    for code, by_language in _table().items():
        for word in dict.fromkeys(_parted(by_language.get(language, ""))):
            topics[stem(word)].append(code)
            heads.add(word)
    return {each: tuple(dict.fromkeys(codes)) for each, codes in topics.items()}, frozenset(heads)


def _parted(words: str) -> Iterable[str]:
    return (word.casefold() for word in words.split() if "-" not in word)


def _in(texts: Mapping[str, str], language: str) -> str:
    """The text in a language, in whatever region."""
    return texts.get(language) or next((text for tag, text in texts.items() if tag.partition("-")[0] == language), "")
