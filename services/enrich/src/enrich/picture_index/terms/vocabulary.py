"""The words of usage terms, read from `words.toml` and `territories.toml`."""

import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import Literal, get_args

from pydantic import TypeAdapter

Role = Literal[
    "locked", "embargo", "denial", "negation", "exception", "only", "allowance", "restriction", "permission", "lifted", "before",
    "out", "medium", "other_media", "use", "other_use", "joint", "filler", "territory",
]  # fmt: skip
"""What a word does in a clause; of two roles that languages give one word the first here counts.

`medium` is what we are: online, on the web. `other_media` are those that we are not: print, broadcast. `use` is to use or
publish at all, `other_use` what a page does not do with a picture (sales, advertising, archives)."""

ROLES: tuple[Role, ...] = get_args(Role)
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


@dataclass(frozen=True, slots=True)
class Word:
    """An entry of the vocabulary that was met in a text: one word or several in a row."""

    role: Role
    countries: frozenset[str] = frozenset()
    """Of a territory: what is in it, ISO 3166-1 alpha-2."""


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[str, ...]
    word: Word
    rank: tuple[int, bool, int, int]
    """Longer entries first, whole words before beginnings, then by how much of the word is given and by role."""

    @classmethod
    def of(cls, written: str, word: Word) -> "_Entry":
        """An entry as it is written in the tables."""
        words = tuple(plain(written).split())
        begun = words[0].endswith("*")
        rank = (-len(words), begun, -len(words[0]) if begun else 0, ROLES.index(word.role))
        return cls(words, word, rank)

    def fits(self, tokens: Sequence[str], at: int) -> bool:
        """Whether the entry stands in the text from `at` on."""
        if len(self.words) == 1:
            return not self.rank[1] or tokens[at].startswith(self.words[0][:-1])
        if at + len(self.words) > len(tokens):
            return False
        return all(
            token.startswith(word[:-1]) if word.endswith("*") else token == word
            for word, token in zip(self.words, tokens[at : at + len(self.words)], strict=True)
        )


def plain(text: str) -> str:
    """Text for comparison: case folded, Latin letters without their marks."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS))
    return "".join(_bare(letter) for letter in folded)


def _bare(letter: str) -> str:
    if letter.isascii():
        return letter
    parts = unicodedata.normalize("NFD", letter)
    return parts[0] if parts[0].isascii() else letter


@dataclass(frozen=True, slots=True)
class _Territories:
    countries: dict[str, list[str]]
    codes: dict[str, list[str]]
    regions: dict[str, list[str]]


_TERMS = TypeAdapter(dict[str, dict[Role, list[str]]])
_TERRITORIES = TypeAdapter(_Territories)


class Vocabulary:
    """Finds entries in a text, the longest first; a word that is written out goes before one that is only begun."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._whole: dict[str, list[_Entry]] = {}
        self._begun: dict[str, list[_Entry]] = {}
        for entry in sorted(entries, key=attrgetter("rank")):
            first = entry.words[0]
            if first.endswith("*"):
                self._begun.setdefault(first[:2], []).append(entry)
            else:
                self._whole.setdefault(first, []).append(entry)

    def at(self, tokens: Sequence[str], at: int) -> tuple[Word | None, int]:
        """The entry that stands at a place and how many words it has; None and 1 where there is none."""
        token = tokens[at]
        found: _Entry | None = None
        for several in (self._whole.get(token, ()), self._begun.get(token[:2], ())):
            for entry in several:
                if found is not None and found.rank < entry.rank:
                    break
                if entry.fits(tokens, at):
                    found = entry
                    break
        return (found.word, len(found.words)) if found else (None, 1)


@cache
def vocabulary() -> Vocabulary:
    """The words of all languages: terms mix them, and nobody says which they are in."""
    return Vocabulary([*_terms(), *_territories()])


def country_of_code(word: str) -> str | None:
    """The country of a code in capitals (`GER`, `UK`, `AT`), as the alpha-2 code; None for any other word."""
    return _codes().get(word) if word.isupper() and len(word) <= 3 else None


def countries() -> frozenset[str]:
    """The countries that restrictions are known to name, as alpha-2 codes."""
    return frozenset(_territory_tables().countries)


def _terms() -> Iterator[_Entry]:
    for by_role in _TERMS.validate_python(_read("words.toml")).values():
        for role, entries in by_role.items():
            for entry in entries:
                yield _Entry.of(entry, Word(role))


def _territories() -> Iterator[_Entry]:
    tables = _territory_tables()
    for country, names in tables.countries.items():
        for name in names:
            yield _Entry.of(name, Word("territory", frozenset((country,))))
    for name, members in tables.regions.items():
        yield _Entry.of(name, Word("territory", frozenset(members)))


@cache
def _codes() -> dict[str, str]:
    tables = _territory_tables()
    codes = {code: country for country, several in tables.codes.items() for code in several}
    return codes | {country: country for country in tables.countries}


@cache
def _territory_tables() -> _Territories:
    return _TERRITORIES.validate_python(_read("territories.toml"))


def _read(name: str) -> dict[str, object]:
    return tomllib.loads(files(__package__).joinpath(name).read_text("utf-8"))
