"""Suggests Media Topics for a text whose source sends none. A desk decides; readers see nothing of it."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, Field

from enrich.reference.topics.words import TopicWords, top_of, words_of
from enrich.reference.vocabulary import Vocabulary

LONGEST = 20_000
"""Characters of a text that are looked at; what news is about is said at its beginning."""
HEADLINE = 2.0
"""How often a word of the headline counts."""
OF_VOCABULARY = 0.125
"""What the vocabulary's own words weigh beside those of news."""
BEST = 5
"""Narrower concepts that speak for their top-level topic."""
LEAST_SHARE = 0.25
"""Of all that speaks for any topic, what has to speak for one that is suggested."""
LEAST_SCORE = 1.5
MOST = 2
DAMPING = 5.0


class SuggestedTopic(BaseModel):
    """A Media Topic that a text seems to be about."""

    code: str
    label: str
    share: float = Field(description="Of all that speaks for any topic, what speaks for this one")
    because: str = Field(description="The words that speak for it most")


@dataclass(slots=True)
class TopicSuggester:
    """Suggests topics of a vocabulary."""

    vocabulary: Vocabulary
    _words: dict[str, TopicWords | None] = field(default_factory=dict)
    _tops_of: dict[str, str] = field(default_factory=dict)

    def suggest(self, headline: str, text: str, language: str) -> list[SuggestedTopic]:
        """The top-level topics of a text, the likeliest first; none in a language of which too few words are known.

        What is narrower is not suggested: of what the labels and definitions find below, one in five was right.
        """
        primary = language.partition("-")[0].lower()
        if primary not in self._words:
            self._words[primary] = words_of(self.vocabulary, primary)
        words = self._words[primary]
        if words is None:
            return []
        counts: dict[str, float] = {}
        words.counted(headline, HEADLINE, counts)
        words.counted(text[:LONGEST], 1.0, counts)
        narrow = _scored(words, counts)
        scores, because = self._tops(words, counts, narrow)
        total = sum(scores.values())
        found = []
        for code, score in sorted(scores.items(), key=lambda each: (-each[1], each[0]))[:MOST]:
            concept = self.vocabulary.concepts.get(code)
            if concept is None or score < LEAST_SCORE or score / total < LEAST_SHARE:
                break
            said = ", ".join(sorted(because[code], key=lambda each: -counts[each])[:5])
            found.append(SuggestedTopic(code=code, label=concept.label, share=round(score / total, 2), because=said))
        return found

    def _tops(
        self, words: TopicWords, counts: Mapping[str, float], narrow: Mapping[str, float]
    ) -> tuple[dict[str, float], dict[str, list[str]]]:
        scores: dict[str, float] = defaultdict(float)
        because: dict[str, list[str]] = defaultdict(list)
        for each, count in counts.items():
            topics = words.cues.get(each, ())
            for code in topics:
                scores[code] += math.log1p(count) / len(topics)
                because[code].append(each)
        below: dict[str, list[float]] = defaultdict(list)
        for code, score in narrow.items():
            below[self._top(code)].append(score)
        for code, several in below.items():
            scores[code] += OF_VOCABULARY * sum(sorted(several)[-BEST:])
        return scores, because

    def _top(self, code: str) -> str:
        if code not in self._tops_of:
            self._tops_of[code] = top_of(self.vocabulary, self.vocabulary.concepts[code])
        return self._tops_of[code]


def _scored(words: TopicWords, counts: Mapping[str, float]) -> dict[str, float]:
    """How much of what a text says is said of each concept."""
    sums: dict[str, float] = defaultdict(float)
    for each, count in counts.items():
        weight = math.log1p(count) * words.rarity.get(each, 0.0)
        if weight:
            for code in words.of_stem[each]:
                sums[code] += weight * words.concepts[code][each]
    return {code: score / (words.length[code] + DAMPING) for code, score in sums.items()}
