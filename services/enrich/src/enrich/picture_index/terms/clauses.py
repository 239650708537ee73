"""Terms as clauses of words whose roles are known.

A sentence ends at a full stop, a line, a dash or a bracket; its clauses are parted by commas and slashes, and a list of
them may share one verdict: "no print, web or app", "MAGS, INTERNET OUT".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from enrich.picture_index.terms.vocabulary import Role, Word, country_of_code, plain, vocabulary

MAX_CHARS = 20_000
"""What is read of a text; more than any field may hold."""
_SENTENCE = re.compile(r"[.;!?]+(?=\s|$)|[\n\r|•=*\[\](){}<>]+|\s[-–—]+(?=\s|$)|--+|\+\++|[–—]")
_CLAUSE = re.compile(r"[,/]")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: the roles of its words in order, None for a word that is not in the vocabulary."""

    roles: tuple[Role | None, ...]
    countries: frozenset[str]
    """Those that it names."""
    words: int

    def has(self, *roles: Role) -> bool:
        """Whether a word has one of these roles."""
        return any(role in roles for role in self.roles)

    @property
    def unknown(self) -> int:
        """How many words are not in the vocabulary."""
        return self.roles.count(None)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: its words as they stand, and its clauses."""

    text: str
    clauses: tuple[Clause, ...]


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a text that say anything."""
    for said in pieces(text):
        if clauses := tuple(clause for part in _CLAUSE.split(said) if (clause := _clause(part)).words):
            yield Sentence(said, clauses)


def pieces(text: str) -> Iterator[str]:
    """The sentences as they stand."""
    for piece in _SENTENCE.split(_unwrapped(text[:MAX_CHARS])):
        if said := piece.strip(" \t:-\"'"):
            yield said


def _unwrapped(text: str) -> str:
    """The text with lines that go on in small letters joined: they are the same sentence."""
    lines = [line.strip() for line in text.splitlines()]
    return "".join((" " if line[:1].islower() else "\n") + line for line in lines if line)


def _clause(text: str) -> Clause:
    raw = _WORD.findall(text)
    tokens = [token for word in raw for token in _WORD.findall(plain(word))[:1]]
    if len(tokens) != len(raw):
        return Clause((), frozenset(), 0)
    coded = any(token in ("out", "only") for token in tokens)
    roles: list[Role | None] = []
    countries: set[str] = set()
    at = 0
    while at < len(tokens):
        word, length = vocabulary().at(tokens, at)
        # "NO", "IN" and "AT" are words before they are codes.
        if coded and word is None and (country := country_of_code(raw[at])):
            word = Word("territory", frozenset((country,)))
        if word is not None:
            countries.update(word.countries)
        roles.append(word.role if word else None)
        at += length
    return Clause(_reduced(roles), frozenset(countries), len(tokens))


_SKIPPED: tuple[Role | None, ...] = ("filler", "joint")
_TOGETHER: dict[tuple[Role, Role], Role] = {
    ("negation", "restriction"): "allowance",
    ("exception", "restriction"): "allowance",
    ("negation", "allowance"): "denial",
    ("negation", "denial"): "allowance",
    ("negation", "only"): "filler",
    ("negation", "permission"): "permission",
    ("negation", "embargo"): "lifted",
    ("exception", "embargo"): "lifted",
    ("negation", "negation"): "negation",
}
"""What two words mean together: "not permitted" is a denial, "no restrictions" an allowance."""


def _reduced(roles: list[Role | None]) -> tuple[Role | None, ...]:
    """The roles with each pair that means one thing as that one thing."""
    made: list[Role | None] = []
    for role in roles:
        back = len(made) - 1
        while back >= 0 and back >= len(made) - 3 and made[back] in _SKIPPED:
            back -= 1
        before = made[back] if back >= 0 else None
        together = _TOGETHER.get((before, role)) if before is not None and role is not None else None
        if together is None:
            made.append(role)
        else:
            del made[back + 1 :]
            made[back] = together
    return tuple(made)
