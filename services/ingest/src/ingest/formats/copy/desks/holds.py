"""Which updates speak to desks and not to readers: they wait for a person. Pure.

By what a profile names (genres, classes, keywords, beginnings of headlines), and by what a text says of itself in the languages of
agencies. A sentence about what follows it, as above a list of contacts, says nothing about the update.
"""

import functools
import re
from collections.abc import Iterable, Mapping

from ingest.formats.copy import body
from ingest.formats.copy.desks import notes
from ingest.formats.model import SourceProfile
from shared.messages import Hold

MADE_FOR_US = frozenset({"native"})
"""Formats whose senders say what they mean."""
TO_EVERYBODY = frozenset({"native", "cap"})

_PARTS = re.compile(r"[-/,]+")
"""Between the parts of a slug: `BC-AP--Advisory, 1st Ld`. A part of two words is not one of them: `US--Travel Advisory`."""
LOOKED_AT = 600
"""Characters of a body's HTML in which its first paragraph begins."""
_FIRST_WORDS = 200
LONGEST_NOTE = 400
"""Characters of an editor's note that can be about the update as a whole; a longer one is about many things."""


def hold_of(fields: Mapping[str, object], profile: SourceProfile, format_name: str) -> Hold | None:
    """Why an update waits for a desk; None where it does not. `fields` are those of its format, before notes are taken out."""
    if profile.publish == "never":
        return Hold(kind="never", because="none of this source's copy is published")
    because = ""
    if profile.hold_advisories and format_name not in MADE_FOR_US:
        because = _named(fields, profile)
        if not because and format_name not in TO_EVERYBODY:
            because = _said(fields)
    if profile.publish == "desk":
        return Hold(kind="policy", because=because or "all copy of this source waits for a desk")
    return Hold(kind="advisory", because=because[:300], withdraws=profile.hold_withdraws) if because else None


def _named(fields: Mapping[str, object], profile: SourceProfile) -> str:
    """By what the profile names."""
    if codes := _folded(profile.hold_codes):
        for code, name in _subjects(fields):
            if code.casefold() in codes or name.casefold() in codes:
                return f"genre or class {code or name}" + (f" ({name})" if code and name else "")
    if keywords := _folded(profile.hold_keywords):
        for keyword in _keywords(fields):
            if keyword.casefold() in keywords:
                return f"keyword {keyword}"
    headline = _string(fields, "headline").lstrip(" \t*+#([-–—=").casefold()
    for beginning in profile.hold_headlines:
        folded = beginning.casefold()
        if headline.startswith(folded) and not (folded[-1:].isalnum() and headline[len(folded) :][:1].isalnum()):
            return f"headline that begins with {beginning!r}"
    return ""


def _said(fields: Mapping[str, object]) -> str:
    """By what its own words say."""
    headline = _string(fields, "headline")
    if notes.is_addressed_to_desks(headline):
        return f"addressed to desks: {headline[:100]}"
    html, summary = _string(fields, "body_html"), _string(fields, "summary")
    said = [note for name in ("editors_note", "private_note") if len(note := _string(fields, name)) <= LONGEST_NOTE]
    looked_at = "\n".join((headline, _beginning(summary), _beginning(html[:LOOKED_AT]), *said))
    if not notes.may_say_private(looked_at.lower()):
        return ""
    first = body.first_words(html)[:LONGEST_NOTE]
    for name, words in (("headline", headline), ("summary", summary), ("text", first)):
        if notes.says_all_is_private(words):
            return f"its {name} says that it is not for publication: {words[:100]}"
    for note in said:
        if notes.says_all_is_private(note):
            return f"its note says that it is not for publication: {note[:100]}"
    return ""


def _beginning(words: str) -> str:
    """As much of a text as may say so: of what is no note its first words alone."""
    return words if notes.may_be_note(words[words.find(">") + 1 :]) else words[:_FIRST_WORDS]


@functools.lru_cache(256)
def _folded(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)


def _subjects(fields: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    several = fields.get("subjects")
    for one in several if isinstance(several, list | tuple) else ():
        if isinstance(one, Mapping):
            yield str(one.get("code") or ""), str(one.get("name") or "")


def _keywords(fields: Mapping[str, object]) -> Iterable[str]:
    several = fields.get("keywords")
    for one in several if isinstance(several, list | tuple) else ():
        if isinstance(one, str):
            yield one.strip()
    slugline = _string(fields, "slugline").strip()
    yield slugline
    yield from (part.strip() for part in _PARTS.split(slugline))


def _string(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
