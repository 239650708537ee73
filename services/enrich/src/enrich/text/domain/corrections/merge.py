"""Three-way merge of a headline or a body: what a desk saw, what it made of that, and what its source says now.

Both sides are compared block by block, wherever a block has moved to, and word by word within blocks. The source's order of
blocks holds, unless it changed none. What cannot be merged into well-formed HTML, or is too large to compare, is left as the
desk has it, and that is a conflict.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from enrich.text.domain.corrections.replaced import Replacement, replacements, with_replacements
from enrich.text.domain.corrections.tokens import (
    Block,
    Token,
    blocks_of,
    has_at_most,
    is_balanced,
    line_tokens,
    text_of,
)
from enrich.text.domain.corrections.words import (
    Conflict,
    Merged,
    Side,
    changes_between,
    conflict_of,
    merge_words,
)
from shared.remembered import remembered

LEAST_ALIKE = 0.3
"""Of the words of two blocks, so that one is the other rewritten."""
LEAST_ALIKE_ALONE = 0.1
"""Where there are no others."""
MOST_COMPARED = 50
"""Blocks without a like one on the other side that are compared with one another."""
MOST_TOKENS = 15_000
"""Words, signs and tags of a text that is merged: three times as many cost a quarter of a second, in which nothing else is handled."""
CACHED = 32
"""Merges that are remembered: a message asks for the same one a few times, and the next one for most of them again."""

CACHED_CHARACTERS = 100_000
"""Of each text; the process would hold a hundred megabytes for the longest."""


@dataclass(frozen=True, slots=True)
class MergedText:
    """A merged text."""

    text: str
    conflicts: tuple[Conflict, ...] = ()
    is_clean: bool = True
    """Whether all that the desk changed is in the text, and nothing is to be told."""


@remembered(CACHED, CACHED_CHARACTERS)
def merged(
    base: str,
    desk: str,
    source: str,
    *,
    is_html: bool,
    prefer: Side = "desk",
    remembered: tuple[Replacement, ...] = (),
) -> MergedText:
    """Merge three texts. `remembered` is what the desk replaced in texts before `base`."""
    if source in (base, desk):
        return MergedText(desk)
    if desk == base and not remembered:
        return MergedText(source)
    if not is_html and source.split() == desk.split():
        return MergedText(desk)
    if not all(has_at_most(MOST_TOKENS, each) for each in (base, desk, source)):
        return MergedText(source if prefer == "source" else desk, (Conflict("", "", ""),), is_clean=False)
    return (
        _merged_html(base, desk, source, prefer, remembered)
        if is_html
        else _merged_line(base, desk, source, prefer, remembered)
    )


@remembered(CACHED, CACHED_CHARACTERS)
def replaced_words(base: str, desk: str, *, is_html: bool) -> tuple[Replacement, ...]:
    """What a desk replaced in a text; nothing of one that is too large to compare."""
    if not (has_at_most(MOST_TOKENS, base) and has_at_most(MOST_TOKENS, desk)):
        return ()
    if not is_html:
        lines = line_tokens(base), line_tokens(desk)
        return tuple(replacements([lines], *lines))
    mine, theirs = blocks_of(base), blocks_of(desk)
    pairs = [
        (mine[at].tokens, theirs[other].tokens)
        for at, other in _paired(mine, theirs).items()
        if mine[at].keys != theirs[other].keys
    ]
    return tuple(replacements(pairs, _all_tokens(mine), _all_tokens(theirs)))


def _all_tokens(blocks: Sequence[Block]) -> list[Token]:
    return [token for block in blocks for token in block.tokens]


def _merged_line(base: str, desk: str, source: str, prefer: Side, remembered: tuple[Replacement, ...]) -> MergedText:
    words = merge_words(line_tokens(base), line_tokens(desk), line_tokens(source), prefer)
    return _with_remembered(words, base, desk, prefer, remembered, is_html=False)


def _merged_html(base: str, desk: str, source: str, prefer: Side, remembered: tuple[Replacement, ...]) -> MergedText:
    blocks = _merge_blocks(blocks_of(base), blocks_of(desk), blocks_of(source), prefer)
    if not is_balanced(blocks.tokens):
        told = (*blocks.conflicts, Conflict("", "", ""))
        return MergedText(source if prefer == "source" else desk, told, is_clean=False)
    return _with_remembered(blocks, base, desk, prefer, remembered, is_html=True)


def _with_remembered(
    made: Merged, base: str, desk: str, prefer: Side, remembered: tuple[Replacement, ...], *, is_html: bool
) -> MergedText:
    tokens, conflicts = made.tokens, made.conflicts
    if prefer == "desk":
        known = (*replaced_words(base, desk, is_html=is_html), *remembered)
        tokens, again = with_replacements(tokens, known)
        conflicts = [*conflicts, *again]
    return MergedText(text_of(tokens), tuple(dict.fromkeys(conflicts)), is_clean=not conflicts and not made.gone)


def _merge_blocks(base: Sequence[Block], desk: Sequence[Block], source: Sequence[Block], prefer: Side) -> Merged:
    in_desk, in_source = _paired(base, desk), _paired(base, source)
    if list(in_source.items()) == [(at, at) for at in range(len(source))] and len(base) == len(source):
        return _in_order_of_desk(base, desk, source, {to: at for at, to in in_desk.items()}, prefer)
    of_source = {to: at for at, to in in_source.items()}
    inserted = _insertions(desk, {to: at for at, to in in_desk.items()}, in_source)
    news = {source[at].keys for at in range(len(source)) if at not in of_source}
    made = Merged()
    for at in range(-1, len(source)):
        if at >= 0:
            known = of_source.get(at)
            if known is None:
                made.tokens += source[at].tokens
            else:
                _merge_block(made, base[known], _at(desk, in_desk.get(known)), source[at], prefer)
        for block in inserted.get(at, ()):
            if block.keys not in news:
                made.tokens += block.tokens
    for at, block in enumerate(base):
        changed = at not in in_desk or desk[in_desk[at]].keys != block.keys
        made.gone = made.gone or (at not in in_source and changed)
    return made


def _in_order_of_desk(
    base: Sequence[Block], desk: Sequence[Block], source: Sequence[Block], of_desk: dict[int, int], prefer: Side
) -> Merged:
    """The source changed no order: the desk's holds."""
    made = Merged()
    left = set(range(len(base))) - set(of_desk.values())
    for at, block in enumerate(desk):
        if at in of_desk:
            _merge_block(made, base[of_desk[at]], block, source[of_desk[at]], prefer)
        else:
            made.tokens += block.tokens
    for at in sorted(left):
        _merge_block(made, base[at], None, source[at], prefer)
    return made


def _merge_block(made: Merged, base: Block, desk: Block | None, source: Block, prefer: Side) -> None:
    if desk is None:
        if source.keys != base.keys:
            made.conflicts.append(conflict_of(base.tokens, (), source.tokens))
            made.tokens += source.tokens if prefer == "source" else ()
        return
    if desk.keys in (base.keys, source.keys):
        made.tokens += source.tokens
        return
    if source.keys == base.keys:
        made.tokens += desk.tokens
        return
    words = merge_words(base.tokens, desk.tokens, source.tokens, prefer)
    if not is_balanced(words.tokens) and is_balanced(desk.tokens) and is_balanced(source.tokens):
        made.conflicts.append(conflict_of(base.tokens, desk.tokens, source.tokens))
        made.tokens += source.tokens if prefer == "source" else desk.tokens
        return
    made.tokens += words.tokens
    made.conflicts += words.conflicts
    made.gone = made.gone or words.gone


def _at(blocks: Sequence[Block], at: int | None) -> Block | None:
    return blocks[at] if at is not None else None


def _insertions(desk: Sequence[Block], of_desk: dict[int, int], in_source: dict[int, int]) -> dict[int, list[Block]]:
    """The blocks that the desk put in, by the source's block that they follow; -1 is the beginning."""
    inserted: dict[int, list[Block]] = defaultdict(list)
    after = -1
    for at, block in enumerate(desk):
        known = of_desk.get(at)
        if known is None:
            inserted[after].append(block)
        elif known in in_source:
            after = in_source[known]
    return inserted


def _paired(old: Sequence[Block], new: Sequence[Block]) -> dict[int, int]:
    """Which block is which: equal ones in their order, then those that moved, then those that are alike."""
    ids: dict[tuple[str, ...], str] = {}
    old_ids = [ids.setdefault(block.keys, str(len(ids))) for block in old]
    new_ids = [ids.setdefault(block.keys, str(len(ids))) for block in new]
    pairs: dict[int, int] = {}
    at = at_new = 0
    for change in [*changes_between(old_ids, new_ids), None]:
        end = change.begin if change is not None else len(old)
        pairs |= dict(zip(range(at, end), range(at_new, at_new + end - at), strict=True))
        if change is not None:
            at, at_new = change.end, change.new_end
    taken = set(pairs.values())
    places: dict[str, deque[int]] = defaultdict(deque)
    for place, each in enumerate(new_ids):
        if place not in taken:
            places[each].append(place)
    for place, each in enumerate(old_ids):
        if place not in pairs and places[each]:
            pairs[place] = places[each].popleft()
    return dict(sorted((pairs | _alike(old, new, pairs)).items()))


def _alike(old: Sequence[Block], new: Sequence[Block], pairs: dict[int, int]) -> dict[int, int]:
    taken = set(pairs.values())
    mine = [at for at in range(len(old)) if at not in pairs and old[at].has_words]
    theirs = [at for at in range(len(new)) if at not in taken and new[at].has_words]
    least = LEAST_ALIKE_ALONE if len(mine) == len(theirs) == 1 else LEAST_ALIKE
    old_words = {at: old[at].words for at in mine[:MOST_COMPARED]}
    new_words = {at: new[at].words for at in theirs[:MOST_COMPARED]}
    scores = sorted(
        (-_likeness(words, others), abs(place - other_place), one, other)
        for place, (one, words) in enumerate(old_words.items())
        for other_place, (other, others) in enumerate(new_words.items())
    )
    found: dict[int, int] = {}
    for score, _, one, other in scores:
        if -score >= least and one not in found and other not in found.values():
            found[one] = other
    return found


def _likeness(words: frozenset[str], others: frozenset[str]) -> float:
    total = len(words) + len(others)
    return 2 * len(words & others) / total if total else 0.0
