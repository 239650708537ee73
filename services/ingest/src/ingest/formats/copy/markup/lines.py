"""Breaks of lines: those that part paragraphs, and those that only keep lines short. Pure."""

import re

from ingest.formats.html import from_xml

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
