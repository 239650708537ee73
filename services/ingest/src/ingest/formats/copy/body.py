"""A body without what stands around the text: kickers, headline again, notes to desks, sign-offs. Pure."""

import itertools
import re

from ingest.formats.copy import blocks, places, repeats
from ingest.formats.copy.cleared import Cleared
from ingest.formats.copy.desks import notes
from ingest.formats.copy.endings import last_lines
from ingest.formats.copy.names import authors
from ingest.formats.text import plain as text

_FURNITURE = re.compile(
    r"(?:^|\s)(?:[a-z0-9]{1,20}[-_]{1,2}){0,3}(kicker|vignette|vinjett|overline|dachzeile|spitzmarke|byline|author|authors|byline-?author|source|k[äa]lla|quelle|dat|dateline|photographer|fotograf|"
    r"photo-?credit|image-?credit|credit|caption|captions|bildtext|caption-?text|bildunterschrift|legende|copyright)(?:[-_](?:text|name|line|box|info))?(?=\s|$)"
)
_WRITERS = ("byline", "author", "authors", "byline-author", "bylineauthor")
_HAS_PICTURE = re.compile(r"<(?:img|picture|video|audio|iframe|source|svg|a)\b", re.IGNORECASE)
_FIGURE = re.compile(r"<figure\b[^<>]*>((?>(?:[^<]+|<(?!/?figure\b))*))</figure\s*>\s*", re.IGNORECASE)
_FIRST = 4
_LONGEST_ABOVE = 40
"""Characters of a line above a headline that is repeated."""


def cleared(html: str, headline: str, slugline: str = "", *, may_have_notes: bool = True) -> Cleared:
    """What of a body is text for readers."""
    found = Cleared(html)
    if "class=" in html or "<figure" in html:
        found.html = _without_furniture(found)
    every = list(blocks.leaves(found.html))
    if not every:
        return found
    spans = _spans(found, every, headline, slugline, may_have_notes=may_have_notes)
    if found.first.startswith(_SECOND_HEADLINE) and (at := found.html.find(_SECOND_HEADLINE, found.first_at)) >= 0:
        spans.append((at, at + len(_SECOND_HEADLINE)))
    if spans:
        found.html = blocks.without(found.html, spans)
    return found


def _spans(
    found: Cleared, every: list[blocks.Block], headline: str, slugline: str, *, may_have_notes: bool
) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    begun = False
    above = _above_repeat(every, headline) if headline else 0
    for number, block in enumerate(every):
        is_looked_at = may_have_notes and ("<br" in block.inner or notes.may_be_note(block.inner))
        if begun and not is_looked_at:
            continue
        words = block.words
        if not words:
            continue
        if is_looked_at and notes.opens_private_part(words):
            found.notes.append("\n".join(one.words for one in every[number:]))
            spans += [(one.start, one.end) for one in every[number:]]
            break
        if begun and is_looked_at and (after := _contacts_end(every, number, words)) > number:
            found.notes.append("\n".join(one.words for one in every[number:after]))
            spans += [(one.start, one.end) for one in every[number:after]]
            continue
        if not begun and number < _FIRST and _is_heading(found, block, words, headline, slugline):
            spans.append((block.start, block.end))
            continue
        if is_looked_at and _take_notes(found, block, words, spans):
            continue
        if not begun and number <= _FIRST and (names := _names(found, words)):
            found.bylines.append(names)
            spans.append((block.start, block.end))
            continue
        if number < above:
            found.furniture.append(words)
            spans.append((block.start, block.end))
            continue
        if not begun:
            found.first, found.first_at = words, block.start
        # Points that stand above a text, and above its byline, are not its beginning.
        begun = begun or not (words.startswith("* ") and number < _FIRST)
    if may_have_notes:
        last_lines.take(found, every, spans)
    return spans


_SECOND_HEADLINE = "Utl.: "
"""APA's label of one, which stands in the text."""


def _names(found: Cleared, words: str) -> str:
    """Who wrote the text, of a line above it that says nothing else; empty for none, or where another line said so."""
    if found.bylines:
        return ""
    if authors.is_line_of_names(words):
        return words.strip("()")
    return authors.of_starred_line(words)


def _above_repeat(every: list[blocks.Block], headline: str) -> int:
    """How many lines stand above the headline where a text says it once more: `The Sports Xchange`, then the headline."""
    for number, block in enumerate(every[:_FIRST]):
        words = block.words
        if number and len(words) > _LONGEST_ABOVE // 2 and repeats.same(words, headline):
            return number
        if len(words) > _LONGEST_ABOVE or words.endswith((".", "!", "?", ":", "”", '"', "»")) or "<a" in block.inner:
            return 0
    return 0


def _contacts_end(every: list[blocks.Block], number: int, words: str) -> int:
    """Where the lines end that a label of contacts (`Pressekontakt:`) is above of; `number` where it is no such label."""
    if not notes.labels_contacts(words):
        return number
    end = number
    for at, block in enumerate(every[number + 1 : number + 1 + _MOST_CONTACTS], number + 1):
        words = block.words
        if not notes.may_be_contact(words):
            break
        if notes.says_how_to_reach(words):
            # Names stand above their numbers; what stands below the last number is text again.
            end = at + 1
    return end


_MOST_CONTACTS = 12


def _take_notes(found: Cleared, block: blocks.Block, words: str, spans: list[tuple[int, int]]) -> bool:
    """Take the notes out of a block; whether all of it is one."""
    lines = blocks.lines_of(block, words)
    taken = [one for one in lines if _is_note(found, one[2])]
    if len(taken) == len(lines):
        spans.append((block.start, block.end))
        return True
    spans += [(start, end) for start, end, _ in taken]
    if words[0] == "(" and (before := notes.note_before_text(lines[0][2]).strip()):
        tail = before[-12:]
        at = found.html.find(tail, block.inner_at, block.end)
        if at >= 0 and "<" not in found.html[block.inner_at : at]:
            found.notes.append(before)
            spans.append((block.inner_at, at + len(tail)))
    return False


def _is_note(found: Cleared, words: str) -> bool:
    if not words:
        return False
    if len(words) < notes.LONGEST_EMBARGO and notes.is_embargo(words):
        found.is_embargoed = True
        found.notes.append(words)
        return True
    if notes.kind_of_note(words):
        found.notes.append(words)
        return True
    if notes.is_read_also(words):
        found.furniture.append(words)
        return True
    return False


def _is_heading(found: Cleared, block: blocks.Block, words: str, headline: str, slugline: str) -> bool:
    """Whether one of the first blocks is the headline or slugline once more, or a headline where there is none."""
    if headline:
        # `Checked: No, it is not so` above a text that begins with `No, it is not so`.
        kicker, _, rest = headline.partition(": ")
        if (
            repeats.same(words, headline)
            or (block.name[0] == "h" and len(words) > 15 and repeats.begins_with(headline, words, 16))
            or (len(words) > 20 and len(kicker) < 40 and repeats.same(words, rest))
        ):
            found.heading = words
            return True
    elif block.name in ("h1", "h2") and 4 < len(words) <= 200:
        found.heading = words
        return True
    return bool(slugline) and len(words) < 80 and repeats.same(words, slugline)


def _without_furniture(found: Cleared) -> str:
    """The body without kickers, writers and captions that its markup names as such."""
    html = found.html
    spans: list[tuple[int, int]] = []
    for figure in _FIGURE.finditer(html):
        if not _HAS_PICTURE.search(figure.group(1)):
            if words := text.of_html(figure.group(1)):
                found.furniture.append(words)
            spans.append((figure.start(), figure.end()))
    for start, end, classes in blocks.spans_of_class(html, _is_furniture):
        if any(before <= start < behind for before, behind in spans):
            continue
        inner = html[start:end]
        if _HAS_PICTURE.search(inner) and "<a" not in inner.lower():
            continue
        words = text.of_html(inner)
        if len(words) > 400:
            continue
        kind = _FURNITURE.search(classes)
        if kind is not None and kind.group(1) in _WRITERS and words:
            found.bylines.append(words)
        if words:
            found.furniture.append(words)
        spans.append((start, end))
    return blocks.without(html, spans) if spans else html


def _is_furniture(name: str, classes: str) -> bool:
    return (
        name not in ("body", "article", "section", "main", "html", "table", "figure", "img", "a")
        and _FURNITURE.search(classes) is not None
    )


_FIGCAPTION = re.compile(r"<figcaption\b[^<>]*>((?>(?:[^<]+|<(?!/?figcaption\b))*))</figcaption\s*>", re.IGNORECASE)


def without_captions(html: str, captions: set[str]) -> str:
    """The body without the captions that its pictures carry: pictures are shown beside the text, with their captions."""
    if not captions or "<figcaption" not in html:
        return html
    spans = [
        (one.start(), one.end())
        for one in _FIGCAPTION.finditer(html)
        if repeats.folded(text.of_html(one.group(1))) in captions
    ]
    return blocks.without(html, spans)


def place_in(html: str) -> str:
    """The place of the dateline that one of the first paragraphs begins with: notes and a byline may stand above it."""
    return next(
        (place for one in itertools.islice(blocks.leaves(html), _FIRST) if (place := places.of_text(one.words))), ""
    )


def first_words(html: str) -> str:
    """What the first paragraph of a text says."""
    if not html:
        return ""
    return next((words for one in blocks.leaves(html) if (words := one.words)), "") or text.of_html(html[:4000])


def parted_headline(html: str, most: int) -> tuple[str, str]:  # noqa: PLR0911 -- a table of cases
    """A headline made of the first sentence, and the text that goes on behind it; empty where no sentence is short enough.

    A paragraph with markup is left whole, since nobody can cut it without harm: then no headline is made.
    """
    every = iter(blocks.leaves(html))
    first = next((one for one in every if one.words), None)
    if first is None:
        if "<" in html:
            return "", html
        sentence = repeats.first_sentence(text.unescaped(html))
        return (
            ("", html)
            if len(sentence) > most
            else (sentence, text.escaped(text.unescaped(html)[len(sentence) :].strip()))
        )
    if _HAS_PICTURE.search(first.inner) or first.name in ("pre", "li", "blockquote"):
        return "", html
    words = first.words
    sentence = repeats.first_sentence(words)
    made = places.without_dateline(sentence)
    if not made or len(made) > most:
        return "", html
    if len(sentence) == len(words):
        return made, blocks.without(html, [(first.start, first.end)])
    if "<" in first.inner:
        return "", html
    rest = words[len(sentence) :].strip()
    return made, html[: first.inner_at] + text.escaped(rest) + html[first.inner_at + len(first.inner) :]
