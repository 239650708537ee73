"""The words that a desk put others in the place of, so that they are known wherever a source says them again."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pydantic import Field

from enrich.text.domain.corrections.tokens import Token, text_of, words_of
from enrich.text.domain.corrections.words import LONGEST_TOLD, Change, Conflict, changes_between, keys_of
from shared.messages import Message

MOST = 100
"""Replacements that are remembered of a text."""
LONGEST = 20
"""Words of one; a longer stretch is known by its block."""


class Replacement(Message):
    """Words that a desk replaced, and by what; they are known by the word behind them, or before them at a sentence's end."""

    old: tuple[str, ...]
    new: str = ""
    before: str = ""
    after: str = ""
    everywhere: bool = Field(default=False)
    """Whether the desk replaced all of several places alike, so that the words alone are known."""


def replacements(
    pairs: Sequence[tuple[Sequence[Token], Sequence[Token]]], base: Sequence[Token], desk: Sequence[Token]
) -> list[Replacement]:
    """What a desk replaced in pairs of blocks of two whole texts, without what it let stand elsewhere."""
    found = []
    for before, after in pairs:
        mine, theirs = ([token for token in each if not token.is_tag] for each in (before, after))
        for change in changes_between(keys_of(mine), keys_of(theirs)):
            old = mine[change.begin : change.end]
            if any(token.is_word for token in old) and len(old) <= LONGEST:
                found.append(_replacement(mine, theirs, change))
    counts = Counter((each.old, each.new.strip()) for each in found)
    said = Counter(keys_of(base))
    found = [
        each.model_copy(update={"everywhere": True})
        if len(each.old) == 1 and 1 < counts[each.old, each.new.strip()] == said[each.old[0]]
        else each
        for each in found[: 2 * MOST]
    ]
    left = {id(each) for _, each in _matches([token for token in desk if not token.is_tag], found)}
    return [each for each in found if id(each) not in left][:MOST]


def _replacement(base: Sequence[Token], desk: Sequence[Token], change: Change) -> Replacement:
    return Replacement(
        old=tuple(token.key for token in base[change.begin : change.end]),
        new=text_of(desk[change.new_begin : change.new_end]),
        before=base[change.begin - 1].key if change.begin else "",
        after=base[change.end].key if change.end < len(base) else "",
    )


def with_replacements(tokens: Sequence[Token], known: Sequence[Replacement]) -> tuple[list[Token], list[Conflict]]:
    """Tokens in which the desk's words stand wherever the source says again what they replaced, and what is to be told."""
    plain = [at for at, token in enumerate(tokens) if not token.is_tag]
    words = [tokens[at] for at in plain]
    kept: list[Token | None] = list(tokens)
    told = []
    for at, each in _matches(words, known):
        places = plain[at : at + len(each.old)]
        around = words_of(words[max(at - 5, 0) : at + len(each.old) + 5])
        told.append(Conflict(" ".join(each.old), each.new.strip(), around[:LONGEST_TOLD]))
        first = tokens[places[0]].text
        space = first[: len(first) - len(first.lstrip())]
        kept[places[0]] = Token(space + each.new.lstrip(), each.new.strip()) if each.new.strip() else None
        for place in places[1:]:
            kept[place] = None
    return [token for token in kept if token is not None], list(dict.fromkeys(told))


def _matches(words: Sequence[Token], known: Sequence[Replacement]) -> Iterator[tuple[int, Replacement]]:
    by_first: dict[str, list[Replacement]] = {}
    for each in known:
        by_first.setdefault(each.old[0], []).append(each)
    free_from = 0
    for at, token in enumerate(words):
        if at < free_from or token.key not in by_first:
            continue
        for each in by_first[token.key]:
            end = at + len(each.old)
            if tuple(keys_of(words[at:end])) == each.old and _is_meant(words, at, end, each):
                free_from = end
                yield at, each
                break


def _is_meant(words: Sequence[Token], at: int, end: int, each: Replacement) -> bool:
    """Whether the words are those that were replaced, and not the same words about something else."""
    if each.everywhere or sum(map(_is_word, each.old)) > 1 or each.old[-1].endswith("%"):
        return True
    before = words[at - 1].key if at else ""
    after = words[end].key if end < len(words) else ""
    if _is_word(each.after) or after == "%" == each.after:
        return after == each.after
    return before == each.before and after == each.after


def _is_word(key: str) -> bool:
    return any(map(str.isalnum, key))
