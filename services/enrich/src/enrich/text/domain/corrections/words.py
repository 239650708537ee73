"""Three-way merge of words: what a desk saw, what it made of that, and what its source says now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rapidfuzz.distance import Indel

from enrich.text.domain.corrections.tokens import SENTENCE_ENDS, Token, words_of

Side = Literal["desk", "source"]
MOST_WORDS = 3000
"""Words that are compared with as many others: the time grows with their product."""
LONGEST_TOLD = 500
"""Characters of a conflict's words."""


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of the base, and the stretch that stands in its place."""

    begin: int
    end: int
    new_begin: int
    new_end: int

    @property
    def is_insertion(self) -> bool:
        """Whether nothing was there before."""
        return self.begin == self.end


@dataclass(frozen=True, slots=True)
class Conflict:
    """Words that desk and source changed in two ways; as plain text."""

    base: str
    desk: str
    source: str


@dataclass(slots=True)
class Merged:
    """What became of tokens, and what is to be told about it."""

    tokens: list[Token] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    gone: bool = False
    """Whether something that the desk changed is not in the source's text any more."""


@dataclass(frozen=True, slots=True)
class _Edit:
    """A change of one side, and what it put in."""

    change: Change
    side: Side
    put: Sequence[Token]


@dataclass(slots=True)
class _Region:
    """A stretch of the base that one side changed, or both."""

    begin: int
    end: int
    edits: list[_Edit] = field(default_factory=list)

    def last_of(self, side: Side) -> _Edit | None:
        """The last edit of a side."""
        return next((each for each in reversed(self.edits) if each.side == side), None)


def common(one: Sequence[object], other: Sequence[object]) -> int:
    """How many items two sequences begin with alike."""
    least = min(len(one), len(other))
    return next((at for at in range(least) if one[at] != other[at]), least)


def changes_between(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """What changed from one sequence to another; one change where there are too many to compare."""
    head = common(old, new)
    tail = min(common(old[::-1], new[::-1]), len(old) - head, len(new) - head)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    if not before and not after:
        return []
    if not before or not after or max(len(before), len(after)) > MOST_WORDS:
        return [Change(head, head + len(before), head, head + len(after))]
    changes: list[Change] = []
    for operation in Indel.opcodes(before, after):
        if operation.tag == "equal":
            continue
        begin, end = head + operation.src_start, head + operation.src_end
        new_begin, new_end = head + operation.dest_start, head + operation.dest_end
        if changes and changes[-1].end == begin and changes[-1].new_end == new_begin:
            begin, new_begin = changes[-1].begin, changes.pop().new_begin
        changes.append(Change(begin, end, new_begin, new_end))
    return changes


def keys_of(tokens: Sequence[Token]) -> list[str]:
    """What tokens are compared by."""
    return [token.key for token in tokens]


def conflict_of(base: Sequence[Token], desk: Sequence[Token], source: Sequence[Token]) -> Conflict:
    """The words of a conflict, for people."""
    return Conflict(*(words_of(each)[:LONGEST_TOLD] for each in (base, desk, source)))


def merge_words(base: Sequence[Token], desk: Sequence[Token], source: Sequence[Token], prefer: Side = "desk") -> Merged:
    """Merge tokens: what one side changed is taken; where both changed the same words otherwise, `prefer` stands."""
    merged = Merged()
    at = at_source = 0
    shift: dict[Side, int] = {"desk": 0, "source": 0}
    for region in _regions(base, _edits(base, desk, "desk"), _edits(base, source, "source")):
        merged.tokens += source[at_source : at_source + region.begin - at]
        begin, end = _stretch(region, shift, "desk")
        mine = desk[begin:end]
        begin, end = _stretch(region, shift, "source")
        theirs = source[begin:end]
        mine = _spaced_like(theirs, mine)
        at, at_source = region.end, end
        if region.last_of("source") is None:
            merged.tokens += mine
        elif region.last_of("desk") is None or keys_of(mine) == keys_of(theirs):
            merged.tokens += theirs
        elif not theirs and _are_sentences(base, region.begin, region.end):
            merged.gone = True
        else:
            merged.tokens += mine if prefer == "desk" else theirs
            was = base[region.begin : region.end]
            if any(token.is_word for token in (*was, *mine, *theirs)):
                merged.conflicts.append(conflict_of(was, mine, theirs))
    merged.tokens += source[at_source:]
    return merged


def _spaced_like(theirs: Sequence[Token], mine: Sequence[Token]) -> Sequence[Token]:
    """The desk's words with the blank before them that the source has there: words may have come before them."""
    if not mine or not theirs or mine[0].is_tag or theirs[0].is_tag:
        return mine
    blank = theirs[0].text[: len(theirs[0].text) - len(theirs[0].text.lstrip())]
    return [replace(mine[0], text=blank + mine[0].text.lstrip()), *mine[1:]]


def _edits(base: Sequence[Token], new: Sequence[Token], side: Side) -> list[_Edit]:
    changes = changes_between(keys_of(base), keys_of(new))
    return [_Edit(each, side, new[each.new_begin : each.new_end]) for each in changes]


def _stretch(region: _Region, shift: dict[Side, int], side: Side) -> tuple[int, int]:
    """Where a region is on one side."""
    begin = region.begin + shift[side]
    mine = [each for each in region.edits if each.side == side]
    shift[side] += sum(len(each.put) - (each.change.end - each.change.begin) for each in mine)
    return begin, region.end + shift[side]


def _regions(base: Sequence[Token], desk: Sequence[_Edit], source: Sequence[_Edit]) -> Iterator[_Region]:
    """The edits of both sides in the order of the base, those together that concern the same words."""
    region: _Region | None = None
    for edit in sorted((*desk, *source), key=lambda each: (each.change.begin, each.change.end, each.side)):
        if region is None or not _meets(region, edit, base):
            if region is not None:
                yield region
            region = _Region(edit.change.begin, edit.change.end)
        region.edits.append(edit)
        region.end = max(region.end, edit.change.end)
    if region is not None:
        yield region


def _meets(region: _Region, edit: _Edit, base: Sequence[Token]) -> bool:
    """Whether an edit concerns the words of a region, or is put right beside what the other side changed there."""
    change = edit.change
    if change.begin < region.end:
        return True
    last = region.last_of("source" if edit.side == "desk" else "desk")
    if change.begin > region.end or last is None:
        return False
    if not change.is_insertion and not last.change.is_insertion:
        return False
    if change.is_insertion and last.change.is_insertion and keys_of(edit.put) == keys_of(last.put):
        return True
    if change.is_insertion and last.change.is_insertion:
        # Whole sentences that are put where the other side put something are news of their own.
        return not any(_is_inserted_sentence(base, each.change.begin, each.put) for each in (edit, last))
    # What is put before or behind what the other side replaced is not about the same words.
    return False


def _is_end(token: Token) -> bool:
    return token.key in SENTENCE_ENDS


def _is_start(base: Sequence[Token], at: int) -> bool:
    """Whether a sentence begins at a place."""
    while at > 0 and (base[at - 1].is_tag or base[at - 1].key in "»”’\"')"):
        at -= 1
    return at == 0 or _is_end(base[at - 1])


def _is_inserted_sentence(base: Sequence[Token], at: int, inserted: Sequence[Token]) -> bool:
    last = next((token for token in reversed(inserted) if not token.is_tag and token.key not in "»”’\"')"), None)
    return last is not None and _is_end(last) and _is_start(base, at)


def _are_sentences(base: Sequence[Token], begin: int, end: int) -> bool:
    """Whether a stretch is whole sentences, seen from its beginning or from the sign that ends the one before."""
    if end > begin and _is_end(base[end - 1]):
        return _is_start(base, begin)
    following = next((token for token in base[end:] if not token.is_tag), None)
    if following is None:
        return _is_start(base, begin)
    return _is_end(base[begin]) and _is_end(following)
