"""The last lines of a body, taken from it where they are no part of the text. Pure."""

from ingest.formats.copy import blocks
from ingest.formats.copy.cleared import Cleared
from ingest.formats.copy.endings import closers, sign_offs

_LAST = 4
"""Lines at the end of a text among which sign-offs are looked for."""


def take(found: Cleared, every: list[blocks.Block], spans: list[tuple[int, int]]) -> None:
    """Take sign-offs, marks and the writer from the end of a text."""
    _sign_offs(found, every[-_LAST:], spans)
    _marks_inside(found, every[-_LOOKED_AT:-_LAST], spans)


def _sign_offs(found: Cleared, last: list[blocks.Block], spans: list[tuple[int, int]]) -> None:
    """Take sign-offs from the end of the text, until a line that is none."""
    taken = set(spans)
    _take_writer(found, last, taken, spans)
    for block in reversed(last):
        if (block.start, block.end) in taken or any(start <= block.start and block.end <= end for start, end in taken):
            continue
        lines = [one for one in blocks.lines_of(block, block.words) if (one[0], one[1]) not in taken]
        # The first block is the text, however short: a text of one word is no sign-off.
        first = block.start == found.first_at
        while (
            lines
            and "<a " not in block.inner
            and (not lines[-1][2] or sign_offs.is_sign_off(lines[-1][2], is_block=len(lines) == 1))
            and (len(lines) > 1 or not first)
        ):
            start, end, words = lines.pop()
            if words:
                found.sign_offs.append(words)
            spans.append((start, end))
        if not lines:
            spans.append((block.start, block.end))
            continue
        _behind_sentence(found, lines[-1], spans)
        break


def _marks_inside(found: Cleared, several: list[blocks.Block], spans: list[tuple[int, int]]) -> None:
    """Take an agency's mark that stands alone between a text and a box of facts."""
    for block in several:
        if block.name == "p" and len(block.inner) < _LONGEST_MARK and block.start > found.first_at:
            words = block.words
            if sign_offs.is_agency_mark(words) and (block.start, block.end) not in spans:
                found.sign_offs.append(words)
                spans.append((block.start, block.end))


_LOOKED_AT = 40
_LONGEST_MARK = 24


def _take_writer(
    found: Cleared, last: list[blocks.Block], taken: set[tuple[int, int]], spans: list[tuple[int, int]]
) -> None:
    """Take a line that says at the end who wrote the text; it is the byline where there is none."""
    if "<img" in found.html or "<figure" in found.html:
        # It may be the credit of a picture.
        return
    for block in last:
        at = (block.start, block.end)
        if at in taken or block.start <= found.first_at or "<" in block.inner or block.name != "p":
            continue
        if name := closers.writer(block.words):
            found.bylines.append(name)
            found.sign_offs.append(block.words)
            taken.add(at)
            spans.append(at)


def _behind_sentence(found: Cleared, line: tuple[int, int, str], spans: list[tuple[int, int]]) -> None:
    """Take what stands behind the last sentence of a line: `(Schluss) ab/cd`."""
    start, end, words = line
    for _ in range(3):
        said = sign_offs.initials_at_end(words).strip()
        inner = found.html[start:end].rstrip()
        if not said or not inner.endswith(said):
            return
        kept = inner[: -len(said)].rstrip()
        found.sign_offs.append(said)
        spans.append((start + len(kept), start + len(inner)))
        end, words = start + len(kept), words[: -len(said)].rstrip()
