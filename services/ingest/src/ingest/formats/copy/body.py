"""A body without what stands around the text: kickers, headline again, notes to desks, sign-offs. Pure."""

import itertools
import re
from dataclasses import dataclass, field

from ingest.formats.copy import authors, blocks, closers, notes, places, repeats, sign_offs
from ingest.formats.html import embeds, from_xml
from ingest.formats.text import plain as text

_FURNITURE = re.compile(
    r"(?:^|\s)(?:[a-z0-9]{1,20}[-_]{1,2}){0,3}(kicker|vignette|vinjett|overline|dachzeile|spitzmarke|byline|author|authors|byline-?author|source|k[äa]lla|quelle|dat|dateline|photographer|fotograf|"
    r"photo-?credit|image-?credit|credit|caption|captions|bildtext|caption-?text|bildunterschrift|legende|copyright)(?:[-_](?:text|name|line|box|info))?(?=\s|$)"
)
_WRITERS = ("byline", "author", "authors", "byline-author", "bylineauthor")
_HAS_PICTURE = re.compile(r"<(?:img|picture|video|audio|iframe|source|svg|a)\b", re.IGNORECASE)
_FIGURE = re.compile(r"<figure\b[^<>]*>((?>(?:[^<]+|<(?!/?figure\b))*))</figure\s*>\s*", re.IGNORECASE)
_LAST = 4
"""Lines at the end of a text among which sign-offs are looked for."""
_FIRST = 4


@dataclass(slots=True)
class Cleared:
    """A body for readers, and what was taken out of it."""

    html: str
    notes: list[str] = field(default_factory=list)
    """For desks."""
    sign_offs: list[str] = field(default_factory=list)
    furniture: list[str] = field(default_factory=list)
    bylines: list[str] = field(default_factory=list)
    heading: str = ""
    """The first heading, where it is the headline, or could be since there is none."""
    first: str = ""
    """The first paragraph."""
    first_at: int = -1
    """Where it begins."""
    is_embargoed: bool = False
    kicker: str = ""


_VENDORS_TAG = re.compile(r"&lt;(/?[a-zA-Z][\w:.-]{0,40})((?:\s[^&<>]{0,300})?)/?&gt;")
_SIGNS = {
    "endash": "–", "ndash": "–", "en": "–", "emdash": "—", "mdash": "—", "em": "—", "hyphen": "-", "ellipsis": "…", "hellip": "…", "bullet": "•", "nbsp": " ", "tab": " ",
    "newline": " ", "linebreak": " ", "thinspace": " ", "softhyphen": "", "lquote": "‘", "rquote": "’", "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”",
    "quot": '"', "apos": "'", "euro": "€", "pound": "£", "yen": "¥", "cent": "¢", "degree": "°", "deg": "°", "copyright": "©", "trademark": "™", "times": "×", "minus": "−",
}  # fmt: skip
"""Tags of typesetting systems that stand for a character."""
_REFERENCES = frozenset(
    [
        "component",
        "componentref",
        "comp",
        "ref",
        "mediaref",
        "media-ref",
        "embed",
        "pullquote",
        "infobox",
        "factbox",
        "graphic",
        "photo",
        "picture",
        "image",
        "gallery",
        "teaser",
        "xref",
        "crosshead",
        "related",
        "story-link",
    ]
)


def with_vendors_tags_read(html: str) -> str:
    """The body with escaped tags of typesetting systems as what they stand for; what only points at a component is left out.

    A tag of HTML that is written about stays: it is a word of the text.
    """
    if "&lt;" not in html:
        return html

    def read(found: re.Match[str]) -> str:
        name = found.group(1).strip("/").lower()
        if name in _SIGNS and not found.group(2):
            return text.escaped(_SIGNS[name])
        last = name.rpartition(":")[2]
        return (
            ""
            if (last in _REFERENCES or last.endswith("ref"))
            and (found.group(2) or found.group(0).endswith("/&gt;") or ":" in name)
            else found.group(0)
        )

    return _VENDORS_TAG.sub(read, _ESCAPED_EMBED.sub(_embedded, html))


_ESCAPED_EMBED = re.compile(
    r"<p(?:\s[^<>]*)?>\s*+(&lt;(?:div|script|iframe|blockquote|embed|object)\s[^<]*+)</p>\s*+", re.IGNORECASE
)
"""A paragraph that is the escaped code of a player or post, and nothing else."""


def _embedded(found: re.Match[str]) -> str:
    code = found.group(1).strip()
    if not code.endswith("&gt;") or len(code) > _LONGEST_CODE:
        return found.group(0)
    linked, count = embeds.as_links(text.unescaped(code))
    # Only the links are ours; whatever else is in it is code.
    return linked if count and linked.startswith("<p><a ") and linked.count("<") == 4 else ""


_LONGEST_CODE = 4000


_PARTED = re.compile(r"(?:<br\s*/?>\s*){2,}", re.IGNORECASE)


def in_paragraphs(html: str) -> str:
    """A body of words and breaks with paragraphs: where breaks come in pairs one ends."""
    if "<br" not in html or from_xml.has_blocks(html.lower()) or "<img" in html:
        return html
    return "".join(f"<p>{one.strip()}</p>" for one in _PARTED.split(html) if one.strip())


_WRAPPED = re.compile(r"<p(?:\s[^<>]*)?>((?>[^<]+|<br\s*/?>)+)</p>", re.IGNORECASE)
_A_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_LEAST_WRAPPED = 40
_MOST_WRAPPED = 110


def unwrapped(html: str) -> str:
    """The body without breaks that only keep lines short: those of paragraphs whose lines go on in small letters behind open ends."""
    if "<br" not in html:
        return html

    count = 0

    def joined(found: re.Match[str]) -> str:
        nonlocal count
        lines = [one.strip() for one in _A_BREAK.split(found.group(1))]
        full = [one for one in lines[:-1] if one]
        if len(full) < 1 or any(not _LEAST_WRAPPED <= len(one) <= _MOST_WRAPPED for one in full):
            return found.group(0)
        open_ends = sum(not one.rstrip().endswith((".", "!", "?", ":", ";", "”", '"')) for one in full)
        small = sum(one[:1].islower() for one in lines[1:])
        if (small or count >= _HABIT) and 2 * open_ends > len(full):
            count += 1
            return found.group(0).replace(found.group(1), " ".join(one for one in lines if one))
        return found.group(0)

    left = _WRAPPED.sub(joined, html)
    # A house that keeps its lines short does so before a capital as well.
    return _WRAPPED.sub(joined, left) if count >= _HABIT and "<br" in left else left


_HABIT = 2
"""Paragraphs with short lines that make a habit of it."""


def cleared(html: str, headline: str, slugline: str = "", *, may_have_notes: bool = True) -> Cleared:
    """What of a body is text for readers."""
    found = Cleared(html)
    if "class=" in html or "<figure" in html:
        found.html = _without_furniture(found)
    every = list(blocks.leaves(found.html))
    if not every:
        return found
    spans = _spans(found, every, headline, slugline, may_have_notes=may_have_notes)
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
        if not begun and number < _FIRST and _is_heading(found, block, words, headline, slugline):
            spans.append((block.start, block.end))
            continue
        if is_looked_at and _take_notes(found, block, words, spans):
            continue
        if not begun and number <= _FIRST and not found.bylines and authors.is_line_of_names(words):
            found.bylines.append(words)
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
        _sign_offs(found, every[-_LAST:], spans)
    return spans


def _above_repeat(every: list[blocks.Block], headline: str) -> int:
    """How many lines stand above the headline where a text says it once more: `The Sports Xchange`, then the headline."""
    for number, block in enumerate(every[:_FIRST]):
        words = block.words
        if number and len(words) > _LEAST_WRAPPED // 2 and repeats.same(words, headline):
            return number
        if len(words) > _LEAST_WRAPPED or words.endswith((".", "!", "?", ":", "”", '"', "»")) or "<a" in block.inner:
            return 0
    return 0


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
